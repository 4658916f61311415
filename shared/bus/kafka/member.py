"""One member of a consumer group: polls a batch, has it handled, commits it; nothing in between.

What aiokafka leaves to its user is done here: the offset is committed when the batch's work is
stored and published, partitions are given away only when no batch is in flight, a broken or
silent consumer is replaced.
"""

import asyncio
import time
from collections.abc import Iterable
from contextlib import suppress

import structlog
from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, TopicPartition
from aiokafka.errors import KafkaError

from shared.bus.kafka.connection import Connection
from shared.bus.kafka.consumer import Unreadable, connect, is_deaf, new_consumer, poll
from shared.bus.kafka.in_flight import InFlight, Work, within

_AGAIN_S = 1.0
_SILENT_AFTER_S = 30.0
_SETTLES_WITHIN_S = 5.0
_STOPS_WITHIN_S = 10.0
_GRACE_S = 60.0

log = structlog.get_logger()


class Member(ConsumerRebalanceListener):  # type: ignore[misc] # aiokafka has no types
    """One consumer with its task."""

    def __init__(self, connection: Connection, work: Work, number: int) -> None:
        self._connection = connection
        self._work = work
        self._client = f"{connection.client}-{work.group}-{number}"
        self._names = {connection.topic(name): name for name in work.topics}
        self._in_flight = InFlight(work, self._names)
        self._settled = asyncio.Event()
        self._settled.set()
        self._task: asyncio.Task[None] | None = None
        self._stopping: asyncio.Task[None] | None = None
        self._draining = False
        self._seen_s = time.monotonic()

    def start(self) -> None:
        """Begin to consume."""
        self._task = asyncio.create_task(self._run(), name=self._client)

    def is_alive(self, since_s: float) -> bool:
        """Whether it polled lately, or is at work on a batch that is not too old.

        A poll may also wait for the batch of another member, who is given as long.

        Args:
            since_s: monotonic; before, the brokers did not answer, and no poll could end.
        """
        age_s = time.monotonic() - max(self._seen_s, since_s)
        return age_s < self._work.longest_batch_s + _GRACE_S or self._work.is_waiting()

    async def drain(self, timeout_s: float) -> bool:
        """End the batch in flight and take no other; False when the time ran out."""
        self._draining = True
        if self._task is None:
            return True
        in_time = await self._in_flight.ended(timeout_s)
        if not in_time:
            self._in_flight.cut_off()
        # aiokafka leaves sockets open when it is stopped while it connects or commits.
        await self._in_flight.ended(_SETTLES_WITHIN_S)
        await within(_SETTLES_WITHIN_S, self._settled)
        self._task.cancel()
        with suppress(asyncio.CancelledError):
            await self._task
        if self._stopping is not None:
            await asyncio.wait([self._stopping], timeout=_STOPS_WITHIN_S)
        return in_time

    async def _run(self) -> None:
        """Consume until drained, with a new consumer whenever one breaks."""
        while not self._draining:
            try:
                await self._consume()
            except (KafkaError, OSError) as error:
                log.warning("consumer_broken", group=self._work.group, error=repr(error))
            except Exception:
                log.exception("consumer_fault", group=self._work.group)
            if not self._draining:
                await asyncio.sleep(_AGAIN_S)

    async def _consume(self) -> None:
        work = self._work
        consumer = new_consumer(
            self._connection, group=work.group, client=self._client,
            longest_batch_s=work.longest_batch_s,
        )  # fmt: skip
        try:
            self._settled.clear()
            await connect(consumer)
            consumer.subscribe(list(self._names), listener=self)
            await self._take_turns(consumer)
        finally:
            self._settled.set()
            # Cut off while it stops, a consumer leaves its sockets open: `drain` waits for it.
            self._stopping = asyncio.create_task(_stop(consumer))
            await asyncio.wait([self._stopping], timeout=_STOPS_WITHIN_S)

    async def _take_turns(self, consumer: AIOKafkaConsumer) -> None:
        """Poll, settle, poll; until drained, or until the consumer gets nothing any more."""
        silent_since_s = time.monotonic()
        while not self._draining:
            self._seen_s = time.monotonic()
            try:
                got = await poll(consumer, self._work.batch_size)
            except Unreadable as error:
                await self._in_flight.step_over(consumer, error)
                continue
            # No await since records were taken: a revocation sees them or comes before.
            if got:
                began_s = time.monotonic()
                await self._in_flight.settle(consumer, got)
                silent_since_s = time.monotonic()
                if sum(map(len, got.values())) < self._work.batch_size:
                    # The next ones gather in the consumer meanwhile; none is taken yet.
                    await asyncio.sleep(began_s + self._work.batch_wait_s - silent_since_s)
            elif time.monotonic() - silent_since_s > _SILENT_AFTER_S:
                if await is_deaf(consumer):
                    log.warning("consumer_deaf", group=self._work.group)
                    return
                silent_since_s = time.monotonic()

    async def on_partitions_revoked(self, revoked: Iterable[TopicPartition]) -> None:
        """Give partitions away only when the batch in flight is committed."""
        await self._in_flight.give_away()

    async def on_partitions_assigned(self, assigned: Iterable[TopicPartition]) -> None:
        """The group has settled."""
        self._settled.set()
        log.debug("partitions_assigned", group=self._work.group, partitions=len(list(assigned)))


async def _stop(consumer: AIOKafkaConsumer) -> None:
    with suppress(KafkaError, OSError):
        await consumer.stop()
