"""The bus within one process, for the embedded mode, where all services share an event loop.

Its records are lost when the process ends. Nothing is lost for good: the database has the state,
and the reconciler emits the events again that were not handled (docs/adr/0001).
"""

import asyncio
import math
import time
from collections.abc import Awaitable, Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import structlog

from shared.bus.dispatch import DeadLetterDispatcher, Dispatcher, Pauses
from shared.bus.policy import ErrorPolicy
from shared.bus.port import BusHealth, DeadLetterHandler, E, Lag, Subscription
from shared.bus.topic_log import Claim, TopicLog
from shared.contracts.envelope import DeadLetter, Message, Record, Sent, encode_dead_letter
from shared.contracts.events import Event
from shared.contracts.topics import DEAD_LETTER_SUFFIX, Stage, Topic, dead_letter_topic

log = structlog.get_logger()
_PORTION = 500
_MOST_FOUND = 2_000
"""The capacity for `file.found`: enough for three batches that are being read and the next ones in
the free partitions. More would only use memory."""
_OF_FILES = {Topic.FILE_FOUND.value, Topic.FILE_MISSING.value}
"""The topics whose keys are paths."""
_FAULT_DELAY_S = 1.0

Handle = Callable[[Sequence[Message]], Awaitable[None]]


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass(slots=True)
class _Channel:
    """A topic, and the events that its publishers and consumers wait for."""

    log: TopicLog
    filled: asyncio.Event
    emptied: asyncio.Event


@dataclass(frozen=True, slots=True)
class _Consumer:
    """The members of a group on one topic: one for each of `handles`."""

    topic: str
    stage: str
    batch_size: int
    batch_wait_s: float
    handles: Sequence[Handle]


class InProcessBus:
    """The `Bus` port within one process and one event loop.

    Args:
        capacity: the records that a topic holds until its slowest group has committed them; at
            that number `publish` waits. Dead letters and a draining bus have no limit;
            `file.found` holds 2,000 at most.
        policy: the delays of retries.
        partitions: also the number of members of a group that can work at a time on one topic.
        source: the source of events given to `publish`; events of handlers name their service.
        now: returns the time that events are stamped with.
    """

    def __init__(
        self,
        *,
        capacity: int = 50_000,
        policy: ErrorPolicy | None = None,
        partitions: int = 16,
        source: str = "api",
        now: Callable[[], datetime] = _now,
    ) -> None:
        self._capacity = capacity
        self._policy = policy or ErrorPolicy()
        self._partitions = partitions
        self._source = source
        self._now = now
        self._pauses = Pauses()
        self._consumers: list[_Consumer] = []
        self._members: list[asyncio.Task[None]] = []
        self._running = False
        self._draining = False
        names = [topic.value for topic in Topic]
        self._channels = {
            name: _Channel(
                TopicLog(partitions, by_folder=name in _OF_FILES), asyncio.Event(), asyncio.Event()
            )
            for name in [*names, *map(dead_letter_topic, names)]
        }

    def subscribe(self, subscription: Subscription[E]) -> None:
        """Register a handler; call before `start`."""
        dispatchers: list[Dispatcher[Any]] = [
            Dispatcher(subscription, policy=self._policy, output=self, pauses=self._pauses)
            for _ in range(subscription.members)
        ]
        self._add(
            _Consumer(
                topic=subscription.topic.value,
                stage=subscription.stage.value,
                batch_size=subscription.batch_size,
                batch_wait_s=subscription.batch_wait_s,
                handles=[dispatcher.handle for dispatcher in dispatchers],
            ),
            by_key=subscription.by_key,
        )

    def subscribe_dead_letters(self, stage: Stage, handler: DeadLetterHandler) -> None:
        """Hand the dead letters of all topics to `handler`; it is tried until it succeeds."""
        for topic in Topic:
            dispatcher = DeadLetterDispatcher(
                stage, handler, policy=self._policy, pauses=self._pauses
            )
            name = dead_letter_topic(topic.value)
            self._add(_Consumer(name, stage.value, _PORTION, 0.05, [dispatcher.handle]))

    def _add(self, consumer: _Consumer, *, by_key: bool = False) -> None:
        if self._running:
            raise RuntimeError("subscribe before the bus is started")
        self._channels[consumer.topic].log.add_group(consumer.stage, by_key=by_key)
        self._consumers.append(consumer)

    async def start(self) -> None:
        """Begin to consume."""
        if self._running:
            raise RuntimeError("the bus is running")
        self._running = True
        self._draining = False
        self._members = [
            asyncio.create_task(
                self._consume(consumer, handle), name=f"{consumer.stage}<-{consumer.topic}"
            )
            for consumer in self._consumers
            for handle in consumer.handles
        ]

    async def publish(self, events: Sequence[Event]) -> None:
        """Return when the events are accepted; waits while a topic is full."""
        await self.emit(events, self._source)

    async def emit(self, events: Sequence[Event], source: str) -> None:
        """Publish events of the service `source`."""
        now = self._now()
        for start in range(0, len(events), _PORTION):
            portion = events[start : start + _PORTION]
            await self._append(Sent(event, source=source, time=now) for event in portion)
            await asyncio.sleep(0)  # encoding takes time: let other tasks run

    async def publish_records(self, records: Iterable[Record]) -> None:
        """Publish records as they are, as a foreign client or a replay does."""
        await self._append(records)

    async def _append(self, messages: Iterable[Message]) -> None:
        for record in messages:
            channel = self._channel(record.topic)
            while channel.log.held >= self._most(record.topic) and self._limited(record.topic):
                channel.emptied.clear()
                await channel.emptied.wait()
            channel.log.append(record)
            channel.filled.set()

    async def bury(self, letters: Sequence[DeadLetter]) -> None:
        """Publish dead letters, at once."""
        for letter in letters:
            record = encode_dead_letter(letter)
            channel = self._channel(record.topic)
            channel.log.append(record)
            channel.filled.set()

    def _channel(self, topic: str) -> _Channel:
        try:
            return self._channels[topic]
        except KeyError:
            raise ValueError(f"there is no topic {topic!r}") from None

    def _most(self, topic: str) -> int:
        return min(self._capacity, _MOST_FOUND) if topic == Topic.FILE_FOUND else self._capacity

    def _limited(self, topic: str) -> bool:
        # While draining, nobody consumes, and a handler in flight must be able to publish.
        return not self._draining and not topic.endswith(DEAD_LETTER_SUFFIX)

    async def lag(self) -> Sequence[Lag]:
        """Return the lag of every subscription, those of dead letters included."""
        return [
            Lag(consumer.topic, consumer.stage, self._lag_of(consumer))
            for consumer in self._consumers
        ]

    def _lag_of(self, consumer: _Consumer) -> int:
        return self._channels[consumer.topic].log.lag(consumer.stage)

    def health(self) -> BusHealth:
        """Connected while it is started; the paused stages."""
        return self._pauses.health(connected=self._running and not self._draining)

    async def drain(self, timeout_s: float) -> bool:
        """Take no new batches, let those in flight end and commit; False when the time ran out.

        A batch that is still being handled then stays uncommitted.
        """
        self._draining = True
        for channel in self._channels.values():
            channel.filled.set()
            channel.emptied.set()
        members, self._members = self._members, []
        late: set[asyncio.Task[None]] = set()
        try:
            if members:
                _, late = await asyncio.wait(members, timeout=timeout_s)
        finally:
            for member in members:
                member.cancel()
            await asyncio.gather(*members, return_exceptions=True)
            self._running = False
        return not late

    async def _consume(self, consumer: _Consumer, handle: Handle) -> None:
        """Run one member: claim a batch, handle it, commit it, until the bus drains."""
        channel = self._channels[consumer.topic]
        began_s = -math.inf
        while (claim := await self._next(consumer, channel, began_s)) is not None:
            began_s = time.monotonic()
            try:
                await handle(claim.records)
            except Exception:
                # Only a bug of the bus comes here. The batch is not committed, but claimed again.
                log.exception("bus_fault", topic=consumer.topic, stage=consumer.stage)
                channel.log.release(claim)
                await asyncio.sleep(_FAULT_DELAY_S)
            except asyncio.CancelledError:
                channel.log.release(claim)
                raise
            else:
                channel.log.commit(claim)
            channel.emptied.set()
            channel.filled.set()  # its partitions are free, and may hold more for another member
            await asyncio.sleep(0)

    async def _next(
        self, consumer: _Consumer, channel: _Channel, last_began_s: float
    ) -> Claim | None:
        """Claim the next batch, which fills until `batch_wait_s` after the last began.

        None when the bus drains.
        """
        share = -(-self._partitions // len(consumer.handles))
        enough = min(consumer.batch_size, self._capacity)

        async def fill(at_least: int) -> None:
            while not self._draining and channel.log.ready(consumer.stage, share) < at_least:
                channel.filled.clear()
                await channel.filled.wait()

        while not self._draining:
            await fill(1)
            rest_s = last_began_s + consumer.batch_wait_s - time.monotonic()
            if rest_s > 0:
                with suppress(TimeoutError):
                    async with asyncio.timeout(rest_s):
                        await fill(enough)
            if self._draining:
                break
            claim = channel.log.claim(
                consumer.stage, limit=consumer.batch_size, max_partitions=share
            )
            if claim is not None:
                return claim
        return None
