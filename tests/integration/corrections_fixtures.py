"""Fixtures for corrections: an analysed track, corrected fields, and the effective values."""

from typing import Any

import asyncpg
from pytest_asyncio import fixture

from services.api.store.analyses.upsert import upsert_analyses
from services.api.store.corrections.apply import apply_corrections
from services.api.store.results import TrackUpserted
from services.api.store.vectors.upsert import upsert_vectors
from tests.integration.api_read_fixtures import SchemaClient
from tests.integration.api_write_items import AUDIO, TEXT, register_both, track_of, vector
from tests.integration.conftest import StoreTracks, analysis_item, track_item

EFFECTIVE = """
query($ids: [ID!]!) {
  tracksById(ids: $ids) {
    tempoBpm key mode camelot genres { name } moods
    analysis { tempoBpm key mode camelot }
    correction { tempoBpm key mode camelot genres moods tagGenres tagMoods }
  }
}
"""
CORRECTION = {
    "tempo_bpm": 60.0, "key": "Bb", "mode": "major", "genres": ["Trip  Hop", "trip hop", "Dub"],
    "moods": ["calm"],
}  # fmt: skip
MEASURED = (120, "A", "minor", "8A", ["Electronic"], ["tagged"])
CORRECTED = (60, "A#", "major", "6B", ["Trip Hop", "Dub"], ["calm"])


@fixture
async def track(pool: asyncpg.Pool, store_tracks: StoreTracks) -> TrackUpserted:
    """`a.mp3`, analysed and vectorized."""
    await register_both(pool)
    (made,) = await store_tracks(track_item("a.mp3", moods=["tagged"]))
    (made,) = await upsert_analyses(pool, [analysis_item(made)])
    await upsert_vectors(pool, [vector(made, AUDIO), vector(made, TEXT)])
    return made


async def correct(pool: asyncpg.Pool, track: TrackUpserted, **fields: Any) -> TrackUpserted:
    (one,) = await apply_corrections(pool, [{"track_id": track_of(track), **fields}])
    assert one.problem is None
    return one


async def effective_values(ask: SchemaClient, track: TrackUpserted) -> dict[str, Any]:
    """Tempo, key, genres and moods as a client reads them."""
    found: dict[str, Any] = (await ask(EFFECTIVE, ids=[track_of(track)]))["tracksById"][0]
    return found | {"genres": [genre["name"] for genre in found["genres"]]}


def as_tuple(found: dict[str, Any]) -> tuple[Any, ...]:
    return tuple(found[name] for name in ("tempoBpm", "key", "mode", "camelot", "genres", "moods"))
