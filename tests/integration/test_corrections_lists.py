"""Lists are filtered and sorted by corrected values, and these filters use an index."""

from typing import Any

import asyncpg
import pytest

from services.api.store.analyses.upsert import upsert_analyses
from services.api.store.reading import track_lists
from tests.integration.api_read_fixtures import SchemaClient, ask
from tests.integration.conftest import StoreTracks, analysis_item
from tests.integration.corrections_fixtures import CORRECTION, correct

__all__ = ["ask"]


async def test_lists_are_filtered_and_sorted_by_corrected_values(
    pool: asyncpg.Pool, store_tracks: StoreTracks, ask: SchemaClient
) -> None:
    made = await store_tracks("a.mp3", "b.mp3", "c.mp3", "unknown.mp3")
    await upsert_analyses(
        pool,
        [analysis_item(one, tempo_bpm=bpm) for one, bpm in zip(made, (80, 90, 0), strict=False)],
    )
    await correct(pool, made[0], **CORRECTION | {"tempo_bpm": 160})
    await correct(pool, made[3], tempo_bpm=85)  # a track that was never analysed

    async def titles(arguments: str) -> list[str]:
        found = await ask("{ tracks(" + arguments + ") { edges { node { title } } } }")
        return [edge["node"]["title"] for edge in found["tracks"]["edges"]]

    assert await titles("filter: {tempoBpm: {min: 75, max: 85}}") == ["unknown"]
    assert await titles("filter: {tempoBpm: {min: 155}}") == ["a"]
    assert await titles("filter: {tempoBpm: {max: 100}}, sort: TEMPO") == ["unknown", "b"]
    assert await titles('filter: {key: "A#", mode: "major", camelot: "6B"}') == ["a"]
    assert await titles('filter: {key: "A"}') == ["b", "c"]
    assert await titles('filter: {genre: "DUB"}') == ["a"]
    assert await titles('filter: {genre: "electronic"}') == ["b", "c", "unknown"]
    assert await titles("sort: TEMPO") == ["unknown", "b", "a", "c"]
    assert await titles("sort: TEMPO, direction: DESC") == ["c", "a", "b", "unknown"]


MANY_TRACKS = """
INSERT INTO tracks (title, sort_key, artist_credit, artist_key, container, codec, duration_s,
    tags_digest, tempo_bpm, key, mode, camelot)
SELECT 'T', 't', 'A', 'a', 'flac', 'flac', 60, '', 60 + n % 1200 / 10.0,
    (ARRAY['C','D','E','F','G','A','B'])[1 + n % 7], (ARRAY['major','minor'])[1 + n % 2],
    (1 + n % 12) || (ARRAY['A','B'])[1 + n % 2]
FROM generate_series(1, 5000) n;
ANALYZE tracks
"""


@pytest.mark.parametrize(
    ("filters", "index"),
    [
        (track_lists.TrackFilters(tempo_bpm=(80, 81)), "tracks_order_tempo"),
        (track_lists.TrackFilters(key="A", mode="minor"), "tracks_key"),
        (track_lists.TrackFilters(camelot="8A", tempo_bpm=(80, 90)), "tracks_camelot"),
    ],
)
async def test_filters_by_tempo_and_key_use_an_index(
    counted_pool: tuple[asyncpg.Pool, list[str]],
    filters: track_lists.TrackFilters,
    index: str,
) -> None:
    pool, queries = counted_pool
    await track_lists.count(pool, filters)
    query = next(each for each in queries if "count(*)" in each)
    arguments: tuple[Any, ...] = (
        False,
        filters.key,
        filters.mode,
        filters.camelot,
        *filters.tempo_bpm,
    )
    values = tuple(value for value in arguments if value is not None)
    async with pool.acquire() as connection:
        begun = connection.transaction()
        await begun.start()
        try:
            await connection.execute(MANY_TRACKS)
            plan = await connection.fetch(f"EXPLAIN (COSTS OFF) {query}", *values)
        finally:
            await begun.rollback()  # and with them their statistics
    assert any(index in line[0] for line in plan), plan
