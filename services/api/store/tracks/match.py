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

from services.api.store.results import Candidate
from services.api.store.tracks import candidates
from services.api.store.tracks.validate_item import TrackRow

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
    moves.undecided = await candidates.find(connection, library_id, scan_id, open_rows, moves.files)
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


def paths_left(moves: Moves) -> Iterable[str]:
    """Paths that no file is known at any longer."""
    return [file["path"] for file in moves.dropped]
