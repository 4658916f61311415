"""Events whose handler fails, with each adapter: retried, kept, or given up."""

import json
from collections.abc import Sequence

import pytest

from shared.bus.port import Bus, Outcome, Rejected, Subscription
from shared.contracts.errors import (
    DependencyDown,
    FailureKind,
    InvalidInput,
    RetryLater,
    TransientError,
)
from shared.contracts.events import Event, TrackIndexed, TrackVectorized
from shared.contracts.topics import Stage, Topic
from tests.contract.bus_handlers import (
    DeadLetterHandler,
    RecordingHandler,
    fails_all,
    fails_on,
    subscribe,
    vectorized,
)
from tests.contract.conftest import QUICK, eventually, until_idle


async def test_a_transient_error_is_retried_and_then_forgotten(bus: Bus) -> None:
    errors = [TransientError("broke off"), TransientError("again")]

    async def work(_: Sequence[Event]) -> Outcome:
        if errors:
            raise errors.pop()
        return Outcome()

    seen = RecordingHandler(work)
    dead_letters = subscribe(bus, seen)
    await bus.start()
    await bus.publish([vectorized(1), vectorized(1, revision=2)])
    await until_idle(bus)
    assert seen.events[-2:] == [vectorized(1), vectorized(1, revision=2)]
    assert not dead_letters.letters


@pytest.mark.parametrize(
    ("error", "kind", "calls", "message"),
    [
        (InvalidInput("no audio in it"), FailureKind.INVALID, 1, "no audio in it"),
        (TransientError("broke off"), FailureKind.TRANSIENT, QUICK.attempts, "broke off"),
        (KeyError("tempo"), FailureKind.BUG, 1, "KeyError: 'tempo'"),
    ],
    ids=["invalid at once", "transient after bounded attempts", "bug at once"],
)
async def test_a_lasting_error_ends_in_a_dead_letter(
    bus: Bus, error: Exception, kind: FailureKind, calls: int, message: str
) -> None:
    seen = RecordingHandler(fails_all(error))
    dead_letters = subscribe(bus, seen)
    await bus.start()
    await bus.publish([vectorized(1)])
    await eventually(lambda: bool(dead_letters.letters), "a dead letter")
    (letter,) = dead_letters.letters
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
async def test_one_bad_record_does_not_affect_others_of_its_batch(
    bus: Bus, error: Exception
) -> None:
    done: set[TrackVectorized] = set()
    check = fails_on(13, error)

    async def work(events: Sequence[TrackVectorized]) -> Outcome:
        await check(events)
        done.update(events)
        return Outcome()

    dead_letters = subscribe(bus, work)
    await bus.start()
    await bus.publish([vectorized(number) for number in range(50)])
    await until_idle(bus)
    assert done == {vectorized(number) for number in range(50) if number != 13}
    assert [letter.record.key for letter in dead_letters.letters] == [vectorized(13).key.encode()]


async def test_rejected_records_are_given_up_while_the_others_go_on(bus: Bus) -> None:
    async def work(events: Sequence[TrackVectorized]) -> Outcome:
        bad = {vectorized(2): InvalidInput("too short"), vectorized(3): TypeError("None")}
        return Outcome(
            emit=[TrackIndexed(track_id=e.track_id, revision=1) for e in events if e not in bad],
            rejected=[Rejected(event, bad[event]) for event in events if event in bad],
        )

    seen, after = RecordingHandler(work), RecordingHandler()
    dead_letters = subscribe(bus, seen)
    bus.subscribe(Subscription(Topic.TRACK_INDEXED, Stage.PROGRESS, after))
    await bus.start()
    await bus.publish([vectorized(number) for number in range(6)])
    await until_idle(bus)
    assert {event.track_id for event in after.events} == {
        vectorized(number).track_id for number in (0, 1, 4, 5)
    }
    by_key = {letter.record.key.decode(): letter for letter in dead_letters.letters}
    assert by_key[vectorized(2).key].kind is FailureKind.INVALID
    assert by_key[vectorized(2).key].message == "too short"
    assert by_key[vectorized(3).key].kind is FailureKind.BUG
    assert len(seen.events) == 6  # no one was run twice


async def test_an_event_rejected_for_a_reason_that_passes_is_handled_again_alone(bus: Bus) -> None:
    errors = [TransientError("the network drive hiccups"), TransientError("again")]

    async def work(events: Sequence[TrackVectorized]) -> Outcome:
        failed = [e for e in events if e == vectorized(2) and errors]
        return Outcome(
            emit=[TrackIndexed(track_id=e.track_id, revision=1) for e in events if e not in failed],
            rejected=[Rejected(event, errors.pop()) for event in failed],
        )

    seen, after = RecordingHandler(work), RecordingHandler()
    dead_letters = subscribe(bus, seen)
    bus.subscribe(Subscription(Topic.TRACK_INDEXED, Stage.PROGRESS, after))
    await bus.start()
    await bus.publish([vectorized(number) for number in range(4)])
    await until_idle(bus)
    assert not dead_letters.letters
    assert len(after.events) == 4
    assert seen.events.count(vectorized(2)) == 3
    assert len(seen.events) == 6, "the others were handled once"


@pytest.mark.parametrize(
    ("error", "calls"),
    [(TransientError("hiccups"), QUICK.attempts), (RetryLater("no disk"), 1)],
    ids=["a few times", "not at once"],
)
async def test_an_event_that_stays_rejected_is_given_up(
    bus: Bus, error: Exception, calls: int
) -> None:
    async def work(events: Sequence[TrackVectorized]) -> Outcome:
        return Outcome(rejected=[Rejected(event, error) for event in events])

    seen = RecordingHandler(work)
    dead_letters = subscribe(bus, seen)
    await bus.start()
    await bus.publish([vectorized(1)])
    await eventually(lambda: bool(dead_letters.letters), "a dead letter")
    (letter,) = dead_letters.letters
    assert (letter.kind, letter.attempts) == (FailureKind.TRANSIENT, calls)
    assert len(seen.events) == calls


async def test_a_stage_waits_for_a_dependency_that_is_down_and_loses_nothing(bus: Bus) -> None:
    down = True

    async def work(_: Sequence[Event]) -> Outcome:
        if down:
            raise DependencyDown("the gateway is out of reach")
        return Outcome()

    seen, other = RecordingHandler(work), RecordingHandler()
    dead_letters = subscribe(bus, seen, batch_size=4)
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
    assert not dead_letters.letters


async def test_a_dead_letter_can_be_published_again_unchanged(bus: Bus) -> None:
    broken = True

    async def work(_: Sequence[Event]) -> Outcome:
        if broken:
            raise InvalidInput("not yet")
        return Outcome()

    seen = RecordingHandler(work)
    dead_letters = subscribe(bus, seen)
    await bus.start()
    await bus.publish([vectorized(7)])
    await eventually(lambda: bool(dead_letters.letters), "a dead letter")
    broken = False
    await bus.publish_records([dead_letters.letters[0].record])
    await eventually(lambda: len(seen.batches) == 2, "it comes again")
    await until_idle(bus)
    assert seen.events == [vectorized(7), vectorized(7)]
    assert len(dead_letters.letters) == 1


async def test_dead_letters_are_delivered_until_their_handler_succeeds(bus: Bus) -> None:
    bus.subscribe(Subscription(Topic.TRACK_VECTORIZED, Stage.INDEX, fails_all(InvalidInput("no"))))
    dead_letters = DeadLetterHandler(failures=4)
    bus.subscribe_dead_letters(Stage.FAILURES, dead_letters)
    await bus.start()
    await bus.publish([vectorized(number) for number in range(3)])
    await until_idle(bus)
    assert {letter.record.key.decode() for letter in dead_letters.letters} == {
        vectorized(number).key for number in range(3)
    }
    assert dead_letters.calls > 4
