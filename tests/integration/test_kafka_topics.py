"""The topics on Kafka: their declaration, and records that are too large."""

import asyncio

import pytest
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

from shared.contracts.envelope import Record
from tests.engines.jars import Server
from tests.integration.kafka_buses import (
    Cluster,
    CountingHandler,
    consume,
    eventually,
    keep_dead_letters,
    make_bus,
    vectorized,
)

__all__ = ["make_bus"]


@pytest.mark.parametrize("key", [b"k", b"k" * 20_000], ids=["small key", "key too large as well"])
async def test_a_dead_letter_that_is_too_large_for_its_topic_has_no_value(
    make_bus: Cluster, kafka: Server, key: bytes
) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka.address)
    await admin.start()
    small = {"max.message.bytes": "10000"}
    name = make_bus.prefix + "track.vectorized.dlq"
    await admin.create_topics([NewTopic(name, 1, 1, topic_configs=small)])
    await admin.close()
    bus, handler = make_bus(), CountingHandler()
    consume(bus, handler)
    letters = keep_dead_letters(bus)
    await bus.start()
    await bus.publish_records([Record("track.vectorized", key, b"[" * 20_000)])
    await bus.publish([vectorized(1)])
    await eventually(lambda: letters and handler.seen, "both have their place")
    assert letters[0].record == Record("track.vectorized", key[:1000], b"")
    assert "JSON" in letters[0].message
    assert "larger than the brokers take" in letters[0].message


async def test_topics_are_declared_by_the_first_process(make_bus: Cluster, kafka: Server) -> None:
    await asyncio.gather(*(make_bus().start() for _ in range(3)))
    await make_bus().start()
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka.address)
    await admin.start()
    names = [make_bus.prefix + name for name in ("file.found", "file.found.dlq")]
    descriptions = {topic["topic"]: topic for topic in await admin.describe_topics(names)}
    (answer,) = await admin.describe_configs(
        [ConfigResource(ConfigResourceType.TOPIC, name) for name in names]
    )
    await admin.close()
    configs = {each[3]: {entry[0]: entry[1] for entry in each[4]} for each in answer.resources}
    assert [len(descriptions[name]["partitions"]) for name in names] == [6, 1]
    week_ms = 7 * 24 * 3600 * 1000
    assert [int(configs[name]["retention.ms"]) for name in names] == [week_ms, 4 * week_ms]
    assert {configs[name]["cleanup.policy"] for name in names} == {"delete"}
