"""Tracks, upserted by their file: (library, path).

`content_revision` counts the contents of the file (by the hash of its sound, or by size and time
of change), `revision` every change of what is shown. An equal item changes nothing.

A batch in turn: its items are checked (`track_batches`), files and tracks are locked, tracks go
where their contents went (`moves`; what nobody has looked at gets `candidates`), what becomes of
each is decided (`track_decisions`), then written (`move_writes`, `track_writes`).
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

import asyncpg

from services.api.store import artists, scans
from services.api.store.albums import refresh as album_claims
from services.api.store.analyses import reuse as same_sound
from services.api.store.checks import Item
from services.api.store.corrections import apply as corrections
from services.api.store.results import (
    Problem,
    ProblemCode,
    Raced,
    Status,
    TrackUpserted,
    in_transaction,
)
from services.api.store.tracks import match as moves
from services.api.store.tracks import write as track_writes
from services.api.store.tracks import write_moves as move_writes
from services.api.store.tracks.decide import Decision, decide
from services.api.store.tracks.lock import Turn, take_turn
from services.api.store.tracks.validate import track_rows
from services.api.store.tracks.validate_item import TrackRow
from services.api.store.vectors import upsert as vectors
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


async def store(
    pool: asyncpg.Pool, library_id: UUID, scan_id: UUID | None, items: Sequence[Item]
) -> list[TrackUpserted]:
    """Upsert a batch in one transaction; one result an item, in order.

    An item at fault doesn't hold up the others. Of two items of one path the later counts.
    """
    rows: dict[str, TrackRow] = {}
    answers: list[str | Problem] = []
    for row in track_rows(items):
        if isinstance(row, Problem):
            answers.append(row)
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
    may_move = any(row.moved_from for row in rows.values())
    turn = await take_turn(connection, library_id, list(rows), may_move=may_move)
    if scan_id is not None:
        scan_id = await connection.fetchval(_SCAN, scan_id)
    locked = await moves.lock(connection, library_id, rows)
    if not _is_covered(turn, rows, locked):
        raise Raced
    ids = [file["track_id"] for file in locked if file["track_id"]]
    tracks = {row["id"]: row for row in await connection.fetch(_LOCK_TRACKS, ids)}
    problems = await _hold_references(connection, rows)
    fit = {path: row for path, row in rows.items() if path not in problems}
    moved = await moves.settle(connection, library_id, scan_id, fit, locked)
    decisions = [
        decide(row, moved, tracks, scan_id)
        for path, row in fit.items()
        if path not in moved.undecided
    ]
    await move_writes.write(connection, moved, tracks)
    lost = await track_writes.write(connection, decisions)
    await track_writes.write_files(connection, library_id, scan_id, decisions, moved)
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


def _is_covered(turn: Turn, rows: Iterable[str], locked: Iterable[moves.FileRow]) -> bool:
    """Whether the turn still is what the paths need; files may have come or gone meanwhile."""
    if turn is Turn.SHARED:
        return not locked
    return turn is Turn.ALONE or set(rows) <= {file["path"] for file in locked}


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


async def _refresh_albums(
    connection: asyncpg.Connection,
    decisions: list[Decision],
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
            await vectors.outdate_texts(connection, [row["id"] for row in rows])
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
