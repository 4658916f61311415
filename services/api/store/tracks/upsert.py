"""Upserts a batch of tracks: validates, locks, matches, decides and writes in turn.

`content_revision` counts the contents of the file (by the hash of its sound, or by size and time of
change), `revision` every change of what is shown. An equal item changes nothing.
"""

from collections.abc import Iterable, Mapping, Sequence
from uuid import UUID

import asyncpg

from services.api.store import artists, scans
from services.api.store.albums.refresh import refresh_albums
from services.api.store.albums.regroup import mark_ungrouped, regroup
from services.api.store.analyses.reuse import reuse_analyses
from services.api.store.checks import Item
from services.api.store.database.pool import LostRace, in_transaction
from services.api.store.results import Problem, TrackUpserted
from services.api.store.scan_end import end_scan
from services.api.store.spelling import mark_uncounted, spelled_by
from services.api.store.tracks import lock, write, write_moves
from services.api.store.tracks.decide import Decision, decide
from services.api.store.tracks.match import Moves, match
from services.api.store.tracks.parts import FileKey
from services.api.store.tracks.validate import validate
from services.api.store.tracks.validate_item import TrackRow
from shared.contracts.upserts import ErrorCode, UpsertStatus

# KEY SHARE: a library that is removed is not deleted before what is stored for it.
_LIBRARY = """
SELECT id FROM libraries WHERE id = $1 AND removal_requested_at IS NULL FOR KEY SHARE
"""
_SCAN = "SELECT id FROM scans WHERE id = $1 FOR KEY SHARE"


async def upsert_tracks(
    pool: asyncpg.Pool, library_id: UUID, scan_id: UUID | None, items: Sequence[Item]
) -> list[TrackUpserted]:
    """Upsert a batch in one transaction; one result an item, in order.

    An invalid item doesn't hold up the others. Of two items of one path and part the later counts.
    """
    rows: dict[FileKey, TrackRow] = {}
    keys: list[FileKey | Problem] = []
    for row in validate(items):
        if isinstance(row, Problem):
            keys.append(row)
        else:
            rows[row.key] = row
            keys.append(row.key)

    async def work(
        connection: asyncpg.Connection,
    ) -> tuple[dict[FileKey, TrackUpserted], list[str]]:
        return await _upsert(connection, library_id, scan_id, rows)

    results, ungrouped = await in_transaction(pool, work) if rows else ({}, [])
    await regroup(pool, ungrouped)
    await end_scan(pool, scan_id)
    return [
        TrackUpserted(problem=key) if isinstance(key, Problem) else results[key] for key in keys
    ]


async def _upsert(
    connection: asyncpg.Connection,
    library_id: UUID,
    scan_id: UUID | None,
    rows: dict[FileKey, TrackRow],
) -> tuple[dict[FileKey, TrackUpserted], list[str]]:
    """The results by path and part, and the keys of titles whose albums are to be grouped."""
    if await connection.fetchval(_LIBRARY, library_id) is None:
        unknown = Problem(ErrorCode.NOT_FOUND, "there is no such library", "libraryId")
        return dict.fromkeys(rows, TrackUpserted(problem=unknown)), []
    may_move = any(row.moved_from for row in rows.values())
    creation_lock = await lock.lock_file_creation_for(
        connection, library_id, rows.keys(), may_move=may_move
    )
    if scan_id is not None:
        scan_id = await connection.fetchval(_SCAN, scan_id)
    files = await lock.lock_files(connection, library_id, rows)
    if not lock.is_covered(creation_lock, rows, files):
        raise LostRace
    tracks = await lock.lock_tracks(connection, files)
    problems, artist_names = await lock.lock_references(connection, rows)
    valid = {key: row for key, row in rows.items() if key not in problems}
    moves = await match(connection, library_id, scan_id, valid, files)
    decisions = [
        decide(row, moves, tracks, scan_id)
        for key, row in valid.items()
        if key not in moves.undecided
    ]
    await write_moves.write_moves(connection, moves, tracks)
    replaced = await write_moves.write_replaced(connection, moves.replaced)
    consequences = await write.write_tracks(connection, decisions, artist_names)
    await write.write_files(connection, library_id, scan_id, decisions, moves)
    changed = [d.track_id for d in decisions if d.status is not UpsertStatus.UNCHANGED]
    if changed:
        await reuse_analyses(connection, changed, is_new_revision=False)
    await write.resolve_failures(connection, library_id, decisions, moves, replaced)
    missing = [*moves.displaced, *replaced]
    album_ids = _touched_albums(decisions, tracks, missing)
    if missing:
        consequences.uncounted |= await spelled_by(connection, missing)
    ungrouped = await _follow_up(connection, consequences, album_ids, changed)
    if scan_id is not None:
        # A file counts once, whatever its parts.
        first_reads = sum(d.is_first_read and d.row.part.number <= 1 for d in decisions)
        await scans.count_read(connection, scan_id, first_reads)
    return _results(problems, moves, decisions), ungrouped


async def _follow_up(
    connection: asyncpg.Connection,
    consequences: write.Consequences,
    album_ids: set[UUID],
    changed: Sequence[UUID],
) -> list[str]:
    """Decide anew about what tracks refer to, or mark it; the keys of titles to be grouped."""
    ungrouped = await mark_ungrouped(connection, album_ids) if album_ids else []
    await refresh_albums(connection, album_ids, just_written=changed)
    if consequences.lost_artists:
        await artists.delete_unused(connection, consequences.lost_artists)
    if consequences.uncounted or album_ids:
        await mark_uncounted(connection, consequences.uncounted, album_ids=album_ids)
    return ungrouped


def _results(
    problems: Mapping[FileKey, Problem], moves: Moves, decisions: Sequence[Decision]
) -> dict[FileKey, TrackUpserted]:
    """The results by path and part."""
    return {
        **{key: TrackUpserted(problem=problem) for key, problem in problems.items()},
        **{
            key: TrackUpserted(status=UpsertStatus.UNDECIDED, candidates=candidates)
            for key, candidates in moves.undecided.items()
        },
        **{
            d.row.key: TrackUpserted(d.track_id, d.status, d.revision, d.content_revision)
            for d in decisions
        },
    }


def _touched_albums(
    decisions: list[Decision],
    tracks: Mapping[UUID, asyncpg.Record],
    displaced: Iterable[UUID],
) -> set[UUID]:
    """The albums that tracks came to, left or are missing in."""
    changed = [d for d in decisions if d.status is not UpsertStatus.UNCHANGED]
    known = [d.track_id for d in changed if d.track_id in tracks]
    album_ids = {d.row.album_id for d in changed}
    album_ids.update(tracks[id_]["album_id"] for id_ in (*known, *displaced))
    return {id_ for id_ in album_ids if id_ is not None}
