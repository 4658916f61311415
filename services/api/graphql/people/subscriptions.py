"""Live progress: while a client listens, the tables are read again after each change."""

import asyncio
import math
import time
from collections import deque
from collections.abc import AsyncGenerator

import strawberry
from strawberry import Info

from services.api.graphql.arguments import uuid_of
from services.api.graphql.errors import bad_input
from services.api.graphql.types.scans import Scan
from services.api.graphql.types.status import (
    ScanProgress,
    StageProgress,
    StageRate,
    Status,
    stages_of,
)
from services.api.store import progress
from services.api.store.reading import scans
from shared.contracts.identity import IdKind

_MIN_INTERVAL_S = 0.5
_MAX_AGE_S = 15.0  # then the tables are read anyway, in case a notification was lost
_WINDOW_S = 10.0


class Rates:
    """The rate of each stage over the last seconds. Pure: the caller passes the time."""

    def __init__(self) -> None:
        self._seen: deque[tuple[float, list[StageProgress]]] = deque()

    def note(self, now_s: float, stages: list[StageProgress]) -> list[StageRate]:
        """The rates over the last seconds, as of now."""
        self._seen.append((now_s, stages))
        while len(self._seen) > 2 and now_s - self._seen[0][0] > _WINDOW_S:
            self._seen.popleft()
        since_s, before = self._seen[0]
        return [_rate(old, new, now_s - since_s) for old, new in zip(before, stages, strict=True)]


def _rate(old: StageProgress, new: StageProgress, passed_s: float) -> StageRate:
    rate = max(0, new.done - old.done) / passed_s if passed_s > 0 else 0.0
    left = max(0, new.total - new.done - new.failed)
    eta = 0.0 if not left else (left / rate if rate else None)
    return StageRate(
        stage=new.stage, done=new.done, failed=new.failed, total=new.total,
        rate_per_s=rate, eta_s=eta,
    )  # fmt: skip


@strawberry.type
class Subscription:
    """The root of all subscriptions."""

    @strawberry.subscription(
        description="The status, and that of one scan if it is named: at once, and after each"
        " change, at most twice a second."
    )
    async def scan_progress(
        self, info: Info, scan_id: strawberry.ID | None = None
    ) -> AsyncGenerator[ScanProgress, None]:
        """Ends when the client unsubscribes."""
        pool, key, rates = info.context.pool, uuid_of("scanId", scan_id, IdKind.SCAN), Rates()
        changes = info.context.changes
        last: object = None
        seen, read_s = -1, -math.inf
        while True:
            if changes.count != seen or time.monotonic() - read_s > _MAX_AGE_S:
                seen, read_s = changes.count, time.monotonic()
                found = await progress.read(pool)
                scan = (await scans.read(pool, [key])).get(key) if key else None
                if key and scan is None:
                    raise bad_input(f"scanId: there is no scan {scan_id}")
            # Pauses and rates also change when nothing is stored.
            paused = info.context.bus.health().paused
            stages = rates.note(time.monotonic(), stages_of(found))
            # A rate that falls to 0 is a change too, so that clients see a stage that stopped.
            now = (found, scan, paused, [stage.rate_per_s > 0 for stage in stages])
            if now != last:
                last = now
                yield ScanProgress(
                    scan=Scan.of(scan) if scan else None,
                    status=Status.of(found, paused),
                    stages=stages,
                    is_idle=not found.active_scans and not found.pending,
                )
            await asyncio.sleep(_MIN_INTERVAL_S)

    @strawberry.subscription(description="Sends the scan once, when it has ended.")
    async def scan_ended(self, info: Info, scan_id: strawberry.ID) -> AsyncGenerator[Scan, None]:
        """It ends when all its files are read or failed, or when it is held or refused."""
        pool, key, changes = (
            info.context.pool,
            uuid_of("scanId", scan_id, IdKind.SCAN),
            info.context.changes,
        )
        while True:
            seen = changes.count
            scan = (await scans.read(pool, [key])).get(key) if key else None
            if scan is None:
                raise bad_input(f"scanId: there is no scan {scan_id}")
            if not scan.is_active:
                yield Scan.of(scan)
                return
            await changes.wait(seen, timeout_s=_MAX_AGE_S)
