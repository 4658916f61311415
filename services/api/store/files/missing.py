"""Marks files missing."""

from collections.abc import Mapping, Sequence
from uuid import UUID

import asyncpg

from services.api.store.albums.refresh import refresh_albums
from services.api.store.albums.regroup import mark_ungrouped, regroup
from services.api.store.database.pool import in_transaction
from services.api.store.results import Problem, TrackUpserted
from services.api.store.scan_end import decide
from services.api.store.spelling import mark_uncounted, spelled_by
from shared.contracts.upserts import ErrorCode, UpsertStatus

_LOCK = """
SELECT id, path, state, track_id FROM files
WHERE library_id = $1 AND path = ANY($2) AND state <> 'replaced' ORDER BY path, part FOR UPDATE
"""
_LOCK_TRACKS = """
SELECT id, revision, content_revision, is_missing, album_id FROM tracks
WHERE id = ANY($1) ORDER BY id FOR UPDATE
"""
_MARK_FILES = """
UPDATE files SET state = 'missing', missing_since = now() WHERE id = ANY($1)
"""
_MARK_TRACKS = """
UPDATE tracks SET is_missing = true, revision = revision + 1, updated_at = now()
WHERE id = ANY($1)
"""
# A missing file cannot fail any more.
_RESOLVE = """
WITH resolved AS (
    SELECT id FROM failures
    WHERE resolved_at IS NULL
        AND (track_id = ANY($1) OR (library_id = $2 AND path = ANY($3)))
    ORDER BY stage, subject FOR UPDATE
)
UPDATE failures SET resolved_at = now() FROM resolved WHERE failures.id = resolved.id
"""


async def mark_missing(
    pool: asyncpg.Pool, library_id: UUID, paths: Sequence[str]
) -> list[TrackUpserted]:
    """Mark files missing, in one transaction; the results in the order of the paths.

    There is one result a path, or one for each track of a file with parts. The tracks are kept;
    their revision counts the change once. The result of a file that never was a track has no id.
    """

    async def work(connection: asyncpg.Connection) -> tuple[list[TrackUpserted], list[str]]:
        return await _mark_missing(connection, library_id, paths)

    results, ungrouped = await in_transaction(pool, work)
    await regroup(pool, ungrouped)
    await decide(pool)
    return results


async def _mark_missing(
    connection: asyncpg.Connection, library_id: UUID, paths: Sequence[str]
) -> tuple[list[TrackUpserted], list[str]]:
    """The results, and the keys of titles whose albums are to be grouped."""
    ungrouped: list[str] = []
    valid = [path for path in set(paths) if "\0" not in path]
    rows = await connection.fetch(_LOCK, library_id, valid)
    files: dict[str, list[asyncpg.Record]] = {}
    for row in rows:
        files.setdefault(row["path"], []).append(row)
    ids = [row["track_id"] for row in rows if row["track_id"]]
    tracks = {row["id"]: row for row in await connection.fetch(_LOCK_TRACKS, ids)}
    present = [row["id"] for row in rows if row["state"] != "missing"]
    if present:
        changed = [id_ for id_, row in tracks.items() if not row["is_missing"]]
        await connection.execute(_MARK_FILES, present)
        await connection.execute(_MARK_TRACKS, changed)
        await connection.execute(_RESOLVE, changed, library_id, list(files))
        albums = {tracks[id_]["album_id"] for id_ in changed} - {None}
        ungrouped = await mark_ungrouped(connection, albums)
        await refresh_albums(connection, albums, just_written=changed)
        uncounted = await spelled_by(connection, changed)
        await mark_uncounted(connection, uncounted, album_ids=albums)
    results = [_result(file, tracks) for path in paths for file in files.get(path) or (None,)]
    return results, ungrouped


def _result(file: asyncpg.Record | None, tracks: Mapping[UUID, asyncpg.Record]) -> TrackUpserted:
    if file is None:
        problem = Problem(ErrorCode.NOT_FOUND, "no such file is known", "paths")
        return TrackUpserted(problem=problem)
    track = tracks.get(file["track_id"])
    if track is None:
        was_missing = file["state"] == "missing"
        return TrackUpserted(status=UpsertStatus.UNCHANGED if was_missing else UpsertStatus.UPDATED)
    return TrackUpserted(
        id=track["id"],
        status=UpsertStatus.UNCHANGED if track["is_missing"] else UpsertStatus.UPDATED,
        revision=track["revision"] + (not track["is_missing"]),
        content_revision=track["content_revision"],
    )
