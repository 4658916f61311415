"""Upserts a batch of vectors of tracks."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import asyncpg
import numpy as np
from numpy.typing import NDArray
from pgvector import Vector

from services.api.store import checks
from services.api.store.checks import InvalidValue, Item
from services.api.store.database.pool import in_transaction
from services.api.store.failures.resolve import resolve_failures
from services.api.store.results import Problem, TrackUpserted
from services.api.store.vectors.spaces import (
    Space,
    current_spaces,
    update_vectorized,
    validate_space,
)
from shared.contracts.identity import IdKind
from shared.contracts.topics import Stage
from shared.contracts.upserts import ErrorCode, UpsertStatus

_UNIT_TOLERANCE = 1e-3

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
RETURNING track_id, vector_space_id, xmax = 0 AS is_new  -- xmax is 0 of a row that was inserted
"""


@dataclass(frozen=True, slots=True)
class _Row:
    track_id: UUID
    content_revision: int
    space: Space
    values: NDArray[np.float32]


async def upsert_vectors(pool: asyncpg.Pool, items: Sequence[Item]) -> list[TrackUpserted]:
    """Upsert a batch in one transaction; one result an item, in order.

    Args:
        pool: the database.
        items: fields of VectorInput; `space` is a mapping, `values` are (n,) of unit length.
    """
    rows = [_validate(item) for item in items]

    async def work(connection: asyncpg.Connection) -> list[TrackUpserted]:
        return await _store(connection, rows)

    return await in_transaction(pool, work)


def _validate(item: Item) -> _Row | Problem:
    try:
        space = validate_space(_mapping(item["space"]))
        return _Row(
            track_id=checks.identifier(item, "track_id", IdKind.TRACK),
            content_revision=checks.integer(item, "content_revision", 1, checks.INT_LIMIT),
            space=space,
            values=_values(item, space.dimensions),
        )
    except InvalidValue as invalid:
        return invalid.problem


def _values(item: Item, dimensions: int) -> NDArray[np.float32]:
    values = np.asarray(item["values"], dtype=np.float32)
    if values.shape != (dimensions,):
        raise InvalidValue(f"{dimensions} numbers are needed, these are {values.size}", "values")
    length = float(np.linalg.norm(values))
    if not abs(length - 1) < _UNIT_TOLERANCE:
        raise InvalidValue(f"the vector must have length 1, this has {length:g}", "values")
    return values


def _mapping(space: Any) -> Mapping[str, Any]:
    return space if isinstance(space, Mapping) else vars(space)


async def _store(connection: asyncpg.Connection, rows: list[_Row | Problem]) -> list[TrackUpserted]:
    ids = sorted({row.track_id for row in rows if isinstance(row, _Row)})
    tracks = {row["id"]: row for row in await connection.fetch(_LOCK_TRACKS, ids)}
    spaces = await current_spaces(connection)
    valid: dict[tuple[UUID, int], _Row] = {}
    checked: list[_Row | Problem] = []
    for row in rows:
        problem = None if isinstance(row, Problem) else _problem(row, tracks, spaces)
        checked.append(problem or row)
        if problem is None and isinstance(row, _Row):
            valid[(row.track_id, spaces[row.space])] = row
    written = await _write(connection, valid)
    vectorized = sorted({track_id for track_id, _ in valid})
    await update_vectorized(connection, vectorized)
    await resolve_failures(connection, vectorized, Stage.VECTORIZE)
    return [
        TrackUpserted(problem=row)
        if isinstance(row, Problem)
        else TrackUpserted(
            row.track_id,
            written.get((row.track_id, spaces[row.space]), UpsertStatus.UNCHANGED),
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
        return Problem(ErrorCode.NOT_FOUND, "there is no such track", "trackId")
    if row.space not in spaces:
        return Problem(
            ErrorCode.CONFLICT, "this is not the current space: register it first", "space"
        )
    if row.content_revision < track["content_revision"]:
        return Problem(ErrorCode.STALE, "the file has changed since", "contentRevision")
    if row.content_revision > track["content_revision"]:
        return Problem(ErrorCode.INVALID, "the file has had no such content yet", "contentRevision")
    return None


async def _write(
    connection: asyncpg.Connection, valid: dict[tuple[UUID, int], _Row]
) -> dict[tuple[UUID, int], UpsertStatus]:
    """Write the vectors, by track and space; the status of those that changed."""
    if not valid:
        return {}
    columns = zip(
        *(
            (track_id, space_id, row.content_revision, Vector(row.values))
            for (track_id, space_id), row in valid.items()
        ),
        strict=True,
    )
    return {
        (row["track_id"], row["vector_space_id"]): (
            UpsertStatus.CREATED if row["is_new"] else UpsertStatus.UPDATED
        )
        for row in await connection.fetch(_WRITE, *columns)
    }
