"""Upserts a batch of analyses."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import asyncpg
from pydantic import ValidationError

from services.api.store import checks
from services.api.store.analyses import meanings
from services.api.store.analyses.current import count_as_analyzed, delete_current
from services.api.store.analyses.reuse import share_analyses
from services.api.store.checks import InvalidValue, Item
from services.api.store.database.pool import in_transaction
from services.api.store.failures.resolve import resolve_failures
from services.api.store.results import Problem, TrackUpserted
from shared.contracts.analysis import Analysis
from shared.contracts.identity import IdKind
from shared.contracts.topics import Stage
from shared.contracts.upserts import ErrorCode, UpsertStatus
from shared.contracts.versions import ANALYZER_VERSION

_LOCK_TRACKS = """
SELECT id, revision, content_revision, analyzed_content_revision FROM tracks
WHERE id = ANY($1) ORDER BY id FOR UPDATE
"""
_DIGESTS = """
SELECT track_id, digest, content_revision FROM analyses
WHERE track_id = ANY($1) AND analyzer_version = $2
"""
# The rows have every column of the table, so that none can be forgotten.
_WRITE = "INSERT INTO analyses SELECT * FROM jsonb_populate_recordset(NULL::analyses, $1)"


@dataclass(frozen=True, slots=True)
class _Row:
    track_id: UUID
    content_revision: int
    fields: dict[str, Any]
    digest: bytes


async def upsert_analyses(pool: asyncpg.Pool, items: Sequence[Item]) -> list[TrackUpserted]:
    """Upsert a batch in one transaction; one result an item, in order.

    A new or different analysis counts as a change of the track, and its vectors have to be
    made anew; an equal one changes nothing. One of an earlier content of the file is refused as
    STALE.
    """
    rows = [_validate(item) for item in items]

    async def work(connection: asyncpg.Connection) -> list[TrackUpserted]:
        return await _store(connection, rows)

    results = await in_transaction(pool, work)
    await share_analyses(pool, [result.id for result in results if result.id])
    return results


def _validate(item: Item) -> _Row | Problem:
    try:
        track_id = checks.identifier(item, "track_id", IdKind.TRACK)
        _check_version(checks.text(item, "analyzer_version", 100))
        for name in ("fingerprint", "acoustid_id"):
            checks.optional_text(item, name, 1_000_000)
        content_revision = checks.integer(item, "content_revision", 1, checks.INT_LIMIT)
    except InvalidValue as invalid:
        return invalid.problem
    try:
        analysis = Analysis.model_validate({k: v for k, v in item.items() if v is not None})
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        field = ".".join(map(str, first["loc"])) or "analysis"
        return InvalidValue(first["msg"], field).problem
    fields = analysis.model_dump()
    text = json.dumps(fields, sort_keys=True)
    return _Row(track_id, content_revision, fields, hashlib.sha256(text.encode()).digest())


def _check_version(version: str) -> None:
    if version != ANALYZER_VERSION:
        raise InvalidValue(
            f"the current analyzer version is {ANALYZER_VERSION}, this is {version}",
            "analyzer_version",
            ErrorCode.CONFLICT,
        )


async def _store(connection: asyncpg.Connection, rows: list[_Row | Problem]) -> list[TrackUpserted]:
    ids = sorted({row.track_id for row in rows if isinstance(row, _Row)})
    tracks = {row["id"]: row for row in await connection.fetch(_LOCK_TRACKS, ids)}
    stored = {
        row["track_id"]: row for row in await connection.fetch(_DIGESTS, ids, ANALYZER_VERSION)
    }
    changed: dict[UUID, _Row] = {}
    statuses: dict[UUID, UpsertStatus] = {}
    problems: list[Problem | None] = []
    for row in rows:
        problem = row if isinstance(row, Problem) else _problem(row, tracks.get(row.track_id))
        problems.append(problem)
        if problem is None and isinstance(row, _Row):
            status = _status(row, tracks[row.track_id], stored.get(row.track_id))
            statuses[row.track_id] = status
            if status is not UpsertStatus.UNCHANGED:
                changed[row.track_id] = row
            else:
                changed.pop(row.track_id, None)
    await _write(connection, changed)
    if statuses:
        await resolve_failures(connection, list(statuses), Stage.ANALYZE)
    return [
        TrackUpserted(problem=problem)
        if isinstance(row, Problem) or problem is not None
        else TrackUpserted(
            row.track_id,
            statuses[row.track_id],
            tracks[row.track_id]["revision"] + (row.track_id in changed),
            tracks[row.track_id]["content_revision"],
        )
        for row, problem in zip(rows, problems, strict=True)
    ]


def _problem(row: _Row, track: asyncpg.Record | None) -> Problem | None:
    if track is None:
        return Problem(ErrorCode.NOT_FOUND, "there is no such track", "trackId")
    if row.content_revision < track["content_revision"]:
        return Problem(ErrorCode.STALE, "the file has changed since", "contentRevision")
    if row.content_revision > track["content_revision"]:
        return Problem(ErrorCode.INVALID, "the file has had no such content yet", "contentRevision")
    return None


def _status(row: _Row, track: asyncpg.Record, stored: asyncpg.Record | None) -> UpsertStatus:
    if stored is None:
        return UpsertStatus.CREATED
    is_counted = track["analyzed_content_revision"] == row.content_revision
    if is_counted and stored["digest"] == row.digest:
        return UpsertStatus.UNCHANGED
    return UpsertStatus.UPDATED


async def _write(connection: asyncpg.Connection, changed: dict[UUID, _Row]) -> None:
    if not changed:
        return
    ids = sorted(changed)
    now = datetime.now(UTC).isoformat()
    await delete_current(connection, ids)
    await connection.execute(
        _WRITE,
        [
            {
                **row.fields,
                "meaning": None,  # in a table of its own
                "track_id": str(row.track_id),
                "analyzer_version": ANALYZER_VERSION,
                "content_revision": row.content_revision,
                "analyzed_at": now,
                "digest": "\\x" + row.digest.hex(),
            }
            for row in (changed[id_] for id_ in ids)
        ],
    )
    found = [(id_, changed[id_].fields["meaning"]) for id_ in ids]
    await meanings.write(connection, [(id_, one) for id_, one in found if one is not None])
    await count_as_analyzed(connection, ids)
