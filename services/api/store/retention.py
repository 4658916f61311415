"""Deletes what only grows and is no longer needed; nothing that anything refers to.

Each function deletes one batch in a transaction of its own and returns how many rows went: the
caller repeats it until that is 0. A scan may store meanwhile; each statement says why it loses
nothing by that.
"""

from datetime import timedelta

import asyncpg

from services.api.store.database.pool import in_transaction
from services.api.store.vectors.spaces import lock_spaces
from shared.contracts.versions import ANALYZER_VERSION

BATCH = 500
_LOCK_TIMEOUT = "SET LOCAL lock_timeout TO '2s'"

# Every column that names an image is here. A scan asks which images are stored before its tracks
# refer to them, which sets `needed_at`; so a track that is stored meanwhile has a younger one. The
# row is locked and `needed_at` compared again, should it be set at this moment.
_COVERS = """
WITH unused AS (
    SELECT sha256 FROM covers c
    WHERE needed_at < now() - $1::interval
        AND NOT EXISTS (SELECT FROM tracks WHERE cover_sha256 = c.sha256)
        AND NOT EXISTS (SELECT FROM tracks WHERE folder_cover_sha256 = c.sha256)
        AND NOT EXISTS (SELECT FROM albums WHERE cover_sha256 = c.sha256)
        AND NOT EXISTS (SELECT FROM artists WHERE image_sha256 = c.sha256)
        AND NOT EXISTS (
            SELECT FROM album_claims
            WHERE facts ->> 'artist_image_sha256' = encode(c.sha256, 'hex')
        )
    LIMIT $2 FOR UPDATE OF c SKIP LOCKED
)
DELETE FROM covers USING unused WHERE covers.sha256 = unused.sha256
"""
_RESOLVED_FAILURES = """
WITH old AS (
    SELECT id FROM failures WHERE resolved_at < now() - $1::interval
    ORDER BY resolved_at LIMIT $2 FOR UPDATE SKIP LOCKED
)
DELETE FROM failures USING old WHERE failures.id = old.id
"""
# Open ones of tracks and files stay: they say what is wrong with these. The others are records that
# nobody could read, and nothing else will resolve them.
_DEAD_LETTERS = """
WITH old AS (
    SELECT id FROM failures
    WHERE resolved_at IS NULL AND failed_at < now() - $1::interval
        AND track_id IS NULL AND library_id IS NULL AND claimed_at IS NULL
    LIMIT $2 FOR UPDATE SKIP LOCKED
)
DELETE FROM failures USING old WHERE failures.id = old.id
"""
# The track has been analysed by the current version for this long, and that analysis counts. Only
# earlier analyses go: while an upgrade is under way, another process may have a later version.
_OLD_ANALYSES = """
WITH old AS (
    SELECT o.track_id, o.analyzer_version
    FROM analyses o
    JOIN analyses c ON c.track_id = o.track_id AND c.analyzer_version = $3
    JOIN tracks t ON t.id = o.track_id AND t.analyzer_version = $3
        AND t.analyzed_content_revision = t.content_revision
    WHERE (o.analyzer_version < $3 OR o.analyzer_version > $3) AND o.analyzed_at < c.analyzed_at
        AND c.content_revision = t.content_revision AND c.analyzed_at < now() - $1::interval
    LIMIT $2 FOR UPDATE OF o SKIP LOCKED
)
DELETE FROM analyses USING old
WHERE analyses.track_id = old.track_id AND analyses.analyzer_version = old.analyzer_version
"""
_RETIRED_SPACE = """
SELECT id FROM vector_spaces WHERE NOT is_current AND retired_at < now() - $1::interval
ORDER BY id LIMIT 1 FOR UPDATE
"""
_DROP_INDEX = "DROP INDEX IF EXISTS track_vectors_space_{id}"
_VECTORS = """
DELETE FROM track_vectors WHERE ctid = ANY(array(
    SELECT ctid FROM track_vectors WHERE vector_space_id = $1 LIMIT $2
))
"""
_SPACE = "DELETE FROM vector_spaces WHERE id = $1"


async def delete_unused_covers(pool: asyncpg.Pool, kept: timedelta) -> int:
    """Delete images, with their smaller ones, that nothing has named or asked for this long."""
    return await _delete(pool, _COVERS, kept, BATCH)


async def delete_resolved_failures(pool: asyncpg.Pool, kept: timedelta) -> int:
    """Delete failures that were resolved this long ago."""
    return await _delete(pool, _RESOLVED_FAILURES, kept, BATCH)


async def delete_dead_letters(pool: asyncpg.Pool, kept: timedelta) -> int:
    """Delete dead letters of this age that are about no track and no file."""
    return await _delete(pool, _DEAD_LETTERS, kept, BATCH)


async def delete_old_analyses(pool: asyncpg.Pool, kept: timedelta) -> int:
    """Delete analyses that one of the current analyzer version replaced this long ago."""
    return await _delete(pool, _OLD_ANALYSES, kept, BATCH, ANALYZER_VERSION)


async def delete_retired_vectors(pool: asyncpg.Pool, kept: timedelta) -> int:
    """Delete vectors of a space that was retired this long ago; first its index, last the space.

    A space that becomes the current one again meanwhile keeps what is left, and tracks whose
    vectors are gone wait for new ones.

    Raises:
        asyncpg.LockNotAvailableError: the table is in use; try again later.
    """

    async def work(connection: asyncpg.Connection) -> int:
        await connection.execute(_LOCK_TIMEOUT)  # those who wait for the table wait for us, too
        await lock_spaces(connection)
        id_ = await connection.fetchval(_RETIRED_SPACE, kept)
        if id_ is None:
            return 0
        await connection.execute(_DROP_INDEX.format(id=id_))
        deleted = _count(await connection.execute(_VECTORS, id_, BATCH))
        if not deleted:
            await connection.execute(_SPACE, id_)
        return deleted or 1

    return await in_transaction(pool, work)


async def _delete(pool: asyncpg.Pool, statement: str, *arguments: object) -> int:
    async def work(connection: asyncpg.Connection) -> int:
        return _count(await connection.execute(statement, *arguments))

    return await in_transaction(pool, work)


def _count(status: str) -> int:
    """The number of rows in a command's status, like `DELETE 5`."""
    return int(status.rpartition(" ")[2])
