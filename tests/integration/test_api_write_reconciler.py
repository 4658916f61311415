"""The reconciler publishes one event for each stalled track, and none for those in flight."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from datetime import timedelta
from uuid import UUID

import asyncpg
import pytest
from pytest_asyncio import fixture

from services.api.handlers import keep_failures, note_indexed
from services.api.reconciler import TRY_LOCK, Reconciler
from services.api.store import artists, scans
from services.api.store.analyses.current import expect_analyzer
from services.api.store.analyses.upsert import upsert_analyses
from services.api.store.database.embedded import EmbeddedPostgres
from services.api.store.files.missing import mark_missing
from services.api.store.reading.scans import read as read_scans
from services.api.store.results import TrackUpserted
from services.api.store.vectors.upsert import upsert_vectors
from shared.bus.in_process import InProcessBus
from shared.bus.port import Outcome, Subscription
from shared.contracts.events import (
    AudioAnalyzed,
    Event,
    ScanRequested,
    TrackChange,
    TrackExtracted,
    TrackIndexed,
    TrackVectorized,
)
from shared.contracts.topics import CONSUMERS, Stage
from shared.contracts.versions import ANALYZER_VERSION
from shared.runtime.settings import Settings
from tests.integration.api_write_items import (
    AUDIO,
    TEXT,
    begin_scan,
    extracted,
    letter,
    register_both,
    track_of,
    vector,
)
from tests.integration.conftest import StoreTracks, analysis_item, track_item


class RecordingStages:
    """Consumers of all stages on a real bus. They keep their events, and finish at an open gate."""

    def __init__(self, bus: InProcessBus | None = None) -> None:
        self.bus = bus or InProcessBus()
        self.gate = asyncio.Event()
        self.seen: list[Event] = []
        for topic, stages in CONSUMERS.items():
            for stage in stages:
                self.bus.subscribe(Subscription(topic, stage, self._handle))

    async def _handle(self, events: Sequence[Event]) -> Outcome:
        await self.gate.wait()
        self.seen += events
        return Outcome()

    async def quiet(self) -> None:
        """Return when all lags are zero."""
        while any(lag.records for lag in await self.bus.lag()):  # noqa: ASYNC110 - the bus has no event
            await asyncio.sleep(0.01)


@fixture
async def stages(pool: asyncpg.Pool) -> AsyncIterator[RecordingStages]:
    stages = RecordingStages()
    stages.gate.set()
    await stages.bus.start()
    yield stages
    stages.gate.set()
    await stages.bus.drain(5)


@pytest.fixture
def reconciler(pool: asyncpg.Pool, stages: RecordingStages) -> Reconciler:
    return Reconciler(pool, stages.bus, interval_s=60, grace_s=0)


async def complete(pool: asyncpg.Pool, track: TrackUpserted) -> TrackUpserted:
    """Bring a track complete all stages; its new state."""
    await register_both(pool)
    (track,) = await upsert_analyses(pool, [analysis_item(track)])
    await upsert_vectors(pool, [vector(track, AUDIO), vector(track, TEXT)])
    await note_indexed(pool, [TrackIndexed(track_id=track_of(track), revision=track.revision)])
    return track


async def test_a_track_gets_the_event_of_the_stage_that_it_waits_for_and_then_none(
    pool: asyncpg.Pool, store_tracks: StoreTracks, reconciler: Reconciler, stages: RecordingStages
) -> None:
    await register_both(pool)
    (track,) = await store_tracks("a.mp3")
    id_ = track_of(track)
    published = [await reconciler.reconcile()]
    await stages.quiet()
    await upsert_analyses(pool, [analysis_item(track)])
    published.append(await reconciler.reconcile())
    await stages.quiet()
    await upsert_vectors(pool, [vector(track, AUDIO), vector(track, TEXT)])
    published.append(await reconciler.reconcile())
    await stages.quiet()
    await note_indexed(pool, [TrackIndexed(track_id=id_, revision=2)])
    published.append(await reconciler.reconcile())
    assert published == [
        [TrackExtracted(track_id=id_, change=TrackChange.CREATED, content_revision=1, revision=1)],
        [
            AudioAnalyzed(
                track_id=id_, analyzer_version=ANALYZER_VERSION, content_revision=1, revision=2
            )
        ],
        [TrackVectorized(track_id=id_, content_revision=1, revision=2)],
        [],
    ]


async def test_nothing_is_published_while_events_are_in_flight(
    store_tracks: StoreTracks, reconciler: Reconciler, stages: RecordingStages
) -> None:
    (track,) = await store_tracks("a.mp3")
    stages.gate.clear()
    await stages.bus.publish([extracted(track)])
    assert await reconciler.reconcile() == []
    stages.gate.set()
    await stages.quiet()
    assert len(await reconciler.reconcile()) == 1


async def test_a_missing_track_is_published_for_the_index(
    pool: asyncpg.Pool,
    library_id: UUID,
    store_tracks: StoreTracks,
    reconciler: Reconciler,
) -> None:
    (track,) = await store_tracks("a.mp3")
    await complete(pool, track)
    assert await reconciler.reconcile() == []
    await mark_missing(pool, library_id, ["a.mp3"])
    (event,) = await reconciler.reconcile()
    assert isinstance(event, TrackExtracted)
    assert event.change is TrackChange.MISSING


async def test_a_failed_track_is_not_retried_but_its_tags_are_indexed(
    pool: asyncpg.Pool, store_tracks: StoreTracks, reconciler: Reconciler, stages: RecordingStages
) -> None:
    (track,) = await store_tracks("a.mp3")
    await keep_failures(pool, [letter(extracted(track), Stage.ANALYZE)])
    (event,) = await reconciler.reconcile()
    assert isinstance(event, TrackVectorized)
    await stages.quiet()
    await note_indexed(pool, [TrackIndexed(track_id=track_of(track), revision=1)])
    assert await reconciler.reconcile() == []


async def test_another_analyzer_version_makes_all_tracks_wait(
    pool: asyncpg.Pool, store_tracks: StoreTracks, reconciler: Reconciler
) -> None:
    (track,) = await store_tracks("a.mp3")
    await complete(pool, track)
    await expect_analyzer(pool, ANALYZER_VERSION)
    assert await reconciler.reconcile() == []
    await expect_analyzer(pool, "another")
    (event,) = await reconciler.reconcile()
    assert isinstance(event, TrackExtracted)


async def test_new_tracks_come_before_reanalyses_and_these_by_play_count_and_low_confidence(
    pool: asyncpg.Pool, store_tracks: StoreTracks, reconciler: Reconciler, stages: RecordingStages
) -> None:
    facts = [{"source": "some player", "play_count": 3}]
    sure, unsure, played, changed = await store_tracks(
        "sure.mp3", "unsure.mp3", track_item("played.mp3", imported_facts=facts), "changed.mp3"
    )
    items = [analysis_item(one, key_confidence=1) for one in (sure, played, changed)]
    await upsert_analyses(pool, [*items, analysis_item(unsure, tempo_confidence=0.1)])
    await expect_analyzer(pool, "another")
    await pool.execute("UPDATE tracks SET analyzed_content_revision = 1 WHERE id = $1", changed.id)
    (changed,) = await store_tracks(track_item("changed.mp3", size_bytes=2))
    (new,) = await store_tracks("new.mp3")

    async def analysis_events() -> list[str]:
        found = await reconciler.reconcile()
        await stages.quiet()
        return [event.track_id for event in found if isinstance(event, TrackExtracted)]

    assert set(await analysis_events()) == {track_of(new), track_of(changed)}
    await upsert_analyses(pool, [analysis_item(new), analysis_item(changed)])
    assert await analysis_events() == [track_of(one) for one in (played, unsure, sure)]


async def test_an_interrupted_scan_is_walked_again_and_given_up_in_the_end(
    pool: asyncpg.Pool, library_id: UUID, reconciler: Reconciler, stages: RecordingStages
) -> None:
    async def state(scan: UUID) -> str:
        return (await read_scans(pool, [scan]))[scan].state

    scan = await begin_scan(pool, to_read=3)
    for _ in range(scans.MOST_WALKS - 1):
        (event,) = await reconciler.reconcile()
        assert isinstance(event, ScanRequested)
        assert (event.library, event.root, event.folder) == ("music", "/music", "")
        await stages.quiet()
        async with pool.acquire() as connection:
            await scans.begin(connection, scan)
        assert await state(scan) == "walking"
    assert await reconciler.reconcile() == []
    assert await state(scan) == "finished"


async def test_only_one_of_several_reconcilers_publishes(
    pool: asyncpg.Pool, store_tracks: StoreTracks, stages: RecordingStages
) -> None:
    await store_tracks(*(f"{n}.mp3" for n in range(50)))
    stages.gate.clear()
    several = [Reconciler(pool, stages.bus, interval_s=60, grace_s=0) for _ in range(4)]
    published = await asyncio.gather(*(one.reconcile() for one in several))
    assert sum(map(len, published)) == 50


async def test_the_lock_of_a_killed_reconciler_is_released(
    pool: asyncpg.Pool,
    store_tracks: StoreTracks,
    reconciler: Reconciler,
    database_settings: Settings,
) -> None:
    await store_tracks("a.mp3")
    server = EmbeddedPostgres(database_settings.data_dir / "postgres")
    killed = await asyncpg.connect(**server.dsn)
    assert await killed.fetchval(TRY_LOCK)
    assert await reconciler.reconcile() == []
    killed.terminate()  # the socket closes as when the process is killed
    async with asyncio.timeout(10):
        while not await reconciler.reconcile():  # noqa: ASYNC110 - the server has no event
            await asyncio.sleep(0.01)


async def test_the_lock_is_held_until_the_events_are_published(
    pool: asyncpg.Pool, store_tracks: StoreTracks
) -> None:
    class _Slow(InProcessBus):
        async def publish(self, events: Sequence[Event]) -> None:
            published.append(await second.reconcile())
            await super().publish(events)

    published: list[Sequence[Event]] = []
    stages = RecordingStages(_Slow())
    await stages.bus.start()
    first, second = (Reconciler(pool, stages.bus, interval_s=60, grace_s=0) for _ in range(2))
    await store_tracks("a.mp3")
    assert len(await first.reconcile()) == 1
    assert published == [[]]
    stages.gate.set()
    await stages.bus.drain(5)


async def test_artists_and_genres_without_tracks_are_deleted_after_a_while(
    pool: asyncpg.Pool, store_tracks: StoreTracks, artist_id: str, reconciler: Reconciler
) -> None:
    async def left() -> list[str]:
        return [row["name"] for row in await pool.fetch("SELECT name FROM artists ORDER BY name")]

    credit = {"artist_id": artist_id, "credited_as": "B."}
    await store_tracks(track_item("a.mp3", credits=[credit], genres=["kept"]))
    await store_tracks(track_item("a.mp3", credits=[credit], genres=["Jazz"]))
    await artists.upsert(pool, [{"name": "New"}, {"name": "Old"}])
    await pool.execute(
        "UPDATE artists SET updated_at = now() - interval '1 hour' WHERE name IN ('Old', 'B.')"
    )
    await reconciler.reconcile()
    assert await left() == ["B.", "New"]
    assert await pool.fetch("SELECT name FROM genres") == [("Jazz",)]


async def test_old_scans_are_deleted_except_for_the_newest(
    pool: asyncpg.Pool, library_id: UUID
) -> None:
    await pool.execute(
        """
        INSERT INTO scans (library_id, root, mode, state, requested_at, finished_at)
        SELECT $1, '/music', 'incremental', 'finished', ended, ended
        FROM unnest(ARRAY[100, 90, 80, 70, 60, 1]) AS days,
            LATERAL (SELECT now() - days * interval '1 day' AS ended) AS at
        """,
        library_id,
    )
    active = await begin_scan(pool, to_read=1)
    async with pool.acquire() as connection:
        await scans.prune(connection, older_than=timedelta(days=30), newest=2)
    kept = await pool.fetch(
        "SELECT id, (extract(day FROM now() - requested_at))::int AS days FROM scans ORDER BY days"
    )
    assert [row["days"] for row in kept] == [0, 1, 60, 70]
    assert kept[0]["id"] == active
