"""A correction takes precedence over analysis and tags, and outlasts later ones."""

from typing import Any
from uuid import UUID

import asyncpg

from services.api.store.analyses.current import expect_analyzer
from services.api.store.analyses.upsert import upsert_analyses
from services.api.store.corrections.apply import apply_corrections
from services.api.store.results import TrackUpserted
from services.api.store.tracks.upsert import upsert_tracks
from shared.contracts.upserts import UpsertStatus
from shared.contracts.versions import ANALYZER_VERSION
from tests.integration.api_read_fixtures import SchemaClient, ask
from tests.integration.api_write_items import track_of
from tests.integration.conftest import StoreTracks, analysis_item, track_item
from tests.integration.corrections_fixtures import (
    CORRECTED,
    CORRECTION,
    MEASURED,
    as_tuple,
    correct,
    effective_values,
    track,
)

__all__ = ["ask", "track"]


async def test_a_correction_takes_precedence_and_measured_and_tagged_values_stay_readable(
    pool: asyncpg.Pool, track: TrackUpserted, ask: SchemaClient
) -> None:
    assert as_tuple(await effective_values(ask, track)) == MEASURED
    assert (await effective_values(ask, track))["correction"] is None
    first = await correct(pool, track, **CORRECTION)
    again = await correct(pool, track, **CORRECTION)
    assert (first.status, again.status) == (UpsertStatus.CREATED, UpsertStatus.UNCHANGED)
    assert first.revision == again.revision == (track.revision or 0) + 1
    found = await effective_values(ask, track)
    assert as_tuple(found) == CORRECTED
    assert found["analysis"] == {"tempoBpm": 120, "key": "A", "mode": "minor", "camelot": "8A"}
    assert found["correction"]["tagGenres"] == ["Electronic"]
    assert found["correction"]["tagMoods"] == ["tagged"]


async def test_an_omitted_field_keeps_its_correction_and_null_removes_it(
    pool: asyncpg.Pool, track: TrackUpserted, ask: SchemaClient
) -> None:
    await correct(pool, track, tempo_bpm=60)
    await correct(pool, track, key="D", mode="minor", genres=["Dub"])
    found = await effective_values(ask, track)
    assert (found["tempoBpm"], found["camelot"], found["genres"]) == (60, "7A", ["Dub"])
    await correct(pool, track, tempo_bpm=None, genres=None)
    found = await effective_values(ask, track)
    assert (found["tempoBpm"], found["camelot"], found["genres"]) == (120, "7A", ["Electronic"])
    last = await correct(pool, track, key=None, mode=None)
    assert last.status is UpsertStatus.UPDATED
    found = await effective_values(ask, track)
    assert as_tuple(found) == MEASURED
    assert found["correction"] is None


async def test_a_correction_outlasts_new_analyses_tags_contents_and_moves(
    pool: asyncpg.Pool,
    library_id: UUID,
    track: TrackUpserted,
    store_tracks: StoreTracks,
    ask: SchemaClient,
) -> None:
    await correct(pool, track, **CORRECTION)
    await upsert_analyses(pool, [analysis_item(track, tempo_bpm=171, key="F", camelot="4A")])
    assert as_tuple(await effective_values(ask, track)) == CORRECTED
    tags: dict[str, Any] = {"genres": ["Jazz", "Soul"], "moods": ["new"], "title": "Retagged"}
    (retagged,) = await store_tracks(track_item("a.mp3", **tags))
    assert (retagged.id, retagged.status) == (track.id, UpsertStatus.UPDATED)
    assert as_tuple(await effective_values(ask, track)) == CORRECTED
    hashed = {"content_hash": "ab" * 16}
    await store_tracks(track_item("a.mp3", size_bytes=7, **hashed, **tags))
    moved = track_item("b.mp3", size_bytes=7, moved_from=track_of(track), **hashed, **tags)
    (there,) = await upsert_tracks(pool, library_id, None, [moved])
    assert there.id == track.id
    (new,) = await upsert_analyses(pool, [analysis_item(there, tempo_bpm=99)])
    assert new.problem is None
    assert as_tuple(await effective_values(ask, track)) == CORRECTED
    await correct(pool, track, tempo_bpm=None, key=None, mode=None, genres=None, moods=None)
    assert as_tuple(await effective_values(ask, track)) == (
        99, "A", "minor", "8A", ["Jazz", "Soul"], ["new"]
    )  # fmt: skip


async def test_values_of_an_older_analyzer_version_are_shown_until_a_new_analysis(
    pool: asyncpg.Pool, track: TrackUpserted, ask: SchemaClient
) -> None:
    await pool.execute("UPDATE analyses SET analyzer_version = 'older'")
    await pool.execute("UPDATE tracks SET analyzer_version = 'older'")
    await expect_analyzer(pool, ANALYZER_VERSION)
    assert await pool.fetchval("SELECT analyzed_content_revision FROM tracks") is None
    assert as_tuple(await effective_values(ask, track)) == MEASURED
    for filters in ("tempoBpm: {min: 120, max: 120}", 'key: "A"', "energy: {min: 0.5}"):
        found = await ask("{ tracks(filter: {" + filters + "}) { totalCount } }")
        assert found["tracks"]["totalCount"] == 1, filters
    await correct(pool, track, tempo_bpm=60)
    assert (await effective_values(ask, track))["camelot"] == "8A"
    await upsert_analyses(pool, [analysis_item(track, tempo_bpm=99, key="C", camelot="8B")])
    found = await effective_values(ask, track)
    assert (found["tempoBpm"], found["camelot"], found["analysis"]["tempoBpm"]) == (60, "8B", 99)


async def test_of_two_corrections_of_a_track_in_a_batch_the_later_one_wins(
    pool: asyncpg.Pool, track: TrackUpserted, ask: SchemaClient
) -> None:
    id_ = track_of(track)
    items = [
        {"track_id": id_, "tempo_bpm": 70, "genres": ["X"]},
        {"track_id": id_, "tempo_bpm": 71},
    ]
    first, second = await apply_corrections(pool, items)
    assert first.revision == second.revision
    found = await effective_values(ask, track)
    assert (found["tempoBpm"], found["genres"]) == (71, ["X"])
