"""The topics: declared at every start, so that nobody has to make them by hand.

Retention is bounded, compaction fits none: an event is a small fact that the database knows
too, and the reconciler emits it again should it be lost. Dead letters stay longer, for those who
look at them with Kafka's own tools; the api keeps them as failures in any case.
"""

import asyncio
from dataclasses import dataclass

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import KafkaError, UnknownTopicOrPartitionError, for_code

from shared.bus.kafka.connection import REQUEST_TIMEOUT_S, Connection
from shared.contracts.topics import Topic, dead_letter_topic

LARGEST_RECORD_BYTES = 4 * 2**20
LARGEST_DEAD_LETTER_BYTES = 5 * 2**20  # the record, and the headers that say why
_WEEK_MS = 7 * 24 * 3600 * 1000
_EXISTS = 36
_LOOK_EVERY_S = 0.1


@dataclass(frozen=True, slots=True)
class Layout:
    """How topics are laid out when they are made; those that exist stay as they are.

    Attributes:
        partitions: the most members of a group that can work at a time.
        replicas: brokers that keep each record.
    """

    partitions: int = 12
    replicas: int = 1


def names() -> list[str]:
    """All topics, dead letters included."""
    topics = [topic.value for topic in Topic]
    return [*topics, *map(dead_letter_topic, topics)]


async def declare(connection: Connection, layout: Layout) -> None:
    """Make the topics that are not there yet; any number of processes may do so at once.

    Returns when they are seen: a group that a member joins before takes them for topics without
    partitions, and does nothing until the member looks again.

    Raises:
        KafkaError: the brokers are out of reach, or refuse one.
    """
    admin = AIOKafkaAdminClient(
        bootstrap_servers=connection.servers,
        client_id=connection.client,
        request_timeout_ms=REQUEST_TIMEOUT_S * 1000,
    )
    await admin.start()
    try:
        answer = await admin.create_topics([_new(connection, name, layout) for name in names()])
        for name, code, *_ in answer.topic_errors:
            if code not in {0, _EXISTS}:
                error: KafkaError = for_code(code)(f"topic {name}")
                raise error
        await _until_seen(admin, [connection.topic(name) for name in names()])
    finally:
        await admin.close()


async def _until_seen(admin: AIOKafkaAdminClient, wanted: list[str]) -> None:
    try:
        async with asyncio.timeout(REQUEST_TIMEOUT_S):
            while True:
                seen = await admin.describe_topics(wanted)
                if not any(told["error_code"] for told in seen):
                    return
                await asyncio.sleep(_LOOK_EVERY_S)
    except TimeoutError as error:
        raise UnknownTopicOrPartitionError("topics that were just made are not seen") from error


def _new(connection: Connection, name: str, layout: Layout) -> NewTopic:
    dead = name not in {topic.value for topic in Topic}
    largest = LARGEST_DEAD_LETTER_BYTES if dead else LARGEST_RECORD_BYTES
    told = {
        "cleanup.policy": "delete",
        "retention.ms": str(4 * _WEEK_MS if dead else _WEEK_MS),
        "max.message.bytes": str(largest),
    }
    return NewTopic(
        connection.topic(name), 1 if dead else layout.partitions, layout.replicas,
        topic_configs=told,
    )  # fmt: skip
