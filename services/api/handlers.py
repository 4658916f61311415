"""Event handlers: store which tracks are indexed, and store failures."""

from collections.abc import Sequence

import asyncpg

from services.api.store import search_index
from services.api.store.failures.write import store_failures
from shared.bus.port import Outcome
from shared.contracts.envelope import DeadLetter
from shared.contracts.events import TrackIndexed
from shared.contracts.identity import parse_id
from shared.contracts.topics import Stage


async def note_indexed(pool: asyncpg.Pool, events: Sequence[TrackIndexed]) -> Outcome:
    """Store which revisions of tracks are in the search index."""
    revisions: dict[str, int] = {}
    for event in events:
        revisions[event.track_id] = max(event.revision, revisions.get(event.track_id, 0))
    await search_index.mark_indexed(
        pool,
        {parse_id(id_)[1]: revision for id_, revision in revisions.items()},
        stage=Stage.INDEX,
    )
    return Outcome()


async def keep_failures(pool: asyncpg.Pool, letters: Sequence[DeadLetter]) -> None:
    """Store records that a stage gave up on, so that they can be listed and published again."""
    await store_failures(pool, letters)
