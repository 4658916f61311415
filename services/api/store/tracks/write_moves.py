"""Writing what moved: rows of files that go, change tracks or get another place."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

import asyncpg

from services.api.store.tracks.match import Moves

_DROP = "DELETE FROM files WHERE id = ANY($1)"
_PART = "UPDATE files SET track_id = NULL WHERE id = ANY($1)"
_PLACE = """
UPDATE files SET
    track_id = new.track_id, size_bytes = new.size_bytes, mtime_ns = new.mtime_ns,
    state = new.state, content_hash = new.content_hash, replaced_hash = NULL,
    missing_since = CASE WHEN new.state = 'missing' THEN now() END
FROM unnest($1::uuid[], $2::uuid[], $3::bigint[], $4::bigint[], $5::text[], $6::bytea[])
    AS new(id, track_id, size_bytes, mtime_ns, state, content_hash)
WHERE files.id = new.id
"""
_DISPLACE = """
UPDATE tracks SET is_missing = true, revision = revision + 1, updated_at = now()
WHERE id = ANY($1)
"""


async def write(
    connection: asyncpg.Connection, moves: Moves, tracks: Mapping[UUID, Mapping[str, Any]]
) -> None:
    """Write what moved, but for what the batch itself writes; before its own rows are written."""
    dropped = [file["id"] for file in moves.dropped]
    parted = {file["id"]: file for file in moves.parted if file["id"] not in dropped and file["id"]}
    if dropped:
        await connection.execute(_DROP, dropped)
    if parted:
        await connection.execute(_PART, sorted(parted))
        names = ("id", "track_id", "size_bytes", "mtime_ns", "state", "content_hash")
        placed = [[parted[id_][name] for name in names] for id_ in sorted(parted)]
        await connection.execute(_PLACE, *zip(*placed, strict=True))
    lost = [id_ for id_, row in moves.displaced.items() if not tracks[id_]["is_missing"]]
    if lost:
        await connection.execute(_DISPLACE, sorted(lost))
