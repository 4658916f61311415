"""The end of the way, for real: vectors and documents through the gateway, found again."""

import asyncio
import time
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
import httpx
import pytest
from pytest_asyncio import fixture

from services.api import service as api
from services.api.store import analyses, generation, meanings
from services.api.store.outcomes import TrackUpserted
from services.indexer import service as indexer
from services.vectorizer import service as vectorizer
from shared.bus.in_process import InProcessBus
from shared.contracts.events import AudioAnalyzed, TrackChange, TrackExtracted
from shared.contracts.identity import IdKind, format_id
from shared.contracts.meaning import AudioModel
from shared.contracts.versions import ANALYZER_VERSION
from shared.embedding.wordllama_embedder import WordLlamaEmbedder
from shared.gateway.client import JSON, Gateway
from shared.runtime.settings import Settings
from shared.search.opensearch_index import OpenSearchIndex
from shared.search.port import SearchDocument, SearchIndex
from shared.search.tantivy_index import TantivyIndex
from tests.engines.opensearch import Node
from tests.integration.conftest import StoreTracks, analysis_item, meaning_item, track_item

CALM = {"energy": 0.1, "tempo_bpm": 60, "loudness_lufs": -28, "mfcc_mean": [-300.0, *[5.0] * 19]}
LOUD = {"energy": 0.9, "tempo_bpm": 160, "loudness_lufs": -7, "mfcc_mean": [-20.0, *[-5.0] * 19]}


@dataclass
class House:
    """The api, the vectorizer and the indexer on one bus, with no reconciler to help."""

    gateway: Gateway
    bus: InProcessBus
    pool: asyncpg.Pool

    async def extracted(self, *tracks: TrackUpserted) -> None:
        """What the extractor says."""
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
        """What the analyzer stores and says."""
        stored = await analyses.store(self.pool, list(items))
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
        """Wait until everything that was published is done."""
        deadline = time.monotonic() + 60
        while any(lag.records for lag in await self.bus.lag()):
            assert time.monotonic() < deadline, self.bus.health()
            await asyncio.sleep(0.02)

    async def ask(self, query: str, **variables: object) -> JSON:
        return await self.gateway.execute(query, variables)

    async def found(self, text: str, mode: str = "TEXT") -> list[str]:
        query = (
            "query($t: String!, $m: SearchMode!) {search(text: $t, mode: $m) {hits {track {id}}}}"
        )
        hits = (await self.ask(query, t=text, m=mode))["search"]["hits"]
        return [hit["track"]["id"] for hit in hits]


Start = Callable[[], Awaitable[House]]


@dataclass(frozen=True, slots=True)
class Engine:
    """An index of one's own, and how it is lost to all who use it."""

    make: Callable[[], SearchIndex]
    lose: Callable[[], Awaitable[None]]


@pytest.fixture
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> Engine:
    """Tantivy's, unless the test names another."""
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
    """Starts the services; called again it starts them anew on the same data."""
    settings = database_settings.model_copy(update={"port": 0})
    embedder = WordLlamaEmbedder()
    running = AsyncExitStack()

    async def begin() -> House:
        await running.aclose()
        bus = InProcessBus()
        index = engine.make()
        gateway_service = api.build(settings, bus=bus, embedder=embedder, search=index)
        transport = httpx.ASGITransport(gateway_service.app)
        client = httpx.AsyncClient(transport=transport, base_url="http://test", timeout=60)
        gateway = Gateway(await running.enter_async_context(client))
        for service in (
            gateway_service.service,
            indexer.build(settings, gateway=gateway, index=index),
            vectorizer.build(gateway=gateway, embedder=embedder),
        ):
            await running.enter_async_context(service.lifespan())
            service.subscribe(bus)
        await bus.start()
        running.push_async_callback(bus.drain, 10)
        return House(gateway, bus, pool)

    yield begin
    await running.aclose()


def track_of(track: TrackUpserted) -> str:
    assert track.id is not None
    return format_id(IdKind.TRACK, track.id)


async def rows(pool: asyncpg.Pool) -> dict[str, asyncpg.Record]:
    return {
        format_id(IdKind.TRACK, row["id"]): row for row in await pool.fetch("SELECT * FROM tracks")
    }


async def test_a_track_is_searchable_at_once_and_complete_after_its_analysis(
    start: Start, store_tracks: StoreTracks
) -> None:
    house = await start()
    (track,) = await store_tracks(track_item("a/Jóga.flac", title="Jóga"))
    await house.extracted(track)
    await house.idle()
    assert await house.found("joga") == [track_of(track)]
    await house.analyzed(analysis_item(track))
    await house.idle()
    (row,) = (await rows(house.pool)).values()
    assert row["vectorized_content_revision"] == row["content_revision"]
    assert row["indexed_revision"] == row["revision"]
    facets = (await house.ask('{search(text: "joga") {facets {name counts {value}}}}'))["search"]
    assert {"name": "key", "counts": [{"value": "A minor"}]} in facets["facets"]


async def test_the_sound_and_the_meaning_of_tracks_can_be_compared(
    start: Start, store_tracks: StoreTracks
) -> None:
    house = await start()
    names = ["calm one", "calm two", "loud one", "loud two"]
    tracks = await store_tracks(
        *(track_item(f"{name}.mp3", title=f"Piece {number}") for number, name in enumerate(names))
    )
    sounds = [CALM, {**CALM, "tempo_bpm": 64}, LOUD, {**LOUD, "tempo_bpm": 150}]
    await house.analyzed(
        *(analysis_item(track, **sound) for track, sound in zip(tracks, sounds, strict=True))
    )
    await house.idle()
    ids = [track_of(track) for track in tracks]
    told = await house.ask(
        "query($ids: [ID!]!) {tracksById(ids: $ids) {similar(first: 1) {score track {id}}"
        " vectors {space model dimensions}}}", ids=ids,
    )  # fmt: skip
    nearest = [track["similar"][0]["track"]["id"] for track in told["tracksById"]]
    assert nearest == [ids[1], ids[0], ids[3], ids[2]]
    spaces = sorted((each["space"], each["model"]) for each in told["tracksById"][0]["vectors"])
    assert spaces == [("AUDIO", "soniquebay-descriptor"), ("TEXT", "wordllama")]
    assert set((await house.found("calm quiet slow", "MEANING"))[:2]) == set(ids[:2])
    assert set((await house.found("loud intense very fast", "MEANING"))[:2]) == set(ids[2:])


EAR = AudioModel(model="ear", version="1", dimensions=2)


async def test_embeddings_of_a_trained_model_are_the_audio_vectors_once_there_is_one(
    start: Start, store_tracks: StoreTracks
) -> None:
    house = await start()
    names = ("one.mp3", "two.mp3", "three.mp3", "four.mp3")
    tracks = one, two, three, four = await store_tracks(*names)
    await house.analyzed(analysis_item(one))
    await house.idle()
    await meanings.register(house.pool, EAR)
    (row,) = await house.pool.fetch(
        "SELECT * FROM tracks WHERE analyzed_content_revision IS NOT NULL"
        " OR vectorized_content_revision IS NOT NULL OR id = $1", one.id,
    )  # fmt: skip
    assert row["analyzed_content_revision"] is None  # heard without a model: it is done anew

    heard = [[0.6, 0.8], [0.8, 0.6], [-0.6, 0.8]]
    await house.analyzed(
        *(
            analysis_item(track, meaning=meaning_item(embedding=embedding), meaning_absence=None)
            for track, embedding in zip((one, two, three), heard, strict=True)
        ),
        analysis_item(four, meaning_absence="the package is not installed"),
    )
    await house.idle()
    ids = [track_of(track) for track in tracks]
    told = await house.ask(
        "query($ids: [ID!]!) {audioModel {model version dimensions} tracksById(ids: $ids)"
        " {similar(first: 1) {track {id}} vectors {space model dimensions}}}", ids=ids,
    )  # fmt: skip
    assert told["audioModel"] == EAR.model_dump()
    spaces = {each["model"] for each in told["tracksById"][0]["vectors"]}
    assert spaces == {"ear", "wordllama"}
    nearest = [track["similar"][0]["track"]["id"] for track in told["tracksById"][:2]]
    assert nearest == [ids[1], ids[0]]
    (failure,) = await house.pool.fetch("SELECT * FROM failures WHERE resolved_at IS NULL")
    assert failure["track_id"] == four.id
    assert "no embedding by ear 1" in failure["message"]
    assert "the package is not installed" in failure["message"]


async def test_events_that_come_again_late_or_of_unknown_tracks_change_nothing(
    start: Start, store_tracks: StoreTracks
) -> None:
    house = await start()
    (track,) = await store_tracks("song.mp3")
    item = analysis_item(track)
    await house.analyzed(item)
    await house.idle()
    before = dict((await rows(house.pool))[track_of(track)])
    late = AudioAnalyzed(
        track_id=track_of(track), analyzer_version="0", content_revision=1, revision=1
    )
    unknown = late.model_copy(update={"track_id": format_id(IdKind.TRACK, UUID(int=1))})
    await house.bus.publish([late, unknown, late])
    await house.idle()
    assert dict((await rows(house.pool))[track_of(track)]) == before
    assert await house.pool.fetchval("SELECT count(*) FROM failures") == 0


async def test_a_track_without_an_analysis_of_its_content_gets_no_vectors(
    start: Start, store_tracks: StoreTracks
) -> None:
    house = await start()
    (track,) = await store_tracks("song.mp3")
    (changed,) = await analyses.store(house.pool, [analysis_item(track)])
    await store_tracks(track_item("song.mp3", size_bytes=5, mtime_ns=5))
    event = AudioAnalyzed(
        track_id=track_of(changed), analyzer_version="1", content_revision=1, revision=1
    )
    await house.bus.publish([event])
    await house.idle()
    assert await house.pool.fetchval("SELECT count(*) FROM track_vectors") == 0


@BOTH_ENGINES
async def test_a_missing_track_is_found_no_more(start: Start, store_tracks: StoreTracks) -> None:
    house = await start()
    (track,) = await store_tracks(track_item("song.mp3", title="Gone"))
    await house.extracted(track)
    await house.idle()
    await house.pool.execute("UPDATE tracks SET is_missing = true, revision = revision + 1")
    await house.extracted(track)
    await house.idle()
    assert await house.found("gone") == []
    (row,) = (await rows(house.pool)).values()
    assert row["indexed_revision"] == row["revision"]


@BOTH_ENGINES
async def test_an_index_that_was_lost_makes_all_tracks_wait_for_the_new_one(
    start: Start, store_tracks: StoreTracks, engine: Engine
) -> None:
    house = await start()
    (track,) = await store_tracks("song.mp3")
    await house.extracted(track)
    await house.idle()
    house = await start()
    (row,) = (await rows(house.pool)).values()
    assert row["indexed_revision"] == row["revision"]  # the same index: nothing to do
    await engine.lose()
    house = await start()
    (row,) = (await rows(house.pool)).values()
    assert row["indexed_revision"] == 0
    await house.extracted(track)
    await house.idle()
    assert await house.found("song") == [track_of(track)]


@BOTH_ENGINES
async def test_an_index_that_was_filled_for_another_database_is_begun_anew(
    start: Start, store_tracks: StoreTracks, engine: Engine
) -> None:
    foreign = engine.make()
    async with foreign.writing():
        await foreign.write([SearchDocument(format_id(IdKind.TRACK, UUID(int=9)), 9, "Song", [])])
    house = await start()
    (track,) = await store_tracks("song.mp3")
    await house.extracted(track)
    await house.idle()
    assert (await house.ask('{search(text: "song") {totalCount}}'))["search"]["totalCount"] == 1


@pytest.mark.parametrize("engine", ["opensearch"], indirect=True)
async def test_after_an_upgrade_tracks_are_found_while_they_wait_for_the_new_index(
    start: Start,
    store_tracks: StoreTracks,
    engine: Engine,
    opensearch: Node,
    pool: asyncpg.Pool,
) -> None:
    (track,) = await store_tracks("song.mp3")
    assert track.id is not None
    assert track.revision is not None
    index = engine.make()
    async with httpx.AsyncClient(base_url=opensearch.url) as client:
        async with index.writing():
            await index.write([SearchDocument(track_of(track), track.revision, "Song", [])])
            current = index.generation
        alias = current.rsplit("-", 2)[0]
        older = f"{alias}-v0-older"
        copy = {"source": {"index": current}, "dest": {"index": older}}
        (await client.post("/_reindex?refresh=true", json=copy)).raise_for_status()
        moved = [
            {"remove_index": {"index": current}},
            {"add": {"index": older, "alias": alias}},
        ]
        (await client.post("/_aliases", json={"actions": moved})).raise_for_status()
    await generation.register(pool, older)
    await generation.indexed(pool, {track.id: track.revision}, stage="index")

    house = await start()
    assert await house.found("song") == [track_of(track)]
    (row,) = (await rows(house.pool)).values()
    assert row["indexed_revision"] == 0
