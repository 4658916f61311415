"""The same albums are formed in whatever order their files are read, and none is left empty."""

import asyncio
import random
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from shared.contracts.events import Event
from tests.integration import albums_table, grouping_table
from tests.integration.albums_table import PATHS, Albums, Case, song
from tests.integration.extractor_handlers import ExtractorHandlers, events, handlers
from tests.integration.tagged_noise import retag, write

__all__ = ["handlers"]

_ALBUMS = """
{ albums(first: 50) { edges { node {
  title artistCredit isCompilation discTotal year releaseDate label
  artists { artist { name } } tracks { path }
} } } artists(first: 50) { edges { node { name } } } }
"""
Handle = Callable[[ExtractorHandlers, list[Event]], Any]


async def in_two_batches(handlers: ExtractorHandlers, found: list[Event]) -> None:
    await handlers.handle(
        [[one for one in found if one.topic == t] for t in {e.topic for e in found}]
    )


async def shuffled(handlers: ExtractorHandlers, found: list[Event]) -> None:
    await handlers.handle(
        [[event] for event in random.Random(len(found)).sample(found, len(found))]
    )


async def concurrently(handlers: ExtractorHandlers, found: list[Event]) -> None:
    halves = found[::2], found[1::2]
    await asyncio.gather(*(handlers.handle([[event] for event in half]) for half in halves))


async def albums_and_artists(handlers: ExtractorHandlers) -> tuple[list[Any], set[str]]:
    """The albums, and the names of the artists, as the gateway lists them."""
    found = await handlers.gateway.execute_document(_ALBUMS, {})
    albums = [edge["node"] for edge in found["albums"]["edges"]]
    albums.sort(key=lambda a: (a["title"], a["artistCredit"], [t["path"] for t in a["tracks"]]))
    return albums, {edge["node"]["name"] for edge in found["artists"]["edges"]}


def summaries(albums: Sequence[Any]) -> list[Any]:
    return [(a["title"], a["artistCredit"], [t["path"] for t in a["tracks"]]) for a in albums]


async def count_orphans(handlers: ExtractorHandlers) -> int:
    """The number of albums without a track, and of artists without a credit or claim."""
    found: int = await handlers.pool.fetchval(
        "SELECT (SELECT count(*) FROM albums a"
        " WHERE NOT EXISTS (SELECT FROM tracks WHERE album_id = a.id))"
        " + (SELECT count(*) FROM artists a"
        " WHERE NOT EXISTS (SELECT FROM track_credits WHERE artist_id = a.id)"
        " AND NOT EXISTS (SELECT FROM album_credits WHERE artist_id = a.id)"
        " AND NOT EXISTS (SELECT FROM album_claims WHERE a.id = ANY(artist_ids)))"
    )
    return found


@pytest.mark.parametrize("table", [albums_table.CASES, grouping_table.CASES])
@pytest.mark.parametrize("handle", [in_two_batches, shuffled, concurrently])
async def test_albums_are_those_of_the_table_in_every_order(
    handlers: ExtractorHandlers, tmp_path: Path, handle: Handle, table: Sequence[Case]
) -> None:
    for number, case in enumerate(table):
        for name in ("libraries", "tracks", "albums", "artists"):
            await handlers.pool.execute(f"DELETE FROM {name}")
        await check_case(handlers, tmp_path / str(number), handle, case)


async def check_case(handlers: ExtractorHandlers, root: Path, handle: Handle, case: Case) -> None:
    for number, (path, tags) in enumerate(case.files.items()):
        write(root / path, number, tags)
    library = await handlers.library(root)
    await handle(handlers, events(root, library, await handlers.scan(), {}))
    albums, names = await albums_and_artists(handlers)
    assert summaries(albums) == expected_albums(case.albums), case.what
    if case.changed:
        known = {
            path: ((root / path).stat().st_size, (root / path).stat().st_mtime_ns)
            for path in case.files
        }
        for path, changed in case.changed.items():
            if changed is None:
                (root / path).unlink()
            else:
                retag(root / path, changed)
        await handle(handlers, events(root, library, await handlers.scan(), known))
        albums, names = await albums_and_artists(handlers)
        assert summaries(albums) == expected_albums(case.after), case.what
    assert {name: albums[0][name] for name in case.shows} == case.shows, case.what
    there = [case.changed.get(path, tags) for path, tags in case.files.items()]
    credited = {name["artist"]["name"] for album in albums for name in album["artists"]}
    performers = {name for tags in there if tags for name in performing(tags["artist"])}
    assert names == credited | performers, case.what
    assert await count_orphans(handlers) == 0, case.what
    if handle is in_two_batches:
        before = await albums_of_tracks(handlers)
        await shuffled(handlers, events(root, library, await handlers.scan(), {}))
        assert await albums_of_tracks(handlers) == before, case.what


async def albums_of_tracks(handlers: ExtractorHandlers) -> dict[Any, Any]:
    """The id of the album of each track, by the track's id."""
    return dict(await handlers.pool.fetch("SELECT id, album_id FROM tracks"))


def performing(credit: str) -> list[str]:
    return credit.replace(" feat. ", " & ").split(" & ")


def expected_albums(albums: Albums) -> list[Any]:
    return [(title, artist, list(paths)) for title, artist, paths in albums]


async def test_tracks_without_an_album_artist_follow_one_that_is_retagged(
    handlers: ExtractorHandlers, tmp_path: Path
) -> None:
    root = tmp_path / "1"
    for number in (1, 2, 3):
        write(root / f"X/{number}.flac", number, song(number))
    retag(root / "X/1.flac", song(1, albumartist="B"))
    library = await handlers.library(root)
    await in_two_batches(handlers, events(root, library, await handlers.scan(), {}))
    assert summaries((await albums_and_artists(handlers))[0]) == [("X", "B", list(PATHS))]
    retag(root / "X/1.flac", song(1, albumartist="C"))
    found = events(root, library, await handlers.scan(), {})
    await shuffled(handlers, [event for event in found if event.path == "X/1.flac"])  # type: ignore[attr-defined] # all are of files
    assert summaries((await albums_and_artists(handlers))[0]) == [("X", "C", list(PATHS))]
    assert await count_orphans(handlers) == 0


async def test_tracks_of_a_renamed_album_are_searchable_by_its_new_name(
    handlers: ExtractorHandlers, tmp_path: Path
) -> None:
    root = tmp_path / "1"
    for number in (1, 2, 3):
        write(root / f"X/{number}.flac", number, song(number))
    library = await handlers.library(root)
    await in_two_batches(handlers, events(root, library, await handlers.scan(), {}))
    known = await revisions(handlers)
    for number in (1, 2):
        retag(root / f"X/{number}.flac", song(number, "B"))
    found = events(root, library, await handlers.scan(), {})
    await shuffled(handlers, [event for event in found if event.path != "X/3.flac"])  # type: ignore[attr-defined] # all are of files
    assert summaries((await albums_and_artists(handlers))[0]) == [("X", "B", list(PATHS))]
    async with asyncio.timeout(20):
        while (await revisions(handlers))["X/3.flac"] == known["X/3.flac"]:  # noqa: ASYNC110 - it is polled
            await asyncio.sleep(0.05)
    assert await handlers.pool.fetchval("SELECT count(retitled_at) FROM albums") == 0


async def revisions(handlers: ExtractorHandlers) -> dict[str, int]:
    rows = await handlers.pool.fetch(
        "SELECT path, revision FROM files JOIN tracks t ON t.id = track_id"
    )
    return {row["path"]: row["revision"] for row in rows}
