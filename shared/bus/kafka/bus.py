"""The `Bus` port on Kafka or Redpanda, for services in several processes."""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import structlog

from shared.bus.dispatch import DeadLetterDispatcher, Dispatcher, Pauses
from shared.bus.kafka import topics
from shared.bus.kafka.broker_probe import BrokerProbe
from shared.bus.kafka.connection import Connection, limit_aiokafka_logs
from shared.bus.kafka.in_flight import Work
from shared.bus.kafka.member import Member
from shared.bus.kafka.offsets import Group, LagReader
from shared.bus.kafka.publisher import Publisher
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
_TRUNCATED_KEY_BYTES = 1_000
_TRUNCATED_DETAIL = 2_000


def _now() -> datetime:
    return datetime.now(UTC)


class KafkaBus:
    """The bus between processes.

    Args:
        servers: `host:port` of brokers, separated by commas.
        client: the name of this process in the brokers' logs and metrics.
        policy: the delays of retries.
        source: the source of events given to `publish`; events of handlers name their service.
        layout: how missing topics are created.
        prefix: put before the names of topics and groups.
        reports_all_lag: whether `lag` covers all groups, not only those of this process.
        now: returns the time that events are stamped with.
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
        reports_all_lag: bool = False,
        now: Callable[[], datetime] = _now,
    ) -> None:
        limit_aiokafka_logs()
        self._connection = Connection(servers, client, prefix)
        self._policy = policy or ErrorPolicy()
        self._source = source
        self._layout = layout or topics.Layout()
        self._reports_all_lag = reports_all_lag
        self._now = now
        self._pauses = Pauses()
        self._publisher = Publisher(self._connection)
        self._lag_reader = LagReader(self._connection)
        self._probe = BrokerProbe(self._connection)
        self._members: list[Member] = []
        self._groups: list[Group] = []
        self._running = False

    def subscribe(self, subscription: Subscription[E]) -> None:
        """Register a handler; call before `start`."""
        topic, stage = subscription.topic.value, subscription.stage.value
        self._watch(topic, stage, self._connection.group(stage, topic))
        dispatchers: list[Dispatcher[Any]] = [
            Dispatcher(subscription, policy=self._policy, output=self, pauses=self._pauses)
            for _ in range(subscription.members)
        ]
        # Ordered by key, one consumer reads for all of them.
        shares = [dispatchers] if subscription.by_key else [[each] for each in dispatchers]
        for number, share in enumerate(shares):
            work = Work(
                topics=[topic],
                stage=stage,
                group=self._connection.group(stage, topic),
                batch_size=subscription.batch_size,
                batch_wait_s=subscription.batch_wait_s,
                longest_batch_s=subscription.longest_batch_s,
                handles=[dispatcher.handle for dispatcher in share],
                is_by_key=subscription.by_key,
                give_up=share[0].give_up,
                is_waiting=lambda share=share: any(map(self._pauses.is_waiting, share)),  # type: ignore[misc]
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
            handles=[dispatcher.handle],
            is_by_key=False,
            give_up=_log_lost,
            is_waiting=lambda: self._pauses.is_waiting(dispatcher),
        )
        self._members.append(Member(self._connection, work, 0))

    def _watch(self, topic: str, stage: str, group: str) -> None:
        if self._running:
            raise RuntimeError("subscribe before the bus is started")
        self._groups.append((group, stage, topic))

    async def start(self) -> None:
        """Connect, create the missing topics, and begin to consume.

        Raises:
            DependencyDown: the brokers are out of reach; it may be called again.
        """
        if self._running:
            raise RuntimeError("the bus is running")
        with self._connection.errors_named():
            await topics.declare(self._connection, self._layout)
        if self._reports_all_lag:
            self._groups = list(self._all_groups())
        self._running = True
        self._probe.start()
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
        """Publish dead letters. One that is too large is published without its record's value."""
        try:
            await self._publisher.publish([encode_dead_letter(letter) for letter in letters])
        except InvalidInput as error:
            for letter in letters:
                try:
                    await self._publisher.publish([encode_dead_letter(letter)])
                except InvalidInput:
                    await self._publisher.publish([encode_dead_letter(_truncated(letter, error))])

    async def lag(self) -> Sequence[Lag]:
        """Return the lag of every subscription, or of all groups, members elsewhere included.

        Raises:
            DependencyDown: the brokers are out of reach.
        """
        try:
            return await self._lag_reader.lag(self._groups)
        finally:
            if not self._running:
                await self._lag_reader.close()

    def health(self) -> BusHealth:
        """Connected while the brokers answer and all members polled lately; the paused stages."""
        since_s = self._probe.answering_since_s()
        polling = all(member.is_alive(since_s) for member in self._members)
        connected = self._running and self._probe.is_fresh() and polling
        return self._pauses.health(connected=connected, polling=polling)

    async def drain(self, timeout_s: float) -> bool:
        """Take no new batches, let those in flight end and commit; False when the time ran out.

        A batch that is still being handled then stays uncommitted.
        """
        self._running = False
        ended = await asyncio.gather(*(member.drain(timeout_s) for member in self._members))
        await self._probe.close()
        await self._publisher.close()
        await self._lag_reader.close()
        return all(ended)


def _truncated(letter: DeadLetter, error: InvalidInput) -> DeadLetter:
    key = letter.record.key[:_TRUNCATED_KEY_BYTES]
    record = replace(letter.record, key=key, value=b"", headers={})
    message = f"{letter.message} (left out here: {error})"
    return replace(
        letter, record=record, message=message, detail=letter.detail[-_TRUNCATED_DETAIL:]
    )


async def _log_lost(record: Record, error: Exception) -> None:
    log.error("dead_letter_lost", topic=record.topic, error=str(error))
