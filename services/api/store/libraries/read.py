"""Reads libraries."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import asyncpg


@dataclass(frozen=True, slots=True)
class Library:
    """A library.

    Attributes:
        id: stays the same.
        name: no other library has it.
        root: its folder, as people name it.
        removal_requested_at: when a person removed it: its rows are being deleted.
        track_count: tracks whose file is present; None if they were not counted.
    """

    id: UUID
    name: str
    root: str
    removal_requested_at: datetime | None = None
    track_count: int | None = None


@dataclass(frozen=True, slots=True)
class LibraryContents:
    """What is known of a library and goes with it.

    Attributes:
        files: all known files.
        tracks: with a file that is there.
        missing: tracks whose file is missing.
        corrected: tracks that a person corrected.
    """

    files: int
    tracks: int
    missing: int
    corrected: int


# $1: ids, or null for all. $2: whether to count tracks, which takes long in large libraries.
_READ = """
SELECT id, name, root, removal_requested_at, CASE WHEN $2 THEN (
    SELECT count(*) FROM files
    WHERE library_id = libraries.id AND state = 'present' AND track_id IS NOT NULL
) END AS track_count
FROM libraries WHERE $1::uuid[] IS NULL OR id = ANY($1) ORDER BY name
"""
# Of a file with parts the first one is counted.
_CONTENTS = """
SELECT count(*) FILTER (WHERE part <= 1 AND state <> 'replaced') AS files,
    count(*) FILTER (WHERE state = 'present' AND f.track_id IS NOT NULL) AS tracks,
    count(*) FILTER (WHERE state = 'missing' AND f.track_id IS NOT NULL) AS missing,
    count(c.track_id) AS corrected
FROM files f LEFT JOIN corrections c ON c.track_id = f.track_id
WHERE f.library_id = $1
"""
# Where a library without files may have been before: in all others, unless a person said that it is
# none of them.
_EARLIER = """
SELECT o.id, o.name, o.root, o.removal_requested_at
FROM libraries new JOIN libraries o ON o.id <> new.id
WHERE new.id = $1 AND NOT new.is_separate
    AND NOT EXISTS (SELECT FROM files WHERE library_id = new.id)
    AND o.removal_requested_at IS NULL
    AND EXISTS (SELECT FROM files WHERE library_id = o.id)
ORDER BY o.name
"""


async def read(
    pool: asyncpg.Pool, ids: Sequence[UUID] | None = None, *, counted: bool = False
) -> list[Library]:
    """The libraries of the ids that exist, or all; ordered by name."""
    rows = await pool.fetch(_READ, None if ids is None else list(ids), counted)
    return [Library(**row) for row in rows]


async def contents(connection: asyncpg.Connection | asyncpg.Pool, id_: UUID) -> LibraryContents:
    """What is known of a library; all counts are 0 if there is none."""
    return LibraryContents(**await connection.fetchrow(_CONTENTS, id_))


async def earlier_places(pool: asyncpg.Pool, id_: UUID) -> list[Library]:
    """The libraries that may have been moved to the root of this one, which has no files yet."""
    return [Library(**row) for row in await pool.fetch(_EARLIER, id_)]
