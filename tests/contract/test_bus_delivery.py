"""The delivery of events with each adapter: to which group, in which order, in which batches."""

import asyncio
import random
from collections import Counter, defaultdict
from collections.abc import Sequence

from shared.bus.port import Bus, Outcome, Subscription
from shared.contracts.errors import InvalidInput
from shared.contracts.events import Event, TrackVectorized
from shared.contracts.topics import Stage, Topic
from tests.contract.bus_handlers import (
    RecordingHandler,
    fails_all,
    indexed,
    subscribe,
    vectorized,
)
from tests.contract.conftest import eventually, until_idle


async def test_every_group_gets_every_event_once(bus: Bus) -> None:
    groups = {
        Stage.INDEX: RecordingHandler(),
        Stage.PROGRESS: RecordingHandler(),
        Stage.ANALYZE: RecordingHandler(),
    }
    for stage, seen in groups.items():
        bus.subscribe(Subscription(Topic.TRACK_VECTORIZED, stage, seen, members=2))
    await bus.start()
    sent = [vectorized(number) for number in range(1000)]
    await bus.publish(sent)
    await until_idle(bus)
    for seen in groups.values():
        assert Counter(seen.events) == Counter(sent)


async def test_a_key_is_handled_in_order_and_by_one_member_at_a_time(bus: Bus) -> None:
    at_work: Counter[str] = Counter()
    orders: dict[str, list[int]] = defaultdict(list)
    most = 0
    chance = random.Random(5)

    async def work(events: Sequence[TrackVectorized]) -> Outcome:
        nonlocal most
        keys = {event.key for event in events}
        at_work.update(keys)
        most = max(most, *(at_work[key] for key in keys))
        await asyncio.sleep(chance.random() / 200)
        for event in events:
            orders[event.key].append(event.revision)
        at_work.subtract(keys)
        return Outcome()

    subscribe(bus, work, members=4, batch_size=7, batch_wait_s=0)
    await bus.start()
    for revision in range(1, 31):
        await bus.publish([vectorized(number, revision) for number in range(20)])
    await until_idle(bus)
    assert list(orders.values()) == [list(range(1, 31))] * 20
    assert most == 1


async def test_members_of_a_group_work_concurrently(bus: Bus) -> None:
    both = asyncio.Barrier(2)

    async def work(_: Sequence[Event]) -> Outcome:
        await both.wait()  # never passes with one member alone
        return Outcome()

    subscribe(bus, work, members=2, batch_size=1, batch_wait_s=0)
    await bus.start()
    await bus.publish([vectorized(number) for number in range(100)])
    await eventually(lambda: both.n_waiting == 0, "a first meeting")
    await bus.drain(0)


async def test_batches_fill_up_and_have_a_limit(bus: Bus) -> None:
    seen = RecordingHandler()
    subscribe(bus, seen, batch_size=40, batch_wait_s=0.2)
    await bus.start()
    for number in range(100):
        await bus.publish([vectorized(number)])
    await until_idle(bus)
    sizes = [len(batch) for batch in seen.batches]
    assert sum(sizes) == 100
    assert max(sizes) <= 40
    assert len(sizes) < 20


async def test_a_batch_in_flight_counts_as_lag_until_its_results_are_published(bus: Bus) -> None:
    gate = asyncio.Event()

    async def work(events: Sequence[TrackVectorized]) -> Outcome:
        await gate.wait()
        return Outcome(emit=[indexed(number) for number, _ in enumerate(events)])

    upstream, downstream = RecordingHandler(work), RecordingHandler()
    bus.subscribe(Subscription(Topic.TRACK_VECTORIZED, Stage.INDEX, upstream))
    bus.subscribe(Subscription(Topic.TRACK_INDEXED, Stage.PROGRESS, downstream))
    await bus.start()
    await bus.publish([vectorized(number) for number in range(5)])
    await eventually(lambda: bool(upstream.events), "a batch is in flight")
    lags = {(lag.topic, lag.stage): lag.records for lag in await bus.lag()}
    assert lags == {("track.vectorized", "indexer"): 5, ("track.indexed", "api.progress"): 0}
    assert not downstream.events
    gate.set()
    await eventually(lambda: len(downstream.events) == 5, "the results arrive")
    await until_idle(bus)


async def test_events_that_a_handler_emits_carry_their_service_and_a_stable_id(bus: Bus) -> None:
    async def work(_: Sequence[Event]) -> Outcome:
        return Outcome(emit=[indexed(1), indexed(1)])

    dead_letters = subscribe(bus, work)
    bus.subscribe(Subscription(Topic.TRACK_INDEXED, Stage.PROGRESS, fails_all(InvalidInput("no"))))
    await bus.start()
    await bus.publish([vectorized(1)])
    await eventually(lambda: len(dead_letters.letters) == 2, "both come back as dead letters")
    one, two = (letter.record.headers for letter in dead_letters.letters)
    assert one["ce_source"] == b"/soniquebay/indexer"
    assert one["ce_type"] == b"soniquebay.track.indexed.v1"
    assert one["ce_id"] == two["ce_id"] == indexed(1).event_id.encode()
