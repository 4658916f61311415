"""Draining a bus with each adapter: events in flight are finished, and no new ones are taken."""

import asyncio
from collections.abc import Sequence

from shared.bus.port import Bus, Outcome, Subscription
from shared.contracts.events import Event, TrackIndexed, TrackVectorized
from shared.contracts.topics import Stage, Topic
from tests.contract.bus_handlers import (
    RecordingHandler,
    indexed,
    subscribe,
    vectorized,
)
from tests.contract.conftest import Adapter, eventually


async def test_drain_finishes_events_in_flight_and_takes_no_new_ones(bus: Bus) -> None:
    gate = asyncio.Event()

    async def work(events: Sequence[TrackVectorized]) -> Outcome:
        await gate.wait()
        return Outcome(emit=[TrackIndexed(track_id=e.track_id, revision=1) for e in events])

    seen = RecordingHandler(work)
    subscribe(bus, seen, batch_size=10, batch_wait_s=0)
    bus.subscribe(Subscription(Topic.TRACK_INDEXED, Stage.PROGRESS, RecordingHandler()))
    await bus.start()
    await bus.publish([vectorized(number) for number in range(100)])
    await eventually(lambda: bool(seen.batches), "a batch is in flight")
    draining = asyncio.create_task(bus.drain(20))
    await asyncio.sleep(0.05)
    assert not draining.done()
    gate.set()
    assert await draining
    taken = len(seen.events)
    assert len(seen.batches) == 1
    lags = {lag.stage: lag.records for lag in await bus.lag() if not lag.topic.endswith(".dlq")}
    assert lags["indexer"] == 100 - taken  # the rest is there for the next start
    assert lags["api.progress"] == taken
    assert not bus.health().connected


async def test_drain_gives_up_after_its_time_limit(bus: Bus) -> None:
    stopped = asyncio.Event()

    async def work(_: Sequence[Event]) -> Outcome:
        try:
            await asyncio.Event().wait()
        finally:
            stopped.set()
        raise AssertionError

    seen = RecordingHandler(work)
    subscribe(bus, seen)
    await bus.start()
    await bus.publish([vectorized(1)])
    await eventually(lambda: bool(seen.batches), "the batch is in flight")
    assert not await bus.drain(0.05)
    assert stopped.is_set()
    assert [lag.records for lag in await bus.lag() if lag.stage == "indexer"] == [1]


async def test_drain_does_not_wait_for_a_full_topic_without_consumers(adapter: Adapter) -> None:
    bus = adapter.make(capacity=5)

    async def emits_much(_: Sequence[Event]) -> Outcome:
        return Outcome(emit=[indexed(number) for number in range(100)])

    async def waits(_: Sequence[Event]) -> Outcome:
        await asyncio.sleep(0.2)
        return Outcome()

    before, after = RecordingHandler(emits_much), RecordingHandler(waits)
    subscribe(bus, before)
    bus.subscribe(Subscription(Topic.TRACK_INDEXED, Stage.PROGRESS, after))
    await bus.start()
    await bus.publish([vectorized(1)])
    await eventually(lambda: bool(after.batches), "the first results arrive")
    assert await bus.drain(30)
