"""Finds the library and folder that a request names; a new root becomes a library."""

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

AllowedRoots = Sequence[str] | None
"""The folders in which the root of a library may be; None: anywhere."""


@dataclass(frozen=True, slots=True)
class LibraryFolder:
    """A library and a folder below its root ('' is the root itself)."""

    library_id: UUID
    name: str
    root: str
    folder: str


# KEY SHARE: the library is not deleted before the scan that refers to it is stored.
_BY_NAME = """
SELECT id, name, root, removal_requested_at FROM libraries WHERE name = $1 FOR KEY SHARE
"""
# The library whose root is this folder or one above it. Roots don't contain each other.
_CONTAINING = """
SELECT id, name, root, removal_requested_at FROM libraries
WHERE root = $1 OR starts_with($1, rtrim(root, '/') || '/') FOR KEY SHARE
"""
# $2: a library that does not count, if any.
_CONTAINED = """
SELECT name, root FROM libraries
WHERE starts_with(root, rtrim($1, '/') || '/') AND id IS DISTINCT FROM $2 LIMIT 1
"""
_NAMES = "SELECT name FROM libraries"
_CREATE = """
INSERT INTO libraries (name, root, is_new, is_separate) VALUES ($1, $2, true, $3)
RETURNING id, name, root, removal_requested_at
"""
_SEPARATE = "UPDATE libraries SET is_separate = true WHERE id = $1 AND is_new AND NOT is_separate"
# Libraries are created and moved one at a time, so that names and roots stay distinct.
_LOCK_CREATION = "LOCK TABLE libraries IN SHARE ROW EXCLUSIVE MODE"


async def lock_creation(connection: asyncpg.Connection) -> None:
    """Be the only one who adds, moves or deletes libraries until this transaction ends.

    To be taken before a library's row is locked.
    """
    await connection.execute(_LOCK_CREATION)


async def find_or_create(
    connection: asyncpg.Connection,
    *,
    library: str | None,
    root: str | None,
    folder: str,
    allowed_roots: AllowedRoots = None,
    is_separate: bool = False,
) -> LibraryFolder:
    """The library and folder that a request names; a new root becomes a library.

    A root inside a known library means that folder of it, so that no file is in two libraries.

    Args:
        connection: in a transaction.
        library: its name; for a new root, the name that it gets.
        root: its root, or a folder below it.
        folder: below the root.
        allowed_roots: where a new root may be.
        is_separate: a new root is a library of its own, even if it looks like one that was moved.

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
        _check_not_removed(known)
        return LibraryFolder(known["id"], known["name"], known["root"], folder)
    root = normal_root(root)
    found = await connection.fetchrow(_CONTAINING, root)
    if found is None:
        check_allowed(root, allowed_roots)
        await lock_creation(connection)
        found = await connection.fetchrow(_CONTAINING, root)
    if found is None:
        found = await _create(connection, library, root, is_separate=is_separate)
    elif is_separate and found["root"] == root:
        await connection.execute(_SEPARATE, found["id"])
    _check_not_removed(found)
    inner = encode_path(root.encode())[len(encode_path(found["root"].encode())) :].strip("/")
    path = "/".join(part for part in (inner, folder) if part)
    return LibraryFolder(found["id"], found["name"], found["root"], path)


async def _create(
    connection: asyncpg.Connection, library: str | None, root: str, *, is_separate: bool
) -> asyncpg.Record:
    await check_contains_none(connection, root)
    taken = {row["name"] for row in await connection.fetch(_NAMES)}
    if library in taken:
        raise InvalidValue(
            f"the library {library!r} has another root; if it was moved, use moveLibrary"
            " (soniquebay library move)",
            "library",
            ErrorCode.CONFLICT,
        )
    name = library or PurePosixPath(root).name or "music"
    return await connection.fetchrow(_CREATE, _free_name(name, taken), root, is_separate)


def _check_not_removed(library: asyncpg.Record) -> None:
    if library["removal_requested_at"] is not None:
        raise InvalidValue(
            f"the library {library['name']!r} ({library['root']}) is being removed: try again when"
            " it is gone",
            "root",
            ErrorCode.CONFLICT,
        )


async def check_contains_none(
    connection: asyncpg.Connection, root: str, *, but: UUID | None = None
) -> None:
    """Refuse a root above the root of a library other than `but`.

    Raises:
        InvalidValue: it is one; the message names that library and what to do.
    """
    contained = await connection.fetchrow(_CONTAINED, root, but)
    if contained is not None:
        raise InvalidValue(
            f"{root} contains the library {contained['name']!r} ({contained['root']}):"
            " its files would be in two libraries. Remove that one first, or move it here"
            " (soniquebay library remove, soniquebay library move)",
            "root",
            ErrorCode.CONFLICT,
        )


def check_allowed(root: str, allowed_roots: AllowedRoots) -> None:
    """Refuse a root that is in none of the allowed folders.

    Raises:
        InvalidValue: it is in none.
    """
    if allowed_roots is None:
        return
    if any(root == each or root.startswith(each.rstrip("/") + "/") for each in allowed_roots):
        return
    where = ", ".join(allowed_roots) or "none"
    raise InvalidValue(
        f"{root} is in no folder in which this gateway may have libraries ({where}):"
        " SONIQUEBAY_ROOTS names them",
        "root",
    )


def _free_name(name: str, taken: set[str]) -> str:
    """The name, cut to 200 characters, with a number behind it where it is taken."""
    free, number = name[:200], 1
    while free in taken:
        number += 1
        free = f"{name[:190]} {number}"
    return free


def normal_root(root: str) -> str:
    """An absolute path without `..`, double or trailing slashes.

    Raises:
        InvalidValue: it is no absolute path, or cannot be stored.
    """
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
