"""An analysis is reused for all tracks with the same sound."""

from typing import Any
from uuid import UUID

import asyncpg
import pytest
from pytest_asyncio import fixture

from services.api.handlers import keep_failures
from services.api.store.analyses.current import expect_analyzer
from services.api.store.analyses.upsert import upsert_analyses
from services.api.store.corrections.apply import apply_corrections
from services.api.store.failures.queries import read_failures
from services.api.store.files.missing import mark_missing
from services.api.store.results import TrackUpserted
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


def checked_item(path: str, content_hash: str = ONE, **changes: Any) -> dict[str, Any]:
    return track_item(path, content_hash=content_hash, is_checked=True, **changes)


async def waiting(pool: asyncpg.Pool) -> set[str]:
    """The paths of the tracks that wait for an analysis."""
    rows = await pool.fetch(
        "SELECT path FROM tracks t JOIN files f ON f.track_id = t.id"
        " WHERE analyzed_content_revision IS DISTINCT FROM content_revision"
    )
    return {row["path"] for row in rows}


async def analyse(pool: asyncpg.Pool, track: TrackUpserted, **changes: Any) -> TrackUpserted:
    (one,) = await upsert_analyses(pool, [analysis_item(track, **changes)])
    assert one.problem is None
    return one


async def test_a_copy_in_another_library_gets_the_analysis_at_once(
    pool: asyncpg.Pool, store_tracks: StoreTracks, other_library: UUID
) -> None:
    (first,) = await store_tracks(checked_item("a.mp3"))
    await analyse(pool, first, tempo_bpm=77, fingerprint="AQAB")
    items = [
        checked_item("b.mp3", title="Retagged"),
        checked_item("c.mp3", OTHER),
        track_item("d.mp3"),
    ]
    copy, _, _ = await upsert_tracks(pool, other_library, None, items)
    assert await waiting(pool) == {"c.mp3", "d.mp3"}
    rows = await pool.fetch("SELECT * FROM analyses")
    one, two = ({**row, "track_id": None} for row in rows)
    assert {row["track_id"] for row in rows} == {first.id, copy.id}
    assert one == two, "in every column"
    row = await pool.fetchrow("SELECT revision, tempo_bpm FROM tracks WHERE id = $1", copy.id)
    assert tuple(row) == (copy.revision, 77)


async def test_waiting_copies_get_the_analysis_of_the_first_one(
    pool: asyncpg.Pool, store_tracks: StoreTracks, other_library: UUID
) -> None:
    here = await store_tracks(
        checked_item("a.mp3"), checked_item("b.mp3"), checked_item("c.mp3", OTHER)
    )
    (there,) = await upsert_tracks(pool, other_library, None, [checked_item("d.mp3")])
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
    (first,) = await store_tracks(checked_item("a.mp3"))
    await analyse(pool, first)
    await mark_missing(pool, library_id, ["a.mp3"])
    (other,) = await upsert_tracks(pool, other_library, None, [checked_item("new name.mp3")])
    assert (other.status, other.id != first.id) == (UpsertStatus.CREATED, True)
    assert await waiting(pool) == set()
    back = checked_item("again.mp3", moved_from=track_of(first))
    (same,) = await upsert_tracks(pool, library_id, None, [back])
    assert (same.id, same.status) == (first.id, UpsertStatus.RETURNED)
    assert await waiting(pool) == set()


async def test_a_track_whose_new_content_is_known_gets_its_analysis(
    pool: asyncpg.Pool, store_tracks: StoreTracks
) -> None:
    (one, two) = await store_tracks(checked_item("a.mp3"), checked_item("b.mp3", OTHER))
    await analyse(pool, one, tempo_bpm=77)
    await analyse(pool, two, tempo_bpm=99)
    (_, same) = await store_tracks(checked_item("a.mp3"), checked_item("b.mp3", size_bytes=2))
    assert same.content_revision == 2
    assert await waiting(pool) == set()
    found = await pool.fetchrow("SELECT * FROM analyses WHERE track_id = $1", two.id)
    assert (found["tempo_bpm"], found["content_revision"]) == (77, 2)
    (again,) = await upsert_analyses(pool, [analysis_item(same, tempo_bpm=77)])
    assert again.status is UpsertStatus.UNCHANGED, "the reused analysis equals its own"


async def test_the_analysis_of_a_damaged_file_is_not_shared_and_made_again_once_it_changes(
    pool: asyncpg.Pool, store_tracks: StoreTracks
) -> None:
    first, _ = await store_tracks(checked_item("a.flac"), checked_item("b.flac"))
    await analyse(pool, first, tempo_bpm=77, damaged=True)
    await store_tracks(checked_item("c.flac"))
    assert await waiting(pool) == {"b.flac", "c.flac"}
    await store_tracks(checked_item("a.flac"))
    assert await waiting(pool) == {"b.flac", "c.flac"}, "nothing changed"
    (repaired,) = await store_tracks(checked_item("a.flac", mtime_ns=2))
    assert (repaired.id, repaired.content_revision) == (first.id, 2)
    assert await waiting(pool) == {"a.flac", "b.flac", "c.flac"}
    await analyse(pool, repaired, tempo_bpm=99, damaged=False)
    assert await waiting(pool) == set()
    tempos = await pool.fetch("SELECT tempo_bpm FROM tracks")
    assert [row["tempo_bpm"] for row in tempos] == [99, 99, 99]
    (retagged,) = await store_tracks(checked_item("a.flac", mtime_ns=3, title="Retagged"))
    assert retagged.content_revision == 2


async def test_analyses_of_another_analyzer_version_are_not_reused(
    pool: asyncpg.Pool, store_tracks: StoreTracks
) -> None:
    (first,) = await store_tracks(checked_item("a.mp3"))
    await analyse(pool, first, tempo_bpm=77)
    await pool.execute("UPDATE analyses SET analyzer_version = 'older'")
    await pool.execute("UPDATE tracks SET analyzer_version = 'older'")
    await store_tracks(checked_item("b.mp3"))
    assert await waiting(pool) == {"b.mp3"}
    await expect_analyzer(pool, ANALYZER_VERSION)
    assert await waiting(pool) == {"a.mp3", "b.mp3"}
    await analyse(pool, first, tempo_bpm=99)
    assert await waiting(pool) == set()
    rows = await pool.fetch("SELECT analyzer_version, tempo_bpm FROM analyses ORDER BY 2")
    mine = (ANALYZER_VERSION, 99)
    assert [tuple(row) for row in rows] == [("older", 77), mine, mine]


async def test_an_analysis_of_a_tracks_old_content_is_not_reused(
    pool: asyncpg.Pool, store_tracks: StoreTracks
) -> None:
    (first,) = await store_tracks(checked_item("a.mp3"))
    await analyse(pool, first)
    await store_tracks(checked_item("a.mp3", OTHER, size_bytes=2))
    await store_tracks(checked_item("b.mp3", OTHER))
    assert await waiting(pool) == {"a.mp3", "b.mp3"}


async def test_returning_to_an_analyzer_version_brings_back_its_analyses(
    pool: asyncpg.Pool, store_tracks: StoreTracks
) -> None:
    kept, changed = await store_tracks(checked_item("a.mp3"), checked_item("b.mp3", OTHER))
    for one in (kept, changed):
        await analyse(pool, one, tempo_bpm=77)
    await pool.execute(
        "INSERT INTO analyses SELECT new.* FROM analyses a, LATERAL jsonb_populate_record("
        'a, \'{"analyzer_version": "newer", "tempo_bpm": 99}\') AS new'
    )
    await pool.execute("UPDATE tracks SET analyzer_version = 'newer', tempo_bpm = 99")
    await store_tracks(checked_item("b.mp3", "ef" * 16, size_bytes=2))
    await expect_analyzer(pool, ANALYZER_VERSION)
    assert await waiting(pool) == {"b.mp3"}
    row = await pool.fetchrow("SELECT * FROM tracks WHERE id = $1", kept.id)
    assert (row["analyzer_version"], row["tempo_bpm"]) == (ANALYZER_VERSION, 77)


@pytest.mark.parametrize("number", [1_203])
async def test_more_than_a_thousand_copies_share_one_analysis(
    pool: asyncpg.Pool, store_tracks: StoreTracks, number: int
) -> None:
    made = await store_tracks(*(checked_item(f"{n}.mp3") for n in range(number)))
    await analyse(pool, made[0])
    assert await waiting(pool) == set()
    assert await pool.fetchval("SELECT count(*) FROM analyses") == number
