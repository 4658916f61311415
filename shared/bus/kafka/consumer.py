"""aiokafka's consumer, set up as the bus needs it, and what it has to be watched for."""

import asyncio
import random
from collections.abc import Sequence
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.coordinator.assignors.roundrobin import RoundRobinPartitionAssignor
from aiokafka.errors import GroupLoadInProgressError, IllegalStateError, for_code
from aiokafka.protocol.commit import OffsetFetchRequest

from shared.bus.kafka.connection import Connection
from shared.bus.kafka.topics import LARGEST_DEAD_LETTER_BYTES

POLL_S = 1.0
_SESSION_TIMEOUT_MS = 10_000
_HEARTBEAT_MS = 3_000
_REQUEST_TIMEOUT_MS = 40_000
_ANSWERS_WITHIN_S = 30.0
_COMMITS_WITHIN_S = 120.0
_METADATA_AGE_MS = 30_000  # a topic or a partition that is new is seen so soon
_NEVER_MS = 2**31 - 1
_IDLE_WAIT_MS = 1_000

Got = dict[TopicPartition, list[Any]]
"""What a poll gave: aiokafka's records, by partition."""


class Unreadable(Exception):
    """The record at this place cannot be read, so no consumer gets past it by itself."""

    def __init__(self, partition: TopicPartition, offset: int) -> None:
        super().__init__(f"{partition}, offset {offset}")
        self.partition = partition
        self.offset = offset


def new_consumer(
    connection: Connection,
    *,
    group: str,
    client: str,
    longest_batch_s: float,
) -> AIOKafkaConsumer:
    """A consumer that is not started and not subscribed."""
    return AIOKafkaConsumer(
        bootstrap_servers=connection.servers,
        client_id=client,
        group_id=group,
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        # One strategy: members that offer different ones cannot form a group.
        partition_assignment_strategy=[RoundRobinPartitionAssignor],
        # Who dies is missed so soon; who is only busy has its heartbeats sent beside its work.
        session_timeout_ms=_SESSION_TIMEOUT_MS,
        heartbeat_interval_ms=_HEARTBEAT_MS,
        rebalance_timeout_ms=round(longest_batch_s * 1000),
        # A batch may take long, and waits for dependencies have no end: the bus watches itself.
        max_poll_interval_ms=_NEVER_MS,
        max_partition_fetch_bytes=LARGEST_DEAD_LETTER_BYTES,
        # What comes is sent at once, and where nothing comes, brokers are asked seldom.
        fetch_min_bytes=1,
        fetch_max_wait_ms=_IDLE_WAIT_MS,
        # A join is answered when the others' batches are done, which may take longer than this:
        # it is then asked again, and a broker that hangs is noticed all the same.
        request_timeout_ms=_REQUEST_TIMEOUT_MS,
        metadata_max_age_ms=_METADATA_AGE_MS,
    )


async def connect(consumer: AIOKafkaConsumer) -> None:
    """Start it, and have it heed an error that is the whole answer.

    aiokafka takes "I am not the coordinator" or "I am still loading" for "nothing is committed",
    and would begin at the earliest record: all that is kept would be handled again.

    Raises:
        KafkaError: the brokers are out of reach.
    """
    await consumer.start()
    coordinator = consumer._coordinator  # there is no public way to its answers
    send = coordinator._send_req

    async def send_and_heed(request: Any) -> Any:
        answer = await send(request)
        code = getattr(answer, "error_code", 0)
        if code and isinstance(request, OffsetFetchRequest):
            error = for_code(code)
            if error is not GroupLoadInProgressError:
                coordinator.coordinator_dead()  # it is looked for anew
            raise error(f"committed offsets of {coordinator.group_id}")
        return answer

    coordinator._send_req = send_and_heed


async def poll(consumer: AIOKafkaConsumer, batch_size: int) -> Got:
    """The next records, after a second none.

    Raises:
        Unreadable: there is a record that must be stepped over.
        KafkaError: the consumer is broken.
    """
    try:
        return await _get(consumer, batch_size)
    except UnicodeDecodeError:
        # A header whose *name* is no UTF-8: aiokafka fails to parse it, and forgets what it took
        # from other partitions with it. Back to what is settled; then, one by one, all that comes
        # before it is had; in any order, for all partitions have their turn.
        mine = list(consumer.assignment())
        await _go_back(consumer, mine)
        for partition in random.sample(mine, len(mine)):
            try:
                got = await _get(consumer, 1, partition)
            except UnicodeDecodeError as error:
                raise Unreadable(partition, await consumer.position(partition)) from error
            if got:
                return got
        return {}


async def _go_back(consumer: AIOKafkaConsumer, partitions: Sequence[TopicPartition]) -> None:
    for partition in partitions:
        committed = await consumer.committed(partition)
        if committed is None:
            await consumer.seek_to_beginning(partition)
        else:
            consumer.seek(partition, committed)


async def _get(consumer: AIOKafkaConsumer, most: int, *partitions: TopicPartition) -> Got:
    got: Got = await consumer.getmany(
        *partitions, timeout_ms=round(POLL_S * 1000), max_records=most
    )
    return got


async def commit(consumer: AIOKafkaConsumer, offsets: dict[TopicPartition, int]) -> None:
    """Commit the offsets of the records that come next.

    Raises:
        KafkaError, TimeoutError: they may not be committed; the records come again.
    """
    async with asyncio.timeout(_COMMITS_WITHIN_S):
        await consumer.commit(offsets)


async def is_deaf(consumer: AIOKafkaConsumer) -> bool:
    """Whether there are records that this consumer does not get (aiokafka issue 1037).

    Raises:
        KafkaError, TimeoutError: the brokers do not answer.
    """
    mine = consumer.assignment()
    if not mine:
        return False
    try:
        async with asyncio.timeout(_ANSWERS_WITHIN_S):
            ends = await consumer.end_offsets(mine)
            behind = [tp for tp in mine if ends[tp] > await consumer.position(tp)]
    except IllegalStateError:
        return False  # some were given away meanwhile
    if not behind:
        return False
    await asyncio.sleep(POLL_S)
    # What was published a moment ago is in the buffer by now.
    return not any((consumer.highwater(tp) or 0) >= ends[tp] for tp in behind)
