"""Removes a library, batch by batch.

The request is one small transaction. From then on nothing is stored for the library, and batches
delete its rows until the library itself goes. Each batch is whole or not there, so that removing
goes on after a crash where it stopped.
"""

from uuid import UUID

import asyncpg

from services.api.store.checks import InvalidValue
from services.api.store.database.pool import in_transaction
from services.api.store.libraries.change import lock_library
from services.api.store.tracks.delete import delete_files
from shared.contracts.upserts import ErrorCode

BATCH_FILES = 500

_REQUEST = "UPDATE libraries SET removal_requested_at = now() WHERE id = $1"
_END_SCANS = """
UPDATE scans SET state = 'refused', message = 'the library is being removed',
    moved_at = now(), finished_at = now()
WHERE library_id = $1 AND state IN ('requested', 'walking', 'reading')
"""
_NEXT = """
SELECT id FROM libraries WHERE removal_requested_at IS NOT NULL
ORDER BY removal_requested_at, id LIMIT 1
"""
_LOCK_FILES = """
SELECT id, library_id, path, track_id FROM files
WHERE library_id = $1 ORDER BY path, part LIMIT $2 FOR UPDATE
"""
_DELETE_FAILURES = """
WITH lost AS (
    SELECT id FROM failures WHERE library_id = $1 ORDER BY stage, subject LIMIT $2 FOR UPDATE
)
DELETE FROM failures USING lost WHERE failures.id = lost.id
"""
# A transaction that began to store before the request may have added files: it holds a lock on the
# library, and this waits for it.
_LOCK = "SELECT id FROM libraries WHERE id = $1 AND removal_requested_at IS NOT NULL FOR UPDATE"
_IS_EMPTY = "SELECT NOT EXISTS (SELECT FROM files WHERE library_id = $1)"
_DELETE = "DELETE FROM libraries WHERE id = $1"


async def request_removal(connection: asyncpg.Connection, id_: UUID, name: str | None) -> None:
    """Begin to remove a library: `name`, its name, confirms that a person means this one.

    Raises:
        InvalidValue: there is no such library, or it has another name.
    """
    known = await lock_library(connection, id_)
    if name != known["name"]:
        raise InvalidValue(
            f"confirm the removal by the library's name, {known['name']!r}",
            "name",
            ErrorCode.CONFLICT,
        )
    await connection.execute(_REQUEST, id_)
    await connection.execute(_END_SCANS, id_)


async def next_to_remove(pool: asyncpg.Pool) -> UUID | None:
    """The library whose rows are to be deleted next; None if there is none."""
    id_: UUID | None = await pool.fetchval(_NEXT)
    return id_


async def remove_batch(pool: asyncpg.Pool, id_: UUID) -> int:
    """Delete some of a library's files and their tracks, and after the last of them the library.

    Returns how many files were deleted.
    """

    async def work(connection: asyncpg.Connection) -> int:
        files = await connection.fetch(_LOCK_FILES, id_, BATCH_FILES)
        if files:
            await delete_files(connection, files)
            return len(files)
        if await connection.execute(_DELETE_FAILURES, id_, BATCH_FILES) != "DELETE 0":
            return 0
        if await connection.fetchval(_LOCK, id_) and await connection.fetchval(_IS_EMPTY, id_):
            await connection.execute(_DELETE, id_)  # its scans go with it
        return 0

    return await in_transaction(pool, work)
