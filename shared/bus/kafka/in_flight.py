"""A batch in flight: handled, then committed; let go where its partitions are given away."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass

import structlog
from aiokafka import AIOKafkaConsumer
from aiokafka.errors import CommitFailedError, IllegalStateError, KafkaError

from shared.bus.kafka.consumer import Got, Unreadable, commit
from shared.bus.kafka.wire import record_of
from shared.contracts.envelope import Record
from shared.contracts.errors import InvalidInput

_AGAIN_S = 1.0
_LOOK_WHILE_REVOKED_S = 0.1

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


class InFlight:
    """The batch that a member is at work on; one at a time.

    Args:
        work: what is done with it.
        names: of the topics, by what the brokers call them.
    """

    def __init__(self, work: Work, names: Mapping[str, str]) -> None:
        self._work = work
        self._names = names
        self._idle = asyncio.Event()
        self._idle.set()
        self._handling: asyncio.Task[None] | None = None

    async def settle(self, consumer: AIOKafkaConsumer, got: Got) -> None:
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

    async def step_over(self, consumer: AIOKafkaConsumer, where: Unreadable) -> None:
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

    async def _handle(self, records: Sequence[Record]) -> None:
        await self._work.handle(records)

    async def ended(self, timeout_s: float) -> bool:
        """Wait until no batch is in flight; False when the time ran out."""
        return await within(timeout_s, self._idle)

    def cut_off(self) -> None:
        """End the handler at work; its batch stays uncommitted."""
        if self._handling is not None:
            self._handling.cancel()

    async def give_away(self) -> None:
        """Return when the batch is committed.

        A batch that merely waits for a dependency is let go: it may wait for hours, and the
        whole group with it.
        """
        while not self._idle.is_set():
            if self._work.is_waiting():
                self.cut_off()
            await self.ended(_LOOK_WHILE_REVOKED_S)


async def within(timeout_s: float, event: asyncio.Event) -> bool:
    """Whether the event came in that time."""
    with suppress(TimeoutError):
        async with asyncio.timeout(timeout_s):
            await event.wait()
    return event.is_set()


def _rewind(consumer: AIOKafkaConsumer, got: Got) -> None:
    for partition, portion in got.items():
        with suppress(IllegalStateError):  # it was given away meanwhile
            consumer.seek(partition, portion[0].offset)
