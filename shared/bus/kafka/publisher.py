"""Publishes records: every one is on all replicas when it is told so, in order per key."""

import asyncio
from collections.abc import Iterable
from contextlib import suppress

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from shared.bus.kafka.connection import REQUEST_TIMEOUT_S, Connection
from shared.bus.kafka.topics import LARGEST_DEAD_LETTER_BYTES
from shared.bus.kafka.wire import headers_of
from shared.contracts.envelope import Record

_LINGER_MS = 2


class Publisher:
    """The producer of a process, opened when it is first needed."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._producer: AIOKafkaProducer | None = None
        self._opening = asyncio.Lock()
        self._ending: set[asyncio.Task[None]] = set()

    async def publish(self, records: Iterable[Record]) -> None:
        """Return when the brokers have all records.

        After an error some may be there: those who publish them again double them, which
        handlers bear.

        Raises:
            InvalidInput: a record is too large.
            DependencyDown: the brokers are out of reach.
        """
        with self._connection.errors_named():
            producer = await self._open()
            try:
                await self._send(producer, records)
            except KafkaError:
                # What it numbered and did not deliver leaves a gap that brokers refuse to pass.
                self._discard(producer)
                raise

    async def _send(self, producer: AIOKafkaProducer, records: Iterable[Record]) -> None:
        sent: list[asyncio.Future[object]] = []
        try:
            for record in records:
                topic, key = self._connection.topic(record.topic), record.key or None
                sent.append(
                    await producer.send(topic, record.value, key=key, headers=headers_of(record))
                )
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
            # Its end waits for what others still send with it, so nobody waits for its end.
            task = asyncio.create_task(_end(producer))
            self._ending.add(task)
            task.add_done_callback(self._ending.discard)

    async def close(self) -> None:
        """Deliver what is under way, and end."""
        producer, self._producer = self._producer, None
        if producer is not None:
            await _end(producer)
        await asyncio.gather(*self._ending)


async def _end(producer: AIOKafkaProducer) -> None:
    with suppress(KafkaError, TimeoutError):
        async with asyncio.timeout(REQUEST_TIMEOUT_S):
            await producer.stop()
