"""Analyses, vectors and the index: the stages of a track, and how they are counted."""

from typing import Any

import asyncpg
import numpy as np
import pytest

from services.api.handlers import note_indexed
from services.api.store import progress, search_index
from services.api.store.analyses.upsert import upsert_analyses
from services.api.store.vectors.spaces import register_spaces, validate_space
from services.api.store.vectors.upsert import upsert_vectors
from shared.contracts.events import TrackIndexed
from shared.contracts.upserts import ErrorCode, UpsertStatus
from tests.integration.api_write_items import AUDIO, TEXT, register_both, track_of, vector
from tests.integration.conftest import StoreTracks, analysis_item, track_item


async def test_an_equal_analysis_changes_nothing_and_a_different_one_makes_a_revision(
    pool: asyncpg.Pool, store_tracks: StoreTracks
) -> None:
    (track,) = await store_tracks("a.mp3")
    statuses = [
        ((await upsert_analyses(pool, [item]))[0].status, await pool.fetchval(
            "SELECT revision FROM tracks"
        ))
        for item in (
            analysis_item(track),
            analysis_item(track),
            analysis_item(track, tempo_bpm=121.0),
        )
    ]  # fmt: skip
    assert statuses == [
        (UpsertStatus.CREATED, 2),
        (UpsertStatus.UNCHANGED, 2),
        (UpsertStatus.UPDATED, 3),
    ]


@pytest.mark.parametrize(
    ("change", "code", "field"),
    [
        ({"content_revision": 1}, ErrorCode.STALE, "contentRevision"),
        ({"content_revision": 3}, ErrorCode.INVALID, "contentRevision"),
        ({"track_id": "trk_" + "0" * 32}, ErrorCode.NOT_FOUND, "trackId"),
        ({"tempo_bpm": float("nan")}, ErrorCode.INVALID, "tempoBpm"),
        ({"waveform": [1]}, ErrorCode.INVALID, "waveform"),
        ({"key": "H"}, ErrorCode.INVALID, "key"),
        ({"analyzer_version": "0"}, ErrorCode.CONFLICT, "analyzerVersion"),
    ],
)
async def test_an_invalid_analysis_is_refused_alone(
    pool: asyncpg.Pool,
    store_tracks: StoreTracks,
    change: dict[str, Any],
    code: ErrorCode,
    field: str,
) -> None:
    await store_tracks("a.mp3", "b.mp3")
    track, other = await store_tracks(track_item("a.mp3", size_bytes=2), "b.mp3")
    bad, good = await upsert_analyses(pool, [analysis_item(track, **change), analysis_item(other)])
    assert bad.problem is not None
    assert (bad.problem.code, bad.problem.field, good.status) == (code, field, UpsertStatus.CREATED)


async def test_a_track_is_vectorized_once_all_current_spaces_have_its_content(
    pool: asyncpg.Pool, store_tracks: StoreTracks
) -> None:
    async def vectorized() -> int:
        return (await progress.read(pool)).vectorized

    await register_both(pool)
    (track,) = await store_tracks("a.mp3")
    await upsert_analyses(pool, [analysis_item(track)])
    seen = []
    for item in (vector(track, AUDIO), vector(track, TEXT), vector(track, TEXT)):
        (result,) = await upsert_vectors(pool, [item])
        seen.append((result.status, await vectorized()))
    await upsert_analyses(pool, [analysis_item(track, tempo_bpm=99.0)])
    await upsert_vectors(pool, [vector(track, TEXT)])
    assert seen == [
        (UpsertStatus.CREATED, 0),
        (UpsertStatus.CREATED, 1),
        (UpsertStatus.UNCHANGED, 1),
    ]
    assert await vectorized() == 0, "a new analysis asks for new vectors in all spaces"


async def test_a_new_space_makes_tracks_wait_and_a_return_to_the_old_one_does_not(
    pool: asyncpg.Pool, store_tracks: StoreTracks
) -> None:
    await register_both(pool)
    (track,) = await store_tracks("a.mp3")
    await upsert_analyses(pool, [analysis_item(track)])
    await upsert_vectors(pool, [vector(track, AUDIO), vector(track, TEXT)])
    newer = TEXT | {"version": "2", "dimensions": 5}
    seen: list[object] = [(await progress.read(pool)).vectorized]
    for space in (newer, newer, TEXT):
        changed = await register_spaces(pool, [validate_space(space)])
        seen.append((changed, (await progress.read(pool)).vectorized))
    assert seen == [1, (True, 0), (False, 0), (True, 1)]
    names = await pool.fetch("SELECT indexname FROM pg_indexes WHERE indexdef LIKE '%hnsw%'")
    assert len(names) >= 3


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"values": np.ones(4, np.float32)}, "values"),
        ({"values": np.full(4, np.nan, np.float32)}, "values"),
        ({"values": np.ones(3, np.float32)}, "values"),
        ({"space": AUDIO | {"version": "9"}}, "space"),
        ({"space": AUDIO | {"dimensions": 9_999}}, "dimensions"),
    ],
)
async def test_a_vector_that_does_not_fit_the_current_space_is_refused(
    pool: asyncpg.Pool, store_tracks: StoreTracks, change: dict[str, Any], field: str
) -> None:
    await register_both(pool)
    (track,) = await store_tracks("a.mp3")
    bad, good = await upsert_vectors(pool, [vector(track, AUDIO, **change), vector(track, TEXT)])
    assert bad.problem is not None
    assert (bad.problem.field, good.status) == (field, UpsertStatus.CREATED)


async def test_a_track_counts_as_indexed_until_it_or_the_index_changes(
    pool: asyncpg.Pool, store_tracks: StoreTracks
) -> None:
    await register_both(pool)
    (track,) = await store_tracks("a.mp3")
    (track,) = await upsert_analyses(pool, [analysis_item(track)])
    await upsert_vectors(pool, [vector(track, AUDIO), vector(track, TEXT)])
    event = TrackIndexed(track_id=track_of(track), revision=track.revision)
    await note_indexed(pool, [event, TrackIndexed(track_id=track_of(track), revision=1)])
    status = await progress.read(pool)
    assert (status.indexed, status.pending) == (1, 0)
    assert [await search_index.register_generation(pool, g) for g in ("g1", "g1", "g2")] == [
        True,
        False,
        True,
    ]
    assert (await progress.read(pool)).pending == 1
