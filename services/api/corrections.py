"""A person corrects tracks: stored, and told to those who read it."""

from collections.abc import Sequence

import asyncpg

from services.api.store.batch_writes import Status, TrackUpserted
from services.api.store.checks import Item
from services.api.store.corrections.apply import apply_corrections
from services.api.store.reading import lookups
from shared.bus.port import Bus
from shared.contracts.events import AudioAnalyzed, Event, TrackVectorized
from shared.contracts.identity import IdKind, format_id
from shared.contracts.versions import ANALYZER_VERSION


async def correct(pool: asyncpg.Pool, bus: Bus, items: Sequence[Item]) -> list[TrackUpserted]:
    """Store corrections, one result an item; what changed is vectorized and indexed anew.

    Where the events are lost, the reconciler finds the tracks.
    """
    results = await apply_corrections(pool, items)
    changed = {one.id for one in results if one.id and one.status is not Status.UNCHANGED}
    found = await lookups.tracks(pool, list(changed))
    await bus.publish([_event(row) for row in found if row is not None])
    return results


def _event(row: asyncpg.Record) -> Event:
    track_id = format_id(IdKind.TRACK, row["id"])
    numbers = {"content_revision": row["content_revision"], "revision": row["revision"]}
    if row["analyzed_content_revision"] == row["content_revision"] and not row["is_missing"]:
        return AudioAnalyzed(track_id=track_id, analyzer_version=ANALYZER_VERSION, **numbers)
    # Only the indexer listens to this one; text vectors follow the analysis.
    return TrackVectorized(track_id=track_id, **numbers)
