"""aiokafka's consumer: how the bus configures it, and how it gets past what stops it."""

import asyncio
import random
from contextlib import suppress

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.coordinator.assignors.roundrobin import RoundRobinPartitionAssignor
from aiokafka.errors import (
    IllegalStateError,
    NoOffsetForPartitionError,
    OffsetOutOfRangeError,
)

from shared.bus.kafka.connection import Connection
from shared.bus.kafka.offsets import committed_offsets
from shared.bus.kafka.topics import LARGEST_DEAD_LETTER_BYTES

POLL_S = 1.0
_SESSION_TIMEOUT_MS = 10_000
_HEARTBEAT_MS = 3_000
_REQUEST_TIMEOUT_MS = 40_000
_ANSWER_TIMEOUT_S = 30.0
_COMMIT_TIMEOUT_S = 120.0
_METADATA_AGE_MS = 30_000  # how long a new topic or partition may go unnoticed
_UNLIMITED_MS = 2**31 - 1
_FETCH_WAIT_MS = 1_000

Batch = dict[TopicPartition, list[ConsumerRecord]]
"""The records of one poll, by partition."""


class Unreadable(Exception):
    """No consumer can parse the record at this offset, or get past it by itself."""

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
    """Return a consumer that is neither started nor subscribed."""
    return AIOKafkaConsumer(
        bootstrap_servers=connection.servers,
        client_id=client,
        group_id=group,
        enable_auto_commit=False,
        # Not "earliest": aiokafka may take an error of the brokers for "nothing is committed".
        # With "none" it raises instead, and `poll` looks up the offsets itself.
        auto_offset_reset="none",
        # Exactly one strategy: members that offer different ones cannot form a group.
        partition_assignment_strategy=[RoundRobinPartitionAssignor],
        # A dead member is noticed after the session timeout. A busy one is not taken for dead:
        # heartbeats are sent while it works.
        session_timeout_ms=_SESSION_TIMEOUT_MS,
        heartbeat_interval_ms=_HEARTBEAT_MS,
        rebalance_timeout_ms=round(longest_batch_s * 1000),
        # A batch may take long, and a wait for a dependency has no limit. Instead of aiokafka,
        # `Member.is_alive` watches the polls.
        max_poll_interval_ms=_UNLIMITED_MS,
        max_partition_fetch_bytes=LARGEST_DEAD_LETTER_BYTES,
        # The broker answers as soon as there is a record, and holds an idle fetch for a second.
        fetch_min_bytes=1,
        fetch_max_wait_ms=_FETCH_WAIT_MS,
        # A join is answered when the batches of the other members are done, which may take longer
        # than this. It is then sent again, and a broker that hangs is noticed all the same.
        request_timeout_ms=_REQUEST_TIMEOUT_MS,
        metadata_max_age_ms=_METADATA_AGE_MS,
    )


async def poll(
    consumer: AIOKafkaConsumer, connection: Connection, group: str, batch_size: int
) -> Batch:
    """Return the next records, or none after a second. No batch may be in flight.

    Raises:
        Unreadable: there is a record that must be stepped over.
        KafkaError: the consumer is broken.
    """
    try:
        return await _get(consumer, batch_size)
    except NoOffsetForPartitionError:
        await _seek_to_committed(consumer, connection, group)
    except OffsetOutOfRangeError as error:
        # Retention deleted the records there: continue with the oldest that is left.
        await consumer.seek_to_beginning(*error.args[0])
    except UnicodeDecodeError:
        return await _get_around_unreadable(consumer, connection, group)
    return {}


async def _get_around_unreadable(
    consumer: AIOKafkaConsumer, connection: Connection, group: str
) -> Batch:
    """Return a record that precedes the unreadable one, if any.

    aiokafka cannot parse a header whose *name* is not UTF-8. When it fails, it also drops the
    records that it has taken from other partitions. So all partitions are read again from their
    committed offset, one record at a time, in random order so that each has its turn.
    """
    await _seek_to_committed(consumer, connection, group)
    assigned = list(consumer.assignment())
    for partition in random.sample(assigned, len(assigned)):
        try:
            batch = await _get(consumer, 1, partition)
        except UnicodeDecodeError as error:
            raise Unreadable(partition, await consumer.position(partition)) from error
        if batch:
            return batch
    return {}


async def _seek_to_committed(
    consumer: AIOKafkaConsumer, connection: Connection, group: str
) -> None:
    """Go to the committed offset of each partition, or to its first record where there is none.

    The offsets are asked from the brokers here, because the consumer's own answer cannot be
    trusted: aiokafka 0.14 ignores an error that is the whole answer ("I am not the coordinator",
    "I am still loading"), takes it for "nothing is committed", and would start at the earliest
    record: everything that the topic retains would be handled again.
    """
    assigned = list(consumer.assignment())
    offsets = await committed_offsets(connection, group, assigned)
    fresh = [partition for partition in assigned if offsets[partition] is None]
    with suppress(IllegalStateError):  # a partition was revoked meanwhile
        for partition, offset in offsets.items():
            if offset is not None:
                consumer.seek(partition, offset)
        if fresh:
            await consumer.seek_to_beginning(*fresh)


async def _get(consumer: AIOKafkaConsumer, limit: int, *partitions: TopicPartition) -> Batch:
    batch: Batch = await consumer.getmany(
        *partitions, timeout_ms=round(POLL_S * 1000), max_records=limit
    )
    return batch


async def commit(consumer: AIOKafkaConsumer, offsets: dict[TopicPartition, int]) -> None:
    """Commit the offsets of the next records to read.

    Raises:
        KafkaError, TimeoutError: the commit may be lost; the records are then delivered again.
    """
    async with asyncio.timeout(_COMMIT_TIMEOUT_S):
        await consumer.commit(offsets)


async def is_stuck(consumer: AIOKafkaConsumer) -> bool:
    """Whether there are records that this consumer does not fetch (aiokafka issue 1037).

    Raises:
        KafkaError, TimeoutError: the brokers do not answer.
    """
    assigned = consumer.assignment()
    if not assigned:
        return False
    try:
        async with asyncio.timeout(_ANSWER_TIMEOUT_S):
            ends = await consumer.end_offsets(assigned)
            behind = [tp for tp in assigned if ends[tp] > await consumer.position(tp)]
    except IllegalStateError:
        return False  # a partition was revoked meanwhile
    if not behind:
        return False
    await asyncio.sleep(POLL_S)
    # A record that was published a moment ago has been fetched by now.
    return not any((consumer.highwater(tp) or 0) >= ends[tp] for tp in behind)
