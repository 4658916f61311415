"""Writes what was decided of tracks and their files."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from operator import itemgetter
from typing import Any
from uuid import UUID

import asyncpg

from services.api.store import genres
from services.api.store.analyses.current import keep_decoded_durations
from services.api.store.corrections.apply import reapply_corrections
from services.api.store.database.pool import LostRace, json_value
from services.api.store.spelling import respelled
from services.api.store.tracks import parts
from services.api.store.tracks.decide import Decision
from services.api.store.tracks.details import NO_DETAILS, write_details
from services.api.store.tracks.match import Moves
from services.api.store.tracks.validate_item import COLUMN_NAMES
from services.api.store.vectors.spaces import outdate_text_vectors
from shared.contracts.topics import Stage
from shared.contracts.upserts import UpsertStatus

_ROW_NAMES = (
    "id", "revision", "content_revision", "is_missing", "album_id", "tags_digest", *COLUMN_NAMES,
)  # fmt: skip
_tag_values = itemgetter(*COLUMN_NAMES)
# Quoted, since `grouping` is a keyword of SQL.
_COLUMNS = ", ".join(f'"{name}"' for name in _ROW_NAMES[1:])
_NEW_VALUES = ", ".join(f'EXCLUDED."{name}"' for name in _ROW_NAMES[1:])
_WRITE_TRACKS = f"""
INSERT INTO tracks (id, {_COLUMNS})
SELECT id, {_COLUMNS} FROM jsonb_populate_recordset(NULL::tracks, $1)
ON CONFLICT (id) DO UPDATE SET ({_COLUMNS}, updated_at) = ROW ({_NEW_VALUES}, now())
"""  # noqa: S608 - the column names above
_WRITE_FILES = """
INSERT INTO files (
    library_id, path, size_bytes, mtime_ns, images_digest, state, track_id, content_hash,
    replaced_hash, read_by_scan_id, part, start_s, end_s, cue_sheet, cue_problem
)
SELECT $1, path, size_bytes, mtime_ns, images_digest, 'present', track_id, content_hash,
    replaced_hash, $2, part, start_s, end_s, cue_sheet, cue_problem
FROM unnest(
    $3::text[], $4::bigint[], $5::bigint[], $6::integer[], $7::uuid[], $8::bytea[], $9::bytea[],
    $10::smallint[], $11::float8[], $12::float8[], $13::text[], $14::text[]
) AS new(
    path, size_bytes, mtime_ns, images_digest, track_id, content_hash, replaced_hash, part, start_s,
    end_s, cue_sheet, cue_problem
)
ORDER BY path COLLATE "C", part
ON CONFLICT (library_id, path, part) DO UPDATE SET
    size_bytes = EXCLUDED.size_bytes, mtime_ns = EXCLUDED.mtime_ns,
    images_digest = EXCLUDED.images_digest, state = 'present',
    track_id = EXCLUDED.track_id, content_hash = EXCLUDED.content_hash,
    replaced_hash = EXCLUDED.replaced_hash, missing_since = NULL,
    start_s = EXCLUDED.start_s, end_s = EXCLUDED.end_s, cue_sheet = EXCLUDED.cue_sheet,
    cue_problem = EXCLUDED.cue_problem,
    read_by_scan_id = coalesce(EXCLUDED.read_by_scan_id, files.read_by_scan_id)
RETURNING xmax = 0 AS is_new  -- xmax is 0 of a row that was inserted
"""
_FILE_COLUMNS = (
    "path", "size_bytes", "mtime_ns", "images_digest", "track_id", "content_hash", "replaced_hash",
    *parts.COLUMNS, "library_id", "read_by_scan_id", "state",
)  # fmt: skip
_CLEAR_CREDITS = """
DELETE FROM track_credits WHERE track_id = ANY($1) RETURNING artist_id, credited_as
"""
_CREDIT_COLUMNS = (
    "track_id", "role", "position", "artist_id", "credited_as", "join_phrase", "instrument",
)  # fmt: skip
_AWAIT_VECTORS = "UPDATE tracks SET vectorized_content_revision = NULL WHERE id = ANY($1)"
# A file that could be read has not failed; a new content has not failed yet at any stage.
_RESOLVE_FAILURES = f"""
WITH resolved AS (
    SELECT id FROM failures
    WHERE resolved_at IS NULL AND (
        (library_id = $1 AND path = ANY($2) AND stage = '{Stage.READ}') OR track_id = ANY($3)
    )
    ORDER BY stage, subject FOR UPDATE
)
UPDATE failures SET resolved_at = now() FROM resolved WHERE failures.id = resolved.id
"""  # noqa: S608 - the stage's name is a constant of ours


@dataclass(slots=True)
class Consequences:
    """What else is to be looked at once tracks are written.

    Attributes:
        lost_artists: artists that lost a credit.
        uncounted: artists and genres that may be called otherwise now.
    """

    lost_artists: set[UUID] = field(default_factory=set)
    uncounted: set[UUID] = field(default_factory=set)


async def write_tracks(
    connection: asyncpg.Connection, decisions: list[Decision], artist_names: Mapping[UUID, str]
) -> Consequences:
    """Write the tracks that changed. `artist_names`: of all that they credit, at present."""
    consequences = Consequences()
    changed = [d for d in decisions if d.status is not UpsertStatus.UNCHANGED]
    if not changed:
        return consequences
    changed.sort(key=lambda decision: decision.track_id.int)
    known_genres = await genres.ensure(
        connection, {key: name for d in changed for key, name in d.row.genres.items()}
    )
    await _write_rows(connection, changed)
    known = [d.track_id for d in changed if d.status is not UpsertStatus.CREATED]
    renewed = {d.track_id for d in changed if d.is_new_content}
    retagged = [d.track_id for d in changed if d.is_retagged]
    if retagged:
        await connection.execute(_AWAIT_VECTORS, retagged)
        await outdate_text_vectors(connection, retagged)
    await _write_credits(connection, changed, known, artist_names, consequences)
    details = [(d.track_id, d.row.details) for d in changed if d.row.details is not NO_DETAILS]
    if details or known:
        await write_details(connection, details, known)
    consequences.uncounted |= await _write_genres(connection, changed, known, known_genres)
    if known:
        await keep_decoded_durations(
            connection,
            same_content=[id_ for id_ in known if id_ not in renewed],
            new_content=sorted(renewed),
        )
        consequences.uncounted |= await reapply_corrections(connection, known)
    return consequences


async def _write_rows(connection: asyncpg.Connection, changed: list[Decision]) -> None:
    """New rows are copied in, which takes the least time; the others are replaced."""
    new = [_row(d) for d in changed if d.status is UpsertStatus.CREATED]
    if new:
        await connection.copy_records_to_table("tracks", records=new, columns=_ROW_NAMES)
    if len(new) < len(changed):
        known = [
            dict(zip(_ROW_NAMES, map(json_value, _row(d)), strict=True))
            for d in changed
            if d.status is not UpsertStatus.CREATED
        ]
        await connection.execute(_WRITE_TRACKS, known)


def _row(decision: Decision) -> tuple[Any, ...]:
    row = decision.row
    return (
        decision.track_id, decision.revision, decision.content_revision, False, row.album_id,
        row.digest, *_tag_values(row.columns),
    )  # fmt: skip


async def _write_credits(
    connection: asyncpg.Connection,
    changed: list[Decision],
    known: list[UUID],
    names: Mapping[UUID, str],
    consequences: Consequences,
) -> None:
    """Write the credits, replacing those of `known` tracks."""
    before = [tuple(row) for row in await connection.fetch(_CLEAR_CREDITS, known)] if known else []
    rows = [(d.track_id, *credit) for d in changed for credit in d.row.credits]
    if rows:
        await connection.copy_records_to_table(
            "track_credits", records=rows, columns=_CREDIT_COLUMNS
        )
    after = [(row[3], row[4]) for row in rows]
    consequences.uncounted |= respelled(before, after, names)
    if before:
        lost = {artist for artist, _ in before}
        consequences.lost_artists |= lost.difference(artist for artist, _ in after)


async def _write_genres(
    connection: asyncpg.Connection,
    changed: list[Decision],
    known: list[UUID],
    found: Mapping[str, genres.Genre],
) -> set[UUID]:
    """Write the genres, replacing those of `known` tracks; those that may be called otherwise."""
    before = await genres.clear_track_genres(connection, known) if known else []
    rows = [
        (d.track_id, position, found[key].id, d.row.columns["year"], name)
        for d in changed
        for position, (key, name) in enumerate(d.row.genres.items())
    ]
    await genres.write_track_genres(connection, rows)
    after = ((row[2], row[4]) for row in rows)
    return respelled(before, after, dict(found.values()))


async def write_files(
    connection: asyncpg.Connection,
    library_id: UUID,
    scan_id: UUID | None,
    decisions: list[Decision],
    moves: Moves,
) -> None:
    """Write the rows of files that differ.

    Raises:
        LostRace: another batch created or deleted one of them meanwhile.
    """
    written = [d for d in decisions if d.is_written]
    if not written:
        return
    new = [d for d in written if _is_new_file(moves, d.row.key)]
    if len(new) < len(written):
        known = [_file_row(d) for d in written if not _is_new_file(moves, d.row.key)]
        upserted = await connection.fetch(
            _WRITE_FILES, library_id, scan_id, *zip(*known, strict=True)
        )
        if any(row["is_new"] for row in upserted):
            raise LostRace  # its known row was deleted meanwhile
    if not new:
        return
    # Two batches that create the same files wait at the first one, not for each other.
    new.sort(key=lambda decision: decision.row.key)
    try:
        await connection.copy_records_to_table(
            "files",
            records=[(*_file_row(d), library_id, scan_id, "present") for d in new],
            columns=_FILE_COLUMNS,
        )
    except asyncpg.UniqueViolationError as error:
        raise LostRace from error  # another batch created one of them, with a track of its own


def _file_row(decision: Decision) -> tuple[Any, ...]:
    row = decision.row
    return (
        row.path, row.size_bytes, row.mtime_ns, row.images_digest, decision.track_id,
        row.content_hash, decision.replaced_hash, *row.part.columns,
    )  # fmt: skip


def _is_new_file(moves: Moves, key: parts.FileKey) -> bool:
    file = moves.files.get(key)
    return file is None or file["id"] is None


async def resolve_failures(
    connection: asyncpg.Connection,
    library_id: UUID,
    decisions: Sequence[Decision],
    moves: Moves,
    replaced: Sequence[UUID],
) -> None:
    """Resolve what failed to be read, and all failures of contents that were replaced."""
    paths = [*(d.row.path for d in decisions), *(file["path"] for file in moves.dropped)]
    track_ids = [d.track_id for d in decisions if d.is_new_content or d.track_id in moves.moved]
    await connection.execute(_RESOLVE_FAILURES, library_id, paths, [*track_ids, *replaced])
