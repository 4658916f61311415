"""Matches files to tracks by content: a track follows its content, wherever the file lies now.

Content goes before path, path before tags. A file whose content another file is known to have is
UNDECIDED at first: the answer names the tracks it may belong to, and a client that can see the disk
says whether one of their files no longer has that content (`movedFrom`), or that all still do
(`isChecked`). So the outcome depends on the disk, not on the order in which files are read, and two
files that both exist are never taken for one.
"""

from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import asyncpg

from services.api.store.results import Candidate
from services.api.store.tracks.lock import FileRow
from services.api.store.tracks.parts import FileKey, key_of
from services.api.store.tracks.validate_item import TrackRow

# $1: the library, $2: the scan (or an id of none), then paths, parts, hashes, digests of the items.
# A file that this scan itself has read is still where it was read. The index skips those, since a
# library may have one sound a thousand times: hence a branch for each range of the index.
_SAME_CONTENT = """
SELECT item.path AS item_path, item.part AS item_part, f.track_id, f.library_id, f.path
FROM unnest($3::text[], $4::smallint[], $5::bytea[], $6::bytea[]) AS item(path, part, hash, digest)
CROSS JOIN LATERAL (
    SELECT f.track_id, f.library_id, f.path, t.tags_digest = item.digest AS is_equal
    FROM (
        SELECT track_id, library_id, path, state FROM files
        WHERE content_hash = item.hash AND read_by_scan_id < $2
        UNION ALL
        SELECT track_id, library_id, path, state FROM files
        WHERE content_hash = item.hash AND read_by_scan_id > $2
        UNION ALL
        SELECT track_id, library_id, path, state FROM files
        WHERE content_hash = item.hash AND read_by_scan_id IS NULL
        UNION ALL
        SELECT track_id, library_id, path, state FROM files
        WHERE content_hash = item.hash AND state = 'missing' AND read_by_scan_id = $2
        UNION ALL
        SELECT track_id, library_id, path, state FROM files
        WHERE replaced_hash = item.hash AND read_by_scan_id = $2
    ) f JOIN tracks t ON t.id = f.track_id
    WHERE NOT (f.library_id = $1 AND f.path = item.path)
    ORDER BY is_equal DESC, f.state = 'missing' DESC, f.library_id = $1 DESC, f.path LIMIT 4
) f
"""
_ALBUMS_WITH_TRACKS = """
SELECT album.id FROM unnest($1::uuid[]) AS album(id) WHERE EXISTS (
    SELECT FROM tracks WHERE album_id = album.id
)
"""
# The same recording in the same place of the same album: a better copy, or another format. LATERAL
# with LIMIT has the planner go from album to track to file by their indexes: it would take the
# folders' equality for a join, and look at every path for it.
_SAME_RECORDING = """
SELECT item.path AS item_path, item.part AS item_part, t.id AS track_id, f.library_id, f.path
FROM unnest($2::text[], $3::smallint[], $4::uuid[], $5::integer[], $6::integer[], $7::text[],
        $8::float8[], $9::uuid[])
    AS item(path, part, album_id, disc, track, title, duration_s, recording)
CROSS JOIN LATERAL (
    SELECT t.id FROM tracks t
    WHERE t.album_id = item.album_id
        AND t.disc_number IS NOT DISTINCT FROM item.disc
        AND t.track_number IS NOT DISTINCT FROM item.track
        AND CASE
            WHEN t.musicbrainz_recording_id IS NOT NULL AND item.recording IS NOT NULL
            THEN t.musicbrainz_recording_id = item.recording
            ELSE t.title = item.title
        END
        AND abs(t.duration_s - item.duration_s) < 3
    LIMIT 100
) t
CROSS JOIN LATERAL (
    SELECT f.library_id, f.path FROM files f WHERE f.track_id = t.id LIMIT 1
) f
WHERE f.library_id = $1
    AND regexp_replace(f.path, '[^/]*$', '') = regexp_replace(item.path, '[^/]*$', '')
    AND f.path <> item.path
ORDER BY f.path
"""
_NO_SCAN = UUID(int=0)
_CARRIED = (
    "track_id", "size_bytes", "mtime_ns", "state", "content_hash", "replaced_hash", "start_s",
    "end_s",
)  # fmt: skip


@dataclass(slots=True)
class Moves:
    """What a batch moves.

    Attributes:
        files: the files of the batch by path and part, as they are after all moves.
        moved: tracks that belong to another file now.
        displaced: tracks whose path another track took, with the file of that one: they are
            missing until their own content is found.
        dropped: rows of files whose track moved away.
        reassigned: rows of files that got another track.
        undecided: items that no client has checked on the disk, with what they may be.
        replaced: rows of files that no longer count, as their file has other parts now.
    """

    files: dict[FileKey, FileRow]
    moved: set[UUID] = field(default_factory=set)
    displaced: dict[UUID, FileRow] = field(default_factory=dict)
    dropped: list[FileRow] = field(default_factory=list)
    reassigned: list[FileRow] = field(default_factory=list)
    undecided: dict[FileKey, tuple[Candidate, ...]] = field(default_factory=dict)
    replaced: list[FileRow] = field(default_factory=list)


async def match(
    connection: asyncpg.Connection,
    library_id: UUID,
    scan_id: UUID | None,
    rows: Mapping[FileKey, TrackRow],
    locked: Sequence[FileRow],
) -> Moves:
    """Move tracks to where their content is now; find candidates for what is not checked yet."""
    here = {key_of(file): file for file in locked if file["library_id"] == library_id}
    moves = Moves({key: file for key, file in here.items() if key in rows})
    others = _others(rows, here)
    by_track = {file["track_id"]: file for file in locked if file["track_id"]}
    leaving = _leaving(rows, _known(moves, others))
    unchecked = []
    # In the order of the paths, so that the outcome does not depend on that of the items.
    for key in sorted(rows):
        row, file = rows[key], moves.files.get(key)
        if row.content_hash is None or (file and is_same_content(row, file)):
            continue
        source = by_track.get(row.moved_from) if row.moved_from else leaving.get(row.content_hash)
        if source is not None and _is_source(source, row, file, scan_id):
            _move(moves, library_id, row, source, by_track)
            if leaving or moves.displaced:
                leaving = _leaving(rows, _known(moves, others))
        elif not row.is_checked:
            unchecked.append(row)
    if unchecked:
        moves.undecided = await _find_candidates(
            connection, library_id, scan_id, unchecked, moves.files
        )
    decided = {path for path, _ in rows.keys() - moves.undecided.keys()}
    moves.replaced = [
        file
        for file in _known(moves, others)
        if file["path"] in decided and file["state"] != "replaced" and key_of(file) not in rows
    ]
    return moves


def _known(moves: Moves, others: Iterable[FileRow]) -> list[FileRow]:
    """The rows at the paths of the batch whose track has not moved away."""
    return [*moves.files.values(), *(file for file in others if file not in moves.dropped)]


def _others(rows: Mapping[FileKey, TrackRow], here: Mapping[FileKey, FileRow]) -> list[FileRow]:
    """Rows at the paths of the batch that are no part of the files that are there now."""
    if len(here) == len(here.keys() & rows.keys()):  # nearly always
        return []
    of_path = {path: row for (path, _), row in rows.items()}
    return [
        file
        for (path, part), file in here.items()
        if (row := of_path.get(path)) and not row.part.is_of_same_file_as(part)
    ]


def is_same_content(row: TrackRow, file: Mapping[str, Any]) -> bool:
    """Whether a file has its known content; by size and time where a hash is not known."""
    if row.content_hash is not None and file["content_hash"] is not None:
        return bool(file["content_hash"] == row.content_hash)
    is_same_range = (file["start_s"], file["end_s"]) == (row.part.start_s, row.part.end_s)
    return is_same_range and is_same_stat(row, file) and file["state"] != "unreadable"


def is_same_stat(row: TrackRow, file: Mapping[str, Any]) -> bool:
    """Whether a file has the size and modification time that are known of it."""
    return (file["size_bytes"], file["mtime_ns"]) == (row.size_bytes, row.mtime_ns)


def _leaving(rows: Mapping[FileKey, TrackRow], files: Iterable[FileRow]) -> dict[bytes, FileRow]:
    """Files of the batch by their known content, where the batch says that it is another now."""
    return {
        file["content_hash"]: file
        for file in files
        if file["content_hash"] is not None
        and file["track_id"] is not None
        and ((row := rows.get(key_of(file))) is None or _has_other_content(row, file))
    }


def _has_other_content(row: TrackRow, file: FileRow) -> bool:
    return row.content_hash not in {None, file["content_hash"]}


def _is_source(source: FileRow, row: TrackRow, file: FileRow | None, scan_id: UUID | None) -> bool:
    """Whether the source still is as the client saw it."""
    if source is file:
        return False
    if source["content_hash"] == row.content_hash:
        return True
    if source["replaced_hash"] == row.content_hash and source["read_by_scan_id"] == scan_id:
        return True
    return file is None and _folder(source["path"]) == _folder(row.path)


def _folder(path: str) -> str:
    return path.rpartition("/")[0]


def _move(
    moves: Moves, library_id: UUID, row: TrackRow, source: FileRow, by_track: dict[UUID, FileRow]
) -> None:
    """The track of `source` moves to the place of `row`; one that was there takes its row."""
    track_id = source["track_id"]
    file = moves.files.get(row.key)
    if file is None:
        place = {"library_id": library_id, "path": row.path, "part": row.part.number}
        file = {**source, "id": None, **place, "read_by_scan_id": None}
        moves.files[row.key] = file
        _drop(moves, library_id, source)
    else:
        before = {name: file[name] for name in _CARRIED}
        file.update({name: source[name] for name in _CARRIED})
        moves.reassigned.append(file)
        if before["track_id"] is None:
            _drop(moves, library_id, source)
        else:
            source.update(before, state="missing", replaced_hash=None)
            moves.reassigned.append(source)
            moves.displaced[before["track_id"]] = source
            by_track[before["track_id"]] = source
    by_track[track_id] = file
    moves.moved.add(track_id)
    moves.displaced.pop(track_id, None)


def _drop(moves: Moves, library_id: UUID, source: FileRow) -> None:
    if source["id"] is not None:
        moves.dropped.append(source)
    if source["library_id"] == library_id:
        moves.files.pop(key_of(source), None)


async def _find_candidates(
    connection: asyncpg.Connection,
    library_id: UUID,
    scan_id: UUID | None,
    rows: Sequence[TrackRow],
    known: Container[FileKey],
) -> dict[FileKey, tuple[Candidate, ...]]:
    """The tracks that files may belong to, by path and part; the best guess first.

    For `known` paths only the content is compared, for new ones the place in the album too.
    """
    columns = zip(*((*row.key, row.content_hash, row.digest) for row in rows), strict=True)
    same_content = await connection.fetch(_SAME_CONTENT, library_id, scan_id or _NO_SCAN, *columns)
    new = [row for row in rows if row.key not in known and row.album_id]
    same_recording = []
    if new:
        # Most albums of a first scan have no tracks yet: the search is spared for them.
        albums = list({row.album_id for row in new})
        filled = {row["id"] for row in await connection.fetch(_ALBUMS_WITH_TRACKS, albums)}
        new = [row for row in new if row.album_id in filled]
    if new:
        columns = zip(*map(_recording_columns, new), strict=True)
        same_recording = await connection.fetch(_SAME_RECORDING, library_id, *columns)
    candidates: dict[FileKey, tuple[Candidate, ...]] = {}
    for is_content, found in ((True, same_content), (False, same_recording)):
        for row in found:
            candidate = Candidate(
                row["track_id"], row["library_id"], row["path"], is_same_content=is_content
            )
            key = row["item_path"], row["item_part"]
            candidates[key] = (*candidates.get(key, ()), candidate)
    return candidates


def _recording_columns(row: TrackRow) -> tuple[Any, ...]:
    columns = row.columns
    recording = columns["musicbrainz_recording_id"]
    return (
        *row.key, row.album_id, columns["disc_number"], columns["track_number"],
        columns["title"], columns["duration_s"], recording and UUID(recording),
    )  # fmt: skip
