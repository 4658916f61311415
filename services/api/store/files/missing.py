"""Files: what is known of them, and which are gone."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

import asyncpg

from services.api.store.albums import refresh as album_claims
from services.api.store.results import Problem, ProblemCode, Status, TrackUpserted, in_transaction


@dataclass(frozen=True, slots=True)
class KnownFiles:
    """Columns of equal length, by path."""

    paths: list[str]
    sizes_bytes: list[int]
    mtimes_ns: list[int]
    images_digests: list[int | None]
    missing: list[bool]
    end_cursor: str | None
    """The last path; None where nothing follows."""


# One portion in the order of the paths, by the unique index (library_id, path). Below a folder
# are the paths from 'folder/' up to 'folder0', since '0' follows '/' in byte order.
_KNOWN = """
SELECT path, size_bytes, mtime_ns, images_digest, state = 'missing' AS missing FROM files
WHERE library_id = $1 AND path > $2 AND ($3::text IS NULL OR path < $3)
    AND ($5::text IS NULL OR path <= $5)
ORDER BY path LIMIT $4
"""
_LOCK = """
SELECT id, path, state, track_id FROM files
WHERE library_id = $1 AND path = ANY($2) ORDER BY path FOR UPDATE
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
# A file that is gone can fail no more.
_RESOLVE = """
WITH gone AS (
    SELECT id FROM failures
    WHERE resolved_at IS NULL
        AND (track_id = ANY($1) OR (library_id = $2 AND path = ANY($3)))
    ORDER BY stage, subject FOR UPDATE
)
UPDATE failures SET resolved_at = now() FROM gone WHERE failures.id = gone.id
"""


_DUPLICATES = """
SELECT (array_agg(track_id ORDER BY library_id, path))[:$2] AS tracks FROM files
WHERE content_hash IS NOT NULL AND state = 'present' AND track_id IS NOT NULL
GROUP BY content_hash HAVING count(*) > 1
ORDER BY count(*) DESC, min(path) LIMIT $1
"""


def below(folder: str, after: str | None) -> tuple[str, str | None]:
    """The paths of the files below a folder ('' is all): greater than the one, less than the other.

    None where there is no end. `after` is a path to go on behind.
    """
    inside = folder.rstrip("/") + "/" if folder else ""
    return max(inside, after or ""), inside[:-1] + "0" if inside else None


async def known(
    pool: asyncpg.Pool,
    *,
    library_id: UUID,
    folder: str,
    after: str | None,
    first: int,
    until: str | None = None,
) -> KnownFiles:
    """Files of a library, below a folder ('' is all), `first` of them after the path `after`.

    None is behind the path `until`. Unreadable files are among them: they need no reading until
    they change. So are missing ones, flagged: they are back when the walk sees them.
    """
    start, end = below(folder, after)
    rows = await pool.fetch(_KNOWN, library_id, start, end, first + 1, until)
    more, rows = len(rows) > first, rows[:first]
    return KnownFiles(
        paths=[row["path"] for row in rows],
        sizes_bytes=[row["size_bytes"] for row in rows],
        mtimes_ns=[row["mtime_ns"] for row in rows],
        images_digests=[row["images_digest"] for row in rows],
        missing=[row["missing"] for row in rows],
        end_cursor=rows[-1]["path"] if more else None,
    )


async def duplicates(pool: asyncpg.Pool, *, first: int, most: int) -> list[list[UUID]]:
    """Tracks whose files hold the same sound, whatever their tags: `most` of each group.

    The largest of `first` groups comes first.
    """
    return [row["tracks"] for row in await pool.fetch(_DUPLICATES, first, most)]


async def mark_missing(
    pool: asyncpg.Pool, library_id: UUID, paths: Sequence[str]
) -> list[TrackUpserted]:
    """Mark files missing, in one transaction; one result a path, in order.

    The track is kept; its revision counts the change once. A file that never was a track has
    no id in its result.
    """

    async def work(connection: asyncpg.Connection) -> list[TrackUpserted]:
        return await _mark_missing(connection, library_id, paths)

    return await in_transaction(pool, work)


async def _mark_missing(
    connection: asyncpg.Connection, library_id: UUID, paths: Sequence[str]
) -> list[TrackUpserted]:
    wanted = [path for path in set(paths) if "\0" not in path]
    files = {row["path"]: row for row in await connection.fetch(_LOCK, library_id, wanted)}
    ids = [row["track_id"] for row in files.values() if row["track_id"]]
    tracks = {row["id"]: row for row in await connection.fetch(_LOCK_TRACKS, ids)}
    gone = [row["id"] for row in files.values() if row["state"] != "missing"]
    if gone:
        changed = [id_ for id_, row in tracks.items() if not row["is_missing"]]
        await connection.execute(_MARK_FILES, gone)
        await connection.execute(_MARK_TRACKS, changed)
        await connection.execute(_RESOLVE, changed, library_id, list(files))
        albums = {tracks[id_]["album_id"] for id_ in changed}
        await album_claims.refresh(connection, filter(None, albums), just_written=changed)
    return [_result(files.get(path), tracks) for path in paths]


def _result(file: asyncpg.Record | None, tracks: dict[UUID, asyncpg.Record]) -> TrackUpserted:
    if file is None:
        problem = Problem(ProblemCode.NOT_FOUND, "no such file is known", "paths")
        return TrackUpserted(problem=problem)
    track = tracks.get(file["track_id"])
    if track is None:
        already = file["state"] == "missing"
        return TrackUpserted(status=Status.UNCHANGED if already else Status.UPDATED)
    return TrackUpserted(
        id=track["id"],
        status=Status.UNCHANGED if track["is_missing"] else Status.UPDATED,
        revision=track["revision"] + (not track["is_missing"]),
        content_revision=track["content_revision"],
    )
