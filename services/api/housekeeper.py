"""Deletes what people removed and what is no longer needed, in small batches.

Each batch is a transaction of its own. A housekeeper that is killed goes on where it stopped, since
what is left to do is in the tables.
"""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta

import asyncpg
import structlog

from services.api.store import retention
from services.api.store.libraries.remove import next_to_remove, remove_batch
from services.api.store.tracks.delete import RemovedTrack, note_announced, unannounced
from shared.bus.port import Bus
from shared.contracts.events import TrackChange, TrackExtracted
from shared.contracts.identity import IdKind, format_id
from shared.runtime.settings import Settings

_ANNOUNCED_AT_ONCE = 2_000
_FIRST_AFTER_S = 60.0  # the start is busy enough
_PAUSE_S = 0.05  # between batches: other requests use the database too
# One housekeeper at a time, however many api processes there are.
_TRY_LOCK = "SELECT pg_try_advisory_lock(hashtext('soniquebay.housekeeper'))"
_UNLOCK = "SELECT pg_advisory_unlock(hashtext('soniquebay.housekeeper'))"

_log = structlog.get_logger()

Delete = Callable[[asyncpg.Pool, timedelta], Awaitable[int]]


class Housekeeper:
    """The task of the api service that deletes.

    Args:
        pool: the database.
        bus: gets the events of removed tracks.
        settings: how long what is kept, and how often this is looked at.
        on_change: called when rows were deleted.
    """

    def __init__(
        self,
        pool: asyncpg.Pool,
        bus: Bus,
        settings: Settings,
        *,
        on_change: Callable[[], None] = lambda: None,
    ) -> None:
        self._pool = pool
        self._bus = bus
        self._interval_s = settings.reconcile_s
        self._every_s = settings.housekeeping_every_s
        self._on_change = on_change
        self._next_tidy_s: float | None = None
        self._steps: tuple[tuple[str, Delete, float], ...] = (
            ("covers", retention.delete_unused_covers, settings.unused_covers_kept_days),
            ("failures", retention.delete_resolved_failures, settings.resolved_failures_kept_days),
            ("dead_letters", retention.delete_dead_letters, settings.dead_letters_kept_days),
            ("analyses", retention.delete_old_analyses, settings.old_analyses_kept_days),
            ("vectors", retention.delete_retired_vectors, settings.retired_vectors_kept_days),
        )

    async def run(self) -> None:
        """Look for removed libraries every interval, for the rest now and then, until cancelled."""
        while True:
            try:
                await self.look()
            except Exception:
                _log.exception("housekeeping failed; it is tried again soon")
            await asyncio.sleep(self._interval_s)

    async def look(self) -> None:
        """Delete what is to be deleted now, unless another process does."""
        async with self._pool.acquire() as connection:
            if not await connection.fetchval(_TRY_LOCK):
                return
            try:
                await self._remove_libraries()
                await self._announce()
                await self._tidy_if_due()
            finally:
                await _unlock(connection)

    async def tidy(self) -> dict[str, int]:
        """Delete all that is older than the settings keep it; how many rows of what."""
        deleted: dict[str, int] = {}
        for name, delete, days in self._steps:
            try:
                deleted[name] = await self._repeat(delete, timedelta(days=days))
            except asyncpg.LockNotAvailableError:
                _log.info("in use, deleted later", what=name)
        return deleted

    async def _remove_libraries(self) -> None:
        while (library := await next_to_remove(self._pool)) is not None:
            await remove_batch(self._pool, library)
            await self._announce()
            self._on_change()
            await asyncio.sleep(_PAUSE_S)

    async def _announce(self) -> None:
        """Publish the events of removed tracks. The reconciler repeats those that get lost."""
        while tracks := await unannounced(self._pool, _ANNOUNCED_AT_ONCE):
            await self._bus.publish([removal_event(track) for track in tracks])
            await note_announced(self._pool, tracks)

    async def _tidy_if_due(self) -> None:
        now_s = asyncio.get_running_loop().time()
        if self._next_tidy_s is None:
            self._next_tidy_s = now_s + min(_FIRST_AFTER_S, self._every_s)
        if now_s < self._next_tidy_s:
            return
        self._next_tidy_s = now_s + self._every_s
        deleted = {name: rows for name, rows in (await self.tidy()).items() if rows}
        if deleted:
            _log.info("deleted what is no longer needed", **deleted)

    async def _repeat(self, delete: Delete, kept: timedelta) -> int:
        total = 0
        while rows := await delete(self._pool, kept):
            total += rows
            await asyncio.sleep(_PAUSE_S)
        return total


def removal_event(track: RemovedTrack) -> TrackExtracted:
    """The event by which the search index deletes a track."""
    return TrackExtracted(
        track_id=format_id(IdKind.TRACK, track.id),
        change=TrackChange.REMOVED,
        content_revision=1,
        revision=track.revision,
    )


async def _unlock(connection: asyncpg.Connection) -> None:
    """Release the lock; where that fails, the connection is ended, which releases it too."""
    try:
        await connection.execute(_UNLOCK)
    except BaseException:
        connection.terminate()
        raise
