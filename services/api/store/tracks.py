"""Tracks, upserted by their file: (library, path).

`content_revision` counts the contents of the file (by the hash of its sound, or by size and time
of change), `revision` every change of what is shown. An equal item changes nothing. Where a
content moved, its track goes with it: `moves`.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

import asyncpg

from services.api.store import (
    album_claims,
    artists,
    corrections,
    genres,
    moves,
    same_sound,
    scans,
    track_details,
)
from services.api.store.checks import Item, Unfit
from services.api.store.files import make_in_turn
from services.api.store.outcomes import (
    Problem,
    ProblemCode,
    Raced,
    Status,
    TrackUpserted,
    in_transaction,
)
from services.api.store.track_rows import TrackRow, track_row
from shared.contracts.topics import Stage

_LIBRARY = "SELECT id FROM libraries WHERE id = $1"
_SCAN = "SELECT id FROM scans WHERE id = $1 FOR KEY SHARE"
# Locks, in the order that all writes keep: files by path (see `moves`), tracks by id.
_LOCK_TRACKS = """
SELECT id, revision, content_revision, is_missing, tags_digest, album_id FROM tracks
WHERE id = ANY($1) ORDER BY id FOR UPDATE
"""
# What the tracks refer to is kept from being pruned until this transaction ends.
_HOLD_ARTISTS = "SELECT id FROM artists WHERE id = ANY($1) ORDER BY id FOR KEY SHARE"
_HOLD_ALBUMS = "SELECT id FROM albums WHERE id = ANY($1) ORDER BY id FOR KEY SHARE"

_TAGS = (
    "title", "title_is_file_name", "sort_key", "artist_credit", "artist_key", "album_id",
    "album_claim",
    "track_number", "track_total", "disc_number", "disc_total", "disc_subtitle", "release_date",
    "year", "original_date", "isrcs", "tag_bpm", "comment", "language", "has_lyrics",
    "kind", "work", "movement_name", "movement_number", "movement_total", "moods", '"grouping"',
    "copyright", "tag_key",
    "musicbrainz_recording_id", "musicbrainz_track_id", "replaygain_track_gain_db",
    "replaygain_track_peak", "replaygain_album_gain_db", "replaygain_album_peak", "container",
    "codec", "duration_s", "bitrate_bps", "sample_rate_hz", "channels", "bit_depth",
    "cover_sha256", "folder_cover_sha256", "cover_problem", "tags_digest",
)  # fmt: skip
_COLUMNS = ", ".join(("revision", "content_revision", "is_missing", *_TAGS))
_NEW_VALUES = ", ".join(f"EXCLUDED.{name}" for name in _COLUMNS.split(", "))
_WRITE_TRACKS = f"""
INSERT INTO tracks (id, {_COLUMNS})
SELECT id, {_COLUMNS} FROM jsonb_populate_recordset(NULL::tracks, $1)
ON CONFLICT (id) DO UPDATE SET ({_COLUMNS}, updated_at) = ROW ({_NEW_VALUES}, now())
"""  # noqa: S608 - the column names above
_WRITE_FILES = """
INSERT INTO files (
    library_id, path, size_bytes, mtime_ns, images_digest, state, track_id, content_hash,
    replaced_hash, read_by_scan_id
)
SELECT $1, path, size_bytes, mtime_ns, images_digest, 'present', track_id, content_hash,
    replaced_hash, $2
FROM unnest(
    $3::text[], $4::bigint[], $5::bigint[], $6::integer[], $7::uuid[], $8::bytea[], $9::bytea[]
) AS new(path, size_bytes, mtime_ns, images_digest, track_id, content_hash, replaced_hash)
ORDER BY path COLLATE "C"
ON CONFLICT (library_id, path) DO UPDATE SET
    size_bytes = EXCLUDED.size_bytes, mtime_ns = EXCLUDED.mtime_ns,
    images_digest = EXCLUDED.images_digest, state = 'present',
    track_id = EXCLUDED.track_id, content_hash = EXCLUDED.content_hash,
    replaced_hash = EXCLUDED.replaced_hash, missing_since = NULL,
    read_by_scan_id = coalesce(EXCLUDED.read_by_scan_id, files.read_by_scan_id)
RETURNING xmax = 0 AS is_new
"""
_CLEAR_CREDITS = "DELETE FROM track_credits WHERE track_id = ANY($1) RETURNING artist_id"
_CLEAR_GENRES = "DELETE FROM track_genres WHERE track_id = ANY($1)"
_WRITE_CREDITS = """
INSERT INTO track_credits (
    track_id, role, position, artist_id, credited_as, join_phrase, instrument
)
SELECT * FROM unnest(
    $1::uuid[], $2::text[], $3::smallint[], $4::uuid[], $5::text[], $6::text[], $7::text[]
)
"""
_WRITE_GENRES = """
INSERT INTO track_genres (track_id, position, genre_id)
SELECT * FROM unnest($1::uuid[], $2::smallint[], $3::uuid[])
"""
# What the tags say is in the text vector: it has to be made anew, the analysis stands.
_OUTDATE_TEXTS = """
UPDATE track_vectors v SET content_revision = 0 FROM vector_spaces s
WHERE s.id = v.vector_space_id AND s.space = 'text' AND v.track_id = ANY($1)
"""
_WAIT_FOR_TEXTS = "UPDATE tracks SET vectorized_content_revision = NULL WHERE id = ANY($1)"
# A file that could be read failed no longer; a new content has not failed yet at any stage.
_RESOLVE = f"""
WITH done AS (
    SELECT id FROM failures
    WHERE resolved_at IS NULL AND (
        (library_id = $1 AND path = ANY($2) AND stage = '{Stage.READ}') OR track_id = ANY($3)
    )
    ORDER BY stage, subject FOR UPDATE
)
UPDATE failures SET resolved_at = now() FROM done WHERE failures.id = done.id
"""  # noqa: S608 - the stage's name is a constant of ours


@dataclass(frozen=True, slots=True)
class _Decision:
    """What becomes of one row."""

    row: TrackRow
    track_id: UUID
    status: Status
    revision: int
    content_revision: int
    is_new_content: bool
    is_retagged: bool
    """The tags changed, the content did not."""
    replaced_hash: bytes | None
    is_written: bool
    """The file's row is: something changed, or this scan has not counted it yet."""
    is_first_read: bool
    """This scan reads it for the first time."""


async def store(
    pool: asyncpg.Pool, library_id: UUID, scan_id: UUID | None, items: Sequence[Item]
) -> list[TrackUpserted]:
    """Upsert a batch in one transaction; one result an item, in order.

    An item at fault doesn't hold up the others. Of two items of one path the later counts.
    """
    rows: dict[str, TrackRow] = {}
    answers: list[str | Problem] = []
    for item in items:
        try:
            row = track_row(item)
        except Unfit as unfit:
            answers.append(unfit.problem)
        else:
            rows[row.path] = row
            answers.append(row.path)

    async def work(connection: asyncpg.Connection) -> dict[str, TrackUpserted]:
        return await _store(connection, library_id, scan_id, rows)

    stored = await in_transaction(pool, work) if rows else {}
    return [
        TrackUpserted(problem=answer) if isinstance(answer, Problem) else stored[answer]
        for answer in answers
    ]


async def _store(
    connection: asyncpg.Connection,
    library_id: UUID,
    scan_id: UUID | None,
    rows: dict[str, TrackRow],
) -> dict[str, TrackUpserted]:
    if await connection.fetchval(_LIBRARY, library_id) is None:
        unknown = Problem(ProblemCode.NOT_FOUND, "there is no such library", "libraryId")
        return dict.fromkeys(rows, TrackUpserted(problem=unknown))
    in_turn = await make_in_turn(connection, library_id, list(rows))
    if scan_id is not None:
        scan_id = await connection.fetchval(_SCAN, scan_id)
    locked = await moves.lock(connection, library_id, rows)
    if not in_turn and not rows.keys() <= {file["path"] for file in locked}:
        raise Raced  # a file went elsewhere meanwhile: to make it takes a turn
    ids = [file["track_id"] for file in locked if file["track_id"]]
    tracks = {row["id"]: row for row in await connection.fetch(_LOCK_TRACKS, ids)}
    problems = await _hold_references(connection, rows)
    fit = {path: row for path, row in rows.items() if path not in problems}
    moved = await moves.settle(connection, library_id, scan_id, fit, locked)
    decisions = [
        _decide(row, moved, tracks, scan_id)
        for path, row in fit.items()
        if path not in moved.undecided
    ]
    await moves.write(connection, moved, tracks)
    lost = await _write(connection, decisions, tracks)
    await _write_files(connection, library_id, scan_id, decisions, moved)
    changed = [d.track_id for d in decisions if d.status is not Status.UNCHANGED]
    if changed:
        await same_sound.take_over(connection, changed, is_new_revision=False)
    await connection.execute(
        _RESOLVE,
        library_id,
        [*(decision.row.path for decision in decisions), *moves.paths_left(moved)],
        [d.track_id for d in decisions if d.is_new_content or d.track_id in moved.moved],
    )
    await _refresh_albums(connection, decisions, tracks, moved.displaced)
    await artists.drop_unused(connection, lost)
    if scan_id is not None:
        await scans.count_read(connection, scan_id, sum(d.is_first_read for d in decisions))
    return {
        **{path: TrackUpserted(problem=problem) for path, problem in problems.items()},
        **{
            path: TrackUpserted(status=Status.UNDECIDED, candidates=candidates)
            for path, candidates in moved.undecided.items()
        },
        **{
            d.row.path: TrackUpserted(d.track_id, d.status, d.revision, d.content_revision)
            for d in decisions
        },
    }


async def _hold_references(
    connection: asyncpg.Connection, rows: dict[str, TrackRow]
) -> dict[str, Problem]:
    """The rows that speak of artists or albums that are not there."""
    artists = {credit.artist_id for row in rows.values() for credit in row.credits}
    albums = {row.album_id for row in rows.values() if row.album_id}
    for query, ids in ((_HOLD_ARTISTS, artists), (_HOLD_ALBUMS, albums)):
        if ids:
            ids.difference_update(row["id"] for row in await connection.fetch(query, list(ids)))
    problems: dict[str, Problem] = {}
    for path, row in rows.items():
        if row.album_id in albums:
            problems[path] = Problem(ProblemCode.NOT_FOUND, "there is no such album", "albumId")
        elif any(credit.artist_id in artists for credit in row.credits):
            problems[path] = Problem(ProblemCode.NOT_FOUND, "there is no such artist", "credits")
    return problems


def _decide(
    row: TrackRow,
    moved: moves.Moves,
    tracks: dict[UUID, asyncpg.Record],
    scan_id: UUID | None,
) -> _Decision:
    file = moved.files.get(row.path)
    is_first_read = scan_id is not None and (file is None or file["read_by_scan_id"] != scan_id)
    track = None if file is None else tracks.get(file["track_id"])
    if file is None or track is None:
        return _Decision(
            row, uuid4(), Status.CREATED, 1, 1, False, False, None, True, is_first_read
        )
    is_new_content = not moves.is_same_content(row, file)
    is_retagged = not is_new_content and track["tags_digest"] != row.digest
    is_moved = track["id"] in moved.moved
    status = Status.UPDATED if is_new_content or is_retagged or is_moved else Status.UNCHANGED
    if track["is_missing"] and not is_new_content:
        status = Status.RETURNED
    changed = status is not Status.UNCHANGED
    return _Decision(
        row=row,
        track_id=track["id"],
        status=status,
        revision=track["revision"] + changed,
        content_revision=track["content_revision"] + is_new_content,
        is_new_content=is_new_content,
        is_retagged=is_retagged,
        replaced_hash=_replaced_hash(file, scan_id, is_new_content=is_new_content),
        is_written=changed or is_first_read or _is_known_otherwise(row, file),
        is_first_read=is_first_read,
    )


def _replaced_hash(
    file: Mapping[str, Any], scan_id: UUID | None, *, is_new_content: bool
) -> bytes | None:
    """What the content was before this scan, where it was another one."""
    if is_new_content:
        told: bytes | None = file["content_hash"]
        return told
    return file["replaced_hash"] if file["read_by_scan_id"] == scan_id else None


def _is_known_otherwise(row: TrackRow, file: Mapping[str, Any]) -> bool:
    told = (row.size_bytes, row.mtime_ns, row.images_digest, row.content_hash, "present")
    names = ("size_bytes", "mtime_ns", "images_digest", "content_hash", "state")
    return told != tuple(file[name] for name in names)


async def _write(
    connection: asyncpg.Connection, decisions: list[_Decision], tracks: Mapping[UUID, Any]
) -> set[UUID]:
    """Write what changed; the artists that lost a credit by it."""
    changed = [d for d in decisions if d.status is not Status.UNCHANGED]
    if not changed:
        return set()
    lost: set[UUID] = set()
    changed.sort(key=lambda decision: decision.track_id)
    ids = await genres.ensure(
        connection, {key: name for d in changed for key, name in d.row.genres.items()}
    )
    await connection.execute(_WRITE_TRACKS, [_track_columns(d) for d in changed])
    known = [d.track_id for d in changed if d.status is not Status.CREATED]
    if known:
        lost = {row["artist_id"] for row in await connection.fetch(_CLEAR_CREDITS, known)}
        await connection.execute(_CLEAR_GENRES, known)
    retagged = [d.track_id for d in changed if d.is_retagged]
    if retagged:
        await connection.execute(_WAIT_FOR_TEXTS, retagged)
        await connection.execute(_OUTDATE_TEXTS, retagged)
    credits_ = [
        (d.track_id, c.role, c.position, c.artist_id, c.credited_as, c.join_phrase, c.instrument)
        for d in changed
        for c in d.row.credits
    ]
    if credits_:
        await connection.execute(_WRITE_CREDITS, *zip(*credits_, strict=True))
    await track_details.write(connection, ((d.track_id, d.row.details) for d in changed), known)
    genre_rows = [
        (d.track_id, position, ids[key])
        for d in changed
        for position, key in enumerate(d.row.genres)
    ]
    if genre_rows:
        await connection.execute(_WRITE_GENRES, *zip(*genre_rows, strict=True))
    if known:
        await corrections.outlast_tags(connection, known)
    return lost.difference(credit[3] for credit in credits_)


async def _refresh_albums(
    connection: asyncpg.Connection,
    decisions: list[_Decision],
    tracks: Mapping[UUID, Any],
    displaced: Iterable[UUID],
) -> None:
    """Let the albums that tracks came to, left or are missing in be what is said of them now."""
    changed = [d for d in decisions if d.status is not Status.UNCHANGED]
    before = [d.track_id for d in changed if d.track_id in tracks]
    ids = {d.row.album_id for d in changed}
    ids.update(tracks[id_]["album_id"] for id_ in (*before, *displaced))
    written = [d.track_id for d in changed]
    await album_claims.refresh(connection, filter(None, ids), just_written=written)


def _track_columns(decision: _Decision) -> dict[str, Any]:
    row = decision.row
    return {
        **row.columns,
        "id": str(decision.track_id),
        "revision": decision.revision,
        "content_revision": decision.content_revision,
        "is_missing": False,
        "album_id": row.album_id and str(row.album_id),
        "tags_digest": "\\x" + row.digest.hex(),
    }


async def _write_files(
    connection: asyncpg.Connection,
    library_id: UUID,
    scan_id: UUID | None,
    decisions: list[_Decision],
    moved: moves.Moves,
) -> None:
    written = [d for d in decisions if d.is_written]
    if not written:
        return
    told = [
        (
            d.row.path, d.row.size_bytes, d.row.mtime_ns, d.row.images_digest, d.track_id,
            d.row.content_hash, d.replaced_hash,
        )
        for d in written
    ]  # fmt: skip
    columns = zip(*told, strict=True)
    done = await connection.fetch(_WRITE_FILES, library_id, scan_id, *columns)
    if sum(row["is_new"] for row in done) != sum(_is_made(moved, d.row.path) for d in written):
        raise Raced  # another batch made one of these files: its track is the one


def _is_made(moved: moves.Moves, path: str) -> bool:
    file = moved.files.get(path)
    return file is None or file["id"] is None


# Albums were renamed: their tracks are searchable by title and artist of the album, and their text
# vectors tell them. $1: albums, $2: when they were renamed.
_RETITLED = "SELECT id, retitled_at FROM albums WHERE retitled_at IS NOT NULL LIMIT 1000"
_SHOW_ANEW = """
WITH shown AS (
    SELECT id FROM tracks WHERE album_id = ANY($1) ORDER BY id FOR UPDATE
)
UPDATE tracks SET
    revision = revision + 1, vectorized_content_revision = NULL, updated_at = now()
FROM shown WHERE tracks.id = shown.id RETURNING tracks.id
"""
_SHOWN = """
UPDATE albums SET retitled_at = NULL
FROM (
    SELECT a.id FROM unnest($1::uuid[], $2::timestamptz[]) AS told(id, retitled_at)
    JOIN albums a ON a.id = told.id AND a.retitled_at = told.retitled_at
    ORDER BY a.id FOR NO KEY UPDATE OF a
) AS shown
WHERE albums.id = shown.id
"""


async def show_anew(connection: asyncpg.Connection) -> None:
    """Let tracks of renamed albums be indexed and put into words again."""
    async with connection.transaction():
        if albums := await connection.fetch(_RETITLED):
            columns = [list(column) for column in zip(*albums, strict=True)]
            rows = await connection.fetch(_SHOW_ANEW, columns[0])
            await connection.execute(_OUTDATE_TEXTS, [row["id"] for row in rows])
            await connection.execute(_SHOWN, *columns)


# Analyses of another version than the current one don't count; run at the service's start.
_FORGET_OUTDATED = """
WITH outdated AS (
    SELECT id FROM tracks
    WHERE analyzed_content_revision IS NOT NULL AND analyzer_version IS DISTINCT FROM $1
    ORDER BY id FOR UPDATE
)
UPDATE tracks SET analyzed_content_revision = NULL, vectorized_content_revision = NULL
FROM outdated WHERE tracks.id = outdated.id
"""
# One that is returned to has analyses already.
_COUNT_KNOWN = f"""
WITH known AS (
    SELECT t.id FROM tracks t JOIN analyses a ON a.track_id = t.id
        AND a.analyzer_version = $1 AND a.content_revision = t.content_revision
    WHERE t.analyzer_version IS DISTINCT FROM $1
    ORDER BY t.id FOR UPDATE OF t
)
UPDATE tracks SET {corrections.what_stands("$1")},
    analyzer_version = $1, analyzed_content_revision = content_revision,
    revision = revision + 1, updated_at = now()
FROM known WHERE tracks.id = known.id
"""  # noqa: S608 - names of ours


async def expect_analyzer(pool: asyncpg.Pool, version: str) -> None:
    """Let all tracks that another analyzer version analysed wait for the current one."""

    async def work(connection: asyncpg.Connection) -> None:
        await connection.execute(_FORGET_OUTDATED, version)
        await connection.execute(_COUNT_KNOWN, version)

    await in_transaction(pool, work)
