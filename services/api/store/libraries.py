"""Libraries: a name and a root folder."""

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from uuid import UUID

import asyncpg

from services.api.store.checks import InvalidValue
from shared.contracts.identity import encode_path
from shared.contracts.upserts import ErrorCode


@dataclass(frozen=True, slots=True)
class LibraryFolder:
    """A library and a folder below its root ('' is the root itself)."""

    library_id: UUID
    name: str
    root: str
    folder: str


@dataclass(frozen=True, slots=True)
class Library:
    """A library and the number of its tracks."""

    id: UUID
    name: str
    root: str
    track_count: int
    """Tracks whose file is present."""


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
_CONTAINING = """
SELECT id, name, root FROM libraries
WHERE root = $1 OR starts_with($1, rtrim(root, '/') || '/')
"""
_CONTAINED = "SELECT name, root FROM libraries WHERE starts_with(root, rtrim($1, '/') || '/')"
_NAMES = "SELECT name FROM libraries"
_CREATE = "INSERT INTO libraries (name, root) VALUES ($1, $2) RETURNING id, name, root"
# New libraries are created one at a time, so that names and roots stay distinct.
_LOCK_CREATION = "LOCK TABLE libraries IN SHARE ROW EXCLUSIVE MODE"


async def read(pool: asyncpg.Pool, ids: Sequence[UUID] | None = None) -> list[Library]:
    """The libraries of the ids that exist, or all; ordered by name."""
    rows = await pool.fetch(_READ, None if ids is None else list(ids))
    return [Library(**row) for row in rows]


async def find_or_create(
    connection: asyncpg.Connection, *, library: str | None, root: str | None, folder: str
) -> LibraryFolder:
    """The library and folder that a request names; a new root becomes a library.

    A root inside a known library means that folder of it, so that no file is in two libraries.

    Raises:
        InvalidValue: there is no such library, or the root cannot be one.
    """
    folder = _normal_folder(folder)
    if root is None:
        known = await connection.fetchrow(_BY_NAME, library)
        if known is None:
            raise InvalidValue(
                f"no library is named {library!r}: give its root to add it",
                "library",
                ErrorCode.NOT_FOUND,
            )
        return LibraryFolder(known["id"], known["name"], known["root"], folder)
    root = _normal_root(root)
    found = await connection.fetchrow(_CONTAINING, root)
    if found is None:
        await connection.execute(_LOCK_CREATION)
        found = await connection.fetchrow(_CONTAINING, root)
    if found is None:
        found = await _create(connection, library, root)
    inner = encode_path(root.encode())[len(encode_path(found["root"].encode())) :].strip("/")
    path = "/".join(part for part in (inner, folder) if part)
    return LibraryFolder(found["id"], found["name"], found["root"], path)


async def _create(connection: asyncpg.Connection, library: str | None, root: str) -> asyncpg.Record:
    contained = await connection.fetchrow(_CONTAINED, root)
    if contained is not None:
        raise InvalidValue(
            f"{root} contains the library {contained['name']!r} ({contained['root']}):"
            " its files would be in two libraries",
            "root",
            ErrorCode.CONFLICT,
        )
    taken = {row["name"] for row in await connection.fetch(_NAMES)}
    if library in taken:
        raise InvalidValue(
            f"the library {library!r} has another root", "library", ErrorCode.CONFLICT
        )
    name = library or PurePosixPath(root).name or "music"
    return await connection.fetchrow(_CREATE, _free_name(name, taken), root)


def _free_name(name: str, taken: set[str]) -> str:
    """The name, cut to 200 characters, with a number behind it where it is taken."""
    free, number = name[:200], 1
    while free in taken:
        number += 1
        free = f"{name[:190]} {number}"
    return free


def _normal_root(root: str) -> str:
    if "\0" in root or not root.startswith("/"):
        raise InvalidValue("the root must be an absolute path, like /home/me/music", "root")
    try:
        root.encode()
    except UnicodeEncodeError:
        raise InvalidValue("the root's name must be valid Unicode", "root") from None
    # POSIX lets a path begin with two slashes, and normpath keeps them.
    return re.sub("^//+", "/", os.path.normpath(root))


def _normal_folder(folder: str) -> str:
    if "\0" in folder:
        raise InvalidValue("NUL characters cannot be in a folder's name", "folder")
    inner = os.path.normpath("/" + folder).lstrip("/")
    if ".." in PurePosixPath(folder).parts:
        raise InvalidValue("the folder must be below the root", "folder")
    return inner
