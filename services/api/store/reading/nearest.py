"""Nearest neighbours, by pgvector's HNSW index of a space.

Method: hierarchical navigable small worlds, Malkov and Yashunin 2018; approximate.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

import asyncpg
import numpy as np
from numpy.typing import NDArray
from pgvector import Vector

from services.api.store.vectors.spaces import Space
from shared.contracts.errors import DependencyDown

_SPACE = "SELECT id, model, version, dimensions FROM vector_spaces WHERE space = $1 AND is_current"
# Space and length are literals: the planner would not use the space's partial index otherwise.
_NEAREST = """
SELECT v.track_id, 1 - (v.embedding::vector({n}) <=> {target}::vector({n})) AS score
FROM track_vectors v JOIN tracks t ON t.id = v.track_id AND NOT t.is_missing
WHERE v.vector_space_id = {space} {other}
ORDER BY v.embedding::vector({n}) <=> {target}::vector({n}) LIMIT $2
"""
_OF_TRACKS = """
SELECT q.track_id AS owner, near.track_id, near.score
FROM track_vectors q CROSS JOIN LATERAL ({nearest}) near
WHERE q.vector_space_id = {space} AND q.track_id = ANY($1)
ORDER BY q.track_id, near.score DESC, near.track_id
"""
_MAX_EF_SEARCH = 1_000  # of pgvector


@dataclass(frozen=True, slots=True)
class Neighbour:
    """A track and the cosine similarity of its vector, -1..1."""

    track_id: UUID
    score: float


async def of_tracks(
    pool: asyncpg.Pool, space: str, ids: Sequence[UUID], first: int
) -> list[list[Neighbour]]:
    """Each track's nearest others, best first; none for a track without a vector."""
    found: defaultdict[UUID, list[Neighbour]] = defaultdict(list)
    async with pool.acquire() as connection, connection.transaction():
        current = await connection.fetchrow(_SPACE, space)
        if current is None:
            return [[] for _ in ids]
        nearest = _NEAREST.format(
            n=current["dimensions"], space=current["id"], target="q.embedding",
            other="AND v.track_id <> q.track_id",
        )  # fmt: skip
        query = _OF_TRACKS.format(nearest=nearest, space=current["id"])
        await _tune(connection, first)
        for row in await connection.fetch(query, list(ids), first):
            found[row["owner"]].append(Neighbour(row["track_id"], row["score"]))
    return [found[id_] for id_ in ids]


async def of_vector(
    pool: asyncpg.Pool, space: Space, vector: NDArray[np.float32], first: int
) -> list[Neighbour]:
    """The tracks nearest to a vector of the space, best first; none before tracks have vectors.

    Raises:
        DependencyDown: the tracks' vectors are of another space.
    """
    async with pool.acquire() as connection, connection.transaction():
        current = await connection.fetchrow(_SPACE, space.space)
        if current is None:
            return []
        tracks_space = Space(
            space.space, current["model"], current["version"], current["dimensions"]
        )
        if tracks_space != space:
            raise DependencyDown(_other_space(tracks_space, space))
        query = _NEAREST.format(n=current["dimensions"], space=current["id"], target="$1", other="")
        await _tune(connection, first)
        rows = await connection.fetch(query, Vector(vector), first)
    return [Neighbour(row["track_id"], row["score"]) for row in rows]


def _other_space(tracks: Space, text: Space) -> str:
    return (
        f"the tracks have vectors of {tracks.model} ({tracks.version}), the text has one of"
        f" {text.model} ({text.version}): give the gateway and the vectorizer the same embedder,"
        " and start the vectorizer again, if its model was replaced"
    )


async def _tune(connection: asyncpg.Connection, first: int) -> None:
    """Search enough candidates, and continue where missing tracks take their places."""
    await connection.execute(
        f"SET LOCAL hnsw.ef_search = {min(_MAX_EF_SEARCH, max(80, 2 * first))};"
        "SET LOCAL hnsw.iterative_scan = strict_order"
    )
