"""Vectors of tracks, and the spaces they are in.

A space holds vectors that are comparable: of one kind, model, version and length. One space of
a kind is the current one; each has its own HNSW index.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import asyncpg
import numpy as np
from numpy.typing import NDArray
from pgvector import Vector

from services.api.store import checks
from services.api.store.checks import Item, Unfit
from services.api.store.failures.resolve import resolve
from services.api.store.results import Problem, ProblemCode, Status, TrackUpserted, in_transaction
from shared.contracts.identity import IdKind
from shared.contracts.topics import Stage

MOST_DIMENSIONS = 2_000  # of pgvector's HNSW index
_UNIT_TOLERANCE = 1e-3

_IN_TURN = "SELECT pg_advisory_xact_lock(hashtext('soniquebay.vector_spaces'))"
_CURRENT = """
SELECT id, space, model, version, dimensions FROM vector_spaces WHERE is_current FOR SHARE
"""
_RETIRE = "UPDATE vector_spaces SET is_current = false WHERE space = $1 AND is_current"
_REGISTER = """
INSERT INTO vector_spaces (space, model, version, dimensions, is_current)
VALUES ($1, $2, $3, $4, true)
ON CONFLICT (space, model, version, dimensions) DO UPDATE SET is_current = true
RETURNING id
"""
_INDEX = """
CREATE INDEX IF NOT EXISTS track_vectors_space_{id} ON track_vectors
USING hnsw ((embedding::vector({dimensions})) vector_cosine_ops) WHERE vector_space_id = {id}
"""
# A track is vectorized when every current space has a vector of its content. $1: ids or null.
_COMPLETE = """
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
_LOCK_TRACKS = """
SELECT id, revision, content_revision FROM tracks WHERE id = ANY($1) ORDER BY id FOR UPDATE
"""
# Only what is new or different is written.
_WRITE = """
INSERT INTO track_vectors (track_id, vector_space_id, content_revision, embedding)
SELECT * FROM unnest($1::uuid[], $2::smallint[], $3::integer[], $4::vector[])
    AS new(track_id, vector_space_id, content_revision, embedding)
ORDER BY track_id, vector_space_id
ON CONFLICT (track_id, vector_space_id) DO UPDATE SET
    content_revision = EXCLUDED.content_revision, embedding = EXCLUDED.embedding,
    updated_at = now()
WHERE track_vectors.content_revision <> EXCLUDED.content_revision
    OR track_vectors.embedding <> EXCLUDED.embedding
RETURNING track_id, vector_space_id, xmax = 0 AS is_new
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
    """What makes vectors comparable. `space` is `audio` or `text`."""

    space: str
    model: str
    version: str
    dimensions: int


@dataclass(frozen=True, slots=True)
class _Row:
    track_id: UUID
    content_revision: int
    space: Space
    values: NDArray[np.float32]


def check_space(item: Item) -> Space:
    """A space as it was told; `Unfit` says what is wrong with it."""
    space = str(item.get("space")).lower()
    if space not in {"audio", "text"}:
        raise Unfit(f"{space!r} is no kind of vectors", "space")
    return Space(
        space=space,
        model=checks.name_text(item, "model"),
        version=checks.name_text(item, "version"),
        dimensions=checks.integer(item, "dimensions", 1, MOST_DIMENSIONS),
    )


async def register(pool: asyncpg.Pool, spaces: Sequence[Space]) -> bool:
    """Make these the current spaces of their kinds; whether that changed anything.

    After a change all tracks wait for vectors that they don't have in the new space.
    """

    async def work(connection: asyncpg.Connection) -> bool:
        await connection.execute(_IN_TURN)
        current = await _current(connection)
        changed = [space for space in spaces if space not in current]
        for space in changed:
            await connection.execute(_RETIRE, space.space)
            told = (space.space, space.model, space.version, space.dimensions)
            id_ = await connection.fetchval(_REGISTER, *told)
            await connection.execute(_INDEX.format(id=id_, dimensions=space.dimensions))
        if changed:
            await connection.execute(_COMPLETE, None)
        return bool(changed)

    return await in_transaction(pool, work)


async def store(pool: asyncpg.Pool, items: Sequence[Item]) -> list[TrackUpserted]:
    """Upsert a batch in one transaction; one result an item, in order.

    Args:
        pool: the database.
        items: fields of VectorInput; `space` is a mapping, `values` float32 (n,) of unit length.
    """
    rows = [_check(item) for item in items]

    async def work(connection: asyncpg.Connection) -> list[TrackUpserted]:
        return await _store(connection, rows)

    return await in_transaction(pool, work)


async def outdate(connection: asyncpg.Connection, track_ids: Sequence[UUID]) -> None:
    """Keep the vectors of tracks for searching until new ones are there: they were analysed."""
    await connection.execute(_OUTDATE, track_ids)


async def outdate_texts(connection: asyncpg.Connection, track_ids: Sequence[UUID]) -> None:
    """The same of text vectors alone: what is said of the tracks changed, their analyses stand."""
    await connection.execute(_OUTDATE_TEXTS, track_ids)


async def _current(connection: asyncpg.Connection) -> dict[Space, int]:
    return {
        Space(row["space"], row["model"], row["version"], row["dimensions"]): row["id"]
        for row in await connection.fetch(_CURRENT)
    }


def _check(item: Item) -> _Row | Problem:
    try:
        space = check_space(_mapping(item["space"]))
        return _Row(
            track_id=checks.identifier(item, "track_id", IdKind.TRACK),
            content_revision=checks.integer(item, "content_revision", 1, checks.INT_LIMIT),
            space=space,
            values=_values(item, space.dimensions),
        )
    except Unfit as unfit:
        return unfit.problem


def _values(item: Item, dimensions: int) -> NDArray[np.float32]:
    values = np.asarray(item["values"], dtype=np.float32)
    if values.shape != (dimensions,):
        raise Unfit(f"{dimensions} numbers are needed, these are {values.size}", "values")
    length = float(np.linalg.norm(values))
    if not abs(length - 1) < _UNIT_TOLERANCE:
        raise Unfit(f"the vector must have length 1, this has {length:g}", "values")
    return values


def _mapping(space: Any) -> Mapping[str, Any]:
    return space if isinstance(space, Mapping) else vars(space)


async def _store(connection: asyncpg.Connection, rows: list[_Row | Problem]) -> list[TrackUpserted]:
    ids = sorted({row.track_id for row in rows if isinstance(row, _Row)})
    tracks = {row["id"]: row for row in await connection.fetch(_LOCK_TRACKS, ids)}
    spaces = await _current(connection)
    fit: dict[tuple[UUID, int], _Row] = {}
    checked: list[_Row | Problem] = []
    for row in rows:
        problem = None if isinstance(row, Problem) else _problem(row, tracks, spaces)
        checked.append(problem or row)
        if problem is None and isinstance(row, _Row):
            fit[(row.track_id, spaces[row.space])] = row
    written = await _write(connection, fit)
    done = sorted({track_id for track_id, _ in fit})
    await connection.execute(_COMPLETE, done)
    await resolve(connection, done, Stage.VECTORIZE)
    return [
        TrackUpserted(problem=row)
        if isinstance(row, Problem)
        else TrackUpserted(
            row.track_id,
            written.get((row.track_id, spaces[row.space]), Status.UNCHANGED),
            tracks[row.track_id]["revision"],
            tracks[row.track_id]["content_revision"],
        )
        for row in checked
    ]


def _problem(
    row: _Row, tracks: dict[UUID, asyncpg.Record], spaces: dict[Space, int]
) -> Problem | None:
    track = tracks.get(row.track_id)
    if track is None:
        return Problem(ProblemCode.NOT_FOUND, "there is no such track", "trackId")
    if row.space not in spaces:
        return Problem(
            ProblemCode.CONFLICT, "this is not the current space: register it first", "space"
        )
    if row.content_revision < track["content_revision"]:
        return Problem(ProblemCode.STALE, "the file has changed since", "contentRevision")
    if row.content_revision > track["content_revision"]:
        return Problem(
            ProblemCode.INVALID, "the file has had no such content yet", "contentRevision"
        )
    return None


async def _write(
    connection: asyncpg.Connection, fit: dict[tuple[UUID, int], _Row]
) -> dict[tuple[UUID, int], Status]:
    if not fit:
        return {}
    told = [
        (track_id, space, row.content_revision, Vector(row.values))
        for (track_id, space), row in fit.items()
    ]
    done = await connection.fetch(_WRITE, *zip(*told, strict=True))
    return {
        (row["track_id"], row["vector_space_id"]): (
            Status.CREATED if row["is_new"] else Status.UPDATED
        )
        for row in done
    }
