"""Wakes subscriptions after a change of the database by any gateway process."""

import asyncio
import uuid
from contextlib import suppress

import asyncpg
import structlog

from services.api.store.database.pool import CountedPool

CHANNEL = "soniquebay_changes"
# A scan stores hundreds of batches. Other processes hear of them at most twice a second.
_MIN_INTERVAL_S = 0.5
_RECONNECT_DELAY_S = 1.0
_IDLE_CHECK_S = 30.0
_TIMEOUT_S = 10.0

_log = structlog.get_logger(__name__)


class ChangeNotifier:
    """Counts changes: those of this process, and those that others report by PostgreSQL's NOTIFY.

    Notifications are sent on a connection of their own, and not within the transactions that
    store: one that notifies holds a lock on the whole database until it is committed, so that
    storing transactions would wait for each other.

    Attributes:
        count: the number of changes seen. Read it before the tables, and pass it to `wait`, so
            that no change is lost between reading and waiting.
    """

    def __init__(self) -> None:
        self.count = 0
        self._changed = asyncio.Event()
        self._unsent = asyncio.Event()
        self._process = uuid.uuid4().hex

    def notify(self) -> None:
        """Report that this process stored something."""
        self._wake()
        self._unsent.set()

    async def wait(self, count: int, *, timeout_s: float) -> None:
        """Return when there are more than `count` changes, or when the time is over."""
        if self.count == count:
            with suppress(TimeoutError):
                async with asyncio.timeout(timeout_s):
                    await self._changed.wait()

    def _wake(self) -> None:
        self.count += 1
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()

    async def run(self, pool: CountedPool) -> None:
        """Listen to other processes and notify them, until cancelled; reconnects as needed."""
        is_heard = True
        while True:
            try:
                connection = await pool.new_connection()
                try:
                    is_heard = True
                    await self._serve(connection)
                finally:
                    connection.terminate()
            except Exception as error:
                if is_heard:  # log an outage once
                    _log.warning("changes_unheard", error=str(error) or type(error).__name__)
                is_heard = False
            await asyncio.sleep(_RECONNECT_DELAY_S)

    async def _serve(self, connection: asyncpg.Connection) -> None:
        """Listen and notify until the connection ends."""
        # Wake up if the connection is lost while there is nothing to send.
        connection.add_termination_listener(lambda _: self._unsent.set())
        await connection.add_listener(CHANNEL, self._hear)
        # Changes that were stored while it did not listen, here or elsewhere, were not reported.
        self._wake()
        self._unsent.set()
        while not connection.is_closed():
            try:
                async with asyncio.timeout(_IDLE_CHECK_S):
                    await self._unsent.wait()
            except TimeoutError:
                # A connection may also be lost without a sign: a query shows it.
                await connection.execute("SELECT 1", timeout=_TIMEOUT_S)
                continue
            self._unsent.clear()
            await connection.execute(
                "SELECT pg_notify($1, $2)", CHANNEL, self._process, timeout=_TIMEOUT_S
            )
            await asyncio.sleep(_MIN_INTERVAL_S)

    def _hear(self, _connection: object, _process_id: int, _channel: str, sender: object) -> None:
        if sender != self._process:
            self._wake()
