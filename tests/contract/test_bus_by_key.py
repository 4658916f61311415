"""Subscriptions ordered by key, with each adapter: a slow record holds up its key alone."""

import asyncio
import random
from collections import Counter, defaultdict
from collections.abc import Sequence

from shared.bus.port import Bus, Outcome
from shared.contracts.errors import InvalidInput
from shared.contracts.events import Event, TrackVectorized
from tests.contract.bus_handlers import RecordingHandler, fails_on, subscribe, vectorized
from tests.contract.conftest import Adapter, eventually, until_idle

COUNT = 400


async def _lag(bus: Bus) -> int:
    return sum(lag.records for lag in await bus.lag() if lag.stage == "indexer")


async def test_all_others_are_handled_and_emitted_while_one_record_hangs(bus: Bus) -> None:
    gate = asyncio.Event()

    async def work(events: Sequence[TrackVectorized]) -> Outcome:
        if vectorized(3) in events:
            await gate.wait()
        return Outcome()

    seen = RecordingHandler(work)
    subscribe(bus, seen, batch_size=1, members=3, by_key=True)
    await bus.start()
    await bus.publish([vectorized(number) for number in range(COUNT)])
    await eventually(lambda: len(seen.events) == COUNT, "all are at work or done")
    assert Counter(seen.events) == Counter(vectorized(number) for number in range(COUNT))
    assert await _lag(bus) >= 1, "what hangs is not committed"
    gate.set()
    await until_idle(bus)
    assert len(seen.events) == COUNT


async def test_a_key_is_handled_in_order_and_once_at_a_time(bus: Bus) -> None:
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

    subscribe(bus, work, members=8, batch_size=3, by_key=True)
    await bus.start()
    for revision in range(1, 31):
        await bus.publish([vectorized(number, revision) for number in range(20)])
    await until_idle(bus)
    assert list(orders.values()) == [list(range(1, 31))] * 20
    assert most == 1


async def test_later_records_of_a_key_wait_for_the_one_that_hangs(bus: Bus) -> None:
    gate = asyncio.Event()
    done: list[Event] = []

    async def work(events: Sequence[TrackVectorized]) -> Outcome:
        if vectorized(0, 1) in events:
            await gate.wait()
        done.extend(events)
        return Outcome()

    subscribe(bus, work, batch_size=1, members=4, by_key=True)
    await bus.start()
    await bus.publish([vectorized(0, 1), vectorized(0, 2), *map(vectorized, range(1, 50))])
    await eventually(lambda: len(done) == 49, "the other keys are done")
    assert vectorized(0, 2) not in done
    gate.set()
    await until_idle(bus)
    assert done[-2:] == [vectorized(0, 1), vectorized(0, 2)]


async def test_a_record_that_fails_is_given_up_alone(bus: Bus) -> None:
    seen = RecordingHandler(fails_on(7, InvalidInput("no")))
    dead_letters = subscribe(bus, seen, batch_size=1, members=4, by_key=True)
    await bus.start()
    await bus.publish([vectorized(number) for number in range(50)])
    await until_idle(bus)
    (letter,) = dead_letters.letters
    assert letter.record.key.decode() == vectorized(7).key
    assert Counter(seen.events) == Counter(vectorized(number) for number in range(50))


async def test_drain_lets_records_in_flight_end_and_commits_them(bus: Bus) -> None:
    gate = asyncio.Event()

    async def work(_: Sequence[Event]) -> Outcome:
        await gate.wait()
        return Outcome()

    seen = RecordingHandler(work)
    subscribe(bus, seen, batch_size=1, members=3, by_key=True)
    await bus.start()
    await bus.publish([vectorized(number) for number in range(100)])
    await eventually(lambda: len(seen.events) == 3, "each member is at work")
    draining = asyncio.create_task(bus.drain(20))
    await asyncio.sleep(0.05)
    assert not draining.done()
    gate.set()
    assert await draining
    assert await _lag(bus) == 100 - len(seen.events)


async def test_drain_cancels_a_record_that_hangs_and_does_not_commit_it(bus: Bus) -> None:
    cancelled = asyncio.Event()

    async def work(events: Sequence[TrackVectorized]) -> Outcome:
        if vectorized(0) in events:
            try:
                await asyncio.Event().wait()
            finally:
                cancelled.set()
        return Outcome()

    seen = RecordingHandler(work)
    subscribe(bus, seen, batch_size=1, members=3, by_key=True)
    await bus.start()
    await bus.publish([vectorized(number) for number in range(20)])
    await eventually(lambda: len(seen.events) == 20, "all are at work or done")
    assert not await bus.drain(0.05)
    assert cancelled.is_set()
    assert await _lag(bus) >= 1


async def test_what_was_not_committed_is_handled_by_the_next_member(adapter: Adapter) -> None:
    """The offsets behind a record that hangs are not committed, so nothing is lost."""
    bus = adapter.make()

    async def work(events: Sequence[TrackVectorized]) -> Outcome:
        if vectorized(0) in events and len(seen.batches) <= 20:
            await asyncio.Event().wait()
        return Outcome()

    seen = RecordingHandler(work)
    subscribe(bus, seen, batch_size=1, members=3, by_key=True)
    await bus.start()
    await bus.publish([vectorized(number) for number in range(20)])
    await eventually(lambda: len(seen.events) == 20, "all are at work or done")
    await bus.drain(0.05)
    await bus.start()
    await until_idle(bus)
    assert Counter(seen.events)[vectorized(0)] == 2
