"""The cluster's search index against late events, outages, overload, full disks and upgrades."""

import asyncio
import os
import random
import uuid
from collections.abc import AsyncIterator, Callable, Coroutine
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from pytest_asyncio import fixture

from services.extractor.formats import is_audio
from services.extractor.reading import read_file
from shared.contracts.errors import DependencyDown, InvalidInput, PipelineError
from shared.search.opensearch_bulk import Bulk
from shared.search.opensearch_index import OpenSearchIndex
from shared.search.opensearch_mapping import body
from shared.search.opensearch_server import OpenSearchServer
from shared.search.port import Deletion, SearchDocument, SearchQuery, SearchReader
from shared.search.tantivy_index import TantivyIndex
from tests.engines import opensearch as engine
from tests.engines.opensearch import Node
from tests.engines.ports import free_port
from tests.fetch_debian import NotFetched

BATCH = 50
Ask = Callable[..., Coroutine[Any, Any, Any]]


@pytest.fixture
def alias() -> str:
    return f"test-{uuid.uuid4().hex}"


@pytest.fixture
def index(opensearch: Node, alias: str) -> OpenSearchIndex:
    return OpenSearchIndex(opensearch.url, alias=alias)


@fixture
async def ask(opensearch: Node) -> AsyncIterator[Ask]:
    """What any client can ask of the server."""
    server = OpenSearchServer(opensearch.url)
    async with server.connected():
        yield server.ask


def track_id(number: int) -> str:
    return f"trk_{number:032x}"


def tracks(numbers: range, title: str = "Song", version: int = 1) -> list[SearchDocument]:
    return [SearchDocument(track_id(number), version, title, ["Someone"]) for number in numbers]


async def total(reader: SearchReader, text: str = "song") -> int:
    return (await reader.search(SearchQuery(text))).total


async def indexes(ask: Ask, alias: str) -> set[str]:
    return set(await ask("GET", f"/{alias}*"))


async def test_a_late_event_brings_no_deleted_track_back_however_late_it_is(
    index: OpenSearchIndex, alias: str, ask: Ask
) -> None:
    async with index.writing():
        # What OpenSearch itself keeps of a deletion is gone at once here.
        await ask("PUT", f"/{alias}/_settings", {"index.gc_deletes": "0s"})
        await index.write(tracks(range(2), version=3))
        await index.write([], [Deletion(track_id(1), 5)])
        await asyncio.sleep(0.1)
        await index.write(tracks(range(2), version=4))
        assert (await index.count(), await total(index)) == (1, 1)


async def test_writers_at_the_same_time_leave_the_newest_version_of_each_track(
    opensearch: Node, alias: str, ask: Ask
) -> None:
    first, second = (OpenSearchIndex(opensearch.url, alias=alias) for _ in range(2))
    batches = [tracks(range(BATCH), f"Take {n}", version=n) for n in range(1, 11)]
    random.Random(1).shuffle(batches)
    async with first.writing(), second.writing():
        writers = [first, second] * 5
        await asyncio.gather(*(w.write(b) for w, b in zip(writers, batches, strict=True)))
        assert await total(first, "take 10") == await first.count() == BATCH


async def test_processes_that_start_at_once_on_nothing_use_one_index(
    opensearch: Node, alias: str, ask: Ask
) -> None:
    starting = [OpenSearchIndex(opensearch.url, alias=alias) for _ in range(4)]

    async def start(number: int, one: OpenSearchIndex) -> str:
        async with one.writing():
            await one.write(tracks(range(number * BATCH, (number + 1) * BATCH)))
            await asyncio.sleep(0.5)
            await one.write(tracks(range(number * BATCH, (number + 1) * BATCH)))
            return one.generation

    generations = {*await asyncio.gather(*(start(n, one) for n, one in enumerate(starting)))}
    assert len(generations) == 1
    assert generations <= set(await ask("GET", f"/_alias/{alias}"))
    async with starting[0].reading():
        assert await total(starting[0]) == 4 * BATCH


async def test_an_index_of_other_fields_is_taken_over_while_all_read_and_write(
    opensearch: Node, alias: str, ask: Ask
) -> None:
    old = f"{alias}-v0-old"
    await ask("PUT", f"/{old}", {**body(), "aliases": {alias: {}}})
    before, after = (OpenSearchIndex(opensearch.url, alias=alias) for _ in range(2))
    server = OpenSearchServer(opensearch.url)
    bulk = Bulk(server, alias)
    written, over, seen = 500, asyncio.Event(), list[int]()

    async def go_on_writing() -> None:
        nonlocal written
        while not over.is_set():
            try:
                await bulk.write(tracks(range(written, written + BATCH), version=2))
            except DependencyDown as error:
                assert "takes writes again in a moment" in str(error)
                await asyncio.sleep(0.01)
            else:
                written += BATCH

    async def go_on_reading() -> None:
        while not over.is_set():
            seen.append(await total(before))

    async with server.connected(), before.reading():
        await bulk.write(tracks(range(500), version=2))
        busy = [asyncio.create_task(each) for each in (go_on_writing(), go_on_reading())]
        await asyncio.sleep(0.3)
        async with after.writing():
            await asyncio.sleep(0.3)
            over.set()
            await asyncio.gather(*busy)
            assert (after.generation != old, after.took_over) == (True, old)
            assert await indexes(ask, alias) == {after.generation}
            assert seen == sorted(seen)
            assert seen[0] >= 500
            assert await after.count() == written
            await after.write(tracks(range(10), "Older", version=1))
            assert await total(after, "older") == 0
            await after.write(tracks(range(10), "Renewed", version=2))
            assert await total(after, "renewed") == 10


async def test_starting_anew_shows_readers_the_old_or_the_new_and_never_an_error(
    opensearch: Node, index: OpenSearchIndex, alias: str, ask: Ask
) -> None:
    reader, over, seen = OpenSearchIndex(opensearch.url, alias=alias), asyncio.Event(), set[int]()

    async def go_on_reading() -> None:
        while not over.is_set():
            seen.add(await total(reader))

    async with index.writing(), reader.reading():
        busy = [asyncio.create_task(go_on_reading()) for _ in range(3)]
        for _ in range(8):
            await index.write(tracks(range(BATCH)))
            await index.start_anew()
        over.set()
        await asyncio.gather(*busy)
        assert seen == {0, BATCH}
        assert await indexes(ask, alias) == {index.generation}


async def test_an_index_that_someone_removed_is_made_again_by_the_next_write(
    index: OpenSearchIndex, ask: Ask
) -> None:
    async with index.writing():
        await index.write(tracks(range(BATCH)))
        lost = index.generation
        await ask("DELETE", f"/{lost}")
        assert (await total(index), await index.count()) == (0, 0)
        await index.write(tracks(range(2)))
        assert index.generation != lost
        assert await total(index) == await index.count() == 2


async def test_what_is_out_of_reach_is_waited_for_and_the_message_says_what_to_do() -> None:
    nobody = OpenSearchIndex(f"http://127.0.0.1:{free_port()}")
    with pytest.raises(DependencyDown, match=r"out of reach.*SONIQUEBAY_OPENSEARCH_URL"):
        async with nobody.writing():
            pass
    async with nobody.reading():
        with pytest.raises(DependencyDown, match="out of reach"):
            await nobody.search(SearchQuery("song"))


async def test_a_server_that_is_killed_amid_writing_has_all_that_was_acknowledged(
    opensearch: Node, index: OpenSearchIndex
) -> None:
    acknowledged, outages = 0, 0

    async def write_all() -> None:
        nonlocal acknowledged, outages
        while acknowledged < 60 * BATCH:
            try:
                await index.write(tracks(range(acknowledged, acknowledged + BATCH)))
            except PipelineError as error:
                assert isinstance(error, DependencyDown), error
                outages += 1
                await asyncio.sleep(0.05)
            else:
                acknowledged += BATCH

    async with index.writing():
        generation = index.generation
        writing = asyncio.create_task(write_all())
        for stop in (opensearch.kill, opensearch.stop):
            await asyncio.sleep(0.3)
            await asyncio.to_thread(stop)
            with pytest.raises(DependencyDown):
                await total(index)
            await asyncio.to_thread(opensearch.start)
        await writing
        assert outages > 0
        assert await total(index) == await index.count() == 60 * BATCH
        assert index.generation == generation


async def test_a_server_that_takes_no_more_is_given_time(tmp_path: Path) -> None:
    try:
        jars = engine.fetch()
    except NotFetched as error:
        pytest.skip(f"OpenSearch cannot be had here: {error}")
    busy = engine.node(jars, tmp_path, "thread_pool.write.size=1", "thread_pool.write.queue_size=1")
    busy.start()
    try:
        index, server = OpenSearchIndex(busy.url), OpenSearchServer(busy.url)
        async with index.writing(), server.connected():
            await asyncio.gather(
                *(index.write(tracks(range(n * BATCH, (n + 1) * BATCH))) for n in range(30))
            )
            assert await index.count() == 30 * BATCH
            nodes = (await server.ask("GET", "/_nodes/stats/thread_pool"))["nodes"]
        (pools,) = (node["thread_pool"] for node in nodes.values())
        assert pools["write"]["rejected"] > 0
    finally:
        busy.kill()


async def test_a_full_disk_is_waited_for(index: OpenSearchIndex, alias: str, ask: Ask) -> None:
    async with index.writing():
        # What OpenSearch itself sets once its disk is nearly full.
        blocked = {"index.blocks.read_only_allow_delete": True}
        await ask("PUT", f"/{alias}/_settings", blocked)
        with pytest.raises(DependencyDown, match=r"takes no writes.*Free space"):
            await index.write(tracks(range(2)))
        await ask("PUT", f"/{alias}/_settings", dict.fromkeys(blocked))
        await index.write(tracks(range(2)))
        assert await index.count() == 2


async def test_a_document_that_it_refuses_does_not_hold_up_the_others(
    index: OpenSearchIndex,
) -> None:
    bad = replace(tracks(range(1))[0], year=10**30)
    async with index.writing():
        with pytest.raises(InvalidInput, match=bad.track_id):
            await index.write([bad, *tracks(range(1, 10))])
        assert await index.count() == 9


async def test_a_long_text_with_many_typos_is_no_error(index: OpenSearchIndex) -> None:
    letters = "abcdefghijklmnopqrstuvwxyz"
    near = [f"someword{one}{other}" for one in letters for other in letters]
    async with index.writing():
        await index.write(
            [replace(tracks(range(n, n + 1))[0], title=word, album=word, path=word)
             for n, word in enumerate(near)]
        )  # fmt: skip
        assert await total(index, " ".join(near[:24])) > 0


QUERIES = (
    "battle", "battle music", "wesnoth", "the battle for wesnoth", "westlund", "mattias westlnd",
    "aleksi", "aubry carlson", "kaufman", "doug kaufmann north", "north", "northern mountans",
    "victory", "defeat", "frantic reily", "elv", "elvish them", "journeys end", "the king",
    "romantic classical", "joseph toscano", "ryan reilly suspense", "king dead battle", "water",
    "slow harbour", "ines vale waltz", "cafe del puerto", "lanter", "tidal clok", "larkspur",
    "the sea", "\u6d77", "symphony deep", "underground ogg", "a", "t", "02", "nothing like this",
)  # fmt: skip


def documents(*roots: Path) -> list[SearchDocument]:
    """What the files' tags make findable."""
    files = [(root, path) for root in roots for path in sorted(root.rglob("*"))]
    made = []
    for number, (root, path) in enumerate(each for each in files if is_audio(each[1].name)):
        tags = read_file(os.fsencode(path)).tags
        made.append(
            SearchDocument(
                track_id(number), 1, tags.title, [name.name for name in tags.artists],
                album=tags.release.title, album_artist=tags.release.artist_credit,
                genres=tags.genres, path=str(path.relative_to(root)),
            )
        )  # fmt: skip
    return made


async def test_it_answers_as_tantivy_does_in_whatever_order_all_was_written(
    index: OpenSearchIndex, tmp_path: Path, wesnoth_music: Path, demo_music: Path
) -> None:
    library = documents(wesnoth_music, demo_music)
    shuffled = random.Random(1).sample(library, len(library))
    tantivy = TantivyIndex(tmp_path)
    async with tantivy.writing(), index.writing():
        await tantivy.write(library)
        for start in range(0, len(library), 7):
            await index.write(shuffled[start : start + 7])
        await index.write([replace(each, version=2) for each in library[::3]])
        for text in QUERIES:
            ours, theirs = [await each.search(SearchQuery(text)) for each in (index, tantivy)]
            paths = [[hit.track_id for hit in found.hits] for found in (ours, theirs)]
            assert paths[0] == paths[1], text
            assert (ours.total, ours.facets) == (theirs.total, theirs.facets), text
