"""The analyzer with real processes, files, bus, gateway and database."""

import asyncio
import base64
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import numpy as np
import pytest
import soundfile
from pytest_asyncio import fixture

from services.analyzer import service as analyzer
from services.analyzer.musicnn.msd import MSD
from services.api import service as api
from services.api.store.analyses.upsert import upsert_analyses
from services.api.store.results import TrackUpserted
from shared.bus.in_process import InProcessBus
from shared.bus.port import Outcome, Subscription
from shared.contracts.events import AudioAnalyzed, TrackChange, TrackExtracted
from shared.contracts.identity import IdKind, format_id
from shared.contracts.topics import Stage, Topic
from shared.embedding.wordllama_embedder import WordLlamaEmbedder
from shared.gateway.client import Gateway
from shared.gateway.http_transport import HttpTransport
from shared.runtime.settings import Settings
from shared.search.tantivy_index import TantivyIndex
from tests.integration.conftest import StoreTracks, analysis_item, track_item
from tests.integration.worker_jobs import analyze_or_hang

RATE_HZ = 22_050
ASK = """
query($ids: [ID!]!) {
  tracksById(ids: $ids) {
    analysis {
      analyzerVersion contentRevision tempoBpm loudnessLufs damaged waveform acoustidId
      meaningAbsence meaning { model version patches genre tags { name score } embedding }
    }
  }
}
"""


@dataclass
class Pipeline:
    """The api and the analyzer on one bus; the library `music` is mounted in another folder."""

    gateway: Gateway
    bus: InProcessBus
    pool: asyncpg.Pool
    music: Path
    analyzed: list[AudioAnalyzed]

    def write(self, name: str, *, level: float = 0.3, duration_s: int = 12) -> None:
        """Write a file with clicks at 120 BPM."""
        times = np.arange(RATE_HZ * duration_s) / RATE_HZ
        sound = level * np.sin(2 * np.pi * 440 * times) * np.exp(-(times % 0.5) / 0.03)
        soundfile.write(self.music / name, sound, RATE_HZ)

    async def extracted(self, *tracks: TrackUpserted) -> None:
        """Publish the extractor's events, and wait until the analyzer has handled them."""
        await self.publish(*tracks)
        deadline = time.monotonic() + 120
        while any(lag.records for lag in await self.bus.lag()):
            assert time.monotonic() < deadline, self.bus.health()
            await asyncio.sleep(0.02)

    async def publish(self, *tracks: TrackUpserted) -> None:
        """Publish the extractor's events."""
        await self.bus.publish(
            [
                TrackExtracted(
                    track_id=id_of(track), change=TrackChange.CREATED,
                    content_revision=track.content_revision, revision=track.revision,
                )
                for track in tracks
            ]
        )  # fmt: skip

    async def analyses(self, *tracks: TrackUpserted) -> list[dict[str, Any] | None]:
        data = await self.gateway.execute_document(ASK, {"ids": [id_of(track) for track in tracks]})
        return [track["analysis"] for track in data["tracksById"]]

    async def failures(self) -> list[tuple[str, str]]:
        rows = await self.pool.fetch("SELECT kind::text, message FROM failures ORDER BY message")
        return [(row["kind"].lower(), row["message"]) for row in rows]


def id_of(track: TrackUpserted) -> str:
    assert track.id is not None
    return format_id(IdKind.TRACK, track.id)


def _acoustid(_: httpx.Request) -> httpx.Response:
    return httpx.Response(200, json={"status": "ok", "results": [{"score": 1, "id": "acoustid"}]})


@fixture
async def pipeline(
    pool: asyncpg.Pool, database_settings: Settings, tmp_path: Path, request: pytest.FixtureRequest
) -> AsyncIterator[Pipeline]:
    """The parameter, if any, is the time limit of a file in seconds."""
    music = tmp_path / "mounted"
    music.mkdir()
    settings = database_settings.model_copy(
        update={
            "port": 0, "workers": 2, "mounts": {"music": str(music)},
            "analysis_timeout_s": getattr(request, "param", 60),
            "acoustid_key": Settings(acoustid_key="key").acoustid_key,
        }
    )  # fmt: skip
    bus = InProcessBus()
    analyzed: list[AudioAnalyzed] = []

    async def record(events: Sequence[AudioAnalyzed]) -> Outcome:
        analyzed.extend(events)
        return Outcome()

    bus.subscribe(Subscription(Topic.AUDIO_ANALYZED, Stage.VECTORIZE, record))
    search = TantivyIndex(tmp_path / "search")
    gateway_service = api.build(settings, bus=bus, embedder=WordLlamaEmbedder(), search=search)
    transport = httpx.ASGITransport(gateway_service.app)
    async with AsyncExitStack() as running:
        client = httpx.AsyncClient(transport=transport, base_url="http://test", timeout=60)
        gateway = Gateway(HttpTransport(await running.enter_async_context(client)))
        service = analyzer.build(
            settings, gateway=gateway, acoustid_transport=httpx.MockTransport(_acoustid),
            analyze=analyze_or_hang,
        )  # fmt: skip
        for each in (gateway_service.service, service):
            await running.enter_async_context(each.lifespan())
            each.subscribe(bus)
        await bus.start()
        running.push_async_callback(bus.drain, 2)
        yield Pipeline(gateway, bus, pool, music, analyzed)


async def test_files_are_analysed_at_their_mount_and_bad_ones_fail_alone(
    pipeline: Pipeline, store_tracks: StoreTracks
) -> None:
    for name in ("one.wav", "two.flac"):
        pipeline.write(name)
    (pipeline.music / "bad.mp3").write_bytes(b"no music at all" * 99)
    tracks = await store_tracks("one.wav", "bad.mp3", "two.flac", "gone.ogg")
    await pipeline.extracted(*tracks)
    one, bad, two, gone = await pipeline.analyses(*tracks)
    assert bad is None
    assert gone is None
    for analysis in (one, two):
        assert analysis is not None
        assert abs(analysis["tempoBpm"] - 120) < 2
        assert len(analysis["waveform"]) == 1_000
        assert analysis["acoustidId"] in {"acoustid", None}  # None without libchromaprint
    (kind, reason), (kind_gone, reason_gone) = await pipeline.failures()
    assert (kind, kind_gone) == ("invalid", "invalid")
    assert reason == ("bad.mp3: it cannot be decoded: it holds invalid data")
    assert reason_gone == "gone.ogg: the file is gone"


@pytest.mark.parametrize("pipeline", [600], indirect=True)
async def test_a_file_that_hangs_holds_one_worker_and_all_others_are_stored_meanwhile(
    pipeline: Pipeline, store_tracks: StoreTracks
) -> None:
    names = ["hang.wav", *(f"{number}.wav" for number in range(40))]  # 16 are in flight at a time
    for name in names:
        pipeline.write(name, duration_s=2)
    tracks = await store_tracks(*names)
    await pipeline.publish(*tracks)
    async with asyncio.timeout(120):
        while len(pipeline.analyzed) < len(tracks) - 1:  # noqa: ASYNC110 - the bus has no event
            await asyncio.sleep(0.02)
    hung, *others = await pipeline.analyses(*tracks)
    assert hung is None
    assert None not in others
    assert [lag.records for lag in await pipeline.bus.lag() if lag.stage == "analyzer"] == [1]
    assert await pipeline.failures() == []


@pytest.mark.parametrize("pipeline", [1], indirect=True)
async def test_a_file_that_hangs_is_a_failure_after_its_time_limit(
    pipeline: Pipeline, store_tracks: StoreTracks
) -> None:
    pipeline.write("hang.wav")
    await pipeline.extracted(*await store_tracks("hang.wav"))
    ((kind, reason),) = await pipeline.failures()
    assert kind == "invalid"
    assert reason == (
        "hang.wav: its analysis took longer than 1 s and was stopped"
        " (`SONIQUEBAY_ANALYSIS_TIMEOUT_S` sets the limit)"
    )


async def test_files_are_analysed_with_the_trained_model_and_again_if_it_was_absent(
    pipeline: Pipeline, store_tracks: StoreTracks
) -> None:
    model = (
        await pipeline.gateway.execute_document("{audioModel {model version dimensions}}", {})
    )["audioModel"]
    assert model == {"model": "musicnn-msd", "version": MSD.version, "dimensions": 420}
    pipeline.write("song.wav")
    (track,) = await store_tracks("song.wav")
    await upsert_analyses(
        pipeline.pool, [analysis_item(track, meaning_absence="the package is not installed")]
    )
    (before,) = await pipeline.analyses(track)
    assert before is not None
    assert before["meaning"] is None
    assert before["meaningAbsence"] == "the package is not installed"
    await pipeline.extracted(track)
    (after,) = await pipeline.analyses(track)
    assert after is not None
    assert after["meaningAbsence"] is None
    meaning = after["meaning"]
    assert (meaning["model"], meaning["patches"]) == ("musicnn-msd", 4)
    assert len(meaning["tags"]) == 50
    assert meaning["tags"] == sorted(meaning["tags"], key=lambda tag: -tag["score"])
    embedding = np.frombuffer(base64.b64decode(meaning["embedding"]), "<f4")
    assert np.linalg.norm(embedding) == pytest.approx(1, abs=1e-5)
    assert len(embedding) == 420


async def test_a_track_is_analysed_once_for_its_content_and_again_for_another(
    pipeline: Pipeline, store_tracks: StoreTracks
) -> None:
    pipeline.write("song.wav")
    (track,) = await store_tracks("song.wav")
    await pipeline.extracted(track)
    (first,) = await pipeline.analyses(track)
    pipeline.write("song.wav", level=0.03)
    await pipeline.extracted(track)  # the same content revision: nothing is done
    assert await pipeline.analyses(track) == [first]
    (changed,) = await store_tracks(track_item("song.wav", size_bytes=2_000))
    await pipeline.extracted(changed)
    (second,) = await pipeline.analyses(changed)
    assert first is not None
    assert second is not None
    assert second["contentRevision"] == first["contentRevision"] + 1
    assert second["loudnessLufs"] < first["loudnessLufs"] - 15


async def test_a_track_of_known_audio_is_published_without_being_decoded(
    pipeline: Pipeline, store_tracks: StoreTracks
) -> None:
    pipeline.write("song.wav")
    known = {"content_hash": "ab" * 16, "is_checked": True}
    (track,) = await store_tracks(track_item("song.wav", **known))
    await pipeline.extracted(track)
    (copy,) = await store_tracks(track_item("there is no such file.wav", **known))
    await pipeline.extracted(copy)
    first, second = await pipeline.analyses(track, copy)
    assert first == second
    assert first is not None
    assert [event.track_id for event in pipeline.analyzed] == [id_of(track), id_of(copy)]
    assert await pipeline.failures() == []


async def test_a_paused_analysis_waits_visibly_and_resumes_where_it_was(
    pipeline: Pipeline, store_tracks: StoreTracks
) -> None:
    async def waits() -> list[str]:
        status = await pipeline.gateway.execute_document(
            "{ status { paused { stage reason } } }", {}
        )
        return [each["stage"] for each in status["status"]["paused"] if "resume" in each["reason"]]

    async def change(name: str) -> bool:
        changed: bool = (await pipeline.gateway.execute_document(f"mutation {{ {name} }}", {}))[
            name
        ]
        return changed

    pipeline.write("song.wav")
    (track,) = await store_tracks("song.wav")
    assert [await change("pauseAnalysis") for _ in range(2)] == [True, False]
    publishing = asyncio.create_task(pipeline.extracted(track))
    async with asyncio.timeout(20):
        while not pipeline.bus.health().paused:  # noqa: ASYNC110 - the bus has no event
            await asyncio.sleep(0.02)
    assert await waits() == ["analyzer"]
    assert await pipeline.analyses(track) == [None]
    assert [await change("resumeAnalysis") for _ in range(2)] == [True, False]
    await publishing
    assert await waits() == []
    assert await pipeline.analyses(track) != [None]
    assert await pipeline.failures() == []


async def test_files_on_an_unmounted_disk_fail_as_transient_and_not_as_invalid(
    pipeline: Pipeline, store_tracks: StoreTracks
) -> None:
    pipeline.music.rmdir()
    tracks = await store_tracks("a.mp3", "b.mp3")
    await pipeline.extracted(*tracks)
    failures = await pipeline.failures()
    assert {kind for kind, _ in failures} == {"transient"}
    assert all("is a disk not mounted?" in message for _, message in failures)
