"""Full topics, and topics without consumers, with each adapter."""

import asyncio
from collections.abc import Sequence

import pytest

from shared.bus.port import Outcome, Subscription
from shared.contracts.events import Event, TrackIndexed, TrackVectorized
from shared.contracts.topics import Stage, Topic
from tests.contract.bus_handlers import (
    RecordingHandler,
    indexed,
    subscribe,
    vectorized,
)
from tests.contract.conftest import Adapter, eventually, until_idle


async def test_a_full_topic_makes_its_publishers_wait(adapter: Adapter) -> None:
    if not adapter.bounded:
        pytest.skip(f"{adapter.name} keeps its records on disk")
    bus = adapter.make(capacity=50)
    gate, most = asyncio.Event(), 0

    async def work(_: Sequence[Event]) -> Outcome:
        nonlocal most
        await gate.wait()
        most = max(most, *(lag.records for lag in await bus.lag()))
        return Outcome()

    slow, fast = RecordingHandler(work), RecordingHandler()
    subscribe(bus, slow, batch_size=200)
    bus.subscribe(Subscription(Topic.TRACK_VECTORIZED, Stage.PROGRESS, fast))
    await bus.start()
    publishers = [
        asyncio.create_task(bus.publish([vectorized(n * 200 + m) for m in range(200)]))
        for n in range(3)
    ]
    await eventually(lambda: len(fast.events) == 50, "the capacity is used")
    await asyncio.sleep(0.05)
    assert not any(publisher.done() for publisher in publishers)
    gate.set()
    await asyncio.gather(*publishers)
    await until_idle(bus)
    assert most == 50
    assert len(slow.events) == len(fast.events) == 600


async def test_a_chain_of_full_topics_keeps_moving(adapter: Adapter) -> None:
    bus = adapter.make(capacity=10)

    async def work(events: Sequence[TrackVectorized]) -> Outcome:
        out = [TrackIndexed(track_id=e.track_id, revision=n) for e in events for n in range(1, 6)]
        return Outcome(emit=out)

    after = RecordingHandler()
    subscribe(bus, work, members=3)
    bus.subscribe(Subscription(Topic.TRACK_INDEXED, Stage.PROGRESS, after, batch_size=3))
    await bus.start()
    await bus.publish([vectorized(number) for number in range(200)])
    await until_idle(bus)
    assert len(after.events) == 1000


async def test_events_without_consumers_do_not_fill_a_topic(adapter: Adapter) -> None:
    bus = adapter.make(capacity=10)
    await bus.start()
    await asyncio.wait_for(bus.publish([indexed(number) for number in range(100)]), 20)
    assert await bus.lag() == []
