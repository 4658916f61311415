"""Updates the gauges whose values come from the database and the brokers.

Every api process updates all of them, so that none goes stale when another process ends.
"""

import asyncio
import math
import time

import structlog

from services.api.graphql.people.subscriptions import Rates
from services.api.graphql.types.status import MOST_UNRESOLVED_SCANS, stages_of
from services.api.store import progress
from services.api.store.database.pool import CountedPool
from services.api.store.reading import scans
from shared.bus.port import Bus
from shared.runtime import metrics

_MIN_INTERVAL_S = 15.0  # counting takes long in a large library

_log = structlog.get_logger(__name__)


class Gauges:
    """The task that updates the gauges.

    Args:
        pool: the database.
        bus: reports the lag of groups.
        interval_s: the interval between updates; 15 s at least.
    """

    def __init__(self, pool: CountedPool, bus: Bus, *, interval_s: float) -> None:
        self._pool = pool
        self._bus = bus
        self._interval_s = max(interval_s, _MIN_INTERVAL_S)
        self._rates = Rates()
        connections = metrics.DB_CONNECTIONS.labels
        connections("idle").set_function(pool.get_idle_size)
        connections("used").set_function(lambda: pool.get_size() - pool.get_idle_size())
        metrics.DB_WAITING.set_function(lambda: pool.waiting)

    async def run(self) -> None:
        """Update at once, then every interval, until cancelled; a failure is logged."""
        while True:
            try:
                await self.update()
            except Exception as error:
                _log.warning("gauges_unknown", error=str(error))
            await asyncio.sleep(self._interval_s)

    async def update(self) -> None:
        """Set all gauges."""
        for lag in await self._bus.lag():
            metrics.BUS_LAG.labels(lag.topic, lag.stage).set(lag.records)
        counts = await progress.read(self._pool)
        tracks = {
            "present": counts.tracks, "missing": counts.missing, "analyzed": counts.analyzed,
            "vectorized": counts.vectorized, "indexed": counts.indexed,
        }  # fmt: skip
        for state, number in tracks.items():
            metrics.TRACKS.labels(state).set(number)
        metrics.FAILURES_OPEN.set(counts.failed)
        metrics.SCANS_ACTIVE.set(counts.active_scans)
        unresolved = await scans.unresolved(self._pool, MOST_UNRESOLVED_SCANS)
        states = [scan.state for scan in unresolved]
        for state in ("held", "refused"):
            metrics.SCANS_UNRESOLVED.labels(state).set(states.count(state))
        metrics.FILES_TO_READ.set(counts.files_to_read)
        metrics.WORK_PENDING.set(counts.pending)
        for stage in self._rates.note(time.monotonic(), stages_of(counts)):
            left_s = math.nan if stage.eta_s is None else stage.eta_s
            metrics.TIME_LEFT.labels(stage.stage.value.lower()).set(left_s)
