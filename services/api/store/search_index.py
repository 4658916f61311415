"""Which generation of the search index is in use, and which revision of tracks it holds."""

from collections.abc import Mapping
from uuid import UUID

import asyncpg

from services.api.store.database.pool import in_transaction
from services.api.store.failures.resolve import resolve_failures

_REGISTER = """
INSERT INTO search_generation (generation) VALUES ($1)
ON CONFLICT (only_row) DO UPDATE SET generation = EXCLUDED.generation
WHERE search_generation.generation <> EXCLUDED.generation
RETURNING generation
"""
_FORGET = """
WITH indexed AS (SELECT id FROM tracks WHERE indexed_revision > 0 ORDER BY id FOR UPDATE)
UPDATE tracks SET indexed_revision = 0 FROM indexed WHERE tracks.id = indexed.id
"""
_MARK_INDEXED = """
WITH outdated AS (
    SELECT t.id, new.revision FROM tracks t
    JOIN unnest($1::uuid[], $2::bigint[]) AS new(id, revision) ON t.id = new.id
    WHERE t.indexed_revision < new.revision
    ORDER BY t.id FOR UPDATE OF t
)
UPDATE tracks SET indexed_revision = greatest(indexed_revision, outdated.revision)
FROM outdated WHERE tracks.id = outdated.id
"""
_FORGET_REMOVED = """
DELETE FROM removed_tracks r USING unnest($1::uuid[], $2::bigint[]) AS done(id, revision)
WHERE r.track_id = done.id AND r.revision <= done.revision
"""


async def register_generation(pool: asyncpg.Pool, generation: str) -> bool:
    """Set the generation in use; a new one makes all tracks wait. Returns whether it is new."""

    async def work(connection: asyncpg.Connection) -> bool:
        changed = await connection.fetchval(_REGISTER, generation) is not None
        if changed:
            await connection.execute(_FORGET)
        return changed

    return await in_transaction(pool, work)


async def mark_indexed(pool: asyncpg.Pool, revisions: Mapping[UUID, int], *, stage: str) -> None:
    """Note that the index holds tracks as of these revisions; later ones stay noted.

    Removed tracks are out of the index now. `stage` is the indexer's: its open failures of these
    tracks are resolved.
    """
    ids = sorted(revisions)

    async def work(connection: asyncpg.Connection) -> None:
        values = [revisions[id_] for id_ in ids]
        await connection.execute(_MARK_INDEXED, ids, values)
        await connection.execute(_FORGET_REMOVED, ids, values)
        await resolve_failures(connection, ids, stage)

    await in_transaction(pool, work)
