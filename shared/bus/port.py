"""The bus as the services see it.

Events are delivered at least once, in order per key. A subscription's handler gets batches. What
it returns is published, and only then is the batch committed. `policy` says what errors cause.
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
    """An event of the batch that the handler could not process, while it did the others.

    After a transient error the event is handled again a few times, as a batch would be.
    """

    event: Event
    error: Exception


@dataclass(frozen=True, slots=True)
class Outcome:
    """The result of a handler: the events to emit, and those that it had to give up."""

    emit: Sequence[Event] = ()
    rejected: Sequence[Rejected] = ()


class Handler(Protocol[E_contra]):
    """Processes a batch. It must be idempotent: the same events may be delivered again.

    Raising fails the whole batch: after `TransientError` and `DependencyDown` it is handled again
    later; after any other error it is split, so that only the record at fault is given up.
    """

    def __call__(self, events: Sequence[E_contra], /) -> Awaitable[Outcome]:
        """Handle the events, at least one, in their order."""
        ...


@dataclass(frozen=True, slots=True)
class Subscription(Generic[E]):
    """Which events go to which handler, and in what batches.

    Attributes:
        topic: the topic to consume.
        stage: the consumer group. Each group gets every event, and its members share them.
        handler: processes a batch.
        batch_size: the most events of a batch.
        batch_wait_s: how long the next batch may fill after one that was not full. An event that
            comes after a pause is handled at once. 0: never wait.
        members: the number of batches that are handled at a time. A key is in one of them only.
        by_key: a slow batch holds up the records of its keys, and not all of its partitions: later
            records are handled meanwhile. An offset is committed when all before it are handled,
            so more records are delivered again after a crash.
        longest_batch_s: how long a batch may take. The Kafka bus takes a member that needs longer
            for lost, and gives its records to others.
    """

    topic: Topic
    stage: Stage
    handler: Handler[E]
    batch_size: int = 500
    batch_wait_s: float = 0.05
    members: int = 1
    by_key: bool = False
    longest_batch_s: float = 900


DeadLetterHandler = Callable[[Sequence[DeadLetter]], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Lag:
    """How far a group is behind on a topic (consumer lag)."""

    topic: str
    stage: str
    records: int
    """Published and not yet committed by the group."""


@dataclass(frozen=True, slots=True)
class BusHealth:
    """Whether the bus works."""

    connected: bool
    """It runs, and the brokers, if any, answered lately."""
    paused: dict[str, str] = field(default_factory=dict)
    """The stages that wait for a dependency, with the message of the last error."""
    polling: bool = True
    """False when a member has not polled for too long: the process should be restarted."""


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
        """Return the lag of every subscription of this process's topics."""
        ...

    def health(self) -> BusHealth:
        """Return whether the bus is connected, and the paused stages."""
        ...

    async def drain(self, timeout_s: float) -> bool:
        """Take no new batches, let those in flight end and commit; False when the time ran out."""
        ...
