"""Claims of tracks about albums: concurrent writers do not deadlock, and nothing is left over."""

import asyncio
import random
from datetime import timedelta
from typing import Any
from uuid import UUID

import asyncpg

from services.api.store import artists
from services.api.store.albums.claims import prune_claims
from services.api.store.albums.refresh import refresh_albums
from services.api.store.albums.upsert import prune_albums, upsert_albums
from services.api.store.database.pool import in_transaction
from services.api.store.files.missing import mark_missing
from services.api.store.renamed import touch_renamed
from services.api.store.scan_end import decide
from services.api.store.tracks.upsert import upsert_tracks
from shared.contracts.identity import IdKind, format_id
from tests.integration.api_write_items import deadlocks
from tests.integration.conftest import track_item


async def store_claims(
    pool: asyncpg.Pool,
    library_id: UUID,
    names: list[str],
    artist: dict[str, Any] | None = None,
    **more: Any,
) -> list[Any]:
    """Store albums `X`, one per artist in folders `0`, `1`, ...; the id and claim of each.

    `artist` are further fields of the artists.
    """
    made = await artists.upsert(pool, [{"name": name, **(artist or {})} for name in names])
    items = [
        {
            "title": "X", "artist_credit": name, "folder": f"{number}",
            "claim": f"{number} {name} {more.get('label')} {more.get('release_date')}",
            "is_artist_told": False,
            "library_id": format_id(IdKind.LIBRARY, library_id),
            "credits": [{"artist_id": format_id(IdKind.ARTIST, one.id), "credited_as": name}],
            **more,
        }
        for number, (name, one) in enumerate(zip(names, made, strict=True)) if one.id
    ]  # fmt: skip
    results = await upsert_albums(pool, items)
    assert not any(result.problem for result in results)
    return [
        {"album_id": format_id(IdKind.ALBUM, result.id), "album_claim": item["claim"]}
        for result, item in zip(results, items, strict=True) if result.id
    ]  # fmt: skip


async def test_concurrent_retagging_of_the_same_albums_neither_deadlocks_nor_leaves_empty_albums(
    pool: asyncpg.Pool, library_id: UUID
) -> None:
    rng = random.Random(3)
    paths = [f"{n % 6}/{n}.mp3" for n in range(60)]

    async def retag() -> None:
        artist = rng.choice("ABCabc")
        known = rng.choice([None, "dddddddd-0000-4000-8000-000000000004"])
        facts = await store_claims(
            pool, library_id, [artist] * 6, {"musicbrainz_artist_id": known},
            label=rng.choice("LMN"), release_date=rng.choice(["1968", "1971"]),
        )  # fmt: skip
        (made,) = await artists.upsert(pool, [{"name": artist}])
        assert made.id
        credit = {"artist_id": format_id(IdKind.ARTIST, made.id), "credited_as": artist}
        items = [
            track_item(
                path, artist_credit=artist, credits=[credit], genres=[rng.choice(["x y", "X-Y"])],
                disc_number=rng.choice([None, 1, 2]), track_number=rng.randint(1, 40),
                **rng.choice(facts),
            )
            for path in rng.sample(paths, 20)
        ]  # fmt: skip
        await upsert_tracks(pool, library_id, None, items)

    async def write(kind: int) -> None:
        if kind % 5 == 0:
            await mark_missing(pool, library_id, rng.sample(paths, 20))
        elif kind % 5 == 1:
            async with pool.acquire() as connection:
                await touch_renamed(connection)
                await prune_albums(connection, older_than=timedelta(seconds=60))
            await decide(pool)
        else:
            await retag()

    before = await deadlocks(pool)
    await asyncio.gather(*(write(number) for number in range(100)))
    assert await deadlocks(pool) == before
    empty = (
        "SELECT count(*) FROM albums a WHERE NOT EXISTS (SELECT FROM tracks WHERE album_id = a.id)"
    )
    assert await pool.fetchval(empty) == 0
    rows = await pool.fetch("SELECT id, updated_at FROM albums")
    ids = [row["id"] for row in rows]
    await in_transaction(pool, lambda c: refresh_albums(c, ids))
    assert await pool.fetch("SELECT id, updated_at FROM albums") == rows
    # What was decided while others wrote is what all tracks together say.
    marks = "INSERT INTO ungrouped_titles (title_key) SELECT DISTINCT title_key FROM album_claims"
    await pool.execute(marks)
    await pool.execute(
        "INSERT INTO uncounted_spellings (id) SELECT id FROM artists UNION SELECT id FROM genres"
    )
    names = "SELECT id, name FROM artists UNION SELECT id, name FROM genres ORDER BY id"
    named, tracks = await pool.fetch(names), await pool.fetch("SELECT id, album_id FROM tracks")
    await decide(pool)
    assert await pool.fetch("SELECT id, album_id FROM tracks") == tracks
    assert await pool.fetch(names) == named
    assert await pool.fetchval("SELECT count(*) FROM ungrouped_titles") == 0


async def test_the_number_of_statements_does_not_grow_with_the_albums_of_a_batch(
    counted_pool: tuple[asyncpg.Pool, list[str]], library_id: UUID
) -> None:
    pool, statements = counted_pool
    counts = []
    for number in (3, 2, 30):  # the first batch warms up the connection
        names = [f"{number} {n}" for n in range(number)]
        facts = await store_claims(pool, library_id, names, title=str(number))
        statements.clear()
        items = [
            track_item(f"{number}/{n}", **facts[n % number], artist_credit=str(n))
            for n in range(60)
        ]
        await upsert_tracks(pool, library_id, None, items)
        counts.append(len(statements))
    assert counts[1] == counts[2] < 40, statements


async def test_a_claim_that_no_track_makes_any_longer_is_deleted_with_its_artist(
    pool: asyncpg.Pool, library_id: UUID
) -> None:
    (facts,) = await store_claims(pool, library_id, ["A"])
    (other,) = await store_claims(pool, library_id, ["B"])
    assert facts["album_id"] == other["album_id"]
    await upsert_tracks(
        pool, library_id, None, [track_item("1", **facts), track_item("2", **other)]
    )
    await upsert_tracks(pool, library_id, None, [track_item("2", **facts)])
    async with pool.acquire() as connection:
        for age in (timedelta(hours=1), timedelta()):
            await prune_claims(connection, older_than=age)
            await artists.prune(connection, older_than=age)
            left = await connection.fetch("SELECT claim FROM album_claims ORDER BY claim")
            assert len(left) == (2 if age else 1)
        names = await connection.fetch("SELECT name FROM artists")
        assert [row["name"] for row in names] == ["A"]


async def test_an_album_takes_the_artist_of_the_other_tracks_once_they_are_the_majority(
    pool: asyncpg.Pool, library_id: UUID
) -> None:
    release: dict[str, Any] = {"musicbrainz_release_id": "01234567-89ab-4def-8123-456789000001"}
    (facts,) = await store_claims(pool, library_id, ["A"], is_artist_told=True, **release)
    (other,) = await store_claims(pool, library_id, ["B"], is_artist_told=True, **release)
    items = [track_item("1", **facts), track_item("2", **facts), track_item("3", **other)]
    await upsert_tracks(pool, library_id, None, items)
    assert await pool.fetchval("SELECT artist_credit FROM albums") == "A"
    async with pool.acquire() as connection:
        await artists.prune(connection, older_than=timedelta())
    await mark_missing(pool, library_id, ["1", "2"])
    found = await pool.fetchrow(
        "SELECT artist_credit, name FROM albums a JOIN album_credits c ON c.album_id = a.id"
        " JOIN artists ON artists.id = artist_id"
    )
    assert found == ("B", "B")
