"""Finds what stands still and publishes the event that moves it on.

The truth is in the tables, so a lost event, a wiped bus, a new analyzer version or embedding
model and a rebuilt index are one case. Nothing in flight is doubled: a stage is helped only
while nothing is under way to it, before and after the look at the tables.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta

import asyncpg
import structlog

from services.api.store import album_claims, albums, artists, genres, scans, standing_still, tracks
from services.api.store.standing_still import CutScan, WaitingTrack
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

PORTION = 2_000
_PRUNE_EVERY_S = 60.0
_PRUNE_OLDER_THAN = timedelta(minutes=10)
_SCANS_KEPT, _NEWEST_SCANS = timedelta(days=30), 1_000
# One reconciler at a time, however many api processes there are.
TRY_TURN = "SELECT pg_try_advisory_lock(hashtext('soniquebay.reconciler'))"
_END_TURN = "SELECT pg_advisory_unlock(hashtext('soniquebay.reconciler'))"

_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Quiet:
    """Which ways are quiet: nothing is under way to the stages that could change the answer."""

    walk: bool
    read: bool
    analyze: bool
    vectorize: bool
    index: bool

    def __and__(self, other: "Quiet") -> "Quiet":
        return Quiet(
            walk=self.walk and other.walk,
            read=self.read and other.read,
            analyze=self.analyze and other.analyze,
            vectorize=self.vectorize and other.vectorize,
            index=self.index and other.index,
        )


def quiet_ways(lags: Sequence[Lag]) -> Quiet:
    """What the lag of the consumer groups allows to be moved on.

    A stage stores before it publishes, so the stage before must be quiet too; and so must be
    the dead letters: a failure that is not kept yet looks like a track that stands still. What
    the bus doesn't tell counts as busy.
    """
    behind = {(lag.topic, lag.stage): lag.records for lag in lags}
    letters = not any(lag.records for lag in lags if lag.stage == Stage.FAILURES)

    def idle(stage: Stage) -> bool:
        topics = [topic for topic, stages in CONSUMERS.items() if stage in stages]
        return letters and all(behind.get((topic, stage), 1) == 0 for topic in topics)

    walk, read = idle(Stage.WALK), idle(Stage.READ)
    analyze, vectorize = idle(Stage.ANALYZE), idle(Stage.VECTORIZE)
    return Quiet(
        walk=walk,
        read=walk and read,
        analyze=read and analyze,
        vectorize=analyze and vectorize,
        index=read and vectorize and idle(Stage.INDEX) and idle(Stage.PROGRESS),
    )


class Reconciler:
    """The task of the api service that keeps everything moving.

    Args:
        pool: the database.
        bus: where the events go, and who says what is under way.
        interval_s: how often it looks.
        grace_s: a scan that showed life so lately is left alone.
        on_look: called after each look, which may have ended scans.
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
        """Look at once, then every interval, until cancelled; a look that fails is logged."""
        await self._retry_until_done()
        while True:
            try:
                await self.look()
            except Exception:
                _log.exception("the reconciler's look failed; it looks again soon")
            await asyncio.sleep(self._interval_s)

    async def look(self) -> list[Event]:
        """Publish what moves on what stands still, a portion a stage; returns the events."""
        async with self._pool.acquire() as connection:
            if not await connection.fetchval(TRY_TURN):
                return []
            try:
                events = await self._find(connection)
                await self._prune(connection)
                if events:  # in its turn still: who looks next sees them as lag
                    await self._bus.publish(events)
            finally:
                await _end_turn(connection)
        self._on_look()
        return events

    async def _retry_until_done(self) -> None:
        while True:
            try:
                await tracks.expect_analyzer(self._pool, ANALYZER_VERSION)
            except Exception:
                _log.exception("could not compare the analyzer's version; it is tried again")
                await asyncio.sleep(self._interval_s)
            else:
                return

    async def _find(self, connection: asyncpg.Connection) -> list[Event]:
        quiet = quiet_ways(await self._bus.lag())
        if quiet.read:
            await tracks.show_anew(connection)
        to_analyze = []
        if quiet.analyze:
            to_analyze = await standing_still.to_analyze(connection, PORTION)
        to_vectorize = await standing_still.to_vectorize(connection, PORTION)
        to_index = await standing_still.to_index(connection, PORTION)
        await scans.settle(connection)
        cut = await standing_still.scans(connection, self._grace_s)
        quiet = quiet & quiet_ways(await self._bus.lag())
        events: list[Event] = []
        if quiet.walk:
            events += await self._again(connection, cut, may_read=quiet.read)
        if quiet.analyze:
            events += [_extracted(track) for track in to_analyze]
        if quiet.vectorize:
            events += [_analyzed(track) for track in to_vectorize]
        if quiet.index:
            events += [_to_index(track) for track in to_index]
        return events

    async def _again(
        self, connection: asyncpg.Connection, cut: list[CutScan], *, may_read: bool
    ) -> list[Event]:
        """Walk again what was cut off: what is read by now is known, so the rest is found."""
        stopped = [scan for scan in cut if scan.state != "reading" or may_read]
        hopeless = [scan.id for scan in stopped if scan.walks >= scans.MOST_WALKS]
        if hopeless:
            message = f"given up after {scans.MOST_WALKS} walks: some files were not read"
            await scans.give_up(connection, hopeless, message)
        return [_requested(scan) for scan in stopped if scan.id not in hopeless]

    async def _prune(self, connection: asyncpg.Connection) -> None:
        now = asyncio.get_running_loop().time()
        if now - self._pruned_at < _PRUNE_EVERY_S or await standing_still.is_scanning(connection):
            return
        self._pruned_at = now
        await album_claims.prune(connection, older_than=_PRUNE_OLDER_THAN)
        await albums.prune(connection, older_than=_PRUNE_OLDER_THAN)
        await artists.prune(connection, older_than=_PRUNE_OLDER_THAN)
        await genres.prune(connection)
        await scans.prune(connection, older_than=_SCANS_KEPT, newest=_NEWEST_SCANS)


def _requested(scan: CutScan) -> Event:
    return ScanRequested(
        library=scan.library,
        root=scan.root,
        folder=scan.folder,
        mode=ScanMode(scan.mode),
        accept_missing=scan.accept_missing,
        scan_id=format_id(IdKind.SCAN, scan.id),
    )


async def _end_turn(connection: asyncpg.Connection) -> None:
    """Let others have their turn; a connection that cannot be told so is ended, which does it."""
    try:
        await connection.execute(_END_TURN)
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
    # Only the indexer listens to this one; of a missing track it must hear as such.
    if track.is_missing:
        return _extracted(track)
    return TrackVectorized(
        track_id=format_id(IdKind.TRACK, track.id),
        content_revision=track.content_revision,
        revision=track.revision,
    )
