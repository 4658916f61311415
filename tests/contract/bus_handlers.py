"""Events for the tests of the bus, and handlers that record, fail, or keep dead letters."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from shared.bus.port import Bus, Outcome, Subscription
from shared.contracts.envelope import DeadLetter
from shared.contracts.events import Event, TrackIndexed, TrackVectorized
from shared.contracts.topics import Stage, Topic

Handler = Callable[[Sequence[Any]], Awaitable[Outcome]]


def vectorized(number: int, revision: int = 1) -> TrackVectorized:
    return TrackVectorized(track_id=f"trk_{number:032x}", content_revision=1, revision=revision)


def indexed(number: int) -> TrackIndexed:
    return TrackIndexed(track_id=f"trk_{number:032x}", revision=1)


class RecordingHandler:
    """A handler that records its batches, and then calls `then`."""

    def __init__(self, then: Handler | None = None) -> None:
        self.batches: list[list[Any]] = []
        self._then = then

    async def __call__(self, events: Sequence[Any]) -> Outcome:
        self.batches.append(list(events))
        return await self._then(events) if self._then else Outcome()

    @property
    def events(self) -> list[Any]:
        return [event for batch in self.batches for event in batch]


class DeadLetterHandler:
    """A handler that keeps dead letters; its first `failures` calls fail."""

    def __init__(self, failures: int = 0) -> None:
        self.letters: list[DeadLetter] = []
        self.calls = 0
        self._failures = failures

    async def __call__(self, letters: Sequence[DeadLetter]) -> None:
        self.calls += 1
        if self.calls <= self._failures:
            raise RuntimeError("the failures cannot be stored")
        self.letters += letters


def subscribe(bus: Bus, handler: Handler, **options: Any) -> DeadLetterHandler:
    """Consume `track.vectorized` with `handler`, and keep its dead letters."""
    options = {"topic": Topic.TRACK_VECTORIZED, "stage": Stage.INDEX, **options}
    bus.subscribe(Subscription(handler=handler, **options))
    dead_letters = DeadLetterHandler()
    bus.subscribe_dead_letters(Stage.FAILURES, dead_letters)
    return dead_letters


def fails_on(number: int, error: Exception) -> Handler:
    """A handler that fails if the event of that number is in the batch."""

    async def work(events: Sequence[TrackVectorized]) -> Outcome:
        if vectorized(number) in events:
            raise error
        return Outcome()

    return work


def fails_all(error: Exception) -> Handler:
    async def work(_: Sequence[Event]) -> Outcome:
        raise error

    return work
