"""One member of a consumer group: polls a batch, has it handled, commits it; nothing in between.

What aiokafka leaves to its user is done here: the offset is committed when the batch's work is
stored and published, partitions are given away only when no batch is in flight, a broken or
silent consumer is replaced.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import structlog
from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, TopicPartition
from aiokafka.coordinator.assignors.roundrobin import RoundRobinPartitionAssignor
from aiokafka.errors import CommitFailedError, IllegalStateError, KafkaError

from shared.bus.kafka.connection import REQUEST_TIMEOUT_S, Connection
from shared.bus.kafka.topics import LARGEST_DEAD_LETTER_BYTES
from shared.bus.kafka.wire import record_of
from shared.contracts.envelope import Record

_POLL_S = 1.0
_AGAIN_S = 1.0
_LOOK_WHILE_REVOKED_S = 0.1
_SILENT_AFTER_S = 30.0
_SETTLES_WITHIN_S = 5.0
_STOPS_WITHIN_S = 10.0
_SESSION_TIMEOUT_MS = 10_000
_HEARTBEAT_MS = 2_000
_REBALANCE_TIMEOUT_MS = 180_000
"""How long a group waits for a member's batch in flight before it goes on without it."""
_STOPS_WITHIN_S = 10.0
_NEVER_MS = 2**31 - 1
_RECORD_BYTES = 512  # about what an event takes

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Work:
    """What a member consumes, and what it does with it.

    Attributes:
        topics: by their own names, without the prefix.
        stage: the name of the step.
        group: the consumer group.
        batch_size: at most so many records a call.
        batch_wait_s: how long brokers may wait to fill a batch.
        handle: when it returns, the batch is settled; when it raises, it comes again.
        is_waiting: whether `handle` does nothing but wait for a dependency.
    """

    topics: Sequence[str]
    stage: str
    group: str
    batch_size: int
    batch_wait_s: float
    handle: Callable[[Sequence[Record]], Awaitable[None]]
    is_waiting: Callable[[], bool]


class Member(ConsumerRebalanceListener):  # type: ignore[misc] # aiokafka has no types
    """One consumer with its task."""

    def __init__(self, connection: Connection, work: Work, number: int) -> None:
        self._connection = connection
        self._work = work
        self._client = f"{connection.client}-{work.group}-{number}"
        self._names = {connection.topic(name): name for name in work.topics}
        self._idle = asyncio.Event()
        self._idle.set()
        self._settled = asyncio.Event()
        self._settled.set()
        self._handling: asyncio.Task[None] | None = None
        self._task: asyncio.Task[None] | None = None
        self._stopping: asyncio.Task[None] | None = None
        self._is_polling = False
        self._draining = False
        self._seen_s = time.monotonic()

    def start(self) -> None:
        """Begin to consume."""
        self._task = asyncio.create_task(self._run(), name=self._client)

    def is_alive(self, within_s: float) -> bool:
        """Whether it polled so lately, or is at work on a batch that is not older."""
        return time.monotonic() - self._seen_s < within_s or self._work.is_waiting()

    async def drain(self, timeout_s: float) -> bool:
        """End the batch in flight and take no other; False when the time ran out."""
        self._draining = True
        if self._task is None:
            return True
        in_time = await _within(timeout_s, self._idle)
        if not in_time and self._handling is not None:
            self._handling.cancel()
        # aiokafka leaves sockets open when it is stopped while it connects or commits.
        await _within(_SETTLES_WITHIN_S, self._idle)
        await _within(_SETTLES_WITHIN_S, self._settled)
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

    def _new_consumer(self) -> AIOKafkaConsumer:
        wait_ms = max(1, round(self._work.batch_wait_s * 1000))
        return AIOKafkaConsumer(
            bootstrap_servers=self._connection.servers,
            client_id=self._client,
            group_id=self._work.group,
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            # One strategy: members that offer different ones cannot form a group.
            partition_assignment_strategy=[RoundRobinPartitionAssignor],
            session_timeout_ms=_SESSION_TIMEOUT_MS,
            heartbeat_interval_ms=_HEARTBEAT_MS,
            rebalance_timeout_ms=_REBALANCE_TIMEOUT_MS,
            # A batch may take long, and waits for dependencies have no end: `is_alive` watches.
            max_poll_interval_ms=_NEVER_MS,
            max_partition_fetch_bytes=LARGEST_DEAD_LETTER_BYTES,
            # Brokers fill batches: what is fetched can be handled at once.
            fetch_min_bytes=1 if wait_ms == 1 else self._work.batch_size * _RECORD_BYTES,
            fetch_max_wait_ms=500 if wait_ms == 1 else wait_ms,
            request_timeout_ms=max(REQUEST_TIMEOUT_S * 1000, _REBALANCE_TIMEOUT_MS + 5_000),
        )

    async def _consume(self) -> None:
        consumer = self._new_consumer()
        try:
            self._settled.clear()
            await consumer.start()
            consumer.subscribe(list(self._names), listener=self)
            silent_since_s = time.monotonic()
            while not self._draining:
                self._seen_s = time.monotonic()
                self._is_polling = True
                got = await consumer.getmany(
                    timeout_ms=round(_POLL_S * 1000), max_records=self._work.batch_size
                )
                self._is_polling = False
                # No await since records were taken: a revocation sees them or comes before.
                if got:
                    await self._settle(consumer, got)
                    silent_since_s = time.monotonic()
                elif time.monotonic() - silent_since_s > _SILENT_AFTER_S:
                    if await self._is_deaf(consumer):
                        log.warning("consumer_deaf", group=self._work.group)
                        return
                    silent_since_s = time.monotonic()
        finally:
            self._settled.set()
            # Cut off while it stops, a consumer leaves its sockets open: `drain` waits for it.
            self._stopping = asyncio.create_task(consumer.stop())
            await asyncio.shield(self._stopping)

    async def _settle(
        self, consumer: AIOKafkaConsumer, got: dict[TopicPartition, list[Any]]
    ) -> None:
        """Handle and commit a batch; what is not committed comes again, to whoever has it then."""
        self._idle.clear()
        try:
            records = [
                record_of(told, self._names[partition.topic])
                for partition, portion in got.items()
                for told in portion
            ]
            self._handling = asyncio.create_task(self._handle(records))
            await asyncio.wait([self._handling])
            if self._handling.cancelled():
                return  # given away: its next owner reads it from the committed offset
            self._handling.result()
            await consumer.commit({tp: portion[-1].offset + 1 for tp, portion in got.items()})
        except (CommitFailedError, IllegalStateError) as error:
            log.info("commit_refused", group=self._work.group, error=str(error))
        except KafkaError:
            raise
        except Exception:
            # Only a fault of ours comes here. Nothing is committed; the batch is taken again.
            log.exception("bus_fault", group=self._work.group)
            _rewind(consumer, got)
            await asyncio.sleep(_AGAIN_S)
        finally:
            if self._handling is not None:
                self._handling.cancel()  # does nothing to one that is done
                await asyncio.gather(self._handling, return_exceptions=True)
            self._handling = None
            self._idle.set()

    async def _handle(self, records: Sequence[Record]) -> None:
        await self._work.handle(records)

    async def on_partitions_revoked(self, revoked: Iterable[TopicPartition]) -> None:
        """Give partitions away only when the batch in flight is committed.

        A batch that merely waits for a dependency is let go: it may wait for hours, and the
        whole group with it.
        """
        while not self._idle.is_set():
            if self._work.is_waiting() and self._handling is not None:
                self._handling.cancel()
            await _within(_LOOK_WHILE_REVOKED_S, self._idle)

    async def on_partitions_assigned(self, assigned: Iterable[TopicPartition]) -> None:
        """The group has settled."""
        self._settled.set()
        log.debug("partitions_assigned", group=self._work.group, partitions=len(list(assigned)))

    async def _is_deaf(self, consumer: AIOKafkaConsumer) -> bool:
        """Whether there are records that this consumer does not get (aiokafka issue 1037)."""
        mine = consumer.assignment()
        if not mine:
            return False
        ends = await consumer.end_offsets(mine)
        behind = [tp for tp in mine if ends[tp] > await consumer.position(tp)]
        if not behind:
            return False
        await asyncio.sleep(_POLL_S)
        # What was published a moment ago is in the buffer by now.
        return not any(consumer.highwater(tp) == ends[tp] for tp in behind)


async def _within(timeout_s: float, event: asyncio.Event) -> bool:
    with suppress(TimeoutError):
        async with asyncio.timeout(timeout_s):
            await event.wait()
    return event.is_set()


def _rewind(consumer: AIOKafkaConsumer, got: dict[TopicPartition, list[Any]]) -> None:
    for partition, portion in got.items():
        with suppress(IllegalStateError):  # it was given away meanwhile
            consumer.seek(partition, portion[0].offset)
