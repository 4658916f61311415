"""A member of a consumer group: it polls a batch, has it handled, commits it, and polls again.

It adds what aiokafka leaves to its user: an offset is committed only after the results of the
batch are stored and published, partitions are released only when no batch is in flight, and a
consumer that broke or got stuck is replaced.
"""

import asyncio
import time
from collections.abc import Iterable
from contextlib import suppress

import structlog
from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, TopicPartition
from aiokafka.errors import KafkaError

from shared.bus.kafka.by_key import InFlightByKey
from shared.bus.kafka.connection import Connection
from shared.bus.kafka.consumer import Unreadable, is_stuck, new_consumer, poll
from shared.bus.kafka.in_flight import InFlight, Work, wait_for

_RESTART_DELAY_S = 1.0
_SILENCE_S = 30.0
_SETTLE_TIMEOUT_S = 5.0
_STOP_TIMEOUT_S = 10.0
_GRACE_S = 60.0

log = structlog.get_logger()


class Member(ConsumerRebalanceListener):  # type: ignore[misc] # aiokafka has no types
    """A consumer and the task that runs it."""

    def __init__(self, connection: Connection, work: Work, number: int) -> None:
        self._connection = connection
        self._work = work
        self._client = f"{connection.client}-{work.group}-{number}"
        self._names = {connection.topic(name): name for name in work.topics}
        kind = InFlightByKey if work.is_by_key else InFlight
        self._in_flight: InFlight | InFlightByKey = kind(work, self._names)
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
        """Whether it polled lately, handles a batch that is not too old, or waits for a dependency.

        A poll may also wait, in a rebalance, for the batch of another member; hence the same limit.

        Args:
            since_s: monotonic time since when the brokers answer; no poll could end before.
        """
        age_s = time.monotonic() - max(self._seen_s, since_s)
        return age_s < self._work.longest_batch_s + _GRACE_S or self._work.is_waiting()

    async def drain(self, timeout_s: float) -> bool:
        """Let the batch in flight end and take no other; False when the time ran out."""
        self._draining = True
        if self._task is None:
            return True
        in_time = await self._in_flight.ended(timeout_s)
        if not in_time:
            self._in_flight.cancel()
        # aiokafka leaves sockets open when it is stopped while it connects or commits.
        await self._in_flight.ended(_SETTLE_TIMEOUT_S)
        await wait_for(self._settled, _SETTLE_TIMEOUT_S)
        self._task.cancel()
        with suppress(asyncio.CancelledError):
            await self._task
        if self._stopping is not None:
            await asyncio.wait([self._stopping], timeout=_STOP_TIMEOUT_S)
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
                await asyncio.sleep(_RESTART_DELAY_S)

    async def _consume(self) -> None:
        work = self._work
        consumer = new_consumer(
            self._connection, group=work.group, client=self._client,
            longest_batch_s=work.longest_batch_s,
        )  # fmt: skip
        try:
            self._settled.clear()
            await consumer.start()
            consumer.subscribe(list(self._names), listener=self)
            await self._poll_until_drained(consumer)
        finally:
            self._settled.set()
            await self._in_flight.abandon()
            # A consumer that is cancelled while it stops leaves its sockets open: `drain` waits.
            self._stopping = asyncio.create_task(_stop(consumer))
            await asyncio.wait([self._stopping], timeout=_STOP_TIMEOUT_S)

    async def _poll_until_drained(self, consumer: AIOKafkaConsumer) -> None:
        """Poll and settle batches in turn; return when draining, or when the consumer is stuck."""
        silent_since_s = time.monotonic()
        while not self._draining:
            self._seen_s = time.monotonic()
            try:
                batch = await poll(
                    consumer, self._connection, self._work.group, self._work.batch_size
                )
            except Unreadable as error:
                await self._in_flight.step_over(consumer, error)
                continue
            # There must be no await between taking the records and marking the batch as in flight:
            # a revocation in between would release partitions whose records are being handled.
            began_s = time.monotonic()
            await self._in_flight.settle(consumer, batch)
            if batch:
                silent_since_s = time.monotonic()
                if sum(map(len, batch.values())) < self._work.batch_size:
                    # Let the next batch fill up in the consumer; nothing is taken meanwhile.
                    await asyncio.sleep(began_s + self._work.batch_wait_s - silent_since_s)
            elif time.monotonic() - silent_since_s > _SILENCE_S:
                if await is_stuck(consumer):
                    log.warning("consumer_stuck", group=self._work.group)
                    return
                silent_since_s = time.monotonic()
        await self._in_flight.finish()

    async def on_partitions_revoked(self, revoked: Iterable[TopicPartition]) -> None:
        """Release partitions only when no batch is in flight."""
        await self._in_flight.release()

    async def on_partitions_assigned(self, assigned: Iterable[TopicPartition]) -> None:
        """Note that the rebalance is over."""
        self._settled.set()
        log.debug("partitions_assigned", group=self._work.group, partitions=len(list(assigned)))


async def _stop(consumer: AIOKafkaConsumer) -> None:
    with suppress(KafkaError, OSError):
        await consumer.stop()
