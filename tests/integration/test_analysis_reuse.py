"""Nothing is computed twice for the same sound."""

from typing import Any
from uuid import UUID

import asyncpg
import pytest
from pytest_asyncio import fixture

from services.api.handlers import keep_failures
from services.api.store.analyses.current import expect_analyzer
from services.api.store.analyses.upsert import upsert_analyses
from services.api.store.batch_writes import TrackUpserted
from services.api.store.corrections.apply import apply_corrections
from services.api.store.failures.queries import read_failures
from services.api.store.files.missing import mark_missing
from services.api.store.tracks.upsert import upsert_tracks
from shared.contracts.topics import Stage
from shared.contracts.upserts import UpsertStatus
from shared.contracts.versions import ANALYZER_VERSION
from tests.integration.api_write_items import extracted, letter, track_of
from tests.integration.conftest import StoreTracks, analysis_item, track_item

ONE, OTHER = "ab" * 16, "cd" * 16


@fixture
async def other_library(pool: asyncpg.Pool) -> UUID:
    id_: UUID = await pool.fetchval(
        "INSERT INTO libraries (name, root) VALUES ('copy', '/copy') RETURNING id"
    )
    return id_


def sounding(path: str, content_hash: str = ONE, **changes: Any) -> dict[str, Any]:
    return track_item(path, content_hash=content_hash, is_checked=True, **changes)


async def waiting(pool: asyncpg.Pool) -> set[str]:
    """Paths of the tracks that wait for an analysis."""
    rows = await pool.fetch(
        "SELECT path FROM tracks t JOIN files f ON f.track_id = t.id"
        " WHERE analyzed_content_revision IS DISTINCT FROM content_revision"
    )
    return {row["path"] for row in rows}


async def analyse(pool: asyncpg.Pool, track: TrackUpserted, **changes: Any) -> TrackUpserted:
    (one,) = await upsert_analyses(pool, [analysis_item(track, **changes)])
    assert one.problem is None
    return one


async def test_a_copy_in_another_library_has_the_analysis_at_once(
    pool: asyncpg.Pool, store_tracks: StoreTracks, other_library: UUID
) -> None:
    (first,) = await store_tracks(sounding("a.mp3"))
    await analyse(pool, first, tempo_bpm=77, fingerprint="AQAB")
    items = [sounding("b.mp3", title="Retagged"), sounding("c.mp3", OTHER), track_item("d.mp3")]
    copy, _, _ = await upsert_tracks(pool, other_library, None, items)
    assert await waiting(pool) == {"c.mp3", "d.mp3"}
    rows = await pool.fetch("SELECT * FROM analyses")
    one, two = ({**row, "track_id": None} for row in rows)
    assert {row["track_id"] for row in rows} == {first.id, copy.id}
    assert one == two, "in every column"
    row = await pool.fetchrow("SELECT revision, tempo_bpm FROM tracks WHERE id = $1", copy.id)
    assert tuple(row) == (copy.revision, 77)


async def test_copies_that_wait_get_what_the_first_of_them_is_analysed_to(
    pool: asyncpg.Pool, store_tracks: StoreTracks, other_library: UUID
) -> None:
    here = await store_tracks(sounding("a.mp3"), sounding("b.mp3"), sounding("c.mp3", OTHER))
    (there,) = await upsert_tracks(pool, other_library, None, [sounding("d.mp3")])
    await apply_corrections(pool, [{"track_id": track_of(there), "tempo_bpm": 200}])
    await keep_failures(pool, [letter(extracted(there), Stage.ANALYZE)])
    await analyse(pool, here[0], tempo_bpm=77)
    assert await waiting(pool) == {"c.mp3"}
    found = await pool.fetch("SELECT revision, tempo_bpm FROM tracks WHERE id <> $1", here[2].id)
    assert sorted(tuple(row) for row in found) == [(2, 77), (2, 77), (3, 200)]
    open_ = await read_failures(pool, await pool.fetchval("SELECT array_agg(id) FROM failures"))
    assert all(one.resolved_at for one in open_.values())


async def test_a_removed_file_that_comes_back_elsewhere_is_not_analysed_again(
    pool: asyncpg.Pool, library_id: UUID, store_tracks: StoreTracks, other_library: UUID
) -> None:
    (first,) = await store_tracks(sounding("a.mp3"))
    await analyse(pool, first)
    await mark_missing(pool, library_id, ["a.mp3"])
    (other,) = await upsert_tracks(pool, other_library, None, [sounding("new name.mp3")])
    assert (other.status, other.id != first.id) == (UpsertStatus.CREATED, True)
    assert await waiting(pool) == set()
    back = sounding("again.mp3", moved_from=track_of(first))
    (same,) = await upsert_tracks(pool, library_id, None, [back])
    assert (same.id, same.status) == (first.id, UpsertStatus.RETURNED)
    assert await waiting(pool) == set()


async def test_a_track_whose_content_becomes_a_known_one_has_its_analysis(
    pool: asyncpg.Pool, store_tracks: StoreTracks
) -> None:
    (one, two) = await store_tracks(sounding("a.mp3"), sounding("b.mp3", OTHER))
    await analyse(pool, one, tempo_bpm=77)
    await analyse(pool, two, tempo_bpm=99)
    (_, same) = await store_tracks(sounding("a.mp3"), sounding("b.mp3", size_bytes=2))
    assert same.content_revision == 2
    assert await waiting(pool) == set()
    found = await pool.fetchrow("SELECT * FROM analyses WHERE track_id = $1", two.id)
    assert (found["tempo_bpm"], found["content_revision"]) == (77, 2)
    (again,) = await upsert_analyses(pool, [analysis_item(same, tempo_bpm=77)])
    assert again.status is UpsertStatus.UNCHANGED, "it is what its own analysis would be"


async def test_what_another_version_found_is_not_taken_for_the_present_ones(
    pool: asyncpg.Pool, store_tracks: StoreTracks
) -> None:
    (first,) = await store_tracks(sounding("a.mp3"))
    await analyse(pool, first, tempo_bpm=77)
    await pool.execute("UPDATE analyses SET analyzer_version = 'older'")
    await pool.execute("UPDATE tracks SET analyzer_version = 'older'")
    await store_tracks(sounding("b.mp3"))
    assert await waiting(pool) == {"b.mp3"}
    await expect_analyzer(pool, ANALYZER_VERSION)
    assert await waiting(pool) == {"a.mp3", "b.mp3"}
    await analyse(pool, first, tempo_bpm=99)
    assert await waiting(pool) == set()
    rows = await pool.fetch("SELECT analyzer_version, tempo_bpm FROM analyses ORDER BY 2")
    mine = (ANALYZER_VERSION, 99)
    assert [tuple(row) for row in rows] == [("older", 77), mine, mine]


async def test_an_analysis_of_what_a_track_was_before_is_not_given_away(
    pool: asyncpg.Pool, store_tracks: StoreTracks
) -> None:
    (first,) = await store_tracks(sounding("a.mp3"))
    await analyse(pool, first)
    await store_tracks(sounding("a.mp3", OTHER, size_bytes=2))
    await store_tracks(sounding("b.mp3", OTHER))
    assert await waiting(pool) == {"a.mp3", "b.mp3"}


async def test_a_version_that_is_returned_to_has_its_analyses_still(
    pool: asyncpg.Pool, store_tracks: StoreTracks
) -> None:
    kept, changed = await store_tracks(sounding("a.mp3"), sounding("b.mp3", OTHER))
    for one in (kept, changed):
        await analyse(pool, one, tempo_bpm=77)
    await pool.execute(
        "INSERT INTO analyses SELECT new.* FROM analyses a, LATERAL jsonb_populate_record("
        'a, \'{"analyzer_version": "newer", "tempo_bpm": 99}\') AS new'
    )
    await pool.execute("UPDATE tracks SET analyzer_version = 'newer', tempo_bpm = 99")
    await store_tracks(sounding("b.mp3", "ef" * 16, size_bytes=2))
    await expect_analyzer(pool, ANALYZER_VERSION)
    assert await waiting(pool) == {"b.mp3"}
    row = await pool.fetchrow("SELECT * FROM tracks WHERE id = $1", kept.id)
    assert (row["analyzer_version"], row["tempo_bpm"]) == (ANALYZER_VERSION, 77)


@pytest.mark.parametrize("number", [1_203])
async def test_a_sound_that_a_library_has_often_is_shared_with_all(
    pool: asyncpg.Pool, store_tracks: StoreTracks, number: int
) -> None:
    made = await store_tracks(*(sounding(f"{n}.mp3") for n in range(number)))
    await analyse(pool, made[0])
    assert await waiting(pool) == set()
    assert await pool.fetchval("SELECT count(*) FROM analyses") == number
