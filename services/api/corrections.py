"""Stores corrections of tracks, and publishes the events that vectorize and index them again."""

from collections.abc import Sequence

import asyncpg

from services.api.store.checks import Item
from services.api.store.corrections.apply import apply_corrections
from services.api.store.reading import lookups
from services.api.store.results import TrackUpserted
from shared.bus.port import Bus
from shared.contracts.events import AudioAnalyzed, Event, TrackVectorized
from shared.contracts.identity import IdKind, format_id
from shared.contracts.upserts import UpsertStatus
from shared.contracts.versions import ANALYZER_VERSION


async def correct(pool: asyncpg.Pool, bus: Bus, items: Sequence[Item]) -> list[TrackUpserted]:
    """Store corrections, and publish the events of tracks that changed; one result per item.

    If the events are lost, the reconciler finds the tracks.
    """
    results = await apply_corrections(pool, items)
    changed = {r.id for r in results if r.id and r.status is not UpsertStatus.UNCHANGED}
    found = await lookups.tracks(pool, list(changed))
    await bus.publish([_event(row) for row in found if row is not None])
    return results


def _event(row: asyncpg.Record) -> Event:
    track_id = format_id(IdKind.TRACK, row["id"])
    revisions = {"content_revision": row["content_revision"], "revision": row["revision"]}
    if row["analyzed_content_revision"] == row["content_revision"] and not row["is_missing"]:
        return AudioAnalyzed(track_id=track_id, analyzer_version=ANALYZER_VERSION, **revisions)
    # Only the indexer consumes this event: text vectors are made after the analysis.
    return TrackVectorized(track_id=track_id, **revisions)
