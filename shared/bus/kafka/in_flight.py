"""A group member's batch in flight: it is handled and committed, or dropped on revocation."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass

import structlog
from aiokafka import AIOKafkaConsumer, ConsumerRecord
from aiokafka.errors import CommitFailedError, IllegalStateError, KafkaError

from shared.bus.kafka.consumer import Batch, Unreadable, commit
from shared.contracts.envelope import Record
from shared.contracts.errors import InvalidInput

_FAULT_DELAY_S = 1.0
_REVOCATION_POLL_S = 0.1

log = structlog.get_logger()

Handle = Callable[[Sequence[Record]], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Work:
    """What a member consumes, and what it does with it.

    Attributes:
        topics: their names, without the prefix.
        stage: the name of the stage.
        group: the consumer group.
        batch_size: the most records of a batch.
        batch_wait_s: the delay after a batch that was not full, while the next one fills.
        handles: one for each batch at a time, which is more than one where it is ordered by key.
            When one returns, its batch is committed; when it raises, the batch is handled again.
        is_by_key: whether the records are ordered by key alone.
        longest_batch_s: how long a rebalance waits for this member's batch.
        give_up: sends a record that cannot be read to the dead letters.
        is_waiting: whether a handler only waits for a dependency now.
    """

    topics: Sequence[str]
    stage: str
    group: str
    batch_size: int
    batch_wait_s: float
    longest_batch_s: float
    handles: Sequence[Handle]
    is_by_key: bool
    give_up: Callable[[Record, Exception], Awaitable[None]]
    is_waiting: Callable[[], bool]


class InFlight:
    """At most one batch: handles, commits or drops it.

    Args:
        work: says how it is handled.
        names: the topics' names, by their names on the brokers.
    """

    def __init__(self, work: Work, names: Mapping[str, str]) -> None:
        self._work = work
        self._names = names
        self._idle = asyncio.Event()
        self._idle.set()
        self._handling: asyncio.Task[None] | None = None

    async def settle(self, consumer: AIOKafkaConsumer, batch: Batch) -> None:
        """Handle and commit a batch. What is not committed is delivered again, maybe elsewhere."""
        if not batch:
            return
        self._idle.clear()
        try:
            records = [
                record_of(record, self._names[partition.topic])
                for partition, portion in batch.items()
                for record in portion
            ]
            self._handling = asyncio.create_task(self._handle(records))
            await asyncio.wait([self._handling])
            if self._handling.cancelled():
                return  # revoked: the next owner of its partitions handles it
            self._handling.result()
            await commit(consumer, {tp: portion[-1].offset + 1 for tp, portion in batch.items()})
        except (CommitFailedError, IllegalStateError) as error:
            log.info("commit_refused", group=self._work.group, error=str(error))
        except (KafkaError, TimeoutError):
            raise
        except Exception:
            # Only a bug of the bus comes here. Nothing is committed; the batch is handled again.
            log.exception("bus_fault", group=self._work.group)
            _rewind(consumer, batch)
            await asyncio.sleep(_FAULT_DELAY_S)
        finally:
            if self._handling is not None:
                self._handling.cancel()  # no effect on a task that is done
                await asyncio.gather(self._handling, return_exceptions=True)
            self._handling = None
            self._idle.set()

    async def step_over(self, consumer: AIOKafkaConsumer, where: Unreadable) -> None:
        """Give up on a record that cannot be read, and continue after it."""
        # Otherwise the partition could be revoked with the dead letter half written.
        self._idle.clear()
        try:
            await give_up(self._work, self._names[where.partition.topic], where)
            consumer.seek(where.partition, where.offset + 1)
            await commit(consumer, {where.partition: where.offset + 1})
        finally:
            self._idle.set()

    async def finish(self) -> None:
        """Nothing is left in flight when `settle` has returned."""

    async def abandon(self) -> None:
        """Nothing is left in flight when `settle` has returned."""

    async def _handle(self, records: Sequence[Record]) -> None:
        await self._work.handles[0](records)

    async def ended(self, timeout_s: float) -> bool:
        """Wait until no batch is in flight; False when the time ran out."""
        return await wait_for(self._idle, timeout_s)

    def cancel(self) -> None:
        """Cancel the handler; its batch stays uncommitted."""
        if self._handling is not None:
            self._handling.cancel()

    async def release(self) -> None:
        """Return when no batch is in flight: it is committed, or dropped.

        A batch that only waits for a dependency is dropped, since the rebalance, and with it the
        whole group, would wait for hours otherwise.
        """
        while not self._idle.is_set():
            if self._work.is_waiting():
                self.cancel()
            await self.ended(_REVOCATION_POLL_S)


async def wait_for(event: asyncio.Event, timeout_s: float) -> bool:
    """Whether the event was set in time."""
    with suppress(TimeoutError):
        async with asyncio.timeout(timeout_s):
            await event.wait()
    return event.is_set()


async def give_up(work: Work, topic: str, where: Unreadable) -> None:
    """Send a record that cannot be read to the dead letters."""
    error = InvalidInput(
        f"{topic}: partition {where.partition.partition}, offset {where.offset}: this record,"
        " or one sent together with it, has a header whose name is not UTF-8"
    )
    await work.give_up(Record(topic, b"", b""), error)


def record_of(record: ConsumerRecord, topic: str) -> Record:
    """Return the record under the topic's own name.

    A missing key or value becomes an empty one. Of several headers with one name the last counts.
    """
    return Record(
        topic=topic,
        key=record.key or b"",
        value=record.value or b"",
        headers={name: value or b"" for name, value in record.headers},
    )


def _rewind(consumer: AIOKafkaConsumer, batch: Batch) -> None:
    for partition, portion in batch.items():
        with suppress(IllegalStateError):  # it was revoked meanwhile
            consumer.seek(partition, portion[0].offset)
