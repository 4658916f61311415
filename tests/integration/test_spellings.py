"""Artists and genres are called as most of their tracks spell them now; their ids stay."""

import asyncio
import itertools
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from services.api.store.corrections.apply import apply_corrections
from services.api.store.renamed import touch_renamed
from shared.contracts.identity import IdKind, format_id
from tests.integration.albums_table import song
from tests.integration.extractor_handlers import ExtractorHandlers, events, handlers
from tests.integration.extractor_setup import LibraryClient, running_extractor
from tests.integration.tagged_noise import Tags, retag, write

__all__ = ["handlers"]

ID, OTHER_ID = ("dddddddd-0000-4000-8000-00000000000" + digit for digit in "45")


async def names(pool: asyncpg.Pool, table: str = "artists") -> dict[str, Any]:
    """Ids by name."""
    rows = await pool.fetch(f"SELECT id, name FROM {table}")
    assert len(rows) == len({row["name"] for row in rows})
    return {row["name"]: row["id"] for row in rows}


async def read(handlers: ExtractorHandlers, root: Path, paths: Sequence[str]) -> None:
    """Handle the events of files, one after another, each in a scan of its own."""
    library = await handlers.pool.fetchval("SELECT id FROM libraries WHERE root = $1", str(root))
    for path in paths:
        scan = await handlers.scan()
        found = events(root, format_id(IdKind.LIBRARY, library), scan, {})
        await handlers.handle([[each] for each in found if each.path == path])  # type: ignore[attr-defined] # all are of files


async def library_of(handlers: ExtractorHandlers, root: Path, files: Sequence[Tags]) -> list[str]:
    """Write a library of files; their paths."""
    paths = [f"{number}.flac" for number in range(len(files))]
    for number, (path, tags) in enumerate(zip(paths, files, strict=True)):
        write(root / path, number, tags)
    await handlers.library(root)
    return paths


@pytest.mark.parametrize(
    ("spellings", "expected"),
    [
        (["Abba", "ABBA", "ABBA"], {"ABBA"}),
        (["Bjork", "Björk"], {"Bjork"}),
        (["Björk", "björk", "Björk", "Bjork"], {"Björk"}),
    ],
)
async def test_an_artist_is_called_as_most_tracks_spell_it_in_any_order(
    handlers: ExtractorHandlers, tmp_path: Path, spellings: list[str], expected: set[str]
) -> None:
    for number, order in enumerate(itertools.permutations(range(len(spellings)))):
        for table in ("libraries", "tracks", "albums", "artists"):
            await handlers.pool.execute(f"DELETE FROM {table}")
        root = tmp_path / str(number)
        paths = await library_of(
            handlers, root, [song(artist=spelling, album=None) for spelling in spellings]
        )
        await read(handlers, root, [paths[position] for position in order])
        assert set(await names(handlers.pool)) == expected


async def test_a_retag_renames_an_artist_and_a_genre_which_keep_their_ids(
    pool: asyncpg.Pool, database_settings: Any, tmp_path: Path
) -> None:
    root = tmp_path / "music"
    for number in range(3):
        write(root / f"{number}.flac", number, song(number, "Sigur Ros", genre="hip hop"))
    async with running_extractor(pool, database_settings) as gateway:
        client = LibraryClient(gateway, root)
        await client.scan()
        ids = [*(await names(pool)).values(), *(await names(pool, "genres")).values()]
        for number in range(2):
            retag(root / f"{number}.flac", song(number, "Sigur Rós", genre="Hip-Hop"))
        scan = await client.scan()
        assert scan["filesRead"] == 2
        artists, genres = await names(pool), await names(pool, "genres")
        assert (list(artists), list(genres)) == (["Sigur Rós"], ["Hip-Hop"])
        assert [*artists.values(), *genres.values()] == ids
        tracks = await client.tracks()
        assert tracks["2.flac"]["genres"] == [{"name": "Hip-Hop"}]
        assert tracks["2.flac"]["artists"] == ["Sigur Ros"]
        assert (await client.scan(mode="FULL"))["filesRead"] == 3
        assert await names(pool) == artists


async def test_performers_credits_go_before_those_of_albums_and_other_roles(
    handlers: ExtractorHandlers, tmp_path: Path
) -> None:
    files = [song(artist="A", albumartist="Ann", composer="ANN") for _ in range(2)]
    paths = await library_of(handlers, tmp_path, [*files, song(artist="ann", composer="ANN")])
    await read(handlers, tmp_path, paths[:2])
    assert set(await names(handlers.pool)) == {"A", "Ann"}
    await read(handlers, tmp_path, paths[2:])
    assert set(await names(handlers.pool)) == {"A", "ann"}


async def test_the_spelling_of_files_that_are_gone_does_not_count(
    pool: asyncpg.Pool, database_settings: Any, tmp_path: Path
) -> None:
    root = tmp_path / "music"
    for number, artist in enumerate(["abba", "abba", "Abba"]):
        write(root / f"{number}.flac", number, song(number, artist))
    async with running_extractor(pool, database_settings) as gateway:
        client = LibraryClient(gateway, root)
        await client.scan()
        assert list(await names(pool)) == ["abba"]
        for number in range(2):
            (root / f"{number}.flac").unlink()
        await client.scan()
        async with asyncio.timeout(20):  # files are marked missing after the end of a scan
            while list(await names(pool)) != ["Abba"]:  # noqa: ASYNC110 - it is polled
                await asyncio.sleep(0.05)


async def test_tracks_of_a_renamed_genre_and_artist_are_indexed_anew(
    handlers: ExtractorHandlers, tmp_path: Path
) -> None:
    files = [song(artist=artist, genre=genre) for artist, genre in (("a", "x y"), ("A", "X-Y"))]
    paths = await library_of(handlers, tmp_path, [*files, files[1]])
    await read(handlers, tmp_path, paths[:1])
    query = "SELECT revision, path FROM tracks t JOIN files f ON f.track_id = t.id WHERE path = $1"
    before = await handlers.pool.fetchval(query, paths[0])
    await read(handlers, tmp_path, paths[1:])
    async with handlers.pool.acquire() as connection:
        await touch_renamed(connection)
    assert await handlers.pool.fetchval(query, paths[0]) > before
    marks = (
        "SELECT (SELECT count(renamed_at) FROM artists) + (SELECT count(renamed_at) FROM genres)"
    )
    assert await handlers.pool.fetchval(marks) == 0


@pytest.mark.parametrize(
    ("one", "other"),
    [("Hip Hop", "Hip-Hop"), ("hip hop", "HipHop"), ("Lo-Fi", "lofi"), ("Synth_Pop", "Synthpop")],
)
async def test_genres_that_differ_in_spaces_and_hyphens_are_one(
    handlers: ExtractorHandlers, tmp_path: Path, one: str, other: str
) -> None:
    paths = await library_of(
        handlers, tmp_path, [song(genre=each) for each in (one, other, other, f"{other}; {one}")]
    )
    await read(handlers, tmp_path, paths)
    (genre,) = (await names(handlers.pool, "genres")).items()
    assert genre[0] == other
    assert await handlers.pool.fetchval("SELECT count(*) FROM track_genres") == 4


@pytest.mark.parametrize(
    ("one", "other"), [("R&B", "RnB"), ("Rock", "Rocks"), ("Drum & Bass", "Drum and Bass")]
)
async def test_other_genres_stay_two(
    handlers: ExtractorHandlers, tmp_path: Path, one: str, other: str
) -> None:
    paths = await library_of(handlers, tmp_path, [song(genre=one), song(genre=other)])
    await read(handlers, tmp_path, paths)
    assert set(await names(handlers.pool, "genres")) == {one, other}


async def test_a_filter_finds_a_genre_by_any_spelling(
    handlers: ExtractorHandlers, tmp_path: Path
) -> None:
    paths = await library_of(handlers, tmp_path, [song(genre="Hip Hop"), song(genre="Rock")])
    await read(handlers, tmp_path, paths)
    query = "query ($g: String) { tracks(filter: {genre: $g}) { edges { node { path } } } }"
    for spelling in ("Hip Hop", "hip-hop", "HIPHOP"):
        found = await handlers.gateway.execute_document(query, {"g": spelling})
        assert [each["node"]["path"] for each in found["tracks"]["edges"]] == [paths[0]]


async def test_a_correction_wins_and_counts_as_a_spelling(
    handlers: ExtractorHandlers, tmp_path: Path
) -> None:
    paths = await library_of(handlers, tmp_path, [song(genre="Hip Hop")])
    await read(handlers, tmp_path, paths)
    track = format_id(IdKind.TRACK, await handlers.pool.fetchval("SELECT id FROM tracks"))
    await apply_corrections(handlers.pool, [{"track_id": track, "genres": ["hip-hop", "Jazz"]}])
    await read(handlers, tmp_path, paths)
    assert set(await names(handlers.pool, "genres")) == {"hip-hop", "Jazz"}
    await apply_corrections(handlers.pool, [{"track_id": track, "genres": None}])
    assert "Hip Hop" in await names(handlers.pool, "genres")


def by(name: str, musicbrainz_id: str | None = None) -> Tags:
    ids = {"musicbrainz_artistid": musicbrainz_id} if musicbrainz_id else {}
    return {**song(artist=name, album=None), **ids}


async def test_one_musicbrainz_id_is_one_artist_in_any_order(
    handlers: ExtractorHandlers, tmp_path: Path
) -> None:
    files = [
        by("Rhapsode", ID), by("Rhapsode of Ice", ID), by("Rhapsode of Ice", ID),
        by("Rhapsode of Ice"),
    ]  # fmt: skip
    for number, order in enumerate(itertools.permutations(range(len(files)))):
        for table in ("libraries", "tracks", "albums", "artists"):
            await handlers.pool.execute(f"DELETE FROM {table}")
        root = tmp_path / str(number)
        paths = await library_of(handlers, root, files)
        await read(handlers, root, [paths[position] for position in order])
        assert list(await names(handlers.pool)) == ["Rhapsode of Ice"]
        credited = await handlers.pool.fetch("SELECT DISTINCT credited_as FROM track_credits")
        assert {row["credited_as"] for row in credited} == {"Rhapsode", "Rhapsode of Ice"}


async def test_two_musicbrainz_ids_of_one_name_are_two_artists(
    handlers: ExtractorHandlers, tmp_path: Path
) -> None:
    paths = await library_of(handlers, tmp_path, [by("Nix", ID), by("Nix", OTHER_ID)])
    await read(handlers, tmp_path, paths)
    assert await handlers.pool.fetchval("SELECT count(*) FROM artists WHERE name = 'Nix'") == 2
