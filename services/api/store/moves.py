"""Moves: which track a file's content belongs to, wherever the file lies now.

Content goes before place, place before tags. A file whose content another file is known to have
is UNDECIDED at first: the answer names the tracks it may be, and who can see the disk says
whether one of their files no longer has that content (`movedFrom`), or that all do (`isChecked`).
So the outcome depends on what is there, not on the order in which files are read, and two files
that both exist are never taken for one.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import asyncpg

from services.api.store.outcomes import Candidate
from services.api.store.track_rows import TrackRow

FileRow = dict[str, Any]
"""A row of `files`, and what becomes of it."""

_COLUMNS = """
id, library_id, path, size_bytes, mtime_ns, images_digest, state, track_id, read_by_scan_id,
content_hash, replaced_hash
"""
# Locks are taken in the order that all writes keep: files by library and path, then tracks.
_LOCK = f"""
SELECT {_COLUMNS} FROM files WHERE library_id = $1 AND path = ANY($2) ORDER BY path FOR UPDATE
"""  # noqa: S608 - the columns above
_LOCK_WITH_SOURCES = f"""
SELECT {_COLUMNS} FROM files
WHERE id IN (
    SELECT id FROM files WHERE library_id = $1 AND path = ANY($2)
    UNION SELECT id FROM files WHERE track_id = ANY($3)
)
ORDER BY library_id, path FOR UPDATE
"""  # noqa: S608 - as above
# $1: the library, $2: the scan (or one that is none), then paths, hashes, digests of what was told.
# What this scan itself has read is still where it was read: passed over by the index, since a
# library may have one sound a thousand times.
_SAME_CONTENT = """
SELECT told.path AS asker, f.track_id, f.library_id, f.path
FROM unnest($3::text[], $4::bytea[], $5::bytea[]) AS told(path, hash, digest)
CROSS JOIN LATERAL (
    SELECT f.track_id, f.library_id, f.path, t.tags_digest = told.digest AS is_equal
    FROM (
        SELECT track_id, library_id, path, state FROM files
        WHERE content_hash = told.hash AND read_by_scan_id < $2
        UNION ALL
        SELECT track_id, library_id, path, state FROM files
        WHERE content_hash = told.hash AND read_by_scan_id > $2
        UNION ALL
        SELECT track_id, library_id, path, state FROM files
        WHERE content_hash = told.hash AND read_by_scan_id IS NULL
        UNION ALL
        SELECT track_id, library_id, path, state FROM files
        WHERE content_hash = told.hash AND state = 'missing' AND read_by_scan_id = $2
        UNION ALL
        SELECT track_id, library_id, path, state FROM files
        WHERE replaced_hash = told.hash AND read_by_scan_id = $2
    ) f JOIN tracks t ON t.id = f.track_id
    WHERE NOT (f.library_id = $1 AND f.path = told.path)
    ORDER BY is_equal DESC, f.state = 'missing' DESC, f.library_id = $1 DESC, f.path LIMIT 4
) f
"""
_FILLED = """
SELECT told.id FROM unnest($1::uuid[]) AS told(id) WHERE EXISTS (
    SELECT FROM tracks WHERE album_id = told.id
)
"""
# The same recording in the same place of the same album: a better copy, or another format. LATERAL
# with LIMIT has the planner go from album to track to file by their indexes: it would take the
# folders' equality for a join, and look at every path for it.
_SAME_RECORDING = """
SELECT told.path AS asker, t.id AS track_id, f.library_id, f.path
FROM unnest($2::text[], $3::uuid[], $4::integer[], $5::integer[], $6::text[], $7::float8[],
        $8::uuid[])
    AS told(path, album_id, disc, track, title, duration_s, recording)
CROSS JOIN LATERAL (
    SELECT t.id FROM tracks t
    WHERE t.album_id = told.album_id
        AND t.disc_number IS NOT DISTINCT FROM told.disc
        AND t.track_number IS NOT DISTINCT FROM told.track
        AND CASE
            WHEN t.musicbrainz_recording_id IS NOT NULL AND told.recording IS NOT NULL
            THEN t.musicbrainz_recording_id = told.recording
            ELSE t.title = told.title
        END
        AND abs(t.duration_s - told.duration_s) < 3
    LIMIT 100
) t
CROSS JOIN LATERAL (
    SELECT f.library_id, f.path FROM files f WHERE f.track_id = t.id LIMIT 1
) f
WHERE f.library_id = $1
    AND regexp_replace(f.path, '[^/]*$', '') = regexp_replace(told.path, '[^/]*$', '')
    AND f.path <> told.path
ORDER BY f.path
"""
_DROP = "DELETE FROM files WHERE id = ANY($1)"
_PART = "UPDATE files SET track_id = NULL WHERE id = ANY($1)"
_PLACE = """
UPDATE files SET
    track_id = new.track_id, size_bytes = new.size_bytes, mtime_ns = new.mtime_ns,
    state = new.state, content_hash = new.content_hash, replaced_hash = NULL,
    missing_since = CASE WHEN new.state = 'missing' THEN now() END
FROM unnest($1::uuid[], $2::uuid[], $3::bigint[], $4::bigint[], $5::text[], $6::bytea[])
    AS new(id, track_id, size_bytes, mtime_ns, state, content_hash)
WHERE files.id = new.id
"""
_NO_SCAN = UUID(int=0)
_CARRIED = ("track_id", "size_bytes", "mtime_ns", "state", "content_hash", "replaced_hash")


@dataclass(slots=True)
class Moves:
    """What a batch moves.

    Attributes:
        files: the files of the batch by path, as they are once all has moved.
        moved: tracks that another file is the file of now.
        displaced: tracks whose place another one took, and who got that one's in turn: they are
            missing until their own content is found.
        dropped: rows of files whose track went elsewhere. parted: rows that changed tracks.
        undecided: paths about which nobody has looked at the disk, with what they may be.
    """

    files: dict[str, FileRow]
    moved: set[UUID] = field(default_factory=set)
    displaced: dict[UUID, FileRow] = field(default_factory=dict)
    dropped: list[FileRow] = field(default_factory=list)
    parted: list[FileRow] = field(default_factory=list)
    undecided: dict[str, tuple[Candidate, ...]] = field(default_factory=dict)


async def lock(
    connection: asyncpg.Connection, library_id: UUID, rows: Mapping[str, TrackRow]
) -> list[FileRow]:
    """The files of a batch, and those that they say they moved from, locked."""
    sources = [row.moved_from for row in rows.values() if row.moved_from]
    if not sources:
        return [dict(file) for file in await connection.fetch(_LOCK, library_id, list(rows))]
    found = await connection.fetch(_LOCK_WITH_SOURCES, library_id, list(rows), sources)
    return [dict(file) for file in found]


async def settle(
    connection: asyncpg.Connection,
    library_id: UUID,
    scan_id: UUID | None,
    rows: Mapping[str, TrackRow],
    locked: Sequence[FileRow],
) -> Moves:
    """Let tracks go where their content went; tell what nobody has looked at yet."""
    files = {
        file["path"]: file
        for file in locked
        if file["library_id"] == library_id and file["path"] in rows
    }
    moves = Moves(files)
    by_track = {file["track_id"]: file for file in locked if file["track_id"]}
    leaving = _leaving(rows, files.values())
    open_rows = []
    for path in sorted(rows):
        row, file = rows[path], moves.files.get(path)
        if row.content_hash is None or (file and is_same_content(row, file)):
            continue
        source = by_track.get(row.moved_from) if row.moved_from else leaving.get(row.content_hash)
        if source is not None and _fits(row, source, file, scan_id):
            _take_over(moves, library_id, path, source, by_track)
            if leaving or moves.displaced:
                leaving = _leaving(rows, moves.files.values())
        elif not row.is_checked:
            open_rows.append(row)
    moves.undecided = await _candidates(connection, library_id, scan_id, open_rows, moves.files)
    return moves


def _leaving(rows: Mapping[str, TrackRow], files: Iterable[FileRow]) -> dict[bytes, FileRow]:
    """Files of the batch, by what they had: it says itself that they have another content now."""
    return {
        file["content_hash"]: file
        for file in files
        if file["content_hash"] is not None
        and file["track_id"] is not None
        and rows[file["path"]].content_hash not in {None, file["content_hash"]}
    }


def is_same_content(row: TrackRow, file: Mapping[str, Any]) -> bool:
    """Whether a file has the content that was known; by size and time where hashes don't tell."""
    if row.content_hash is not None and file["content_hash"] is not None:
        return bool(file["content_hash"] == row.content_hash)
    same_stat = (file["size_bytes"], file["mtime_ns"]) == (row.size_bytes, row.mtime_ns)
    return same_stat and file["state"] != "unreadable"


def _fits(row: TrackRow, source: FileRow, file: FileRow | None, scan_id: UUID | None) -> bool:
    """Whether the source is still what somebody looked at."""
    if source is file:
        return False
    if source["content_hash"] == row.content_hash:
        return True
    if source["replaced_hash"] == row.content_hash and source["read_by_scan_id"] == scan_id:
        return True
    return file is None and _folder(source["path"]) == _folder(row.path)


def _folder(path: str) -> str:
    return path.rpartition("/")[0]


def _take_over(
    moves: Moves, library_id: UUID, path: str, source: FileRow, by_track: dict[UUID, FileRow]
) -> None:
    """The track of `source` goes to `path`; a track that was there gets the source's place."""
    track_id = source["track_id"]
    file = moves.files.get(path)
    if file is None:
        file = {**source, "id": None, "library_id": library_id, "path": path}
        file["read_by_scan_id"] = None
        moves.files[path] = file
        _drop(moves, library_id, source)
    else:
        before = {name: file[name] for name in _CARRIED}
        file.update({name: source[name] for name in _CARRIED})
        moves.parted.append(file)
        if before["track_id"] is None:
            _drop(moves, library_id, source)
        else:
            source.update(before, state="missing", replaced_hash=None)
            moves.parted.append(source)
            moves.displaced[before["track_id"]] = source
            by_track[before["track_id"]] = source
    by_track[track_id] = file
    moves.moved.add(track_id)
    moves.displaced.pop(track_id, None)


def _drop(moves: Moves, library_id: UUID, source: FileRow) -> None:
    if source["id"] is not None:
        moves.dropped.append(source)
    if source["library_id"] == library_id:
        moves.files.pop(source["path"], None)


async def write(
    connection: asyncpg.Connection, moves: Moves, tracks: Mapping[UUID, Mapping[str, Any]]
) -> None:
    """Write what moved, but for what the batch itself writes; before its own rows are written."""
    dropped = [file["id"] for file in moves.dropped]
    parted = {file["id"]: file for file in moves.parted if file["id"] not in dropped and file["id"]}
    if dropped:
        await connection.execute(_DROP, dropped)
    if parted:
        await connection.execute(_PART, sorted(parted))
        names = ("id", "track_id", "size_bytes", "mtime_ns", "state", "content_hash")
        placed = [[parted[id_][name] for name in names] for id_ in sorted(parted)]
        await connection.execute(_PLACE, *zip(*placed, strict=True))
    lost = [id_ for id_, row in moves.displaced.items() if not tracks[id_]["is_missing"]]
    if lost:
        await connection.execute(_DISPLACE, sorted(lost))


_DISPLACE = """
UPDATE tracks SET is_missing = true, revision = revision + 1, updated_at = now()
WHERE id = ANY($1)
"""


async def _candidates(
    connection: asyncpg.Connection,
    library_id: UUID,
    scan_id: UUID | None,
    rows: Sequence[TrackRow],
    files: Mapping[str, FileRow],
) -> dict[str, tuple[Candidate, ...]]:
    """What files may be, by path; best guess first."""
    if not rows:
        return {}
    told = [(row.path, row.content_hash, row.digest) for row in rows]
    columns = zip(*told, strict=True)
    same = await connection.fetch(_SAME_CONTENT, library_id, scan_id or _NO_SCAN, *columns)
    new = [row for row in rows if row.path not in files and row.album_id]
    better = []
    if new:
        # Of an album that has no tracks yet, which most are in a first scan, nothing is looked for.
        albums = list({row.album_id for row in new})
        filled = {row["id"] for row in await connection.fetch(_FILLED, albums)}
        new = [row for row in new if row.album_id in filled]
    if new:
        slots = zip(*map(_slot, new), strict=True)
        better = await connection.fetch(_SAME_RECORDING, library_id, *slots)
    found: dict[str, tuple[Candidate, ...]] = {}
    for is_same, answers in ((True, same), (False, better)):
        for answer in answers:
            told_ids = (answer["track_id"], answer["library_id"], answer["path"])
            candidate = Candidate(*told_ids, is_same_content=is_same)
            found[answer["asker"]] = (*found.get(answer["asker"], ()), candidate)
    return found


def _slot(row: TrackRow) -> tuple[Any, ...]:
    columns = row.columns
    recording = columns["musicbrainz_recording_id"]
    return (
        row.path, row.album_id, columns["disc_number"], columns["track_number"],
        columns["title"], columns["duration_s"], recording and UUID(recording),
    )  # fmt: skip


def paths_left(moves: Moves) -> Iterable[str]:
    """Paths that no file is known at any longer."""
    return [file["path"] for file in moves.dropped]
