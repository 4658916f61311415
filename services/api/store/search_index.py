"""Which search index is in use, and how far tracks are in it."""

from collections.abc import Mapping
from uuid import UUID

import asyncpg

from services.api.store.failures.resolve import resolve
from services.api.store.results import in_transaction

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
_INDEXED = """
WITH told AS (
    SELECT t.id, new.revision FROM tracks t
    JOIN unnest($1::uuid[], $2::bigint[]) AS new(id, revision) ON t.id = new.id
    WHERE t.indexed_revision < new.revision
    ORDER BY t.id FOR UPDATE OF t
)
UPDATE tracks SET indexed_revision = greatest(indexed_revision, told.revision)
FROM told WHERE tracks.id = told.id
"""


async def register(pool: asyncpg.Pool, generation: str) -> bool:
    """Say which index is in use; another one than before makes all tracks wait. Whether it is."""

    async def work(connection: asyncpg.Connection) -> bool:
        changed = await connection.fetchval(_REGISTER, generation) is not None
        if changed:
            await connection.execute(_FORGET)
        return changed

    return await in_transaction(pool, work)


async def indexed(pool: asyncpg.Pool, revisions: Mapping[UUID, int], *, stage: str) -> None:
    """The index holds these tracks as of these revisions; what it knew of later ones stays.

    `stage` is the indexer's: its open failures of these tracks are resolved.
    """
    ids = sorted(revisions)

    async def work(connection: asyncpg.Connection) -> None:
        await connection.execute(_INDEXED, ids, [revisions[id_] for id_ in ids])
        await resolve(connection, ids, stage)

    await in_transaction(pool, work)
