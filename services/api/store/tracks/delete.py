"""Deletes files with their tracks: of a library that is removed, and missing ones that are purged.

Everything that belongs to a track goes with it (ON DELETE CASCADE). Events let the search index
delete it too, so each track leaves a row in `removed_tracks` until the index has confirmed that.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

import asyncpg

from services.api.store import artists
from services.api.store.albums.refresh import refresh_albums
from services.api.store.albums.regroup import mark_ungrouped
from services.api.store.spelling import mark_uncounted, spelled_by


@dataclass(frozen=True, slots=True)
class RemovedTrack:
    """A track that was deleted; `revision` is above that of every document in the index."""

    id: UUID
    revision: int


# Locks in the order of all writes: files (by the caller), tracks by id, then failures.
_LOCK_TRACKS = """
SELECT id, revision + 1 AS revision, album_id FROM tracks WHERE id = ANY($1) ORDER BY id FOR UPDATE
"""
_NOTE_REMOVED = """
INSERT INTO removed_tracks (track_id, revision) SELECT * FROM unnest($1::uuid[], $2::bigint[])
"""
_DELETE_FAILURES = """
WITH lost AS (
    SELECT f.id FROM failures f
    WHERE f.track_id = ANY($1) OR EXISTS (
        SELECT FROM unnest($2::uuid[], $3::text[]) AS file(library_id, path)
        WHERE f.library_id = file.library_id AND f.path = file.path
    )
    ORDER BY f.stage, f.subject FOR UPDATE
)
DELETE FROM failures USING lost WHERE failures.id = lost.id
"""
_DELETE_CREDITS = "DELETE FROM track_credits WHERE track_id = ANY($1) RETURNING artist_id"
_DELETE_FILES = "DELETE FROM files WHERE id = ANY($1)"
_DELETE_TRACKS = "DELETE FROM tracks WHERE id = ANY($1)"
_UNANNOUNCED = """
SELECT track_id AS id, revision FROM removed_tracks WHERE announced_at IS NULL
ORDER BY removed_at LIMIT $1
"""
_ANNOUNCED = "UPDATE removed_tracks SET announced_at = now() WHERE track_id = ANY($1)"


async def delete_files(connection: asyncpg.Connection, files: Sequence[asyncpg.Record]) -> None:
    """Delete files that the caller has locked, with their tracks.

    Albums without tracks and artists without credits go too.

    Args:
        connection: in a transaction.
        files: rows with `id`, `library_id`, `path` and `track_id`.
    """
    ids = [file["track_id"] for file in files if file["track_id"] is not None]
    tracks = await connection.fetch(_LOCK_TRACKS, ids)
    await connection.execute(
        _NOTE_REMOVED, [row["id"] for row in tracks], [row["revision"] for row in tracks]
    )
    await connection.execute(
        _DELETE_FAILURES,
        ids,
        [file["library_id"] for file in files],
        [file["path"] for file in files],
    )
    # What the other tracks of these albums, artists and genres say counts from now on.
    albums = {row["album_id"] for row in tracks} - {None}
    uncounted = await spelled_by(connection, ids)
    await mark_ungrouped(connection, albums)
    lost = {row["artist_id"] for row in await connection.fetch(_DELETE_CREDITS, ids)}
    await connection.execute(_DELETE_FILES, [file["id"] for file in files])
    await connection.execute(_DELETE_TRACKS, ids)
    await refresh_albums(connection, albums)
    if lost:
        await artists.delete_unused(connection, lost)
    await mark_uncounted(connection, uncounted, album_ids=albums)


async def unannounced(pool: asyncpg.Pool, first: int) -> list[RemovedTrack]:
    """Deleted tracks of which no event was published yet."""
    return [RemovedTrack(**row) for row in await pool.fetch(_UNANNOUNCED, first)]


async def note_announced(pool: asyncpg.Pool, tracks: Sequence[RemovedTrack]) -> None:
    """Note that their events are published."""
    await pool.execute(_ANNOUNCED, [track.id for track in tracks])
