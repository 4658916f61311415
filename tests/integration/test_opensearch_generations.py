"""Generations of the OpenSearch index: created, migrated, reset and lost, during use."""

import asyncio

from shared.contracts.errors import DependencyDown
from shared.search.opensearch_bulk import Bulk
from shared.search.opensearch_index import OpenSearchIndex
from shared.search.opensearch_mapping import body
from shared.search.opensearch_server import OpenSearchServer
from tests.engines.opensearch import Node
from tests.integration.opensearch_fixtures import (
    BATCH,
    Ask,
    alias,
    ask,
    index,
    indexes,
    total,
    tracks,
)

__all__ = ["alias", "ask", "index"]


async def test_processes_that_start_at_once_create_one_index(
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


async def test_an_index_with_other_fields_is_migrated_during_reads_and_writes(
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


async def test_during_a_reset_readers_see_the_old_or_the_new_index_and_never_an_error(
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


async def test_a_removed_index_is_created_again_by_the_next_write(
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
