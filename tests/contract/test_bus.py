"""What a bus does, whichever adapter it is."""

import asyncio
import json
import random
from collections import Counter, defaultdict
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import pytest

from shared.bus.port import Bus, Outcome, Rejected, Subscription
from shared.contracts.envelope import DeadLetter, Record
from shared.contracts.errors import DependencyDown, FailureKind, InvalidInput, TransientError
from shared.contracts.events import Event, TrackIndexed, TrackVectorized
from shared.contracts.topics import Stage, Topic
from tests.contract.conftest import QUICK, Adapter, eventually, until_idle

Handler = Callable[[Sequence[Any]], Awaitable[Outcome]]


def vectorized(number: int, revision: int = 1) -> TrackVectorized:
    return TrackVectorized(track_id=f"trk_{number:032x}", content_revision=1, revision=revision)


def indexed(number: int) -> TrackIndexed:
    return TrackIndexed(track_id=f"trk_{number:032x}", revision=1)


class Seen:
    """A handler that remembers its batches, and then does as `then` says."""

    def __init__(self, then: Handler | None = None) -> None:
        self.batches: list[list[Any]] = []
        self._then = then

    async def __call__(self, events: Sequence[Any]) -> Outcome:
        self.batches.append(list(events))
        return await self._then(events) if self._then else Outcome()

    @property
    def events(self) -> list[Any]:
        return [event for batch in self.batches for event in batch]


class Graveyard:
    """A handler of dead letters that keeps them."""

    def __init__(self, failures: int = 0) -> None:
        self.letters: list[DeadLetter] = []
        self.calls = 0
        self._failures = failures

    async def __call__(self, letters: Sequence[DeadLetter]) -> None:
        self.calls += 1
        if self.calls <= self._failures:
            raise RuntimeError("the failures cannot be stored")
        self.letters += letters


def subscribe(bus: Bus, handler: Handler, **options: Any) -> Graveyard:
    """Consume `track.vectorized` with `handler`, and keep its dead letters."""
    options = {"topic": Topic.TRACK_VECTORIZED, "stage": Stage.INDEX, **options}
    bus.subscribe(Subscription(handler=handler, **options))
    graveyard = Graveyard()
    bus.subscribe_dead_letters(Stage.FAILURES, graveyard)
    return graveyard


def fails_on(number: int, error: Exception) -> Handler:
    """A handler's work that fails when the event of that number is in the batch."""

    async def work(events: Sequence[TrackVectorized]) -> Outcome:
        if vectorized(number) in events:
            raise error
        return Outcome()

    return work


async def test_every_group_gets_every_event_once(bus: Bus) -> None:
    groups = {Stage.INDEX: Seen(), Stage.PROGRESS: Seen(), Stage.ANALYZE: Seen()}
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


async def test_members_of_a_group_work_side_by_side(bus: Bus) -> None:
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
    seen = Seen()
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

    upstream, downstream = Seen(work), Seen()
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

    graveyard = subscribe(bus, work)
    bus.subscribe(Subscription(Topic.TRACK_INDEXED, Stage.PROGRESS, fails_all(InvalidInput("no"))))
    await bus.start()
    await bus.publish([vectorized(1)])
    await eventually(lambda: len(graveyard.letters) == 2, "both come back as dead letters")
    one, two = (letter.record.headers for letter in graveyard.letters)
    assert one["ce_source"] == b"/soniquebay/indexer"
    assert one["ce_type"] == b"soniquebay.track.indexed.v1"
    assert one["ce_id"] == two["ce_id"] == indexed(1).event_id.encode()


def fails_all(error: Exception) -> Handler:
    async def work(_: Sequence[Event]) -> Outcome:
        raise error

    return work


async def test_a_transient_error_is_retried_and_then_forgotten(bus: Bus) -> None:
    errors = [TransientError("broke off"), TransientError("again")]

    async def work(_: Sequence[Event]) -> Outcome:
        if errors:
            raise errors.pop()
        return Outcome()

    seen = Seen(work)
    graveyard = subscribe(bus, seen)
    await bus.start()
    await bus.publish([vectorized(1), vectorized(1, revision=2)])
    await until_idle(bus)
    assert seen.events[-2:] == [vectorized(1), vectorized(1, revision=2)]
    assert not graveyard.letters


@pytest.mark.parametrize(
    ("error", "kind", "calls", "message"),
    [
        (InvalidInput("no audio in it"), FailureKind.INVALID, 1, "no audio in it"),
        (TransientError("broke off"), FailureKind.TRANSIENT, QUICK.attempts, "broke off"),
        (KeyError("tempo"), FailureKind.BUG, 1, "KeyError: 'tempo'"),
    ],
    ids=["invalid at once", "transient after bounded attempts", "bug at once"],
)
async def test_an_error_that_stays_ends_in_a_dead_letter(
    bus: Bus, error: Exception, kind: FailureKind, calls: int, message: str
) -> None:
    seen = Seen(fails_all(error))
    graveyard = subscribe(bus, seen)
    await bus.start()
    await bus.publish([vectorized(1)])
    await eventually(lambda: bool(graveyard.letters), "a dead letter")
    (letter,) = graveyard.letters
    assert (letter.kind, letter.message, letter.attempts) == (kind, message, calls)
    assert letter.stage == "indexer"
    assert letter.record.topic == "track.vectorized"
    assert json.loads(letter.record.value) == vectorized(1).model_dump()
    assert len(seen.batches) == calls
    assert ("raise error" in letter.detail) == (kind is FailureKind.BUG)  # the traceback
    await until_idle(bus)


@pytest.mark.parametrize(
    "error", [InvalidInput("x"), TransientError("x"), ZeroDivisionError("x")], ids=repr
)
async def test_one_bad_record_costs_no_other_of_its_batch(bus: Bus, error: Exception) -> None:
    done: set[TrackVectorized] = set()
    check = fails_on(13, error)

    async def work(events: Sequence[TrackVectorized]) -> Outcome:
        await check(events)
        done.update(events)
        return Outcome()

    graveyard = subscribe(bus, work)
    await bus.start()
    await bus.publish([vectorized(number) for number in range(50)])
    await until_idle(bus)
    assert done == {vectorized(number) for number in range(50) if number != 13}
    assert [letter.record.key for letter in graveyard.letters] == [vectorized(13).key.encode()]


async def test_rejected_records_are_given_up_while_the_others_go_on(bus: Bus) -> None:
    async def work(events: Sequence[TrackVectorized]) -> Outcome:
        bad = {vectorized(2): InvalidInput("too short"), vectorized(3): TypeError("None")}
        return Outcome(
            emit=[TrackIndexed(track_id=e.track_id, revision=1) for e in events if e not in bad],
            rejected=[Rejected(event, bad[event]) for event in events if event in bad],
        )

    seen, after = Seen(work), Seen()
    graveyard = subscribe(bus, seen)
    bus.subscribe(Subscription(Topic.TRACK_INDEXED, Stage.PROGRESS, after))
    await bus.start()
    await bus.publish([vectorized(number) for number in range(6)])
    await until_idle(bus)
    assert {event.track_id for event in after.events} == {
        vectorized(number).track_id for number in (0, 1, 4, 5)
    }
    told = {letter.record.key.decode(): letter for letter in graveyard.letters}
    assert told[vectorized(2).key].kind is FailureKind.INVALID
    assert told[vectorized(2).key].message == "too short"
    assert told[vectorized(3).key].kind is FailureKind.BUG
    assert len(seen.events) == 6  # no one was run twice


GOOD = json.loads(vectorized(1).model_dump_json())
V1 = {"ce_type": b"soniquebay.track.vectorized.v1", "ce_id": b"42"}


@pytest.mark.parametrize(
    ("value", "headers", "named"),
    [
        (b"{broken", {}, "JSON"),
        (b"\xff\xfe", {}, "JSON"),
        (b"", {}, "JSON"),
        (b"[" * 100_000, {}, "JSON"),
        (b'"text"', {}, "the value"),
        (json.dumps(GOOD | {"note": "x" * 300_000}).encode(), V1, "larger than an event can be"),
        (json.dumps(GOOD | {"revision": "soon"}).encode(), {}, "revision"),
        (json.dumps(GOOD | {"track_id": "../../etc"}).encode(), V1, "track_id"),
        (json.dumps(GOOD | {"content_revision": 0}).encode(), V1, "content_revision"),
        (json.dumps({"track_id": GOOD["track_id"]}).encode(), V1, "content_revision"),
        (json.dumps(GOOD).encode(), {"ce_type": b"soniquebay.track.vectorized.v9"}, "v9"),
        (json.dumps(GOOD).encode(), {"ce_type": b"\xff"}, "type"),
    ],
    ids=[
        "no JSON", "no UTF-8", "empty", "deep", "no object", "too large", "wrong type", "bad id",
        "out of range", "missing field", "unknown version", "type is no UTF-8",
    ],
)  # fmt: skip
async def test_a_record_that_is_no_event_goes_to_the_dead_letters_as_it_was(
    bus: Bus, value: bytes, headers: dict[str, bytes], named: str
) -> None:
    seen = Seen()
    graveyard = subscribe(bus, seen)
    await bus.start()
    bad = Record("track.vectorized", b"\xfe a key", value, headers)
    await bus.publish([vectorized(1)])
    await bus.publish_records([bad])
    await bus.publish([vectorized(2)])
    await until_idle(bus)
    (letter,) = graveyard.letters
    assert letter.kind is FailureKind.INVALID
    assert letter.record == bad
    assert named in letter.message
    assert set(seen.events) == {vectorized(1), vectorized(2)}


async def test_a_foreign_record_needs_no_headers_and_may_have_more_fields(bus: Bus) -> None:
    seen = Seen()
    subscribe(bus, seen)
    await bus.start()
    value = json.dumps(GOOD | {"mood": "fine"}).encode()
    await bus.publish_records([Record("track.vectorized", b"", value)])
    await eventually(lambda: seen.events == [vectorized(1)], "it is handled")


async def test_while_a_dependency_is_down_its_stage_waits_and_loses_nothing(bus: Bus) -> None:
    down = True

    async def work(_: Sequence[Event]) -> Outcome:
        if down:
            raise DependencyDown("the gateway is out of reach")
        return Outcome()

    seen, other = Seen(work), Seen()
    graveyard = subscribe(bus, seen, batch_size=4)
    bus.subscribe(Subscription(Topic.TRACK_VECTORIZED, Stage.PROGRESS, other))
    await bus.start()
    sent = [vectorized(number) for number in range(10)]
    await bus.publish(sent)
    await eventually(lambda: len(seen.batches) > QUICK.attempts + 1, "more tries than retries")
    assert bus.health().paused == {"indexer": "the gateway is out of reach"}
    await eventually(lambda: len(other.events) == 10, "the other stage goes on")
    down = False
    await until_idle(bus)
    await eventually(lambda: not bus.health().paused, "the stage goes on")
    assert set(seen.events) == set(sent)
    assert not graveyard.letters


async def test_a_dead_letter_can_be_published_again_as_it_is(bus: Bus) -> None:
    broken = True

    async def work(_: Sequence[Event]) -> Outcome:
        if broken:
            raise InvalidInput("not yet")
        return Outcome()

    seen = Seen(work)
    graveyard = subscribe(bus, seen)
    await bus.start()
    await bus.publish([vectorized(7)])
    await eventually(lambda: bool(graveyard.letters), "a dead letter")
    broken = False
    await bus.publish_records([graveyard.letters[0].record])
    await eventually(lambda: len(seen.batches) == 2, "it comes again")
    await until_idle(bus)
    assert seen.events == [vectorized(7), vectorized(7)]
    assert len(graveyard.letters) == 1


async def test_dead_letters_are_handed_over_until_their_handler_takes_them(bus: Bus) -> None:
    bus.subscribe(Subscription(Topic.TRACK_VECTORIZED, Stage.INDEX, fails_all(InvalidInput("no"))))
    graveyard = Graveyard(failures=4)
    bus.subscribe_dead_letters(Stage.FAILURES, graveyard)
    await bus.start()
    await bus.publish([vectorized(number) for number in range(3)])
    await until_idle(bus)
    assert {letter.record.key.decode() for letter in graveyard.letters} == {
        vectorized(number).key for number in range(3)
    }
    assert graveyard.calls > 4


async def test_drain_ends_what_is_in_flight_and_takes_nothing_new(bus: Bus) -> None:
    gate = asyncio.Event()

    async def work(events: Sequence[TrackVectorized]) -> Outcome:
        await gate.wait()
        return Outcome(emit=[TrackIndexed(track_id=e.track_id, revision=1) for e in events])

    seen = Seen(work)
    subscribe(bus, seen, batch_size=10, batch_wait_s=0)
    bus.subscribe(Subscription(Topic.TRACK_INDEXED, Stage.PROGRESS, Seen()))
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


async def test_drain_gives_up_when_its_time_is_over(bus: Bus) -> None:
    stopped = asyncio.Event()

    async def work(_: Sequence[Event]) -> Outcome:
        try:
            await asyncio.Event().wait()
        finally:
            stopped.set()
        raise AssertionError

    seen = Seen(work)
    subscribe(bus, seen)
    await bus.start()
    await bus.publish([vectorized(1)])
    await eventually(lambda: bool(seen.batches), "the batch is in flight")
    assert not await bus.drain(0.05)
    assert stopped.is_set()
    assert [lag.records for lag in await bus.lag() if lag.stage == "indexer"] == [1]


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

    slow, fast = Seen(work), Seen()
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

    after = Seen()
    subscribe(bus, work, members=3)
    bus.subscribe(Subscription(Topic.TRACK_INDEXED, Stage.PROGRESS, after, batch_size=3))
    await bus.start()
    await bus.publish([vectorized(number) for number in range(200)])
    await until_idle(bus)
    assert len(after.events) == 1000


async def test_drain_does_not_wait_for_room_in_a_topic_no_one_empties(adapter: Adapter) -> None:
    bus = adapter.make(capacity=5)

    async def emits_much(_: Sequence[Event]) -> Outcome:
        return Outcome(emit=[indexed(number) for number in range(100)])

    async def waits(_: Sequence[Event]) -> Outcome:
        await asyncio.sleep(0.2)
        return Outcome()

    before, after = Seen(emits_much), Seen(waits)
    subscribe(bus, before)
    bus.subscribe(Subscription(Topic.TRACK_INDEXED, Stage.PROGRESS, after))
    await bus.start()
    await bus.publish([vectorized(1)])
    await eventually(lambda: bool(after.batches), "the first results arrive")
    assert await bus.drain(30)


async def test_events_that_no_one_consumes_are_no_burden(adapter: Adapter) -> None:
    bus = adapter.make(capacity=10)
    await bus.start()
    await asyncio.wait_for(bus.publish([indexed(number) for number in range(100)]), 20)
    assert await bus.lag() == []


async def test_records_of_a_topic_that_does_not_exist_are_refused(bus: Bus) -> None:
    await bus.start()
    with pytest.raises(ValueError, match=r"track\.lost"):
        await bus.publish_records([Record("track.lost", b"k", b"{}")])
