"""The vectorizer and searches by meaning, with a real Ollama that stops or changes its model."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

import asyncpg
import httpx
import pytest
from pytest_asyncio import fixture

from services.api import service as api
from services.api.store.analyses.upsert import upsert_analyses
from services.api.store.results import TrackUpserted
from services.vectorizer import service as vectorizer
from shared.bus.in_process import InProcessBus
from shared.bus.policy import ErrorPolicy
from shared.contracts.errors import DependencyDown
from shared.contracts.events import AudioAnalyzed
from shared.contracts.identity import IdKind, format_id
from shared.contracts.versions import ANALYZER_VERSION
from shared.embedding.ollama_embedder import OllamaEmbedder
from shared.gateway.client import Gateway
from shared.gateway.http_transport import HttpTransport
from shared.runtime.settings import Settings
from shared.search.tantivy_index import TantivyIndex
from tests.engines.ollama import OllamaServer, Parts
from tests.engines.smaller_model import cut
from tests.integration.api_read_fixtures import drop_space_indexes
from tests.integration.conftest import StoreTracks, analysis_item, track_item

MODEL = "model-of-the-test"
QUICK = ErrorPolicy(retry_first_s=0.01, retry_cap_s=0.05, wait_first_s=0.05, wait_cap_s=0.2)
MEANING = "query($t: String!) {search(text: $t, mode: MEANING, first: 99) {hits {track {title}}}}"
DEADLINE_S = 60


@dataclass
class Pipeline:
    """The api and the vectorizer on one bus, each with its own client of Ollama."""

    gateway: Gateway
    bus: InProcessBus
    pool: asyncpg.Pool

    async def analyzed(self, tracks: list[TrackUpserted]) -> None:
        """Store analyses and publish their events, as the analyzer does."""
        stored = await upsert_analyses(self.pool, [analysis_item(track) for track in tracks])
        await self.bus.publish(
            [
                AudioAnalyzed(
                    track_id=format_id(IdKind.TRACK, track.id), analyzer_version=ANALYZER_VERSION,
                    content_revision=track.content_revision, revision=track.revision,
                )
                for track in stored
                if track.id is not None
            ]
        )  # fmt: skip

    async def idle(self) -> None:
        """Wait until every published event is handled."""
        deadline = time.monotonic() + DEADLINE_S
        while any(lag.records for lag in await self.bus.lag()):
            assert time.monotonic() < deadline, self.bus.health()
            await asyncio.sleep(0.02)

    async def paused(self) -> str:
        """Wait until the vectorizer is paused; returns the reason."""
        deadline = time.monotonic() + DEADLINE_S
        while not self.bus.health().paused:
            assert time.monotonic() < deadline
            await asyncio.sleep(0.02)
        return next(iter(self.bus.health().paused.values()))

    async def found(self, text: str) -> list[str]:
        data = await self.gateway.execute_document(MEANING, {"t": text})
        return [hit["track"]["title"] for hit in data["search"]["hits"]]

    async def counts(self) -> tuple[int, int, int]:
        """The numbers of vectorized tracks, of current text vectors, and of failures."""
        row = await self.pool.fetchrow(
            "SELECT (SELECT count(*) FROM tracks"
            " WHERE vectorized_content_revision = content_revision),"
            " (SELECT count(*) FROM track_vectors v JOIN vector_spaces s"
            " ON s.id = v.vector_space_id WHERE s.is_current AND s.space = 'text'),"
            " (SELECT count(*) FROM failures)"
        )
        assert row is not None
        return tuple(row)


@fixture
async def pipeline(
    pool: asyncpg.Pool, database_settings: Settings, tmp_path: Path, ollama: OllamaServer,
    ollama_parts: Parts,
) -> AsyncIterator[Pipeline]:  # fmt: skip
    ollama.add(MODEL, ollama_parts.model)
    bus = InProcessBus(policy=QUICK)
    settings = database_settings.model_copy(update={"port": 0})
    embedders = [OllamaEmbedder(ollama.url, MODEL, open_s=0.3) for _ in range(2)]
    gateway_service = api.build(
        settings, bus=bus, embedder=embedders[0], search=TantivyIndex(tmp_path / "search")
    )
    transport = httpx.ASGITransport(gateway_service.app)
    async with AsyncExitStack() as running:
        client = httpx.AsyncClient(transport=transport, base_url="http://test", timeout=60)
        gateway = Gateway(HttpTransport(await running.enter_async_context(client)))
        for service in (
            gateway_service.service,
            vectorizer.build(gateway=gateway, embedder=embedders[1]),
        ):
            await running.enter_async_context(service.lifespan())
            service.subscribe(bus)
        await bus.start()
        running.push_async_callback(bus.drain, 10)
        yield Pipeline(gateway, bus, pool)
    await drop_space_indexes(pool)


async def test_the_vectorizer_waits_for_ollama_and_then_computes_every_vector(
    pipeline: Pipeline, store_tracks: StoreTracks, ollama: OllamaServer
) -> None:
    tracks = await store_tracks(*(track_item(f"{n}.mp3", title=f"Piece {n}") for n in range(120)))
    await pipeline.analyzed(tracks[:40])
    ollama.kill()  # possibly in the middle of a batch
    try:
        await pipeline.analyzed(tracks[40:])
        assert "out of reach" in await pipeline.paused()
        for _ in range(5):
            with pytest.raises(DependencyDown, match=r"^Ollama at http.* is out of reach"):
                await pipeline.found("calm piano")
    finally:
        ollama.start()
    await pipeline.idle()
    assert await pipeline.counts() == (120, 120, 0)
    assert len(await pipeline.found("calm piano")) == 99


async def test_the_vectorizer_waits_for_a_removed_model_and_names_it(
    pipeline: Pipeline, store_tracks: StoreTracks, ollama: OllamaServer, ollama_parts: Parts
) -> None:
    tracks = await store_tracks("a.mp3", "b.mp3")
    ollama.remove(MODEL)
    await pipeline.analyzed(tracks)
    assert f"ollama pull {MODEL}" in await pipeline.paused()
    with pytest.raises(DependencyDown, match=f"ollama pull {MODEL}"):
        await pipeline.found("calm piano")
    ollama.add(MODEL, ollama_parts.model)
    await pipeline.idle()
    assert await pipeline.counts() == (2, 2, 0)


@pytest.mark.parametrize("size", [{"layers": 2}, {"heads": 4}], ids=["as long", "shorter"])
async def test_vectors_of_a_replaced_model_are_never_compared(
    pipeline: Pipeline, store_tracks: StoreTracks, ollama: OllamaServer, ollama_parts: Parts,
    *, tmp_path: Path, size: dict[str, int],
) -> None:  # fmt: skip
    tracks = await store_tracks("a.mp3", "b.mp3", "c.mp3")
    await pipeline.analyzed(tracks)
    await pipeline.idle()
    assert sorted(await pipeline.found("piano")) == ["a", "b", "c"]
    ollama.add(MODEL, cut(ollama_parts.model, tmp_path / "smaller", **size))
    with pytest.raises(DependencyDown, match="was replaced by another"):
        await pipeline.found("piano")
    with pytest.raises(DependencyDown, match="the tracks have vectors of"):
        await pipeline.found("piano")
    await pipeline.analyzed(tracks[:1])
    await pipeline.idle()
    assert await pipeline.found("piano") == ["a"]
    assert await pipeline.counts() == (1, 1, 0)  # the other two wait for the reconciler
    await pipeline.analyzed(tracks[1:])
    await pipeline.idle()
    assert sorted(await pipeline.found("piano")) == ["a", "b", "c"]
    assert await pipeline.counts() == (3, 3, 0)
