"""Asks the brokers every few seconds whether they answer, since consumers do not report it."""

import asyncio
import time

import structlog
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

from shared.bus.kafka.connection import Connection

_INTERVAL_S = 3.0
_FRESH_S = 15.0
_REQUEST_TIMEOUT_MS = 5_000

log = structlog.get_logger()


class BrokerProbe:
    """Remembers when the brokers answered last."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._answered_s = time.monotonic()
        self._since_s = self._answered_s
        self._is_out_of_reach = False
        self._task: asyncio.Task[None] | None = None

    def is_fresh(self) -> bool:
        """Whether the brokers answered in the last seconds."""
        return time.monotonic() - self._answered_s < _FRESH_S

    def answering_since_s(self) -> float:
        """Return since when (monotonic) they have answered without a break; now if they do not."""
        return time.monotonic() if self._is_out_of_reach else self._since_s

    def start(self) -> None:
        """Begin to ask; call when they have just answered."""
        self._answered_s = self._since_s = time.monotonic()
        self._task = asyncio.create_task(self._run(), name="kafka broker probe")

    async def close(self) -> None:
        """Stop asking."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _run(self) -> None:
        while True:
            try:
                await self._ask_until_silent()
            except (KafkaError, OSError):
                pass  # logged once, below
            except Exception:
                # A fault within aiokafka. Without the probe the service would never be ready again.
                log.exception("broker_probe_fault")
            if not self._is_out_of_reach:
                log.warning("brokers_out_of_reach", servers=self._connection.servers)
            self._is_out_of_reach = True
            await asyncio.sleep(_INTERVAL_S)

    async def _ask_until_silent(self) -> None:
        admin = AIOKafkaAdminClient(
            bootstrap_servers=self._connection.servers,
            client_id=f"{self._connection.client}-probe",
            request_timeout_ms=_REQUEST_TIMEOUT_MS,
        )
        try:
            await admin.start()
            while True:
                await admin.describe_cluster()
                self._answered_s = time.monotonic()
                if self._is_out_of_reach:
                    log.warning("brokers_back", servers=self._connection.servers)
                    self._since_s = self._answered_s
                self._is_out_of_reach = False
                await asyncio.sleep(_INTERVAL_S)
        finally:
            await admin.close()
