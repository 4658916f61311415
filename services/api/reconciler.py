"""Finds stalled tracks and scans, and publishes the events that move them on.

The truth is in the tables, so a lost event, a wiped bus, a new analyzer version or embedding model
and a rebuilt index are one case. No event in flight is published twice: events for a stage are
published only if nothing was on its way to it before and after the tables were read.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta

import asyncpg
import structlog

from services.api.housekeeper import removal_event
from services.api.store import artists, genres, scans, stalled
from services.api.store.albums.claims import prune_claims
from services.api.store.albums.upsert import prune_albums
from services.api.store.analyses.current import expect_analyzer
from services.api.store.renamed import touch_renamed
from services.api.store.scan_end import decide, end_scans
from services.api.store.stalled import StalledScan, WaitingTrack
from shared.bus.port import Bus, Lag
from shared.contracts.events import (
    AudioAnalyzed,
    Event,
    ScanMode,
    ScanRequested,
    TrackChange,
    TrackExtracted,
    TrackVectorized,
)
from shared.contracts.identity import IdKind, format_id
from shared.contracts.topics import CONSUMERS, Stage
from shared.contracts.versions import ANALYZER_VERSION

BATCH = 2_000
_PRUNE_EVERY_S = 60.0
_PRUNE_OLDER_THAN = timedelta(minutes=10)
_SCANS_KEPT, _NEWEST_SCANS = timedelta(days=30), 1_000
# One reconciler at a time, however many api processes there are.
TRY_LOCK = "SELECT pg_try_advisory_lock(hashtext('soniquebay.reconciler'))"
_UNLOCK = "SELECT pg_advisory_unlock(hashtext('soniquebay.reconciler'))"

_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class QuietStages:
    """Which stages are quiet: no event is on its way to a stage that could change its tables."""

    walk: bool
    read: bool
    analyze: bool
    vectorize: bool
    index: bool

    def __and__(self, other: "QuietStages") -> "QuietStages":
        return QuietStages(
            walk=self.walk and other.walk,
            read=self.read and other.read,
            analyze=self.analyze and other.analyze,
            vectorize=self.vectorize and other.vectorize,
            index=self.index and other.index,
        )


def quiet_stages(lags: Sequence[Lag]) -> QuietStages:
    """The stages that are quiet, by the lag of the consumer groups.

    A stage stores before it publishes, so the stage before it must be quiet too. So must be the
    dead letters: a track whose failure is not stored yet looks stalled. A consumer group without a
    known lag counts as busy.
    """
    behind = {(lag.topic, lag.stage): lag.records for lag in lags}
    no_dead_letters = not any(lag.records for lag in lags if lag.stage == Stage.FAILURES)

    def idle(stage: Stage) -> bool:
        topics = [topic for topic, stages in CONSUMERS.items() if stage in stages]
        return no_dead_letters and all(behind.get((topic, stage), 1) == 0 for topic in topics)

    walk, read = idle(Stage.WALK), idle(Stage.READ)
    analyze, vectorize = idle(Stage.ANALYZE), idle(Stage.VECTORIZE)
    return QuietStages(
        walk=walk,
        read=walk and read,
        analyze=read and analyze,
        vectorize=analyze and vectorize,
        index=read and vectorize and idle(Stage.INDEX) and idle(Stage.PROGRESS),
    )


class Reconciler:
    """The task of the api service that publishes events for stalled tracks and scans.

    Args:
        pool: the database.
        bus: gets the events, and knows the lag of the consumer groups.
        interval_s: the time between two runs.
        grace_s: scans that made progress this recently are not stalled.
        on_look: called after each run, which may have ended scans.
    """

    def __init__(
        self,
        pool: asyncpg.Pool,
        bus: Bus,
        *,
        interval_s: float,
        grace_s: float = 0.5,
        on_look: Callable[[], None] = lambda: None,
    ) -> None:
        self._pool = pool
        self._bus = bus
        self._interval_s = interval_s
        self._grace_s = grace_s
        self._on_look = on_look
        self._pruned_at = 0.0

    async def run(self) -> None:
        """Reconcile at once, then every interval, until cancelled; a failure is logged."""
        await self._expect_analyzer()
        while True:
            try:
                await self.reconcile()
            except Exception:
                _log.exception("the reconciler failed; it tries again soon")
            await asyncio.sleep(self._interval_s)

    async def reconcile(self) -> list[Event]:
        """Publish the events of stalled tracks and scans, a batch a stage; returns them."""
        async with self._pool.acquire() as connection:
            if not await _try_lock(connection):
                return []
            try:
                events = await self._find(connection)
                await self._prune(connection)
                if events:  # under the lock: the next reconciler sees them as lag
                    await self._bus.publish(events)
            finally:
                await _unlock(connection)
        self._on_look()
        return events

    async def _expect_analyzer(self) -> None:
        """Mark outdated analyses as waiting for new ones; try until it succeeds."""
        while True:
            try:
                await expect_analyzer(self._pool, ANALYZER_VERSION)
            except Exception:
                _log.exception("could not compare the analyzer's version; trying again soon")
                await asyncio.sleep(self._interval_s)
            else:
                return

    async def _find(self, connection: asyncpg.Connection) -> list[Event]:
        quiet = quiet_stages(await self._bus.lag())
        if quiet.read:
            # What a process left undone that ended between two transactions.
            await decide(self._pool)
            await touch_renamed(connection)
        to_analyze = []
        if quiet.analyze:
            to_analyze = await stalled.to_analyze(connection, BATCH)
        to_vectorize = await stalled.to_vectorize(connection, BATCH)
        to_index = await stalled.to_index(connection, BATCH)
        to_remove = await stalled.to_remove(connection, BATCH)
        await end_scans(self._pool)
        stalled_scans = await stalled.scans(connection, self._grace_s)
        quiet = quiet & quiet_stages(await self._bus.lag())
        events: list[Event] = []
        if quiet.walk:
            events += await self._walk_again(connection, stalled_scans, may_read=quiet.read)
        if quiet.analyze:
            events += [_extracted(track) for track in to_analyze]
        if quiet.vectorize:
            events += [_analyzed(track) for track in to_vectorize]
        if quiet.index:
            events += [_to_index(track) for track in to_index]
            events += [removal_event(track) for track in to_remove]
        return events

    async def _walk_again(
        self, connection: asyncpg.Connection, found: list[StalledScan], *, may_read: bool
    ) -> list[Event]:
        """Request stalled scans again. Files that were read are known by now and not read again."""
        stopped = [scan for scan in found if scan.state != "reading" or may_read]
        hopeless = [scan.id for scan in stopped if scan.walks >= scans.MOST_WALKS]
        if hopeless:
            message = f"given up after {scans.MOST_WALKS} walks: some files were not read"
            await scans.give_up(connection, hopeless, message)
        return [_requested(scan) for scan in stopped if scan.id not in hopeless]

    async def _prune(self, connection: asyncpg.Connection) -> None:
        now = asyncio.get_running_loop().time()
        if now - self._pruned_at < _PRUNE_EVERY_S or await stalled.is_scanning(connection):
            return
        self._pruned_at = now
        await prune_claims(connection, older_than=_PRUNE_OLDER_THAN)
        await prune_albums(connection, older_than=_PRUNE_OLDER_THAN)
        await artists.prune(connection, older_than=_PRUNE_OLDER_THAN)
        await genres.prune(connection)
        await scans.prune(connection, older_than=_SCANS_KEPT, newest=_NEWEST_SCANS)


def _requested(scan: StalledScan) -> Event:
    return ScanRequested(
        library=scan.library,
        root=scan.root,
        folder=scan.folder,
        mode=ScanMode(scan.mode),
        accept_missing=scan.accept_missing,
        scan_id=format_id(IdKind.SCAN, scan.id),
    )


async def _try_lock(connection: asyncpg.Connection) -> bool:
    """Take the lock, if nobody has it.

    Where this is cancelled the server may have taken it: the connection is ended, or it would keep
    the lock in the pool.
    """
    try:
        is_taken: bool = await connection.fetchval(TRY_LOCK)
    except BaseException:
        connection.terminate()
        raise
    return is_taken


async def _unlock(connection: asyncpg.Connection) -> None:
    """Release the lock; where that fails, the connection is ended, which releases it too."""
    try:
        await connection.execute(_UNLOCK)
    except BaseException:
        connection.terminate()
        raise


def _extracted(track: WaitingTrack) -> Event:
    if track.is_missing:
        change = TrackChange.MISSING
    else:
        change = TrackChange.CREATED if track.revision == 1 else TrackChange.UPDATED
    return TrackExtracted(
        track_id=format_id(IdKind.TRACK, track.id),
        change=change,
        content_revision=track.content_revision,
        revision=track.revision,
    )


def _analyzed(track: WaitingTrack) -> Event:
    return AudioAnalyzed(
        track_id=format_id(IdKind.TRACK, track.id),
        analyzer_version=ANALYZER_VERSION,
        content_revision=track.content_revision,
        revision=track.revision,
    )


def _to_index(track: WaitingTrack) -> Event:
    # Only the indexer consumes `track.vectorized`; a missing track needs an event that says so.
    if track.is_missing:
        return _extracted(track)
    return TrackVectorized(
        track_id=format_id(IdKind.TRACK, track.id),
        content_revision=track.content_revision,
        revision=track.revision,
    )
