"""Keeps the gauges of what only the database and the brokers know.

Every api process tells them all: a gauge of one that is not asked any more would stand still.
"""

import asyncio

import asyncpg
import structlog

from services.api.store import progress
from shared.bus.port import Bus
from shared.runtime import metrics

_SELDOM_S = 15.0  # counting takes long in a large library

_log = structlog.get_logger(__name__)


class Gauges:
    """The task that looks.

    Args:
        pool: the database.
        bus: says how far groups are behind.
        interval_s: how often it looks, at most.
    """

    def __init__(self, pool: asyncpg.Pool, bus: Bus, *, interval_s: float) -> None:
        self._pool = pool
        self._bus = bus
        self._interval_s = max(interval_s, _SELDOM_S)

    async def run(self) -> None:
        """Look at once, then every interval, until cancelled; a look that fails is logged."""
        while True:
            try:
                await self.look()
            except Exception as error:
                _log.warning("gauges_unknown", error=str(error))
            await asyncio.sleep(self._interval_s)

    async def look(self) -> None:
        """Set all gauges."""
        size, idle = self._pool.get_size(), self._pool.get_idle_size()
        metrics.DB_CONNECTIONS.labels("idle").set(idle)
        metrics.DB_CONNECTIONS.labels("used").set(size - idle)
        for lag in await self._bus.lag():
            metrics.BUS_LAG.labels(lag.topic, lag.stage).set(lag.records)
        found = await progress.read(self._pool)
        counts = {
            "present": found.tracks, "missing": found.missing, "analyzed": found.analyzed,
            "vectorized": found.vectorized, "indexed": found.indexed,
        }  # fmt: skip
        for state, count in counts.items():
            metrics.TRACKS.labels(state).set(count)
        metrics.FAILURES_OPEN.set(found.failed)
        metrics.SCANS_ACTIVE.set(found.active_scans)
        metrics.FILES_TO_READ.set(found.files_to_read)
        metrics.WORK_PENDING.set(found.pending)
