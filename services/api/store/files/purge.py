"""Purges missing files: deletes those that have been missing for long, with their tracks.

Only a person asks for this: what belongs to a track, as its corrections, does not return with the
file.
"""

from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

import asyncpg

from services.api.store.database.pool import in_transaction
from services.api.store.tracks.delete import delete_files

BATCH_FILES = 500


@dataclass(frozen=True, slots=True)
class MissingFiles:
    """Which missing files: for this long or longer, in one library or (None) in all."""

    missing_for: timedelta
    library_id: UUID | None = None


_WHERE = """
state = 'missing' AND missing_since <= now() - $1::interval
    AND ($2::uuid IS NULL OR library_id = $2)
"""
_COUNT = f"""
SELECT count(*) FROM (SELECT DISTINCT library_id, path FROM files WHERE {_WHERE}) AS file
"""  # noqa: S608 - the condition above
# All parts of a file. Those that a cue sheet replaced go with the file, if nothing of it is left.
_LOCK_FILES = f"""
SELECT id, library_id, path, track_id FROM files
WHERE (library_id, path) IN (
        SELECT DISTINCT library_id, path FROM files WHERE {_WHERE}
        ORDER BY library_id, path LIMIT $3
    )
    AND (state = 'missing' AND missing_since <= now() - $1::interval
        OR state = 'replaced' AND NOT EXISTS (
            SELECT FROM files other
            WHERE other.library_id = files.library_id AND other.path = files.path
                AND (other.state IN ('present', 'unreadable')
                    OR other.missing_since > now() - $1::interval)
        ))
ORDER BY library_id, path, part FOR UPDATE
"""  # noqa: S608 - as above


async def count_missing(pool: asyncpg.Pool, which: MissingFiles) -> int:
    """How many files a purge would delete."""
    count: int = await pool.fetchval(_COUNT, which.missing_for, which.library_id)
    return count


async def purge_missing(pool: asyncpg.Pool, which: MissingFiles, *, most: int) -> int:
    """Delete missing files, in batches, until none is left or `most` are deleted; how many.

    A file that returns meanwhile stays.
    """
    purged = 0
    while purged < most and (deleted := await _purge_batch(pool, which, most - purged)):
        purged += deleted
    return purged


async def _purge_batch(pool: asyncpg.Pool, which: MissingFiles, most: int) -> int:
    async def work(connection: asyncpg.Connection) -> int:
        files = await connection.fetch(
            _LOCK_FILES, which.missing_for, which.library_id, min(most, BATCH_FILES)
        )
        if files:
            await delete_files(connection, files)
        return len({(file["library_id"], file["path"]) for file in files})

    return await in_transaction(pool, work)
