"""Writes which tracks belong to other files now, and which rows of files no longer count."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

import asyncpg

from services.api.store.tracks.match import Moves

_DROP_FILES = "DELETE FROM files WHERE id = ANY($1)"
# `track_id` is unique: all reassigned files give up theirs before any gets another one.
_UNASSIGN_FILES = "UPDATE files SET track_id = NULL WHERE id = ANY($1)"
_REASSIGN_FILES = """
UPDATE files SET
    track_id = new.track_id, size_bytes = new.size_bytes, mtime_ns = new.mtime_ns,
    state = new.state, content_hash = new.content_hash, replaced_hash = NULL,
    start_s = new.start_s, end_s = new.end_s,
    missing_since = CASE WHEN new.state = 'missing' THEN now() END
FROM unnest(
    $1::uuid[], $2::uuid[], $3::bigint[], $4::bigint[], $5::text[], $6::bytea[], $7::float8[],
    $8::float8[]
) AS new(id, track_id, size_bytes, mtime_ns, state, content_hash, start_s, end_s)
WHERE files.id = new.id
"""
_MARK_DISPLACED = """
UPDATE tracks SET is_missing = true, revision = revision + 1, updated_at = now()
WHERE id = ANY($1)
"""
_REPLACE_FILES = """
WITH unknown AS (DELETE FROM files WHERE id = ANY($1) AND track_id IS NULL)
UPDATE files SET state = 'replaced', missing_since = NULL, replaced_hash = NULL
WHERE id = ANY($1) AND track_id IS NOT NULL RETURNING track_id
"""
_MARK_REPLACED = """
UPDATE tracks SET is_missing = true, revision = revision + 1, updated_at = now()
WHERE id = ANY($1) AND NOT is_missing
"""


async def write_moves(
    connection: asyncpg.Connection, moves: Moves, tracks: Mapping[UUID, Mapping[str, Any]]
) -> None:
    """Write what moved, before the batch's own rows are written."""
    dropped = [file["id"] for file in moves.dropped]
    # A file without an id is new: `write_files` writes it.
    reassigned = {
        file["id"]: file for file in moves.reassigned if file["id"] not in dropped and file["id"]
    }
    if dropped:
        await connection.execute(_DROP_FILES, dropped)
    if reassigned:
        ids = sorted(reassigned)
        await connection.execute(_UNASSIGN_FILES, ids)
        names = (
            "id", "track_id", "size_bytes", "mtime_ns", "state", "content_hash", "start_s", "end_s",
        )  # fmt: skip
        rows = [[reassigned[id_][name] for name in names] for id_ in ids]
        await connection.execute(_REASSIGN_FILES, *zip(*rows, strict=True))
    displaced = [id_ for id_ in moves.displaced if not tracks[id_]["is_missing"]]
    if displaced:
        await connection.execute(_MARK_DISPLACED, sorted(displaced))


async def write_replaced(
    connection: asyncpg.Connection, files: Sequence[Mapping[str, Any]]
) -> list[UUID]:
    """Write which rows of files no longer count; returns their tracks, which are missing now."""
    if not files:
        return []
    rows = await connection.fetch(_REPLACE_FILES, [file["id"] for file in files])
    track_ids = sorted(row["track_id"] for row in rows)
    await connection.execute(_MARK_REPLACED, track_ids)
    return track_ids
