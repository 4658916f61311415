"""Writing to OpenSearch: late events, concurrent writers, refused documents."""

import asyncio
import random
from dataclasses import replace

import pytest

from shared.contracts.errors import InvalidInput
from shared.search.opensearch_index import OpenSearchIndex
from shared.search.port import Deletion
from tests.engines.opensearch import Node
from tests.integration.opensearch_fixtures import (
    BATCH,
    Ask,
    alias,
    ask,
    index,
    total,
    track_id,
    tracks,
)

__all__ = ["alias", "ask", "index"]


async def test_a_late_event_never_restores_a_deleted_track(
    index: OpenSearchIndex, alias: str, ask: Ask
) -> None:
    async with index.writing():
        # Here OpenSearch forgets a deletion at once.
        await ask("PUT", f"/{alias}/_settings", {"index.gc_deletes": "0s"})
        await index.write(tracks(range(2), version=3))
        await index.write([], [Deletion(track_id(1), 5)])
        await asyncio.sleep(0.1)
        await index.write(tracks(range(2), version=4))
        assert (await index.count(), await total(index)) == (1, 1)


async def test_concurrent_writers_leave_the_newest_version_of_each_track(
    opensearch: Node, alias: str, ask: Ask
) -> None:
    first, second = (OpenSearchIndex(opensearch.url, alias=alias) for _ in range(2))
    batches = [tracks(range(BATCH), f"Take {n}", version=n) for n in range(1, 11)]
    random.Random(1).shuffle(batches)
    async with first.writing(), second.writing():
        writers = [first, second] * 5
        await asyncio.gather(*(w.write(b) for w, b in zip(writers, batches, strict=True)))
        assert await total(first, "take 10") == await first.count() == BATCH


async def test_a_refused_document_does_not_affect_the_others(
    index: OpenSearchIndex,
) -> None:
    bad = replace(tracks(range(1))[0], year=10**30)
    async with index.writing():
        with pytest.raises(InvalidInput, match=bad.track_id):
            await index.write([bad, *tracks(range(1, 10))])
        assert await index.count() == 9
