"""Spaces of vectors: vectors are comparable within one, of one kind, model, version and length.

One space of a kind (`audio`, `text`) is the current one; each has its own HNSW index.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

import asyncpg

from services.api.store import checks
from services.api.store.checks import InvalidValue, Item
from services.api.store.database.pool import in_transaction

MOST_DIMENSIONS = 2_000  # of pgvector's HNSW index

_LOCK_WRITING = "SELECT pg_advisory_xact_lock(hashtext('soniquebay.vector_spaces'))"
# FOR SHARE: no other transaction makes another space the current one meanwhile.
_CURRENT = """
SELECT id, space, model, version, dimensions FROM vector_spaces WHERE is_current FOR SHARE
"""
_RETIRE = """
UPDATE vector_spaces SET is_current = false, retired_at = now() WHERE space = $1 AND is_current
"""
_REGISTER = """
INSERT INTO vector_spaces (space, model, version, dimensions, is_current)
VALUES ($1, $2, $3, $4, true)
ON CONFLICT (space, model, version, dimensions) DO UPDATE SET
    is_current = true, retired_at = NULL
RETURNING id
"""
_INDEX = """
CREATE INDEX IF NOT EXISTS track_vectors_space_{id} ON track_vectors
USING hnsw ((embedding::vector({dimensions})) vector_cosine_ops) WHERE vector_space_id = {id}
"""
# A track is vectorized when every current space has a vector of its content. $1: ids or null.
_UPDATE_VECTORIZED = """
WITH counted AS (
    SELECT t.id, t.content_revision, t.vectorized_content_revision AS before, (
        SELECT count(*) FROM track_vectors v JOIN vector_spaces s ON s.id = v.vector_space_id
        WHERE v.track_id = t.id AND s.is_current AND v.content_revision = t.content_revision
    ) = (SELECT count(*) FROM vector_spaces WHERE is_current) AS is_complete
    FROM tracks t WHERE $1::uuid[] IS NULL OR t.id = ANY($1)
    ORDER BY t.id FOR UPDATE OF t
)
UPDATE tracks SET
    vectorized_content_revision = CASE WHEN is_complete THEN counted.content_revision END
FROM counted WHERE tracks.id = counted.id
    AND before IS DISTINCT FROM CASE WHEN is_complete THEN counted.content_revision END
"""
_OUTDATE = """
UPDATE track_vectors SET content_revision = 0 WHERE track_id = ANY($1) AND content_revision <> 0
"""
_OUTDATE_TEXTS = """
UPDATE track_vectors v SET content_revision = 0 FROM vector_spaces s
WHERE s.id = v.vector_space_id AND s.space = 'text' AND v.track_id = ANY($1)
"""


@dataclass(frozen=True, slots=True)
class Space:
    """What makes vectors comparable. `space` is the kind: `audio` or `text`."""

    space: str
    model: str
    version: str
    dimensions: int


def validate_space(item: Item) -> Space:
    """The space that an item names.

    Raises:
        InvalidValue: for the first invalid field.
    """
    space = str(item.get("space")).lower()
    if space not in {"audio", "text"}:
        raise InvalidValue(f"{space!r} is no kind of vectors", "space")
    return Space(
        space=space,
        model=checks.name_text(item, "model"),
        version=checks.name_text(item, "version"),
        dimensions=checks.integer(item, "dimensions", 1, MOST_DIMENSIONS),
    )


async def register_spaces(pool: asyncpg.Pool, spaces: Sequence[Space]) -> bool:
    """Make these the current spaces of their kinds; returns whether that changed anything.

    After a change all tracks wait for vectors that they don't have in the new space.
    """

    async def work(connection: asyncpg.Connection) -> bool:
        await lock_spaces(connection)
        current = await current_spaces(connection)
        changed = [space for space in spaces if space not in current]
        for space in changed:
            await connection.execute(_RETIRE, space.space)
            id_ = await connection.fetchval(
                _REGISTER, space.space, space.model, space.version, space.dimensions
            )
            await connection.execute(_INDEX.format(id=id_, dimensions=space.dimensions))
        if changed:
            await connection.execute(_UPDATE_VECTORIZED, None)
        return bool(changed)

    return await in_transaction(pool, work)


async def lock_spaces(connection: asyncpg.Connection) -> None:
    """Be the only one who registers or deletes spaces until this transaction ends."""
    await connection.execute(_LOCK_WRITING)


async def current_spaces(connection: asyncpg.Connection) -> dict[Space, int]:
    """The current spaces with their ids; they stay current until this transaction ends."""
    return {
        Space(row["space"], row["model"], row["version"], row["dimensions"]): row["id"]
        for row in await connection.fetch(_CURRENT)
    }


async def update_vectorized(connection: asyncpg.Connection, track_ids: Sequence[UUID]) -> None:
    """Note whether the tracks have a vector of their content in every current space."""
    await connection.execute(_UPDATE_VECTORIZED, track_ids)


async def outdate_vectors(connection: asyncpg.Connection, track_ids: Sequence[UUID]) -> None:
    """The tracks wait for new vectors; the old ones are searched until then."""
    await connection.execute(_OUTDATE, track_ids)


async def outdate_text_vectors(connection: asyncpg.Connection, track_ids: Sequence[UUID]) -> None:
    """The tracks wait for new text vectors: their tags or corrections changed, not the sound."""
    await connection.execute(_OUTDATE_TEXTS, track_ids)
