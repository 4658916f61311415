"""Filters of lists."""

from uuid import UUID

import asyncpg
import pytest
from pytest_asyncio import fixture

from services.api.store import artists
from services.api.store.albums.upsert import upsert_albums
from services.api.store.files.missing import mark_missing
from shared.contracts.identity import IdKind, format_id
from tests.integration.api_list_fixtures import ask, walk
from tests.integration.api_read_fixtures import SchemaClient, dropped_space_indexes
from tests.integration.conftest import StoreTracks, track_item

__all__ = ["ask", "dropped_space_indexes"]


@fixture
async def gone(
    ask: SchemaClient, pool: asyncpg.Pool, library_id: UUID, store_tracks: StoreTracks
) -> None:
    """Store two further tracks whose files are missing."""
    await store_tracks("gone/a.mp3", "gone/b.mp3")
    await mark_missing(pool, library_id, ["gone/a.mp3", "gone/b.mp3"])


@pytest.mark.parametrize(
    ("conditions", "number"),
    [
        ('genre: "gENRE 1"', 12),
        ('genre: "none"', 0),
        ('pathPrefix: "1/"', 10),
        ('pathPrefix: "1"', 10),
        ("year: {min: 1992, max: 1992}", 6),
        ("durationS: {max: 60.5}", 12),
        ("durationS: {min: 61, max: 62}", 24),
        ("tempoBpm: {min: 80, max: 89}", 10),
        ("energy: {max: 0.05}", 5),
        ('key: "A", mode: "minor"', 16),
        ('camelot: "8A", loudnessLufs: {min: -20, max: -10}', 47),
        ('key: "A", pathPrefix: "0/", genre: "All"', 4),
        ('meaning: {genre: " Jazz"}', 24),
        ("meaning: {sad: {max: 0.191}}", 10),
        ('meaning: {genre: "rock", sad: {max: 0.191}}, energy: {max: 0.15}', 1),
        ("meaning: {party: {min: 0.6}}", 0),
        ("meaning: {}", 47),
        ("isMissing: true", 2),
        ("isMissing: null", 49),
        ("year: {}", 47),
    ],
)
async def test_a_filter_of_tracks_keeps_what_matches(
    ask: SchemaClient, gone: None, conditions: str, number: int
) -> None:
    found = await walk(ask, "tracks", f", filter: {{{conditions}}}", 10, "title")
    assert len(found) == number


CREDITED = "track_id) FROM track_credits WHERE artist_id"


async def test_tracks_are_filtered_by_album_artist_genre_and_library(
    ask: SchemaClient, pool: asyncpg.Pool, library_id: UUID
) -> None:
    some = await pool.fetchrow(
        "SELECT t.album_id, c.artist_id, g.genre_id FROM tracks t"
        " JOIN track_credits c ON c.track_id = t.id AND c.role = 'artist'"
        " JOIN track_genres g ON g.track_id = t.id AND g.position = 0"
        " WHERE t.title = 'Title 0' ORDER BY t.id LIMIT 1"
    )
    for name, kind, key, column in (
        ("albumId", IdKind.ALBUM, some["album_id"], "id) FROM tracks WHERE album_id"),
        (
            "artistId",
            IdKind.ARTIST,
            some["artist_id"],
            CREDITED,
        ),
        ("genreId", IdKind.GENRE, some["genre_id"], "track_id) FROM track_genres WHERE genre_id"),
        ("libraryId", IdKind.LIBRARY, library_id, "track_id) FROM files WHERE library_id"),
    ):
        found = await walk(ask, "tracks", f', filter: {{{name}: "{format_id(kind, key)}"}}', 9, "")
        number = await pool.fetchval(f"SELECT count(DISTINCT {column} = $1", key)
        assert len(found) == number > 0, name


async def test_artists_and_albums_are_filtered_and_those_without_tracks_left_out(
    ask: SchemaClient, pool: asyncpg.Pool, library_id: UUID
) -> None:
    await artists.upsert(pool, [{"name": "Nobody"}])
    empty = {
        "title": "Empty", "artist_credit": "x", "credits": [], "folder": "e",
        "library_id": format_id(IdKind.LIBRARY, library_id),
    }  # fmt: skip
    await upsert_albums(pool, [empty])
    prefix = await walk(ask, "artists", ', filter: {namePrefix: "ARTIST 001"}', 5, "name")
    assert [node["name"] for node in prefix] == ["Artist 001"]
    every = await walk(ask, "artists", "", 5, "name trackCount")
    assert [(n["name"], n["trackCount"]) for n in every] == [("Artist 000", 47), ("Artist 001", 17)]
    for conditions, number in (
        ('titlePrefix: "album 00"', 5),
        ("year: {min: 1991, max: 1991}", 2),
        ("isCompilation: true", 2),
        (f'artistId: "{every[1]["id"]}"', 2),
    ):
        assert len(await walk(ask, "albums", f", filter: {{{conditions}}}", 2, "")) == number, (
            conditions
        )


async def test_the_status_counts_what_the_lists_have(
    ask: SchemaClient, pool: asyncpg.Pool, library_id: UUID, store_tracks: StoreTracks
) -> None:
    document = (
        "{ status { artists albums genres } artists { totalCount } albums { totalCount }"
        " genres { totalCount } }"
    )

    async def counts() -> dict[str, int]:
        found = await ask(document)
        status = found.pop("status")
        assert status == {name: value["totalCount"] for name, value in found.items()}
        return dict(status)

    before = await counts()
    await store_tracks(track_item("gone/a.mp3", genres=["Only there"]))
    with_genre = await counts()
    assert with_genre["genres"] == before["genres"] + 1
    await mark_missing(pool, library_id, ["gone/a.mp3"])
    assert (await counts())["genres"] == before["genres"], "its only track is missing"
