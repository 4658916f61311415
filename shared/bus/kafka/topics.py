"""The topics. They are created at every start where they are missing, so that nobody has to.

An event is a small fact that the database knows too, and the reconciler emits it again if it is
lost. So retention is bounded, and no topic is compacted. Dead letters are kept longer, for those
who look at them with Kafka's own tools; the api keeps them as failures in any case.
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
_TOPIC_ALREADY_EXISTS = 36  # an error code of the Kafka protocol
_POLL_S = 0.1


@dataclass(frozen=True, slots=True)
class Layout:
    """How topics are created; those that exist stay as they are.

    Attributes:
        partitions: also the number of members of a group that can work at a time.
        replicas: the number of brokers that keep each record.
    """

    partitions: int = 12
    replicas: int = 1


def names() -> list[str]:
    """Return the names of all topics, dead letters included."""
    topics = [topic.value for topic in Topic]
    return [*topics, *map(dead_letter_topic, topics)]


async def declare(connection: Connection, layout: Layout) -> None:
    """Create the topics that are missing; any number of processes may do so at once.

    Returns when the brokers list them: a member that joins its group earlier is assigned no
    partitions, and does nothing until its metadata expire.

    Raises:
        KafkaError: the brokers are out of reach, or refuse a topic.
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
            if code not in {0, _TOPIC_ALREADY_EXISTS}:
                error: KafkaError = for_code(code)(f"topic {name}")
                raise error
        await _wait_until_listed(admin, [connection.topic(name) for name in names()])
    finally:
        await admin.close()


async def _wait_until_listed(admin: AIOKafkaAdminClient, wanted: list[str]) -> None:
    try:
        async with asyncio.timeout(REQUEST_TIMEOUT_S):
            while True:
                descriptions = await admin.describe_topics(wanted)
                if not any(topic["error_code"] for topic in descriptions):
                    return
                await asyncio.sleep(_POLL_S)
    except TimeoutError as error:
        raise UnknownTopicOrPartitionError(
            "topics that were just created are not listed"
        ) from error


def _new(connection: Connection, name: str, layout: Layout) -> NewTopic:
    dead = name not in {topic.value for topic in Topic}
    largest = LARGEST_DEAD_LETTER_BYTES if dead else LARGEST_RECORD_BYTES
    config = {
        "cleanup.policy": "delete",
        "retention.ms": str(4 * _WEEK_MS if dead else _WEEK_MS),
        "max.message.bytes": str(largest),
    }
    return NewTopic(
        connection.topic(name), 1 if dead else layout.partitions, layout.replicas,
        topic_configs=config,
    )  # fmt: skip
