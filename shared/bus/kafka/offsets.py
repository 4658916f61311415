"""Committed offsets and consumer lag, as the brokers report them for any group."""

import asyncio
from collections.abc import Iterable, Sequence

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import GroupCoordinatorNotAvailableError, for_code
from tenacity import retry, retry_if_exception, stop_after_attempt, wait_fixed

from shared.bus.kafka.connection import REQUEST_TIMEOUT_S, Connection
from shared.bus.port import Lag

_ATTEMPTS = 20
_RETRY_DELAY_S = 0.25

Group = tuple[str, str, str]
"""A group whose lag is wanted: its id, its stage, and the topic's name without the prefix."""

# A coordinator or a leader is away for a moment when brokers are new or have just come back.
_retried = retry(
    retry=retry_if_exception(lambda error: getattr(error, "retriable", False)),
    stop=stop_after_attempt(_ATTEMPTS),
    wait=wait_fixed(_RETRY_DELAY_S),
    reraise=True,
)


async def committed_offsets(
    connection: Connection, group: str, partitions: Sequence[TopicPartition]
) -> dict[TopicPartition, int | None]:
    """Return the group's committed offset of each partition; None where it never committed.

    Raises:
        KafkaError: the brokers do not answer.
    """
    admin = _new_admin(connection)

    @_retried
    async def ask() -> dict[TopicPartition, int | None]:
        return await _committed(admin, group, partitions)

    try:
        await admin.start()
        return await ask()
    finally:
        await admin.close()


async def _committed(
    admin: AIOKafkaAdminClient, group: str, partitions: Sequence[TopicPartition]
) -> dict[TopicPartition, int | None]:
    if not partitions:
        return {}
    # The request names the partitions, since only then an error differs from "nothing is
    # committed": aiokafka drops an error that is the whole response, so the partition is missing
    # from the result. -1 means that nothing is committed.
    found = await admin.list_consumer_group_offsets(group, partitions=list(partitions))
    if missing := [partition for partition in partitions if partition not in found]:
        raise GroupCoordinatorNotAvailableError(f"no offsets of {group} for {missing}")
    return {
        partition: None if found[partition].offset < 0 else found[partition].offset
        for partition in partitions
    }


class LagReader:
    """Reads the lag of groups. It connects when it is first used."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._admin: AIOKafkaAdminClient | None = None
        self._consumer: AIOKafkaConsumer | None = None
        self._lock = asyncio.Lock()

    async def lag(self, groups: Sequence[Group]) -> list[Lag]:
        """Return the number of records published and not yet committed, by group.

        Raises:
            DependencyDown: the brokers are out of reach.
        """
        if not groups:
            return []
        async with self._lock:
            try:
                with self._connection.errors_named():
                    return await self._lag(groups)
            except BaseException:
                await self.close()  # the next call connects anew
                raise

    @_retried
    async def _lag(self, groups: Sequence[Group]) -> list[Lag]:
        admin, consumer = await self._open()
        partitions = await self._partitions(admin, {topic for _, _, topic in groups})
        committed = {
            id_: await _committed(
                admin, id_, [each for other, _, topic in groups if other == id_
                             for each in partitions[topic]],
            )
            for id_ in dict.fromkeys(id_ for id_, _, _ in groups)
        }  # fmt: skip
        # Asked after the commits, so that the lag may be too high for a moment, but never too low.
        every = [partition for those in partitions.values() for partition in those]
        ends = await consumer.end_offsets(every)
        begins = await consumer.beginning_offsets(every)
        lags = []
        for id_, stage, topic in groups:
            behind = 0
            for partition in partitions[topic]:
                offset = committed[id_][partition]
                done = begins[partition] if offset is None else offset
                # Retention may have deleted records that were never read: they are no lag.
                behind += max(0, ends[partition] - max(done, begins[partition]))
            lags.append(Lag(topic, stage, behind))
        return lags

    async def _partitions(
        self, admin: AIOKafkaAdminClient, topics: Iterable[str]
    ) -> dict[str, list[TopicPartition]]:
        names = {self._connection.topic(topic): topic for topic in topics}
        descriptions = await admin.describe_topics(list(names))
        for topic in descriptions:
            # Without this check, a topic that cannot be described would look like one without lag.
            if topic["error_code"]:
                raise for_code(topic["error_code"])(f"topic {topic['topic']}")
        return {
            names[topic["topic"]]: [
                TopicPartition(topic["topic"], each["partition"]) for each in topic["partitions"]
            ]
            for topic in descriptions
        }

    async def _open(self) -> tuple[AIOKafkaAdminClient, AIOKafkaConsumer]:
        if self._admin is None or self._consumer is None:
            self._admin = _new_admin(self._connection)
            self._consumer = AIOKafkaConsumer(**_options(self._connection))
            await self._admin.start()
            await self._consumer.start()
        return self._admin, self._consumer

    async def close(self) -> None:
        """Close the connections."""
        admin, self._admin = self._admin, None
        consumer, self._consumer = self._consumer, None
        if consumer is not None:
            await consumer.stop()
        if admin is not None:
            await admin.close()


def _new_admin(connection: Connection) -> AIOKafkaAdminClient:
    return AIOKafkaAdminClient(**_options(connection))


def _options(connection: Connection) -> dict[str, str | int]:
    return {
        "bootstrap_servers": connection.servers,
        "client_id": f"{connection.client}-offsets",
        "request_timeout_ms": REQUEST_TIMEOUT_S * 1000,
    }
