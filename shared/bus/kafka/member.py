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

import structlog
from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, TopicPartition
from aiokafka.errors import CommitFailedError, IllegalStateError, KafkaError

from shared.bus.kafka.connection import Connection
from shared.bus.kafka.consumer import Got, Unreadable, commit, connect, is_deaf, new_consumer, poll
from shared.bus.kafka.wire import record_of
from shared.contracts.envelope import Record
from shared.contracts.errors import InvalidInput

_AGAIN_S = 1.0
_LOOK_WHILE_REVOKED_S = 0.1
_SILENT_AFTER_S = 30.0
_SETTLES_WITHIN_S = 5.0
_STOPS_WITHIN_S = 10.0
_GRACE_S = 60.0

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Work:
    """What a member consumes, and what it does with it.

    Attributes:
        topics: by their own names, without the prefix.
        stage: the name of the step.
        group: the consumer group.
        batch_size: at most so many records a call.
        batch_wait_s: after a batch that was not full, the next is taken so much later.
        handle: when it returns, the batch is settled; when it raises, it comes again.
        longest_batch_s: how long a group waits for a member's batch before it goes on without.
        give_up: settles a record that cannot be read.
        is_waiting: whether `handle` does nothing but wait for a dependency.
    """

    topics: Sequence[str]
    stage: str
    group: str
    batch_size: int
    batch_wait_s: float
    longest_batch_s: float
    handle: Callable[[Sequence[Record]], Awaitable[None]]
    give_up: Callable[[Record, Exception], Awaitable[None]]
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
                await self._step_over(consumer, error)
                continue
            # No await since records were taken: a revocation sees them or comes before.
            if got:
                began_s = time.monotonic()
                await self._settle(consumer, got)
                silent_since_s = time.monotonic()
                if sum(map(len, got.values())) < self._work.batch_size:
                    # The next ones gather in the consumer meanwhile; none is taken yet.
                    await asyncio.sleep(began_s + self._work.batch_wait_s - silent_since_s)
            elif time.monotonic() - silent_since_s > _SILENT_AFTER_S:
                if await is_deaf(consumer):
                    log.warning("consumer_deaf", group=self._work.group)
                    return
                silent_since_s = time.monotonic()

    async def _step_over(self, consumer: AIOKafkaConsumer, where: Unreadable) -> None:
        """Give up a record that cannot be read; those sent with it, behind it, come next."""
        topic = self._names[where.partition.topic]
        told = InvalidInput(
            f"{topic}: partition {where.partition.partition}, offset {where.offset}: it, or a"
            " record sent together with it, has a header whose name is no UTF-8"
        )
        self._idle.clear()  # or its partition may be given away with the dead letter half written
        try:
            await self._work.give_up(Record(topic, b"", b""), told)
            consumer.seek(where.partition, where.offset + 1)
            await commit(consumer, {where.partition: where.offset + 1})
        finally:
            self._idle.set()

    async def _settle(self, consumer: AIOKafkaConsumer, got: Got) -> None:
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
            await commit(consumer, {tp: portion[-1].offset + 1 for tp, portion in got.items()})
        except (CommitFailedError, IllegalStateError) as error:
            log.info("commit_refused", group=self._work.group, error=str(error))
        except (KafkaError, TimeoutError):
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


async def _within(timeout_s: float, event: asyncio.Event) -> bool:
    with suppress(TimeoutError):
        async with asyncio.timeout(timeout_s):
            await event.wait()
    return event.is_set()


async def _stop(consumer: AIOKafkaConsumer) -> None:
    with suppress(KafkaError, OSError):
        await consumer.stop()


def _rewind(consumer: AIOKafkaConsumer, got: Got) -> None:
    for partition, portion in got.items():
        with suppress(IllegalStateError):  # it was given away meanwhile
            consumer.seek(partition, portion[0].offset)
