"""Parts of files in the database: stored in any batches, replaced, missing, refused."""

from typing import Any
from uuid import UUID

import asyncpg
import pytest

from services.api.store import progress
from services.api.store.analyses.upsert import upsert_analyses
from services.api.store.files.known import known_files, known_ranges, sample_files
from services.api.store.files.missing import mark_missing
from shared.contracts.range_digests import digest_of
from shared.contracts.upserts import UpsertStatus
from tests.integration.api_write_items import part_item
from tests.integration.conftest import StoreTracks, analysis_item, track_item

STATES = """
SELECT part, state, is_missing FROM files LEFT JOIN tracks ON tracks.id = track_id
WHERE path = $1 ORDER BY part
"""


def parts(count: int, path: str = "a.flac") -> list[dict[str, Any]]:
    return [part_item(number, count, path) for number in range(1, count + 1)]


def whole(path: str = "a.flac") -> dict[str, Any]:
    return track_item(path, content_hash="f" * 32, images_digest=0)


async def states(pool: asyncpg.Pool, path: str = "a.flac") -> dict[int, str]:
    rows = await pool.fetch(STATES, path)
    assert all(row["is_missing"] == (row["state"] in {"missing", "replaced"}) for row in rows)
    return {row["part"]: row["state"] for row in rows}


async def test_parts_may_come_in_any_batches(pool: asyncpg.Pool, store_tracks: StoreTracks) -> None:
    await store_tracks(whole())
    for item in reversed(parts(3)):
        (stored,) = await store_tracks(item)
        assert stored.status is UpsertStatus.CREATED
        again = await store_tracks(item)
        assert [each.status for each in again] == [UpsertStatus.UNCHANGED]
    assert await states(pool) == {0: "replaced", 1: "present", 2: "present", 3: "present"}


async def test_fewer_parts_replace_the_rest_and_more_bring_them_back(
    pool: asyncpg.Pool, store_tracks: StoreTracks
) -> None:
    three = await store_tracks(*parts(3))
    await store_tracks(*parts(2))
    assert await states(pool) == {1: "present", 2: "present", 3: "replaced"}
    again = await store_tracks(*parts(3))
    assert [each.id for each in again] == [each.id for each in three]
    assert again[2].status is UpsertStatus.RETURNED
    assert again[2].content_revision == 1


async def test_a_file_is_known_once_whatever_its_parts(
    pool: asyncpg.Pool, library_id: UUID, store_tracks: StoreTracks
) -> None:
    await store_tracks(whole(), whole("b.flac"))
    await store_tracks(*parts(3))
    found = await known_files(pool, library_id=library_id, folder="", after=None, first=10)
    assert (found.paths, found.images_digests) == (["a.flac", "b.flac"], [3, 0])
    ranges = await known_ranges(
        pool, library_id=library_id, folder="", after=None, first=1, files_each=5
    )
    stat = ([1_000] * 2, [1_700_000_000_000_000_000] * 2, [3, 0])
    assert (ranges.counts, ranges.digests) == ([2], [digest_of(["a.flac", "b.flac"], *stat)])
    # One file a page: the next one comes after it, not its parts.
    first = await known_files(pool, library_id=library_id, folder="", after=None, first=1)
    assert (first.paths, first.end_cursor) == (["a.flac"], "a.flac")


async def test_all_parts_go_missing_with_one_result_each(
    pool: asyncpg.Pool, library_id: UUID, store_tracks: StoreTracks
) -> None:
    await store_tracks(whole())
    stored = await store_tracks(*parts(3))
    results = await mark_missing(pool, library_id, ["a.flac"])
    assert [each.id for each in results] == [each.id for each in stored]
    assert {each.status for each in results} == {UpsertStatus.UPDATED}
    assert await states(pool) == dict.fromkeys((1, 2, 3), "missing") | {0: "replaced"}
    again = await mark_missing(pool, library_id, ["a.flac"])
    assert {each.status for each in again} == {UpsertStatus.UNCHANGED}
    # The file returns without its cue sheet.
    (back,) = await store_tracks(whole())
    assert back.status is UpsertStatus.RETURNED
    assert await states(pool) == {0: "present"} | dict.fromkeys((1, 2, 3), "replaced")


async def test_a_sample_of_files_has_a_file_with_parts_once_and_without_a_hash(
    pool: asyncpg.Pool, library_id: UUID, store_tracks: StoreTracks
) -> None:
    await store_tracks(whole(), track_item("b.flac", content_hash="b" * 32))
    await store_tracks(*parts(3))
    sample = await sample_files(pool, library_id, 10)
    hashes = dict(zip(sample.paths, sample.content_hashes, strict=True))
    assert len(sample.paths) == 2
    # A part's hash is not that of the file, by which a library is recognised elsewhere.
    assert hashes == {"a.flac": None, "b.flac": "b" * 32}


async def test_the_status_counts_tracks_files_and_what_is_really_missing(
    pool: asyncpg.Pool, library_id: UUID, store_tracks: StoreTracks
) -> None:
    first = [whole(), whole("b.flac"), *parts(4, "c.flac")]
    for items in (first, parts(3)):
        await store_tracks(*({**item, "is_checked": True} for item in items))
    counts = await progress.read(pool)
    assert (counts.tracks, counts.files, counts.missing) == (8, 3, 0)
    await mark_missing(pool, library_id, ["c.flac"])
    counts = await progress.read(pool)
    assert (counts.tracks, counts.files, counts.missing) == (4, 2, 4)


async def test_a_part_gets_the_analysis_of_the_same_part_of_a_copy(
    pool: asyncpg.Pool, store_tracks: StoreTracks
) -> None:
    stored = await store_tracks(*parts(2))
    await upsert_analyses(pool, [analysis_item(stored[1])])
    copies = await store_tracks(*({**item, "is_checked": True} for item in parts(2, "copy.flac")))
    rows = await pool.fetch("SELECT track_id FROM analyses")
    assert {row["track_id"] for row in rows} == {stored[1].id, copies[1].id}


async def test_a_moved_file_takes_its_parts_along(
    pool: asyncpg.Pool, store_tracks: StoreTracks
) -> None:
    stored = await store_tracks(*parts(2))
    asked = await store_tracks(*parts(2, "new/a.flac"))
    assert [each.status for each in asked] == [UpsertStatus.UNDECIDED] * 2
    candidates = [each.candidates[0] for each in asked]
    assert [each.track_id for each in candidates] == [each.id for each in stored]
    moved = await store_tracks(
        *(
            {**item, "moved_from": f"trk_{candidate.track_id.hex}"}
            for item, candidate in zip(parts(2, "new/a.flac"), candidates, strict=True)
        )
    )
    assert [each.id for each in moved] == [each.id for each in stored]
    assert (await states(pool), await states(pool, "new/a.flac")) == (
        {},
        {1: "present", 2: "present"},
    )


async def test_of_two_copies_one_continues_the_parts_of_a_file_that_is_whole_again(
    pool: asyncpg.Pool, store_tracks: StoreTracks
) -> None:
    stored = await store_tracks(*parts(2))
    batch = [whole(), *parts(2, "b.flac"), *parts(2, "c.flac")]
    done = await store_tracks(*({**item, "is_checked": True} for item in batch))
    ids = [each.id for each in done]
    assert len(set(ids)) == 5
    assert ids[1:3] == [each.id for each in stored]
    assert await states(pool) == {0: "present"}
    assert await states(pool, "c.flac") == {1: "present", 2: "present"}


async def test_without_a_hash_the_range_says_whether_the_content_is_the_same(
    store_tracks: StoreTracks,
) -> None:
    item = part_item(1, 2) | {"content_hash": None}
    await store_tracks(item)
    (same,) = await store_tracks(item | {"title": "Renamed"})
    assert same.content_revision == 1
    (other,) = await store_tracks(item | {"part": {**item["part"], "end_s": 99.0}})
    assert other.content_revision == 2


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"number": 3}, "number"),
        ({"number": 0}, "number"),
        ({"count": 0}, "count"),
        ({"start_s": -1.0}, "startS"),
        ({"start_s": float("nan")}, "startS"),
        ({"end_s": 60.0}, "part"),
        ({"cue_sheet": " "}, "cueSheet"),
        ({"cue_sheet": "a\0"}, "cueSheet"),
    ],
)
async def test_an_invalid_part_is_refused_and_the_others_are_stored(
    store_tracks: StoreTracks, changes: dict[str, Any], field: str
) -> None:
    item = part_item(1, 2)
    wrong, right = await store_tracks(
        {**item, "part": {**item["part"], **changes}}, part_item(2, 2)
    )
    assert wrong.problem is not None
    assert wrong.problem.field == field
    assert right.status is UpsertStatus.CREATED


@pytest.mark.parametrize(
    ("chapter", "field"),
    [
        ({"title": "x", "start_s": 5.0, "end_s": 4.0}, "endS"),
        ({"title": "x\0", "start_s": 0.0, "end_s": 4.0}, "title"),
        ({"title": "x", "start_s": -1.0, "end_s": 4.0}, "startS"),
    ],
)
async def test_an_invalid_chapter_is_refused(
    store_tracks: StoreTracks, chapter: dict[str, Any], field: str
) -> None:
    (wrong,) = await store_tracks(track_item("a.m4b", chapters=[chapter]))
    assert wrong.problem is not None
    assert wrong.problem.field == field


async def test_chapters_are_replaced_with_the_tags(
    pool: asyncpg.Pool, store_tracks: StoreTracks
) -> None:
    chapters = [{"title": t, "start_s": n, "end_s": n + 1} for n, t in enumerate(("One", "Two"))]
    (first,) = await store_tracks(track_item("a.m4b", chapters=chapters))
    rows = await pool.fetch("SELECT title, start_s FROM track_chapters ORDER BY position")
    assert [tuple(row) for row in rows] == [("One", 0), ("Two", 1)]
    (again,) = await store_tracks(track_item("a.m4b", chapters=chapters))
    assert again.status is UpsertStatus.UNCHANGED
    (fewer,) = await store_tracks(track_item("a.m4b", chapters=chapters[:1]))
    assert (fewer.status, fewer.id) == (UpsertStatus.UPDATED, first.id)
    assert await pool.fetchval("SELECT count(*) FROM track_chapters") == 1
