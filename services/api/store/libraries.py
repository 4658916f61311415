"""Libraries: a name and a root folder."""

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from uuid import UUID

import asyncpg

from services.api.store.checks import Unfit
from services.api.store.results import ProblemCode
from shared.contracts.identity import encode_path


@dataclass(frozen=True, slots=True)
class Place:
    """A library and a folder below its root ('' is the root itself)."""

    library_id: UUID
    name: str
    root: str
    folder: str


@dataclass(frozen=True, slots=True)
class Library:
    """A library as it is shown."""

    id: UUID
    name: str
    root: str
    track_count: int
    """Tracks whose file is there."""


# $1: ids, or null for all.
_READ = """
SELECT id, name, root, (
    SELECT count(*) FROM files
    WHERE library_id = libraries.id AND state = 'present' AND track_id IS NOT NULL
) AS track_count
FROM libraries WHERE $1::uuid[] IS NULL OR id = ANY($1) ORDER BY name
"""
_BY_NAME = "SELECT id, name, root FROM libraries WHERE name = $1"
# The library whose root is this folder or one above it. Roots don't contain each other.
_AROUND = """
SELECT id, name, root FROM libraries
WHERE root = $1 OR starts_with($1, rtrim(root, '/') || '/')
"""
_BELOW = "SELECT name, root FROM libraries WHERE starts_with(root, rtrim($1, '/') || '/')"
_NAMES = "SELECT name FROM libraries"
_CREATE = "INSERT INTO libraries (name, root) VALUES ($1, $2) RETURNING id, name, root"
# New libraries are made one at a time, so that names and roots stay apart.
_IN_TURN = "LOCK TABLE libraries IN SHARE ROW EXCLUSIVE MODE"


async def read(pool: asyncpg.Pool, ids: Sequence[UUID] | None = None) -> list[Library]:
    """The libraries of the ids (those there are), or all, by name."""
    rows = await pool.fetch(_READ, None if ids is None else list(ids))
    return [Library(**row) for row in rows]


async def place(
    connection: asyncpg.Connection, *, library: str | None, root: str | None, folder: str
) -> Place:
    """Find the library that a request speaks of, or make it.

    A root that is a folder of a known library means that folder of it, so that no file is in
    two libraries.

    Raises:
        Unfit: there is no such library, or the root cannot be one; the problem says which.
    """
    below = _normal_folder(folder)
    if root is None:
        known = await connection.fetchrow(_BY_NAME, library)
        if known is None:
            raise Unfit(
                f"no library is named {library!r}: give its root to add it",
                "library",
                ProblemCode.NOT_FOUND,
            )
        return Place(known["id"], known["name"], known["root"], below)
    normal = _normal_root(root)
    around = await connection.fetchrow(_AROUND, normal)
    if around is None:
        await connection.execute(_IN_TURN)
        around = await connection.fetchrow(_AROUND, normal)
    if around is None:
        around = await _create(connection, library, normal)
    inner = encode_path(normal.encode())[len(encode_path(around["root"].encode())) :].strip("/")
    path = "/".join(part for part in (inner, below) if part)
    return Place(around["id"], around["name"], around["root"], path)


async def _create(connection: asyncpg.Connection, library: str | None, root: str) -> asyncpg.Record:
    inside = await connection.fetchrow(_BELOW, root)
    if inside is not None:
        raise Unfit(
            f"{root} contains the library {inside['name']!r} ({inside['root']}):"
            " its files would be in two libraries",
            "root",
            ProblemCode.CONFLICT,
        )
    taken = {row["name"] for row in await connection.fetch(_NAMES)}
    if library in taken:
        raise Unfit(f"the library {library!r} has another root", "library", ProblemCode.CONFLICT)
    wanted = library or PurePosixPath(root).name or "music"
    return await connection.fetchrow(_CREATE, _free_name(wanted, taken), root)


def _free_name(wanted: str, taken: set[str]) -> str:
    name, number = wanted[:200], 1
    while name in taken:
        number += 1
        name = f"{wanted[:190]} {number}"
    return name


def _normal_root(root: str) -> str:
    if "\0" in root or not root.startswith("/"):
        raise Unfit("the root must be an absolute path, like /home/me/music", "root")
    try:
        root.encode()
    except UnicodeEncodeError:
        raise Unfit("the root's name must be valid Unicode", "root") from None
    return re.sub("^//+", "/", os.path.normpath(root))


def _normal_folder(folder: str) -> str:
    if "\0" in folder:
        raise Unfit("NUL characters cannot be in a folder's name", "folder")
    inner = os.path.normpath("/" + folder).lstrip("/")
    if ".." in PurePosixPath(folder).parts:
        raise Unfit("the folder must be below the root", "folder")
    return inner
