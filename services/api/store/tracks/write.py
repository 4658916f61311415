"""Writing what was decided of tracks and their files."""

from operator import itemgetter
from typing import Any
from uuid import UUID

import asyncpg

from services.api.store import genres
from services.api.store.corrections import apply as corrections
from services.api.store.results import Raced, Status, plain
from services.api.store.tracks import details as track_details
from services.api.store.tracks import match as moves
from services.api.store.tracks.decide import Decision
from services.api.store.tracks.validate_item import COLUMN_NAMES
from services.api.store.vectors import upsert as vectors

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
_NEW_NAMES = (
    "id",
    "revision",
    "content_revision",
    "is_missing",
    "album_id",
    "tags_digest",
    *COLUMN_NAMES,
)
_of_tags = itemgetter(*COLUMN_NAMES)
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
_FILE_COLUMNS = (
    "path", "size_bytes", "mtime_ns", "images_digest", "track_id", "content_hash", "replaced_hash",
    "library_id", "read_by_scan_id", "state",
)  # fmt: skip
_CLEAR_CREDITS = "DELETE FROM track_credits WHERE track_id = ANY($1) RETURNING artist_id"
_CREDIT_COLUMNS = (
    "track_id", "role", "position", "artist_id", "credited_as", "join_phrase", "instrument",
)  # fmt: skip
_WAIT_FOR_TEXTS = "UPDATE tracks SET vectorized_content_revision = NULL WHERE id = ANY($1)"


async def write(connection: asyncpg.Connection, decisions: list[Decision]) -> set[UUID]:
    """Write the tracks that changed; the artists that lost a credit by it."""
    changed = [d for d in decisions if d.status is not Status.UNCHANGED]
    if not changed:
        return set()
    lost: set[UUID] = set()
    changed.sort(key=lambda decision: decision.track_id)
    ids = await genres.ensure(
        connection, {key: name for d in changed for key, name in d.row.genres.items()}
    )
    await _write_tracks(connection, changed)
    known = [d.track_id for d in changed if d.status is not Status.CREATED]
    if known:
        lost = {row["artist_id"] for row in await connection.fetch(_CLEAR_CREDITS, known)}
        await genres.clear_track_genres(connection, known)
    retagged = [d.track_id for d in changed if d.is_retagged]
    if retagged:
        await connection.execute(_WAIT_FOR_TEXTS, retagged)
        await vectors.outdate_texts(connection, retagged)
    credits_ = [(d.track_id, *credit) for d in changed for credit in d.row.credits]
    if credits_:
        await connection.copy_records_to_table(
            "track_credits", records=credits_, columns=_CREDIT_COLUMNS
        )
    await track_details.write(connection, ((d.track_id, d.row.details) for d in changed), known)
    genre_rows = [
        (d.track_id, position, ids[key], d.row.columns["year"])
        for d in changed
        for position, key in enumerate(d.row.genres)
    ]
    await genres.write_track_genres(connection, genre_rows)
    if known:
        await corrections.outlast_tags(connection, known)
    return lost.difference(credit[3] for credit in credits_)


async def _write_tracks(connection: asyncpg.Connection, changed: list[Decision]) -> None:
    """New ones are copied in, which takes the least time; the others' rows are replaced."""
    new = [
        (
            d.track_id, d.revision, d.content_revision, False, d.row.album_id, d.row.digest,
            *_of_tags(d.row.columns),
        )
        for d in changed
        if d.status is Status.CREATED
    ]  # fmt: skip
    if new:
        await connection.copy_records_to_table("tracks", records=new, columns=_NEW_NAMES)
    if len(new) < len(changed):
        known = [
            {name: plain(value) for name, value in _track_row(d).items()}
            for d in changed
            if d.status is not Status.CREATED
        ]
        await connection.execute(_WRITE_TRACKS, known)


def _track_row(decision: Decision) -> dict[str, Any]:
    row = decision.row
    return {
        **row.columns,
        "id": decision.track_id,
        "revision": decision.revision,
        "content_revision": decision.content_revision,
        "is_missing": False,
        "album_id": row.album_id,
        "tags_digest": row.digest,
    }


async def write_files(
    connection: asyncpg.Connection,
    library_id: UUID,
    scan_id: UUID | None,
    decisions: list[Decision],
    moved: moves.Moves,
) -> None:
    """Write the files whose rows differ; `Raced` where another batch made one meanwhile."""
    written = [d for d in decisions if d.is_written]
    if not written:
        return
    made = [d for d in written if _is_made(moved, d.row.path)]
    if len(made) < len(written):
        known = [_file_row(d) for d in written if not _is_made(moved, d.row.path)]
        done = await connection.fetch(_WRITE_FILES, library_id, scan_id, *zip(*known, strict=True))
        if any(row["is_new"] for row in done):
            raise Raced  # what was known of one of them is gone meanwhile
    if not made:
        return
    # Two that make the same files shall wait at the first one of them, not for each other.
    made.sort(key=lambda decision: decision.row.path)
    try:
        await connection.copy_records_to_table(
            "files",
            records=[(*_file_row(d), library_id, scan_id, "present") for d in made],
            columns=_FILE_COLUMNS,
        )
    except asyncpg.UniqueViolationError as error:
        raise Raced from error  # another batch made one of these files: its track is the one


def _file_row(decision: Decision) -> tuple[Any, ...]:
    row = decision.row
    return (
        row.path, row.size_bytes, row.mtime_ns, row.images_digest, decision.track_id,
        row.content_hash, decision.replaced_hash,
    )  # fmt: skip


def _is_made(moved: moves.Moves, path: str) -> bool:
    file = moved.files.get(path)
    return file is None or file["id"] is None
