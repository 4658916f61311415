"""Candidates: the tracks that a file may be the file of, by its content or by what its tags say."""

from collections.abc import Container, Sequence
from typing import Any
from uuid import UUID

import asyncpg

from services.api.store.results import Candidate
from services.api.store.tracks.validate_item import TrackRow

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
_NO_SCAN = UUID(int=0)


async def find(
    connection: asyncpg.Connection,
    library_id: UUID,
    scan_id: UUID | None,
    rows: Sequence[TrackRow],
    known: Container[str],
) -> dict[str, tuple[Candidate, ...]]:
    """What files may be, by path; best guess first.

    Files at `known` paths are looked for by their content alone.
    """
    if not rows:
        return {}
    told = [(row.path, row.content_hash, row.digest) for row in rows]
    columns = zip(*told, strict=True)
    same = await connection.fetch(_SAME_CONTENT, library_id, scan_id or _NO_SCAN, *columns)
    new = [row for row in rows if row.path not in known and row.album_id]
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
