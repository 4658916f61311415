"""The api, the vectorizer and the indexer on one bus, with either search engine."""

import asyncio
import time
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import pytest
from pytest_asyncio import fixture

from services.api import service as api
from services.api.store.analyses.upsert import upsert_analyses
from services.api.store.results import TrackUpserted
from services.indexer import service as indexer
from services.vectorizer import service as vectorizer
from shared.bus.in_process import InProcessBus
from shared.contracts.events import AudioAnalyzed, TrackChange, TrackExtracted
from shared.contracts.identity import IdKind, format_id
from shared.contracts.versions import ANALYZER_VERSION
from shared.embedding.wordllama_embedder import WordLlamaEmbedder
from shared.gateway.client import Gateway
from shared.gateway.http_transport import HttpTransport
from shared.runtime.settings import Settings
from shared.search.opensearch_index import OpenSearchIndex
from shared.search.port import SearchIndex
from shared.search.tantivy_index import TantivyIndex


@dataclass
class Pipeline:
    """The api, the vectorizer and the indexer on one bus, without the reconciler."""

    gateway: Gateway
    bus: InProcessBus
    pool: asyncpg.Pool

    async def extracted(self, *tracks: TrackUpserted) -> None:
        """Publish the extractor's events."""
        await self.bus.publish(
            [
                TrackExtracted(
                    track_id=track_of(track), change=TrackChange.CREATED,
                    content_revision=track.content_revision, revision=track.revision,
                )
                for track in tracks
            ]
        )  # fmt: skip

    async def analyzed(self, *items: dict[str, Any]) -> None:
        """Store analyses and publish their events, as the analyzer does."""
        stored = await upsert_analyses(self.pool, list(items))
        await self.bus.publish(
            [
                AudioAnalyzed(
                    track_id=track_of(track), analyzer_version=ANALYZER_VERSION,
                    content_revision=track.content_revision, revision=track.revision,
                )
                for track in stored
            ]
        )  # fmt: skip

    async def idle(self) -> None:
        """Wait until every published event is handled."""
        deadline = time.monotonic() + 60
        while any(lag.records for lag in await self.bus.lag()):
            assert time.monotonic() < deadline, self.bus.health()
            await asyncio.sleep(0.02)

    async def execute(self, query: str, **variables: object) -> Mapping[str, Any]:
        return await self.gateway.execute_document(query, variables)

    async def found(self, text: str, mode: str = "TEXT") -> list[str]:
        query = (
            "query($t: String!, $m: SearchMode!) {search(text: $t, mode: $m) {hits {track {id}}}}"
        )
        hits = (await self.execute(query, t=text, m=mode))["search"]["hits"]
        return [hit["track"]["id"] for hit in hits]


Start = Callable[[], Awaitable[Pipeline]]


@dataclass(frozen=True, slots=True)
class Engine:
    """Opens a test's own index, and deletes it while it is in use."""

    make: Callable[[], SearchIndex]
    lose: Callable[[], Awaitable[None]]


@pytest.fixture
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> Engine:
    """Tantivy, unless the test names the other one."""
    if getattr(request, "param", "tantivy") == "tantivy":

        async def unlink() -> None:
            (tmp_path / "search" / "current").unlink()

        return Engine(lambda: TantivyIndex(tmp_path / "search"), unlink)

    url, alias = request.getfixturevalue("opensearch").url, f"test-{uuid.uuid4().hex}"

    async def delete() -> None:
        index = OpenSearchIndex(url, alias=alias)
        async with index.writing(), httpx.AsyncClient(base_url=url) as client:
            (await client.delete(f"/{index.generation}")).raise_for_status()

    return Engine(lambda: OpenSearchIndex(url, alias=alias), delete)


BOTH_ENGINES = pytest.mark.parametrize("engine", ["tantivy", "opensearch"], indirect=True)


@fixture
async def start(
    pool: asyncpg.Pool, database_settings: Settings, engine: Engine
) -> AsyncIterator[Start]:
    """Starts the services; a second call stops them and starts them on the same data."""
    settings = database_settings.model_copy(update={"port": 0})
    embedder = WordLlamaEmbedder()
    running = AsyncExitStack()

    async def begin() -> Pipeline:
        await running.aclose()
        bus = InProcessBus()
        index = engine.make()
        gateway_service = api.build(settings, bus=bus, embedder=embedder, search=index)
        transport = httpx.ASGITransport(gateway_service.app)
        client = httpx.AsyncClient(transport=transport, base_url="http://test", timeout=60)
        gateway = Gateway(HttpTransport(await running.enter_async_context(client)))
        for service in (
            gateway_service.service,
            indexer.build(settings, gateway=gateway, index=index),
            vectorizer.build(gateway=gateway, embedder=embedder),
        ):
            await running.enter_async_context(service.lifespan())
            service.subscribe(bus)
        await bus.start()
        running.push_async_callback(bus.drain, 10)
        return Pipeline(gateway, bus, pool)

    yield begin
    await running.aclose()


def track_of(track: TrackUpserted) -> str:
    assert track.id is not None
    return format_id(IdKind.TRACK, track.id)


async def rows(pool: asyncpg.Pool) -> dict[str, asyncpg.Record]:
    return {
        format_id(IdKind.TRACK, row["id"]): row for row in await pool.fetch("SELECT * FROM tracks")
    }
