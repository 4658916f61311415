"""The decoded length replaces the one that the header states, and damaged files are listed."""

from typing import Any
from uuid import UUID

import asyncpg

from services.api.store import progress
from services.api.store.analyses.upsert import upsert_analyses
from services.api.store.results import TrackUpserted
from shared.contracts.identity import IdKind, format_id
from shared.contracts.upserts import UpsertStatus
from tests.integration.api_list_fixtures import ask
from tests.integration.api_read_fixtures import SchemaClient, dropped_space_indexes
from tests.integration.conftest import StoreTracks, analysis_item, track_item

__all__ = ["ask", "dropped_space_indexes"]

HASH, OTHER_HASH = "ab" * 16, "cd" * 16


def _item(**changes: Any) -> dict[str, Any]:
    """A VBR MP3 whose first bit rate makes mutagen guess 4.45 s."""
    return track_item(
        "a.mp3", duration_s=4.45, content_hash=HASH, is_checked=True, images_digest=0, **changes
    )


async def _duration_and_revision(pool: asyncpg.Pool) -> tuple[float, int]:
    row = await pool.fetchrow("SELECT duration_s, revision FROM tracks")
    return row["duration_s"], row["revision"]


async def test_a_tracks_length_is_the_decoded_one_once_it_is_analysed(
    pool: asyncpg.Pool, store_tracks: StoreTracks
) -> None:
    (track,) = await store_tracks(_item())
    assert await _duration_and_revision(pool) == (4.45, 1)
    item = analysis_item(track, analyzed_duration_s=10.03)
    await upsert_analyses(pool, [item])
    assert await _duration_and_revision(pool) == (10.03, 2)
    # Neither a second delivery nor a scan that reads the file again undoes it.
    await upsert_analyses(pool, [item])
    (again,) = await store_tracks(_item())
    assert again.status is UpsertStatus.UNCHANGED
    assert await _duration_and_revision(pool) == (10.03, 2)


async def test_it_outlives_a_retag_and_not_a_new_content(
    pool: asyncpg.Pool, store_tracks: StoreTracks
) -> None:
    (track,) = await store_tracks(_item())
    await upsert_analyses(pool, [analysis_item(track, analyzed_duration_s=10.03)])
    await store_tracks(_item(title="Retagged"))
    assert await _duration_and_revision(pool) == (10.03, 3)
    await store_tracks(_item() | {"content_hash": OTHER_HASH, "duration_s": 7.0})
    assert await _duration_and_revision(pool) == (7.0, 4)


async def test_what_differs_by_rounding_remains_as_the_header_states_it(
    pool: asyncpg.Pool, store_tracks: StoreTracks
) -> None:
    (track,) = await store_tracks(_item() | {"duration_s": 10.0})
    await upsert_analyses(pool, [analysis_item(track, analyzed_duration_s=10.03)])
    assert (await _duration_and_revision(pool))[0] == 10.0


async def test_a_copy_has_the_decoded_length_of_its_sound_too(
    pool: asyncpg.Pool, store_tracks: StoreTracks
) -> None:
    (track,) = await store_tracks(_item())
    await upsert_analyses(pool, [analysis_item(track, analyzed_duration_s=10.03)])
    await store_tracks(_item() | {"path": "b.mp3"})
    assert await pool.fetch("SELECT duration_s FROM tracks") == [(10.03,), (10.03,)]


async def test_lists_filters_and_albums_have_the_decoded_length(
    ask: SchemaClient, pool: asyncpg.Pool, library_id: UUID
) -> None:
    track_id, content_revision, before_s = await pool.fetchrow(
        "SELECT id, content_revision, duration_s FROM tracks WHERE album_id IS NOT NULL LIMIT 1"
    )
    before_album_s = await pool.fetchval(
        "SELECT sum(duration_s) FROM tracks"
        " WHERE album_id = (SELECT album_id FROM tracks WHERE id = $1)",
        track_id,
    )
    track = TrackUpserted(track_id, UpsertStatus.UPDATED, 1, content_revision)
    await upsert_analyses(pool, [analysis_item(track, analyzed_duration_s=1_000.0)])
    found = await ask(
        "{ tracks(filter: {durationS: {min: 999}}, sort: DURATION) { edges { node {"
        " id durationS album { durationS } } } } }"
    )
    (edge,) = found["tracks"]["edges"]
    assert edge["node"]["id"] == format_id(IdKind.TRACK, track_id)
    assert edge["node"]["durationS"] == 1_000
    assert edge["node"]["album"]["durationS"] == before_album_s - before_s + 1_000


async def test_damaged_files_are_filtered_and_counted(
    ask: SchemaClient, pool: asyncpg.Pool, library_id: UUID
) -> None:
    track_id, content_revision = await pool.fetchrow(
        "SELECT id, content_revision FROM tracks"
        " WHERE analyzed_content_revision IS NOT NULL LIMIT 1"
    )
    track = TrackUpserted(track_id, UpsertStatus.UPDATED, 1, content_revision)
    await upsert_analyses(pool, [analysis_item(track, damaged=True)])
    document = (
        "{ tracks(filter: {isDamaged: %s}) { totalCount edges { node { id } } }"
        " status { damaged } }"
    )
    damaged = await ask(document % "true")
    assert [edge["node"]["id"] for edge in damaged["tracks"]["edges"]] == [
        format_id(IdKind.TRACK, track_id)
    ]
    assert damaged["status"]["damaged"] == (await progress.read(pool)).damaged == 1
    intact = await ask(document % "false")
    assert intact["tracks"]["totalCount"] == await pool.fetchval(
        "SELECT count(*) - 1 FROM tracks WHERE analyzed_content_revision IS NOT NULL"
    )
