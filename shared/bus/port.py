"""The bus as the services see it.

At least once, ordered per key. A subscription's handler gets batches; what it returns is
published, and only then is the batch committed. What happens to errors is `policy`'s to say.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Generic, Protocol, TypeVar

from shared.contracts.envelope import DeadLetter, Record
from shared.contracts.events import Event
from shared.contracts.topics import Stage, Topic

E_contra = TypeVar("E_contra", bound=Event, contravariant=True)
E = TypeVar("E", bound=Event)


@dataclass(frozen=True, slots=True)
class Rejected:
    """A record of the batch that the handler could not do, while it did the others."""

    event: Event
    error: Exception


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a handler did: the events to emit, and the records it had to give up."""

    emit: Sequence[Event] = ()
    rejected: Sequence[Rejected] = ()


class Handler(Protocol[E_contra]):
    """Does the work of one batch. It must bear to get the same events again.

    Raising fails the whole batch: `TransientError` and `DependencyDown` run it again later; with
    anything else each record is run alone, so that only the one at fault is given up.
    """

    def __call__(self, events: Sequence[E_contra], /) -> Awaitable[Outcome]:
        """Handle the events, in their order, at least one."""
        ...


@dataclass(frozen=True, slots=True)
class Subscription(Generic[E]):
    """Which events go to which handler, and in what portions.

    Attributes:
        topic: what is consumed.
        stage: the consumer group: each group gets every event once, its members share them.
        handler: what is done with a batch.
        batch_size: at most so many events a call.
        batch_wait_s: how long the next may fill after a batch that was not full; what comes after
            a rest is handled at once. 0 takes what is there.
        members: so many batches are handled at a time, each key by one member.
        longest_batch_s: how long a batch may take; a bus between processes counts a member that
            needs longer as lost, and others get its records.
    """

    topic: Topic
    stage: Stage
    handler: Handler[E]
    batch_size: int = 500
    batch_wait_s: float = 0.05
    members: int = 1
    longest_batch_s: float = 900


DeadLetterHandler = Callable[[Sequence[DeadLetter]], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Lag:
    """How far a group is behind on a topic."""

    topic: str
    stage: str
    records: int
    """Published and not yet committed by the group."""


@dataclass(frozen=True, slots=True)
class BusHealth:
    """Whether the bus does its work."""

    connected: bool
    """It runs, and whoever carries the records answered lately."""
    paused: dict[str, str] = field(default_factory=dict)
    """Stages that wait for a dependency, and the message of the last error."""
    polling: bool = True
    """False when a member has not polled for too long: the process had better be started anew."""


class Bus(Protocol):
    """The port. Subscribe before `start`; `drain` before the end."""

    def subscribe(self, subscription: Subscription[E]) -> None:
        """Register a handler; call before `start`."""
        ...

    def subscribe_dead_letters(self, stage: Stage, handler: DeadLetterHandler) -> None:
        """Hand the dead letters of all topics to `handler`; it is tried until it succeeds."""
        ...

    async def start(self) -> None:
        """Connect and begin to consume."""
        ...

    async def publish(self, events: Sequence[Event]) -> None:
        """Return when the events are accepted; waits while a topic is full."""
        ...

    async def publish_records(self, records: Sequence[Record]) -> None:
        """Publish records as they are, as a foreign client or a replay does."""
        ...

    async def lag(self) -> Sequence[Lag]:
        """The lag of every subscription of this process's topics."""
        ...

    def health(self) -> BusHealth:
        """Connected, and who waits for what."""
        ...

    async def drain(self, timeout_s: float) -> bool:
        """Take no new batches, let those in flight end and commit; False when time ran out."""
        ...
