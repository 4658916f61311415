"""Publishes records: in order per key, and acknowledged when all replicas have them."""

import asyncio
from collections.abc import Iterable
from contextlib import suppress

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from shared.bus.kafka.connection import REQUEST_TIMEOUT_S, Connection
from shared.bus.kafka.topics import LARGEST_DEAD_LETTER_BYTES
from shared.contracts.envelope import Record

_LINGER_MS = 2


class Publisher:
    """The producer of a process. It connects when it is first used."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._producer: AIOKafkaProducer | None = None
        self._opening = asyncio.Lock()
        self._stopping: set[asyncio.Task[None]] = set()

    async def publish(self, records: Iterable[Record]) -> None:
        """Return when the brokers have all records.

        After an error some may be there. Publishing them again makes duplicates, which handlers
        tolerate.

        Raises:
            InvalidInput: a record is too large.
            DependencyDown: the brokers are out of reach.
        """
        with self._connection.errors_named():
            producer = await self._open()
            try:
                await self._send(producer, records)
            except KafkaError:
                # An idempotent producer numbers its records. One that was numbered but not
                # delivered leaves a gap, and brokers refuse everything that follows.
                self._discard(producer)
                raise

    async def _send(self, producer: AIOKafkaProducer, records: Iterable[Record]) -> None:
        sent: list[asyncio.Future[object]] = []
        try:
            for record in records:
                topic, key = self._connection.topic(record.topic), record.key or None
                headers = list(record.headers.items())
                sent.append(await producer.send(topic, record.value, key=key, headers=headers))
        finally:
            results = await asyncio.gather(*sent, return_exceptions=True)
        for result in results:
            if isinstance(result, BaseException):
                raise result

    async def _open(self) -> AIOKafkaProducer:
        async with self._opening:
            if self._producer is None:
                producer: AIOKafkaProducer = AIOKafkaProducer(
                    bootstrap_servers=self._connection.servers,
                    client_id=self._connection.client,
                    acks="all",
                    enable_idempotence=True,
                    linger_ms=_LINGER_MS,
                    max_request_size=LARGEST_DEAD_LETTER_BYTES,
                    request_timeout_ms=REQUEST_TIMEOUT_S * 1000,
                )
                try:
                    await producer.start()
                except BaseException:
                    await producer.stop()
                    raise
                self._producer = producer
            return self._producer

    def _discard(self, producer: AIOKafkaProducer) -> None:
        if self._producer is producer:
            self._producer = None
            # Stopping waits for the records that other callers still send with it. So it is stopped
            # in the background.
            task = asyncio.create_task(_stop(producer))
            self._stopping.add(task)
            task.add_done_callback(self._stopping.discard)

    async def close(self) -> None:
        """Deliver what is being sent, and stop."""
        producer, self._producer = self._producer, None
        if producer is not None:
            await _stop(producer)
        await asyncio.gather(*self._stopping)


async def _stop(producer: AIOKafkaProducer) -> None:
    with suppress(KafkaError, TimeoutError):
        async with asyncio.timeout(REQUEST_TIMEOUT_S):
            await producer.stop()
