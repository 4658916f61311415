"""Keeps the gauges of what only the database and the brokers know.

Every api process tells them all: a gauge of one that is not asked any more would stand still.
"""

import asyncio
import math
import time

import asyncpg
import structlog

from services.api.graphql.people.subscriptions import Rates
from services.api.graphql.types.status import stages_of
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
        self._rates = Rates()
        count = metrics.DB_CONNECTIONS.labels
        count("idle").set_function(pool.get_idle_size)
        count("used").set_function(lambda: pool.get_size() - pool.get_idle_size())
        metrics.DB_WAITING.set_function(lambda: _waiting(pool))

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
        for stage in self._rates.note(time.monotonic(), stages_of(found)):
            left_s = math.nan if stage.eta_s is None else stage.eta_s
            metrics.TIME_LEFT.labels(stage.stage.value.lower()).set(left_s)


def _waiting(pool: asyncpg.Pool) -> float:
    # asyncpg does not tell; those who wait are the getters of its queue of connections.
    return float(len(getattr(pool._queue, "_getters", ()))) if pool._queue else 0.0
