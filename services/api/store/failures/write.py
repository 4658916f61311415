"""Failures: what a stage had to give up, with the record to publish again.

One a stage and subject (a track, a file, a scan): a repeated failure is the same one, open
again. Success at the stage, a new content or the file's end resolves it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import asyncpg

from services.api.store import scans
from services.api.store.failures.dead_letters import (
    MESSAGE_LIMIT,
    PATH_LIMIT,
    FailureRow,
    clean,
    columns_of,
    record_of,
    take_apart,
)
from services.api.store.results import Status, Upserted, in_transaction
from services.api.store.tracks.lock import take_turn_alone
from shared.contracts.envelope import DeadLetter, Record
from shared.contracts.errors import FailureKind
from shared.contracts.events import FileFound, ScanRequested
from shared.contracts.topics import Stage

_LIBRARIES = "SELECT id FROM libraries WHERE id = ANY($1)"
_SCANS = "SELECT id FROM scans WHERE id = ANY($1)"
# Locks in the order of all writes: files by path, then tracks by id, then failures.
_MARK_UNREADABLE = """
INSERT INTO files (library_id, path, size_bytes, mtime_ns, state)
SELECT library_id, path, size_bytes, mtime_ns, 'unreadable'
FROM unnest($1::uuid[], $2::text[], $3::bigint[], $4::bigint[])
    AS new(library_id, path, size_bytes, mtime_ns)
ORDER BY library_id, path COLLATE "C"
ON CONFLICT (library_id, path) DO UPDATE SET
    size_bytes = EXCLUDED.size_bytes, mtime_ns = EXCLUDED.mtime_ns, images_digest = NULL,
    state = 'unreadable',
    missing_since = NULL
"""
_HOLD_TRACKS = """
SELECT t.id, t.content_revision, t.is_missing, f.library_id, f.path
FROM tracks t LEFT JOIN files f ON f.track_id = t.id
WHERE t.id = ANY($1) ORDER BY t.id FOR KEY SHARE OF t
"""
_TRACKS_OF_FILES = """
SELECT f.library_id, f.path, f.track_id FROM files f
JOIN unnest($1::uuid[], $2::text[]) AS told(library_id, path) USING (library_id, path)
WHERE f.track_id IS NOT NULL
"""
_WRITE = """
INSERT INTO failures (
    stage, subject, kind, message, detail, attempts, track_id, library_id, path, scan_id,
    event_topic, event_key, event_value, event_headers, resolved_at
)
SELECT stage, subject, kind, message, detail, attempts, track_id, library_id, path, scan_id,
    event_topic, event_key, event_value, event_headers, CASE WHEN is_stale THEN now() END
FROM jsonb_to_recordset($1) AS new(
    stage text, subject text, kind text, message text, detail text, attempts integer,
    track_id uuid, library_id uuid, path text, scan_id uuid, event_topic text, event_key bytea,
    event_value bytea, event_headers jsonb, is_stale boolean
)
ORDER BY stage, subject
ON CONFLICT (stage, subject) DO UPDATE SET
    kind = EXCLUDED.kind, message = EXCLUDED.message, detail = EXCLUDED.detail,
    attempts = EXCLUDED.attempts, track_id = EXCLUDED.track_id,
    library_id = EXCLUDED.library_id, path = EXCLUDED.path, scan_id = EXCLUDED.scan_id,
    event_topic = EXCLUDED.event_topic, event_key = EXCLUDED.event_key,
    event_value = EXCLUDED.event_value, event_headers = EXCLUDED.event_headers,
    failed_at = now(), resolved_at = EXCLUDED.resolved_at
RETURNING id, stage, subject, xmax = 0 AS is_new
"""
_TAKE = """
WITH taken AS (
    SELECT id FROM failures
    WHERE resolved_at IS NULL
        AND ($1::uuid[] IS NULL OR id = ANY($1)) AND ($2::text IS NULL OR stage = $2)
        AND ($3::text IS NULL OR kind = $3) AND ($4::text IS NULL OR event_topic = $4)
        AND ($5::uuid IS NULL OR track_id = $5) AND failed_at <= $6
    ORDER BY stage, subject LIMIT $7 FOR UPDATE
)
UPDATE failures f SET resolved_at = now() FROM taken WHERE f.id = taken.id
RETURNING f.id, f.stage, f.scan_id, f.event_topic, f.event_key, f.event_value, f.event_headers
"""
# A refused scan that is asked for again; not where another one does the same by now.
_REVIVE_SCANS = """
UPDATE scans s SET state = 'requested', message = NULL, finished_at = NULL, moved_at = now()
WHERE id = ANY($1) AND state = 'refused' AND NOT EXISTS (
    SELECT FROM scans o
    WHERE (o.library_id, o.folder, o.mode, o.accept_missing)
            = (s.library_id, s.folder, s.mode, s.accept_missing)
        AND o.state IN ('requested', 'walking', 'reading')
)
"""


_READ = """
SELECT id, stage, kind, message, detail, attempts, path, track_id, library_id, scan_id,
    event_topic AS topic, failed_at, resolved_at
FROM failures WHERE id = ANY($1)
"""


@dataclass(frozen=True, slots=True)
class Failure:
    """A failure as it is shown."""

    id: UUID
    stage: str
    kind: str
    message: str
    detail: str
    attempts: int
    path: str | None
    track_id: UUID | None
    library_id: UUID | None
    scan_id: UUID | None
    topic: str
    failed_at: datetime
    resolved_at: datetime | None


async def read(pool: asyncpg.Pool, ids: Sequence[UUID]) -> dict[UUID, Failure]:
    """The failures of the ids, those there are."""
    return {row["id"]: Failure(**row) for row in await pool.fetch(_READ, list(ids))}


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which open failures; None does not matter. `until`: those that failed by then."""

    until: datetime
    ids: list[UUID] | None = None
    stage: str | None = None
    kind: str | None = None
    topic: str | None = None
    track_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Taken:
    """A failure that is resolved by publishing its record again."""

    id: UUID
    record: Record


async def store(pool: asyncpg.Pool, letters: Sequence[DeadLetter]) -> list[Upserted]:
    """Keep failures, in one transaction; one result a letter, in order.

    A file that cannot be read is known from then on, so that the next scan leaves it alone
    until it changes. A scan that cannot be done is refused with the message.
    """
    rows = [take_apart(letter) for letter in letters]

    async def work(connection: asyncpg.Connection) -> list[Upserted]:
        return await _store(connection, rows)

    return await in_transaction(pool, work)


async def take(connection: asyncpg.Connection, wanted: Wanted, *, first: int) -> list[Taken]:
    """Resolve `first` of the open failures that fit, for a replay.

    Publish the records before the transaction ends: one that fails again then opens it again.
    """
    told = (wanted.ids, wanted.stage, wanted.kind, wanted.topic, wanted.track_id, wanted.until)
    rows = await connection.fetch(_TAKE, *told, first)
    revived = [row["scan_id"] for row in rows if row["stage"] == Stage.WALK] if rows else []
    await connection.execute(_REVIVE_SCANS, revived)
    return [Taken(row["id"], record_of(row)) for row in rows]


async def _store(connection: asyncpg.Connection, rows: list[FailureRow]) -> list[Upserted]:
    libraries = await _known(connection, _LIBRARIES, {row.library_id for row in rows})
    known_scans = await _known(connection, _SCANS, {row.scan_id for row in rows})
    await _mark_unreadable(connection, rows, libraries)
    files = [row for row in rows if row.library_id in libraries and row.path]
    owners = {
        (row["library_id"], row["path"]): row["track_id"]
        for row in await connection.fetch(
            _TRACKS_OF_FILES, [r.library_id for r in files], [r.path for r in files]
        )
    }
    ids = {row.track_id for row in rows if row.track_id} | set(owners.values())
    tracks = {row["id"]: row for row in await connection.fetch(_HOLD_TRACKS, sorted(ids))}
    libraries |= {row["library_id"] for row in tracks.values()}
    told: dict[tuple[str, str], dict[str, Any]] = {}
    for row in rows:
        track_id = row.track_id or owners.get((row.library_id, row.path))
        columns = columns_of(row, tracks.get(track_id))
        columns["library_id"] = _text_of(columns["library_id"], libraries)
        columns["scan_id"] = _text_of(columns["scan_id"], known_scans)
        told[(columns["stage"], columns["subject"])] = columns
    stored = {
        (row["stage"], row["subject"]): row
        for row in await connection.fetch(_WRITE, list(told.values()))
    }
    await _end_scans(connection, rows, known_scans)
    results = [stored[(clean(row.letter.stage, 100), row.subject)] for row in rows]
    return [Upserted(r["id"], Status.CREATED if r["is_new"] else Status.UPDATED) for r in results]


async def _known(connection: asyncpg.Connection, query: str, ids: set[UUID | None]) -> set[UUID]:
    asked = sorted(id_ for id_ in ids if id_)
    return {row["id"] for row in await connection.fetch(query, asked)} if asked else set()


async def _mark_unreadable(
    connection: asyncpg.Connection, rows: list[FailureRow], libraries: set[UUID]
) -> None:
    files = {
        (row.library_id, row.event.path): (row.event.size_bytes, row.event.mtime_ns)
        for row in rows
        if isinstance(row.event, FileFound)
        and row.letter.stage == Stage.READ
        and row.letter.kind is FailureKind.INVALID
        and row.library_id in libraries
        and len(row.event.path.encode()) <= PATH_LIMIT
    }
    if files:
        told = [(*key, *value) for key, value in files.items()]
        await take_turn_alone(connection)
        await connection.execute(_MARK_UNREADABLE, *zip(*told, strict=True))


async def _end_scans(
    connection: asyncpg.Connection, rows: list[FailureRow], known: set[UUID]
) -> None:
    for row in rows:
        if isinstance(row.event, ScanRequested) and row.scan_id in known:
            message = clean(row.letter.message, MESSAGE_LIMIT)
            await scans.refuse(connection, row.scan_id, message)
    reading = {row.scan_id for row in rows if row.path and row.scan_id in known}
    if reading:
        await scans.settle(connection, [scan for scan in reading if scan])


def _text_of(id_: UUID | None, known: set[UUID]) -> str | None:
    return str(id_) if id_ in known else None
