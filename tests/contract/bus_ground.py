"""What the tests of the bus stand on: events, handlers that remember or fail, kept dead letters."""

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


def fails_all(error: Exception) -> Handler:
    async def work(_: Sequence[Event]) -> Outcome:
        raise error

    return work
