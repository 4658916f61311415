"""The OpenSearch index while its server is down, killed, overloaded or has a full disk."""

import asyncio
from pathlib import Path

import pytest

from shared.contracts.errors import DependencyDown, PipelineError
from shared.search.opensearch_index import OpenSearchIndex
from shared.search.opensearch_server import OpenSearchServer
from shared.search.port import SearchQuery
from tests.engines import opensearch as engine
from tests.engines.opensearch import Node
from tests.engines.ports import free_port
from tests.fetch_debian import NotFetched
from tests.integration.opensearch_fixtures import BATCH, Ask, alias, ask, index, total, tracks

__all__ = ["alias", "ask", "index"]


async def test_an_unreachable_server_counts_as_down_and_the_message_says_what_to_do() -> None:
    nobody = OpenSearchIndex(f"http://127.0.0.1:{free_port()}")
    with pytest.raises(DependencyDown, match=r"out of reach.*SONIQUEBAY_OPENSEARCH_URL"):
        async with nobody.writing():
            pass
    async with nobody.reading():
        with pytest.raises(DependencyDown, match="out of reach"):
            await nobody.search(SearchQuery("song"))


async def test_a_server_killed_during_writes_has_all_acknowledged_documents(
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


async def test_an_overloaded_server_is_given_time(tmp_path: Path) -> None:
    try:
        jars = engine.fetch()
    except NotFetched as error:
        pytest.skip(f"OpenSearch is not available here: {error}")
    busy = engine.node(jars, tmp_path, "thread_pool.write.size=1", "thread_pool.write.queue_size=1")
    busy.start()
    try:
        index, server = OpenSearchIndex(busy.url), OpenSearchServer(busy.url)
        async with index.writing(), server.connected():
            await asyncio.gather(
                *(index.write(tracks(range(n * BATCH, (n + 1) * BATCH))) for n in range(30))
            )
            assert await index.count() == 30 * BATCH
            nodes = (await server.request("GET", "/_nodes/stats/thread_pool"))["nodes"]
        (pools,) = (node["thread_pool"] for node in nodes.values())
        assert pools["write"]["rejected"] > 0
    finally:
        busy.kill()


async def test_a_full_disk_counts_as_a_dependency_that_is_down(
    index: OpenSearchIndex, alias: str, ask: Ask
) -> None:
    async with index.writing():
        # OpenSearch sets this itself when its disk is nearly full.
        blocked = {"index.blocks.read_only_allow_delete": True}
        await ask("PUT", f"/{alias}/_settings", blocked)
        with pytest.raises(DependencyDown, match=r"takes no writes.*Free space"):
            await index.write(tracks(range(2)))
        await ask("PUT", f"/{alias}/_settings", dict.fromkeys(blocked))
        await index.write(tracks(range(2)))
        assert await index.count() == 2
