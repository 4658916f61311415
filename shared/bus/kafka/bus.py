"""The `Bus` port on Kafka or Redpanda: topics and consumer groups, whoever else is in them."""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import structlog

from shared.bus.dispatch import DeadLetterDispatcher, Dispatcher, Pauses
from shared.bus.kafka import topics
from shared.bus.kafka.connection import Connection
from shared.bus.kafka.in_flight import Work
from shared.bus.kafka.member import Member
from shared.bus.kafka.offsets import Group, Offsets
from shared.bus.kafka.publisher import Publisher
from shared.bus.kafka.pulse import Pulse
from shared.bus.kafka.quiet import quieten
from shared.bus.policy import ErrorPolicy
from shared.bus.port import BusHealth, DeadLetterHandler, E, Lag, Subscription
from shared.contracts.envelope import DeadLetter, Record, encode, encode_dead_letter
from shared.contracts.errors import InvalidInput
from shared.contracts.events import Event
from shared.contracts.topics import CONSUMERS, Stage, Topic, dead_letter_topic

log = structlog.get_logger()
_PORTION = 500
_DEAD_LETTERS_WAIT_S = 0.05
_DEAD_LETTERS_LONGEST_S = 900.0
_CUT_KEY_BYTES = 1_000
_CUT_DETAIL = 2_000


def _now() -> datetime:
    return datetime.now(UTC)


class KafkaBus:
    """The bus between processes.

    Args:
        servers: `host:port` of brokers, separated by commas.
        client: who this process is, for the brokers' logs and metrics.
        policy: the delays of retries.
        source: who `publish` says the events come from; handlers' events name their service.
        layout: how topics are made that are not there yet.
        prefix: put before the names of topics and groups.
        watches_all: whether `lag` tells of all groups there are, not only of this process's.
        now: the time events are stamped with.
    """

    def __init__(
        self,
        servers: str,
        *,
        client: str,
        policy: ErrorPolicy | None = None,
        source: str = "api",
        layout: topics.Layout | None = None,
        prefix: str = "",
        watches_all: bool = False,
        now: Callable[[], datetime] = _now,
    ) -> None:
        quieten()
        self._connection = Connection(servers, client, prefix)
        self._policy = policy or ErrorPolicy()
        self._source = source
        self._layout = layout or topics.Layout()
        self._watches_all = watches_all
        self._now = now
        self._pauses = Pauses()
        self._publisher = Publisher(self._connection)
        self._offsets = Offsets(self._connection)
        self._pulse = Pulse(self._connection)
        self._members: list[Member] = []
        self._groups: list[Group] = []
        self._running = False

    def subscribe(self, subscription: Subscription[E]) -> None:
        """Register a handler; call before `start`."""
        topic, stage = subscription.topic.value, subscription.stage.value
        self._watch(topic, stage, self._connection.group(stage, topic))
        for number in range(subscription.members):
            dispatcher: Dispatcher[Any] = Dispatcher(
                subscription, policy=self._policy, output=self, pauses=self._pauses
            )
            work = Work(
                topics=[topic],
                stage=stage,
                group=self._connection.group(stage, topic),
                batch_size=subscription.batch_size,
                batch_wait_s=subscription.batch_wait_s,
                longest_batch_s=subscription.longest_batch_s,
                handle=dispatcher.handle,
                give_up=dispatcher.give_up,
                is_waiting=lambda who=dispatcher: self._pauses.is_waiting(who),  # type: ignore[misc]
            )
            self._members.append(Member(self._connection, work, number))

    def subscribe_dead_letters(self, stage: Stage, handler: DeadLetterHandler) -> None:
        """Hand the dead letters of all topics to `handler`; it is tried until it succeeds."""
        dispatcher = DeadLetterDispatcher(stage, handler, policy=self._policy, pauses=self._pauses)
        group = self._connection.group(stage.value, "")
        names = [dead_letter_topic(topic.value) for topic in Topic]
        for name in names:
            self._watch(name, stage.value, group)
        work = Work(
            topics=names,
            stage=stage.value,
            group=group,
            batch_size=_PORTION,
            batch_wait_s=_DEAD_LETTERS_WAIT_S,
            longest_batch_s=_DEAD_LETTERS_LONGEST_S,
            handle=dispatcher.handle,
            give_up=_pass_over,
            is_waiting=lambda: self._pauses.is_waiting(dispatcher),
        )
        self._members.append(Member(self._connection, work, 0))

    def _watch(self, topic: str, stage: str, group: str) -> None:
        if self._running:
            raise RuntimeError("subscribe before the bus is started")
        self._groups.append((group, stage, topic))

    async def start(self) -> None:
        """Connect, make the topics that are not there, and begin to consume.

        Raises:
            DependencyDown: the brokers are out of reach; it may be called again.
        """
        if self._running:
            raise RuntimeError("the bus is running")
        with self._connection.errors_named():
            await topics.declare(self._connection, self._layout)
        if self._watches_all:
            self._groups = list(self._all_groups())
        self._running = True
        self._pulse.start()
        for member in self._members:
            member.start()

    def _all_groups(self) -> Iterable[Group]:
        for topic, stages in CONSUMERS.items():
            for stage in stages:
                yield self._connection.group(stage, topic), stage.value, topic.value
            dead = dead_letter_topic(topic)
            yield self._connection.group(Stage.FAILURES, ""), Stage.FAILURES.value, dead

    async def publish(self, events: Sequence[Event]) -> None:
        """Return when the brokers have the events.

        Raises:
            DependencyDown: they are out of reach; some of the events may be there.
        """
        await self.emit(events, self._source)

    async def emit(self, events: Sequence[Event], source: str) -> None:
        """Publish events of the service `source`."""
        now = self._now()
        for start in range(0, len(events), _PORTION):
            portion = events[start : start + _PORTION]
            await self._publisher.publish(
                [encode(event, source=source, time=now) for event in portion]
            )

    async def publish_records(self, records: Iterable[Record]) -> None:
        """Publish records as they are, as a foreign client or a replay does."""
        wanted = list(records)
        known = topics.names()
        for record in wanted:
            if record.topic not in known:
                raise ValueError(f"there is no topic {record.topic!r}")
        await self._publisher.publish(wanted)

    async def bury(self, letters: Sequence[DeadLetter]) -> None:
        """Publish dead letters; of one that is too large for its topic, the reason."""
        try:
            await self._publisher.publish([encode_dead_letter(letter) for letter in letters])
        except InvalidInput as error:
            for letter in letters:
                try:
                    await self._publisher.publish([encode_dead_letter(letter)])
                except InvalidInput:
                    await self._publisher.publish([encode_dead_letter(_cut(letter, error))])

    async def lag(self) -> Sequence[Lag]:
        """The lag of every subscription, or of all groups; members elsewhere count too.

        Raises:
            DependencyDown: the brokers are out of reach.
        """
        try:
            return await self._offsets.lag(self._groups)
        finally:
            if not self._running:
                await self._offsets.close()

    def health(self) -> BusHealth:
        """Connected while brokers answer and all members polled lately; who waits for what."""
        since_s = self._pulse.answering_since_s()
        polling = all(member.is_alive(since_s) for member in self._members)
        connected = self._running and self._pulse.is_fresh() and polling
        return self._pauses.health(connected=connected, polling=polling)

    async def drain(self, timeout_s: float) -> bool:
        """Take no new batches, let those in flight end and commit; False when time ran out.

        What a handler still at work at that time had taken stays uncommitted.
        """
        self._running = False
        ended = await asyncio.gather(*(member.drain(timeout_s) for member in self._members))
        await self._pulse.close()
        await self._publisher.close()
        await self._offsets.close()
        return all(ended)


def _cut(letter: DeadLetter, error: InvalidInput) -> DeadLetter:
    key = letter.record.key[:_CUT_KEY_BYTES]
    record = replace(letter.record, key=key, value=b"", headers={})
    told = f"{letter.message} (left out here: {error})"
    return replace(letter, record=record, message=told, detail=letter.detail[-_CUT_DETAIL:])


async def _pass_over(record: Record, error: Exception) -> None:
    log.error("dead_letter_lost", topic=record.topic, error=str(error))
