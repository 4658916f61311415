"""Upserts of tracks, artists and albums: idempotent, and with an error per item."""

from typing import Any
from uuid import UUID

import asyncpg
import pytest

from services.api.store import artists
from services.api.store.albums.upsert import upsert_albums
from services.api.store.files.missing import mark_missing
from services.api.store.tracks.upsert import upsert_tracks
from shared.contracts.identity import IdKind, format_id
from shared.contracts.upserts import UpsertStatus
from tests.integration.conftest import StoreTracks, track_item

MBID = "5f9913b0-7219-11de-8a39-0800200c9a66"


async def rows_of(pool: asyncpg.Pool) -> dict[str, list[tuple[Any, ...]]]:
    tables = ["tracks", "files", "track_credits", "track_genres", "artists", "albums", "genres"]
    return {
        table: [tuple(row) for row in await pool.fetch(f"SELECT * FROM {table} ORDER BY 1, 2, 3")]
        for table in tables
    }


async def test_the_same_batch_again_changes_no_row_and_returns_unchanged(
    pool: asyncpg.Pool, store_tracks: StoreTracks, artist_id: str
) -> None:
    credit = {"artist_id": artist_id, "credited_as": "Björk", "role": "ARTIST", "join_phrase": ""}
    items = [
        track_item(f"{n}.mp3", credits=[credit], genres=["Trip Hop", "pop"], isrcs=["GBAAP"])
        for n in range(20)
    ]
    first = await store_tracks(*items)
    before = await rows_of(pool)
    second = await store_tracks(*items)
    assert {result.status for result in first} == {UpsertStatus.CREATED}
    assert {result.status for result in second} == {UpsertStatus.UNCHANGED}
    assert [(r.id, r.revision, r.content_revision) for r in first] == [
        (r.id, r.revision, r.content_revision) for r in second
    ]
    assert await rows_of(pool) == before


@pytest.mark.parametrize(
    ("change", "revision", "content_revision"),
    [
        ({"size_bytes": 1_001}, 2, 2),
        ({"mtime_ns": 5}, 2, 2),
        ({"title": "Other"}, 2, 1),
        ({"genres": ["Jazz"]}, 2, 1),
        ({"cover_sha256": "ab" * 32}, 2, 1),
        ({}, 1, 1),
    ],
)
async def test_a_changed_file_makes_a_new_content_revision_and_changed_tags_a_new_revision(
    store_tracks: StoreTracks, change: dict[str, Any], revision: int, content_revision: int
) -> None:
    (first,) = await store_tracks("a.mp3")
    (second,) = await store_tracks(track_item("a.mp3", **change))
    assert (second.id, second.revision, second.content_revision) == (
        first.id,
        revision,
        content_revision,
    )


async def test_a_missing_track_returns_with_its_id_and_is_not_new_content(
    pool: asyncpg.Pool, library_id: UUID, store_tracks: StoreTracks
) -> None:
    (first,) = await store_tracks("a.mp3")
    gone = await mark_missing(pool, library_id, ["a.mp3", "never.mp3"])
    again = await mark_missing(pool, library_id, ["a.mp3"])
    (back,) = await store_tracks("a.mp3")
    assert (gone[0].status, gone[0].revision, again[0].status) == (
        UpsertStatus.UPDATED,
        2,
        UpsertStatus.UNCHANGED,
    )
    assert gone[1].problem is not None
    assert (back.id, back.status, back.revision, back.content_revision) == (
        first.id,
        UpsertStatus.RETURNED,
        3,
        1,
    )


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"title": "a\0b"}, "title"),
        ({"title": "x" * 1_000_000}, "title"),
        ({"artist_credit": "\ud800"}, "artistCredit"),
        ({"path": "/etc/passwd"}, "path"),
        ({"path": "a/../b.mp3"}, "path"),
        ({"path": "p" * 3_000}, "path"),
        ({"duration_s": float("nan")}, "durationS"),
        ({"size_bytes": -1}, "sizeBytes"),
        ({"track_number": 2**40}, "trackNumber"),
        ({"channels": 70_000}, "channels"),
        ({"album_id": "alb_" + "0" * 32}, "albumId"),
        ({"album_id": "nonsense"}, "albumId"),
        ({"musicbrainz_track_id": "nonsense"}, "musicbrainzTrackId"),
        ({"credits": [{"artist_id": "art_" + "0" * 32, "credited_as": "X"}]}, "credits"),
    ],
)
async def test_an_invalid_item_gets_an_error_and_the_others_are_stored(
    store_tracks: StoreTracks, change: dict[str, Any], field: str
) -> None:
    good, bad, other = await store_tracks("a.mp3", track_item("b.mp3") | change, "c.mp3")
    assert bad.problem is not None
    assert (bad.problem.field, good.status, other.status) == (
        field,
        UpsertStatus.CREATED,
        UpsertStatus.CREATED,
    )


async def test_of_two_items_with_the_same_path_the_later_one_wins(
    pool: asyncpg.Pool, store_tracks: StoreTracks
) -> None:
    first, second = await store_tracks("a.mp3", track_item("a.mp3", title="Later"))
    assert first == second
    assert await pool.fetch("SELECT title FROM tracks") == [("Later",)]


async def test_a_batch_takes_as_many_statements_for_500_tracks_as_for_5(
    counted_pool: tuple[asyncpg.Pool, list[str]], library_id: UUID, artist_id: str
) -> None:
    pool, queries = counted_pool
    credit = {"artist_id": artist_id, "credited_as": "Björk"}
    counts: list[int] = []
    for size in (1, 5, 500):  # the first batch creates the genre, and the driver learns the types
        queries.clear()
        rows = [track_item(f"{size}/{n}.mp3", credits=[credit] * 2) for n in range(size)]
        await upsert_tracks(pool, library_id, None, rows)
        counts.append(len(queries))
    assert counts[1] == counts[2] <= 17, queries


async def test_artists_of_the_same_name_are_two_only_with_two_musicbrainz_ids(
    pool: asyncpg.Pool,
) -> None:
    other = MBID.replace("5", "6")
    results = await artists.upsert(
        pool,
        [
            {"name": "Nirvana"},
            {"name": "NIRVANA ", "musicbrainz_artist_id": MBID},
            {"name": "nirvana", "musicbrainz_artist_id": other, "sort_name": "Nirvana (UK)"},
            {"name": ""},
        ],
    )
    again = await artists.upsert(pool, [{"name": "Nirvana", "musicbrainz_artist_id": MBID}])
    assert results[0].id == results[1].id == again[0].id != results[2].id
    assert again[0].status is UpsertStatus.UNCHANGED
    assert results[3].problem is not None
    names = await pool.fetch("SELECT name, sort_key FROM artists ORDER BY sort_key")
    assert names == [("Nirvana", "nirvana"), ("nirvana", "nirvana (uk)")]


async def test_an_album_keeps_its_cover_when_another_track_has_none(
    pool: asyncpg.Pool, library_id: UUID, artist_id: str
) -> None:
    album = {
        "title": "Homogenic",
        "artist_credit": "Björk",
        "credits": [{"artist_id": artist_id, "credited_as": "Björk"}],
        "folder": "Björk/Homogenic",
        "library_id": format_id(IdKind.LIBRARY, library_id),
        "release_date": "1997-09-22",
        "cover_sha256": "cd" * 32,
        "disc_total": 2,
    }
    bare = {key: value for key, value in album.items() if key not in {"cover_sha256", "disc_total"}}
    (first,) = await upsert_albums(pool, [album])
    (second,) = await upsert_albums(pool, [bare])
    (edition,) = await upsert_albums(pool, [{**album, "folder": "Björk/Homogenic (vinyl)"}])
    assert (second.id, second.status) == (first.id, UpsertStatus.UNCHANGED)
    assert edition.id != first.id
    row = await pool.fetchrow("SELECT year, cover_sha256 FROM albums WHERE id = $1", first.id)
    assert row == (1997, bytes.fromhex("cd" * 32))
    assert await pool.fetchval("SELECT count(*) FROM album_credits") == 2


async def test_the_genres_of_a_track_carry_its_year(
    pool: asyncpg.Pool, store_tracks: StoreTracks
) -> None:
    for date, year in (("1995-05-01", 1995), ("2001", 2001), (None, None)):
        await store_tracks(track_item("a.mp3", genres=["Pop", "Jazz"], release_date=date))
        rows = await pool.fetch("SELECT year FROM track_genres")
        assert [row["year"] for row in rows] == [year, year]
