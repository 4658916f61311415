"""How far groups are behind, asked of the brokers: whoever the members are, wherever they run."""

import asyncio
from collections.abc import Iterable, Sequence

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import for_code
from tenacity import retry, retry_if_exception, stop_after_attempt, wait_fixed

from shared.bus.kafka.connection import REQUEST_TIMEOUT_S, Connection
from shared.bus.port import Lag

_TRIES = 20
_AGAIN_S = 0.25

Group = tuple[str, str, str]
"""A group to ask for: its id, its stage, and the topic by its own name."""


class Offsets:
    """Asks for offsets; opened when first needed."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._admin: AIOKafkaAdminClient | None = None
        self._reader: AIOKafkaConsumer | None = None
        self._turn = asyncio.Lock()

    async def lag(self, groups: Sequence[Group]) -> list[Lag]:
        """Records published and not yet committed, by group.

        Raises:
            DependencyDown: the brokers are out of reach.
        """
        if not groups:
            return []
        async with self._turn:
            try:
                with self._connection.errors_named():
                    return await self._lag(groups)
            except BaseException:
                await self.close()  # a new connection the next time
                raise

    # A coordinator or a leader is away for a moment when brokers are new or have just come back.
    @retry(
        retry=retry_if_exception(lambda error: getattr(error, "retriable", False)),
        stop=stop_after_attempt(_TRIES),
        wait=wait_fixed(_AGAIN_S),
        reraise=True,
    )
    async def _lag(self, groups: Sequence[Group]) -> list[Lag]:
        admin, reader = await self._open()
        committed = {
            id_: await admin.list_consumer_group_offsets(id_)
            for id_ in dict.fromkeys(id_ for id_, _, _ in groups)
        }
        # After the commits: what is published meanwhile counts, what is committed meanwhile too,
        # so the answer may be too high for a moment, and never too low.
        partitions = await self._partitions(admin, {topic for _, _, topic in groups})
        every = [partition for those in partitions.values() for partition in those]
        ends = await reader.end_offsets(every)
        begins = await reader.beginning_offsets(every)
        lags = []
        for id_, stage, topic in groups:
            behind = 0
            for partition in partitions[topic]:
                told = committed[id_].get(partition)
                done = begins[partition] if told is None else told.offset
                behind += max(0, ends[partition] - max(done, begins[partition]))
            lags.append(Lag(topic, stage, behind))
        return lags

    async def _partitions(
        self, admin: AIOKafkaAdminClient, topics: Iterable[str]
    ) -> dict[str, list[TopicPartition]]:
        names = {self._connection.topic(topic): topic for topic in topics}
        described = await admin.describe_topics(list(names))
        for told in described:
            if told["error_code"]:  # one without partitions would look like one without lag
                raise for_code(told["error_code"])(f"topic {told['topic']}")
        return {
            names[told["topic"]]: [
                TopicPartition(told["topic"], each["partition"]) for each in told["partitions"]
            ]
            for told in described
        }

    async def _open(self) -> tuple[AIOKafkaAdminClient, AIOKafkaConsumer]:
        if self._admin is None or self._reader is None:
            told = {
                "bootstrap_servers": self._connection.servers,
                "client_id": f"{self._connection.client}-offsets",
                "request_timeout_ms": REQUEST_TIMEOUT_S * 1000,
            }
            self._admin, self._reader = AIOKafkaAdminClient(**told), AIOKafkaConsumer(**told)
            await self._admin.start()
            await self._reader.start()
        return self._admin, self._reader

    async def close(self) -> None:
        """End the connections."""
        admin, self._admin = self._admin, None
        reader, self._reader = self._reader, None
        if reader is not None:
            await reader.stop()
        if admin is not None:
            await admin.close()
