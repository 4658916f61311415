"""A group member's records in flight where they are ordered by key: many batches at a time.

Each batch is handled when its keys are free. Offsets are committed up to the first record that is
not handled, once a second, so a slow record delays the commit of its partition and nothing else.
"""

import asyncio
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import partial

import structlog
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import CommitFailedError, IllegalStateError, KafkaError

from shared.bus.kafka.consumer import Batch, Unreadable, commit
from shared.bus.kafka.in_flight import Handle, Work, give_up, record_of, wait_for
from shared.bus.window import Taken, Window
from shared.contracts.envelope import Record

_COMMIT_EVERY_S = 1.0
_FAULT_DELAY_S = 1.0
_LET_GO_S = 10.0
"""A rebalance waits so long for the records at work. The next owner handles what takes longer."""

log = structlog.get_logger()


class InFlightByKey:
    """The records in flight: at most one batch for each handler of the work.

    Args:
        work: says how they are handled.
        names: the topics' names, by their names on the brokers.
    """

    def __init__(self, work: Work, names: Mapping[str, str]) -> None:
        self._work = work
        self._names = names
        self._window: Window[TopicPartition, Record] = Window()
        self._free = list(work.handles)
        self._tasks: set[asyncio.Task[bool]] = set()
        self._committed: dict[TopicPartition, int] = {}
        self._committed_s = 0.0
        self._is_closing = False
        self._consumer: AIOKafkaConsumer | None = None
        self._changed = asyncio.Event()
        self._idle = asyncio.Event()
        self._idle.set()

    async def settle(self, consumer: AIOKafkaConsumer, batch: Batch) -> None:
        """Begin to handle a batch and commit what is handled; return when there is room for more.

        Raises:
            KafkaError, TimeoutError: the commit may be lost.
        """
        self._consumer = consumer
        for partition, portion in batch.items():
            name = self._names[partition.topic]
            for each in portion:
                record = record_of(each, name)
                self._window.add(partition, each.offset, record.key, record)
        while True:
            self._changed.clear()
            self._start()
            if not self._tasks or time.monotonic() - self._committed_s >= _COMMIT_EVERY_S:
                await self._commit(consumer)
            if self._free and self._window.waiting < len(self._work.handles):
                return
            await wait_for(self._changed, _COMMIT_EVERY_S)

    async def step_over(self, consumer: AIOKafkaConsumer, where: Unreadable) -> None:
        """Give up on a record that cannot be read, and continue after it."""
        await give_up(self._work, self._names[where.partition.topic], where)
        consumer.seek(where.partition, where.offset + 1)
        self._window.skip(where.partition, where.offset)

    async def finish(self) -> None:
        """Let the records at work end, begin no others, and commit."""
        self._is_closing = True
        if self._tasks:
            await asyncio.wait(self._tasks)
        await self.abandon()

    async def abandon(self) -> None:
        """Cancel the handlers. What is not committed is delivered again, maybe elsewhere."""
        self._is_closing = True
        self.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._consumer is not None:
            with suppress(KafkaError, TimeoutError):
                await self._commit(self._consumer)
        self._window.clear()
        self._committed.clear()
        self._is_closing = False
        self._consumer = None
        self._idle.set()

    async def release(self) -> None:
        """Return when no record is in flight, in ten seconds at the latest."""
        self._is_closing = True
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=_LET_GO_S)
        await self.abandon()

    async def ended(self, timeout_s: float) -> bool:
        """Wait until no record is in flight; False when the time ran out."""
        return await wait_for(self._idle, timeout_s)

    def cancel(self) -> None:
        """Cancel the handlers; their records stay uncommitted."""
        for task in self._tasks:
            task.cancel()

    def _start(self) -> None:
        """Give each free handler a batch, as far as there are records whose keys are free."""
        while self._free and not self._is_closing:
            taken = self._window.claim(self._work.batch_size)
            if not taken:
                return
            self._idle.clear()
            handle = self._free.pop()
            task = asyncio.create_task(self._is_handled(handle, taken))
            self._tasks.add(task)
            task.add_done_callback(partial(self._end, handle, taken))

    async def _is_handled(
        self, handle: Handle, taken: Sequence[Taken[TopicPartition, Record]]
    ) -> bool:
        try:
            await handle([each.record for each in taken])
        except Exception:
            # Only a bug of the bus comes here. Nothing is committed; the batch is handled again.
            log.exception("bus_fault", group=self._work.group)
            await asyncio.sleep(_FAULT_DELAY_S)
            return False
        return True

    def _end(
        self,
        handle: Handle,
        taken: Sequence[Taken[TopicPartition, Record]],
        task: asyncio.Task[bool],
    ) -> None:
        # A callback, because a task that is cancelled before it began runs no `finally`.
        self._tasks.discard(task)
        self._free.append(handle)
        if task.cancelled() or not task.result():
            self._window.release(taken)
        else:
            self._window.settle(taken)
        self._changed.set()

    async def _commit(self, consumer: AIOKafkaConsumer) -> None:
        """Commit up to the first record of each partition that is not handled."""
        self._committed_s = time.monotonic()
        offsets = {
            partition: offset
            for partition, offset in self._window.committable_offsets().items()
            if self._committed.get(partition) != offset
        }
        if offsets:
            try:
                await commit(consumer, offsets)
            except (CommitFailedError, IllegalStateError) as error:
                log.info("commit_refused", group=self._work.group, error=str(error))
            self._committed |= offsets
        if not self._tasks:
            self._idle.set()
