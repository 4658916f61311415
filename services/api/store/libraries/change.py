"""Moves and renames libraries; accepts new ones, or forgets them with the scan that was refused."""

from uuid import UUID

import asyncpg

from services.api.store.checks import InvalidValue
from services.api.store.libraries.find import (
    AllowedRoots,
    check_allowed,
    check_contains_none,
    lock_creation,
    normal_root,
)
from shared.contracts.upserts import ErrorCode

_LOCK = "SELECT name, root, removal_requested_at FROM libraries WHERE id = $1 FOR UPDATE"
_ABOVE = """
SELECT name, root FROM libraries
WHERE id <> $2 AND (root = $1 OR starts_with($1, rtrim(root, '/') || '/')) LIMIT 1
"""
_LOCK_SCANS = """
SELECT state FROM scans
WHERE library_id = $1 AND state IN ('requested', 'walking', 'reading') ORDER BY id FOR UPDATE
"""
_MOVE = "UPDATE libraries SET root = $2, is_new = false WHERE id = $1"
_MOVE_SCANS = """
UPDATE scans SET root = $2
WHERE library_id = $1 AND state IN ('requested', 'walking', 'reading')
"""
_IS_TAKEN = "SELECT EXISTS (SELECT FROM libraries WHERE name = $1 AND id <> $2)"
_RENAME = "UPDATE libraries SET name = $2 WHERE id = $1"
_ACCEPT = """
UPDATE libraries l SET is_new = false FROM scans s
WHERE s.id = $1 AND l.id = s.library_id AND l.is_new
"""
_IS_OF_NEW = """
SELECT l.id FROM scans s JOIN libraries l ON l.id = s.library_id WHERE s.id = $1 AND l.is_new
"""
# Another scan of it may be on its way, or may have found files.
_LOCK_UNUSED = """
SELECT id FROM libraries l
WHERE id = $1 AND is_new AND NOT EXISTS (SELECT FROM files WHERE library_id = l.id)
    AND NOT EXISTS (SELECT FROM scans WHERE library_id = l.id AND state <> 'refused')
FOR UPDATE
"""
_KEEP_SCANS = "UPDATE scans SET library_id = NULL WHERE library_id = $1"
_DELETE = "DELETE FROM libraries WHERE id = $1"


async def lock_library(connection: asyncpg.Connection, id_: UUID) -> asyncpg.Record:
    """A library's name and root; it stays as it is until this transaction ends.

    Raises:
        InvalidValue: there is none, or it is being removed.
    """
    row = await connection.fetchrow(_LOCK, id_)
    if row is None:
        raise InvalidValue("there is no such library", "id", ErrorCode.NOT_FOUND)
    if row["removal_requested_at"] is not None:
        raise InvalidValue(
            f"the library {row['name']!r} is being removed", "id", ErrorCode.CONFLICT
        )
    return row


async def move(
    connection: asyncpg.Connection, id_: UUID, root: str, *, allowed_roots: AllowedRoots
) -> None:
    """Let a library have another root: its files are looked for there from now on.

    Files are known by their path below the root. So tracks, analyses and corrections stay, and
    the next scan reads only what changed.

    Raises:
        InvalidValue: there is no such library, the root cannot be one, or a scan of it is walking.
    """
    root = normal_root(root)
    check_allowed(root, allowed_roots)
    await lock_creation(connection)
    known = await lock_library(connection, id_)
    if known["root"] == root:
        return
    above = await connection.fetchrow(_ABOVE, root, id_)
    if above is not None:
        raise InvalidValue(
            f"{root} belongs to the library {above['name']!r} ({above['root']}): remove that one"
            " first (soniquebay library remove)",
            "root",
            ErrorCode.CONFLICT,
        )
    await check_contains_none(connection, root, but=id_)
    # A walk reads the root at its start. What it then reports as missing is missing there.
    if any(row["state"] == "walking" for row in await connection.fetch(_LOCK_SCANS, id_)):
        raise InvalidValue(
            f"{known['root']} is being scanned: try again when the scan has ended",
            "id",
            ErrorCode.CONFLICT,
        )
    await connection.execute(_MOVE, id_, root)
    await connection.execute(_MOVE_SCANS, id_, root)


async def rename(connection: asyncpg.Connection, id_: UUID, name: str) -> None:
    """Give a library another name.

    Raises:
        InvalidValue: there is no such library, or another one has the name.
    """
    await lock_creation(connection)
    await lock_library(connection, id_)
    if await connection.fetchval(_IS_TAKEN, name, id_):
        raise InvalidValue(f"another library is named {name!r}", "name", ErrorCode.CONFLICT)
    await connection.execute(_RENAME, id_, name)


async def accept(connection: asyncpg.Connection, scan: UUID) -> None:
    """Note that a scan looked at the root of its library: the library stays."""
    await connection.execute(_ACCEPT, scan)


async def forget_if_new(connection: asyncpg.Connection, scan: UUID) -> None:
    """Delete the library of a scan that was refused, if the request for that scan made it.

    A mistyped root leaves no library. The scan stays, without one.
    """
    id_ = await connection.fetchval(_IS_OF_NEW, scan)
    if id_ is None:
        return
    await lock_creation(connection)
    if await connection.fetchval(_LOCK_UNUSED, id_) is not None:
        await connection.execute(_KEEP_SCANS, id_)
        await connection.execute(_DELETE, id_)
