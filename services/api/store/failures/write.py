"""Stores dead letters as failures, and notes what they mean for files and scans."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import asyncpg

from services.api.store import scans
from services.api.store.database.pool import in_transaction
from services.api.store.failures.dead_letters import (
    MESSAGE_LIMIT,
    PATH_LIMIT_BYTES,
    FailureRow,
    clean,
    columns_of,
    failure_row,
)
from services.api.store.results import Upserted
from services.api.store.scan_end import end_scan
from services.api.store.tracks.lock import lock_file_creation
from shared.contracts.envelope import DeadLetter
from shared.contracts.errors import FailureKind
from shared.contracts.events import FileFound, ScanRequested
from shared.contracts.topics import Stage
from shared.contracts.upserts import UpsertStatus

_LIBRARIES = """
SELECT id FROM libraries WHERE id = ANY($1) AND removal_requested_at IS NULL
ORDER BY id FOR KEY SHARE
"""
_SCANS = "SELECT id FROM scans WHERE id = ANY($1)"
# Locks in the order of all writes: files by path, then tracks by id, then failures.
_LOCK_PARTS = """
SELECT FROM files WHERE (library_id, path) IN (SELECT * FROM unnest($1::uuid[], $2::text[]))
ORDER BY library_id, path, part FOR UPDATE
"""
# All parts of a file, or the whole.
_MARK_UNREADABLE = """
WITH failed AS (
    SELECT * FROM unnest($1::uuid[], $2::text[], $3::bigint[], $4::bigint[])
        AS new(library_id, path, size_bytes, mtime_ns)
), parts AS (
    UPDATE files SET
        size_bytes = failed.size_bytes, mtime_ns = failed.mtime_ns, images_digest = NULL,
        state = 'unreadable', missing_since = NULL
    FROM failed
    WHERE files.library_id = failed.library_id AND files.path = failed.path
        AND files.part > 0 AND files.state <> 'replaced'
    RETURNING files.library_id, files.path
)
INSERT INTO files (library_id, path, size_bytes, mtime_ns, state)
SELECT library_id, path, size_bytes, mtime_ns, 'unreadable' FROM failed
WHERE (library_id, path) NOT IN (SELECT library_id, path FROM parts)
ORDER BY library_id, path COLLATE "C"
ON CONFLICT (library_id, path, part) DO UPDATE SET
    size_bytes = EXCLUDED.size_bytes, mtime_ns = EXCLUDED.mtime_ns, images_digest = NULL,
    state = 'unreadable',
    missing_since = NULL
"""
_LOCK_TRACKS = """
SELECT t.id, t.content_revision, t.is_missing, f.library_id, f.path
FROM tracks t LEFT JOIN files f ON f.track_id = t.id
WHERE t.id = ANY($1) ORDER BY t.id FOR KEY SHARE OF t
"""
_TRACKS_OF_FILES = """
SELECT f.library_id, f.path, f.track_id FROM files f
JOIN unnest($1::uuid[], $2::text[]) AS failed(library_id, path) USING (library_id, path)
WHERE f.track_id IS NOT NULL AND f.state <> 'replaced' ORDER BY f.part DESC
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
    failed_at = now(), resolved_at = EXCLUDED.resolved_at, claimed_at = NULL
RETURNING id, stage, subject, xmax = 0 AS is_new  -- xmax is 0 of a row that was inserted
"""


async def store_failures(pool: asyncpg.Pool, letters: Sequence[DeadLetter]) -> list[Upserted]:
    """Keep failures, in one transaction; one result a letter, in order.

    A file that cannot be read is known from then on, so that the next scan skips it until it
    changes. A scan that cannot be done is refused with the message.
    """
    rows = [failure_row(letter) for letter in letters]

    async def work(connection: asyncpg.Connection) -> list[Upserted]:
        return await _store(connection, rows)

    results = await in_transaction(pool, work)
    for scan in {row.scan_id for row in rows if row.path and row.scan_id}:
        await end_scan(pool, scan)
    return results


async def _store(connection: asyncpg.Connection, rows: list[FailureRow]) -> list[Upserted]:
    library_ids = await _known(connection, _LIBRARIES, {row.library_id for row in rows})
    scan_ids = await _known(connection, _SCANS, {row.scan_id for row in rows})
    await _mark_unreadable(connection, rows, library_ids)
    files = [row for row in rows if row.library_id in library_ids and row.path]
    owners = {
        (row["library_id"], row["path"]): row["track_id"]
        for row in await connection.fetch(
            _TRACKS_OF_FILES, [r.library_id for r in files], [r.path for r in files]
        )
    }
    ids = {row.track_id for row in rows if row.track_id} | set(owners.values())
    tracks = {row["id"]: row for row in await connection.fetch(_LOCK_TRACKS, sorted(ids))}
    library_ids |= {row["library_id"] for row in tracks.values()}
    failures: dict[tuple[str, str], dict[str, Any]] = {}
    for row in rows:
        track_id = row.track_id or owners.get((row.library_id, row.path))
        columns = columns_of(row, tracks.get(track_id))
        columns["library_id"] = _text_of(columns["library_id"], library_ids)
        columns["scan_id"] = _text_of(columns["scan_id"], scan_ids)
        failures[(columns["stage"], columns["subject"])] = columns
    stored = {
        (row["stage"], row["subject"]): row
        for row in await connection.fetch(_WRITE, list(failures.values()))
    }
    await _end_scans(connection, rows, scan_ids)
    results = [stored[(clean(row.letter.stage, 100), row.subject)] for row in rows]
    return [
        Upserted(r["id"], UpsertStatus.CREATED if r["is_new"] else UpsertStatus.UPDATED)
        for r in results
    ]


async def _known(connection: asyncpg.Connection, query: str, ids: set[UUID | None]) -> set[UUID]:
    present = sorted(id_ for id_ in ids if id_)
    return {row["id"] for row in await connection.fetch(query, present)} if present else set()


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
        and len(row.event.path.encode()) <= PATH_LIMIT_BYTES
    }
    if files:
        await lock_file_creation(connection)
        values = [(*key, *stat) for key, stat in files.items()]
        await connection.execute(_LOCK_PARTS, *zip(*files, strict=True))
        await connection.execute(_MARK_UNREADABLE, *zip(*values, strict=True))


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
