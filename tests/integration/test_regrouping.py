"""Albums that become one, or part: what batches at work refer to, and what a crash leaves."""

import asyncio
from typing import Any
from uuid import UUID

import asyncpg
from pytest_asyncio import fixture

from services.api.store import artists
from services.api.store.albums.upsert import upsert_albums
from services.api.store.tracks.upsert import upsert_tracks
from shared.contracts.identity import IdKind, format_id
from shared.contracts.upserts import UpsertStatus
from shared.runtime.settings import Settings
from tests.integration.conftest import track_item
from tests.integration.extractor_setup import running_extractor

FOLDERS = ("X/Foo", "X/Bar")


async def claimed(pool: asyncpg.Pool, library_id: UUID) -> list[dict[str, str]]:
    """The albums of two disc folders as the gateway names them: the id and claim of each."""
    (artist,) = await artists.upsert(pool, [{"name": "A"}])
    assert artist.id
    items = [
        {
            "title": "X", "artist_credit": "A", "folder": folder, "claim": folder,
            "library_id": format_id(IdKind.LIBRARY, library_id),
            "credits": [{"artist_id": format_id(IdKind.ARTIST, artist.id), "credited_as": "A"}],
        }
        for folder in FOLDERS
    ]  # fmt: skip
    results = await upsert_albums(pool, items)
    return [
        {"album_id": format_id(IdKind.ALBUM, result.id), "album_claim": folder}
        for folder, result in zip(FOLDERS, results, strict=True) if result.id
    ]  # fmt: skip


def tracks(of: list[dict[str, str]], number: int) -> list[dict[str, Any]]:
    """A track of each disc."""
    return [
        track_item(
            f"{each['album_claim']}/{number}.flac", disc_number=disc, track_number=number, **each
        )
        for disc, each in enumerate(of, 1)
    ]


@fixture
async def before(pool: asyncpg.Pool, library_id: UUID) -> list[dict[str, str]]:
    """What a batch got from the gateway before the discs became one album."""
    before = await claimed(pool, library_id)
    assert before[0]["album_id"] != before[1]["album_id"]
    await upsert_tracks(pool, library_id, None, tracks(before, 1))
    assert await pool.fetchval("SELECT count(*) FROM albums") == 1
    return before


async def test_a_batch_that_refers_to_an_album_that_became_part_of_another_gets_that_one(
    pool: asyncpg.Pool, library_id: UUID, before: list[dict[str, str]]
) -> None:
    results = await upsert_tracks(pool, library_id, None, tracks(before, 2))
    assert [result.status for result in results] == [UpsertStatus.CREATED] * 2
    assert await pool.fetchval("SELECT count(DISTINCT album_id) FROM tracks") == 1
    assert await pool.fetchval("SELECT count(*) FROM albums") == 1


async def test_the_same_tags_again_name_the_album_that_they_are_of_and_change_nothing(
    pool: asyncpg.Pool, library_id: UUID, before: list[dict[str, str]]
) -> None:
    after = await claimed(pool, library_id)
    kept = format_id(IdKind.ALBUM, await pool.fetchval("SELECT id FROM albums"))
    assert {each["album_id"] for each in after} == {kept}
    assert kept in {each["album_id"] for each in before}
    results = await upsert_tracks(pool, library_id, None, tracks(after, 1))
    assert [result.status for result in results] == [UpsertStatus.UNCHANGED] * 2


async def test_what_a_crash_left_ungrouped_and_uncounted_the_reconciler_decides(
    pool: asyncpg.Pool, database_settings: Settings, before: list[dict[str, str]]
) -> None:
    # As if the process had ended before it grouped: a disc in an album of its own, and the marks.
    apart = await pool.fetchval(
        "INSERT INTO albums (place_key, title, sort_key, artist_credit, artist_key)"
        " VALUES ('', 'X', 'x', 'A', 'a') RETURNING id"
    )
    await pool.execute("UPDATE album_claims SET album_id = $1 WHERE claim = $2", apart, FOLDERS[1])
    await pool.execute("UPDATE tracks SET album_id = $1 WHERE album_claim = $2", apart, FOLDERS[1])
    await pool.execute(
        "INSERT INTO ungrouped_titles (title_key) SELECT DISTINCT title_key FROM album_claims"
    )
    await pool.execute("UPDATE genres SET name = 'other'")
    await pool.execute("INSERT INTO uncounted_spellings (id) SELECT id FROM genres")
    async with running_extractor(pool, database_settings), asyncio.timeout(20):
        while await pool.fetchval(  # noqa: ASYNC110 - it is polled
            "SELECT (SELECT count(*) FROM ungrouped_titles) + count(*) FROM uncounted_spellings"
        ):
            await asyncio.sleep(0.05)
    assert await pool.fetchval("SELECT count(DISTINCT album_id) FROM tracks") == 1
    assert await pool.fetchval("SELECT count(*) FROM albums") == 1
    assert await pool.fetch("SELECT name FROM genres") == [("Electronic",)]
