"""Locks what a batch of tracks touches, in the order that all writes keep, so that none deadlocks.

The order: the right to create files, files by library, path and part, tracks by id, then what they
refer to (artists, albums), then marks of what is to be decided again: titles before the albums that
are decided, spellings last.

The right to create is needed because a file that another transaction just created cannot be locked
yet: two batches that create each other's files would wait for each other. Batches that lock no
file, since all of theirs are new, share the right.
"""

from collections.abc import Collection, Iterable, Mapping
from enum import Enum
from typing import Any
from uuid import UUID

import asyncpg

from services.api.store.results import Problem
from services.api.store.tracks.parts import FileKey, key_of
from services.api.store.tracks.validate_item import TrackRow
from shared.contracts.upserts import ErrorCode

FileRow = dict[str, Any]
"""A row of `files`; `match` changes it to what becomes of it."""

_LOCK_NAME = "hashtext('soniquebay.files')"
_LOCK_CREATION = f"SELECT pg_advisory_xact_lock({_LOCK_NAME})"
# Counts the known files and locks in one statement. No row, and no lock, where all are known.
_LOCK_CREATION_IF_NEW = f"""
SELECT is_shared, CASE
    WHEN is_shared THEN pg_advisory_xact_lock_shared({_LOCK_NAME})::text
    ELSE pg_advisory_xact_lock({_LOCK_NAME})::text
END
FROM (
    SELECT count(*) FILTER (WHERE file.part = item.part) AS known,
        count(file.path) = 0 AND NOT $4 AS is_shared
    FROM unnest($2::text[], $3::smallint[]) AS item(path, part)
    LEFT JOIN files file ON file.library_id = $1 AND file.path = item.path
) seen
WHERE known < cardinality($2)
"""  # noqa: S608 - the lock's name

_FILE_COLUMNS = """
id, library_id, path, size_bytes, mtime_ns, images_digest, state, track_id, read_by_scan_id,
content_hash, replaced_hash, part, start_s, end_s, cue_sheet, cue_problem
"""
_LOCK_FILES = f"""
SELECT {_FILE_COLUMNS} FROM files
WHERE library_id = $1 AND path = ANY($2) ORDER BY path, part FOR UPDATE
"""  # noqa: S608 - the columns above
_LOCK_FILES_AND_SOURCES = f"""
SELECT {_FILE_COLUMNS} FROM files
WHERE id IN (
    SELECT id FROM files WHERE library_id = $1 AND path = ANY($2)
    UNION SELECT id FROM files WHERE track_id = ANY($3)
)
ORDER BY library_id, path, part FOR UPDATE
"""  # noqa: S608 - as above
_LOCK_TRACKS = """
SELECT id, revision, content_revision, is_missing, tags_digest, album_id, EXISTS (
    SELECT FROM analyses a
    WHERE a.track_id = tracks.id AND a.analyzer_version = tracks.analyzer_version AND a.damaged
) AS is_damaged
FROM tracks WHERE id = ANY($1) ORDER BY id FOR UPDATE
"""
# What the tracks refer to is kept from being pruned until this transaction ends.
_LOCK_ARTISTS = "SELECT id, name FROM artists WHERE id = ANY($1) ORDER BY id FOR KEY SHARE"
_LOCK_ALBUMS = "SELECT id FROM albums WHERE id = ANY($1) ORDER BY id FOR KEY SHARE"
_ALBUMS_OF_CLAIMS = """
SELECT DISTINCT ON (claim) claim, album_id FROM album_claims
WHERE claim = ANY($1) AND title_key IS NOT NULL ORDER BY claim, claimed_at DESC, album_id
"""


class CreationLock(Enum):
    """Which files a transaction may create."""

    NONE = "none"
    SHARED = "new ones only, while others create theirs"
    EXCLUSIVE = "any"


async def lock_file_creation(connection: asyncpg.Connection) -> None:
    """Be the only one who creates files until this transaction ends.

    To be taken before any other lock, by all who may create files.
    """
    await connection.execute(_LOCK_CREATION)


async def lock_file_creation_for(
    connection: asyncpg.Connection, library_id: UUID, keys: Collection[FileKey], *, may_move: bool
) -> CreationLock:
    """Take the creation lock that these distinct keys need: none where all are known.

    `may_move`: known files may move to these paths. More of the files may be known once the lock
    is granted: compare again (`is_covered`).
    """
    paths, parts = zip(*keys, strict=True)
    row = await connection.fetchrow(_LOCK_CREATION_IF_NEW, library_id, paths, parts, may_move)
    if row is None:
        return CreationLock.NONE
    return CreationLock.SHARED if row["is_shared"] else CreationLock.EXCLUSIVE


def is_covered(lock: CreationLock, keys: Iterable[FileKey], files: Collection[FileRow]) -> bool:
    """Whether the lock still is the one that the keys need, now that their files are locked."""
    if lock is CreationLock.SHARED:
        return not files
    return lock is CreationLock.EXCLUSIVE or set(keys) <= set(map(key_of, files))


async def lock_files(
    connection: asyncpg.Connection, library_id: UUID, rows: Mapping[FileKey, TrackRow]
) -> list[FileRow]:
    """The known files at the paths of a batch, all parts, and those of tracks that moved there.

    All are locked.
    """
    sources = [row.moved_from for row in rows.values() if row.moved_from]
    paths = list({path for path, _ in rows})
    if sources:
        files = await connection.fetch(_LOCK_FILES_AND_SOURCES, library_id, paths, sources)
    else:
        files = await connection.fetch(_LOCK_FILES, library_id, paths)
    return [dict(file) for file in files]


async def lock_tracks(
    connection: asyncpg.Connection, files: Iterable[FileRow]
) -> dict[UUID, asyncpg.Record]:
    """The tracks of locked files by id, locked."""
    ids = [file["track_id"] for file in files if file["track_id"]]
    return {row["id"]: row for row in await connection.fetch(_LOCK_TRACKS, ids)}


async def lock_references(
    connection: asyncpg.Connection, rows: dict[FileKey, TrackRow]
) -> tuple[dict[FileKey, Problem], dict[UUID, str]]:
    """Lock the artists and albums of a batch.

    A row whose album became part of another one meanwhile gets that one: it has the claim now.
    Returns a problem for each item that refers to none, and the names of the artists.
    """
    artists = {credit.artist_id for row in rows.values() for credit in row.credits}
    albums = {row.album_id for row in rows.values() if row.album_id}
    names: dict[UUID, str] = {}
    if artists:
        names.update(await connection.fetch(_LOCK_ARTISTS, list(artists)))
        artists.difference_update(names)
    for attempt in range(2):
        if albums:
            found = await connection.fetch(_LOCK_ALBUMS, list(albums))
            albums.difference_update(row["id"] for row in found)
        if albums and attempt == 0:
            albums |= await _replace_albums(connection, rows, albums)
    # What is left in the sets does not exist.
    problems: dict[FileKey, Problem] = {}
    for key, row in rows.items():
        if row.album_id in albums:
            problems[key] = Problem(ErrorCode.NOT_FOUND, "there is no such album", "albumId")
        elif any(credit.artist_id in artists for credit in row.credits):
            problems[key] = Problem(ErrorCode.NOT_FOUND, "there is no such artist", "credits")
    return problems, names


async def _replace_albums(
    connection: asyncpg.Connection, rows: dict[FileKey, TrackRow], gone: Collection[UUID]
) -> set[UUID]:
    """Give the rows of albums that are gone those which hold their claims now; returns these."""
    lost = {key: row for key, row in rows.items() if row.album_id in gone}
    claims = [row.columns["album_claim"] for row in lost.values() if row.columns["album_claim"]]
    albums = dict(await connection.fetch(_ALBUMS_OF_CLAIMS, claims))
    for key, row in lost.items():
        if album := albums.get(row.columns["album_claim"]):
            rows[key] = row._replace(album_id=album)
    return set(albums.values())
