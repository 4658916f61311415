"""A replay publishes outside of transactions, and an interrupted one loses nothing."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from services.api.graphql.context import Context
from services.api.store import progress
from services.api.store.failures.queries import FailureSelection, claim_failures, resolve_claimed
from services.api.store.failures.resolve import resolve_failures
from services.api.store.failures.write import store_failures
from shared.bus.in_process import InProcessBus
from shared.bus.port import Outcome, Subscription
from shared.contracts.envelope import Record
from shared.contracts.events import TrackExtracted
from shared.contracts.identity import parse_id
from shared.contracts.topics import Stage, Topic
from shared.runtime.settings import Settings
from tests.integration.api_read_fixtures import SCHEMA
from tests.integration.api_write_items import extracted, letter
from tests.integration.conftest import StoreTracks

_REPLAY = "mutation { replayFailures { replayed } }"
_CAPACITY = 4


async def _fail(pool: asyncpg.Pool, store_tracks: StoreTracks, count: int) -> list[UUID]:
    tracks = await store_tracks(*(f"{n}.mp3" for n in range(count)))
    stored = await store_failures(pool, [letter(extracted(t), Stage.ANALYZE) for t in tracks])
    return [each.id for each in stored if each.id is not None]


async def _replay(pool: asyncpg.Pool, bus: Any) -> int:
    absent: Any = None  # a replay neither searches nor embeds
    context = Context(pool, bus, Settings(), search=absent, embedder=absent)
    result = await SCHEMA.execute(_REPLAY, context_value=context)
    if result.errors:
        raise result.errors[0]
    assert result.data is not None
    replayed: int = result.data["replayFailures"]["replayed"]
    return replayed


async def test_a_replay_into_a_full_topic_waits_without_locks(
    pool: asyncpg.Pool, store_tracks: StoreTracks
) -> None:
    await _fail(pool, store_tracks, 40)
    seen: list[str] = []
    all_seen = asyncio.Event()

    async def analyze(events: Sequence[TrackExtracted]) -> Outcome:
        """Resolve the failures of the tracks, as storing an analysis does."""
        ids = [parse_id(event.track_id)[1] for event in events]
        async with pool.acquire() as connection:
            await resolve_failures(connection, ids, Stage.ANALYZE)
        seen.extend(event.track_id for event in events)
        if len(seen) == 40:
            all_seen.set()
        return Outcome()

    bus = InProcessBus(capacity=_CAPACITY)
    bus.subscribe(
        Subscription(Topic.TRACK_EXTRACTED, Stage.ANALYZE, analyze, batch_size=2, batch_wait_s=0)
    )
    await bus.start()
    async with asyncio.timeout(60):  # if it published with locks held, it would wait for ever
        assert await _replay(pool, bus) == 40
        await all_seen.wait()
    await bus.drain(5)
    assert (await progress.read(pool)).failed == 0


class _Unavailable:
    """A bus that cannot publish."""

    async def publish_records(self, records: Sequence[Record]) -> None:
        raise ConnectionError("the broker is away")


async def test_an_interrupted_replay_leaves_its_failures_open(
    pool: asyncpg.Pool, store_tracks: StoreTracks
) -> None:
    await _fail(pool, store_tracks, 3)
    with pytest.raises(Exception, match="broker is away"):
        await _replay(pool, _Unavailable())
    assert (await progress.read(pool)).failed == 3
    bus = InProcessBus()
    assert await _replay(pool, bus) == 0, "they count as published for some minutes"
    await pool.execute("UPDATE failures SET claimed_at = claimed_at - interval '11 minutes'")
    assert await _replay(pool, bus) == 3
    assert (await progress.read(pool)).failed == 0


async def test_a_record_that_fails_again_at_once_stays_open(
    pool: asyncpg.Pool, store_tracks: StoreTracks
) -> None:
    tracks = await store_tracks("a.mp3", "b.mp3")
    letters = [letter(extracted(track), Stage.ANALYZE) for track in tracks]
    ids = [each.id for each in await store_failures(pool, letters) if each.id is not None]
    async with pool.acquire() as connection:
        claimed = await claim_failures(
            connection, FailureSelection(until=datetime.now(UTC)), first=10
        )
        assert {each.id for each in claimed} == set(ids)
        await store_failures(
            pool, letters[:1]
        )  # it was published, and failed again before it was resolved
        await resolve_claimed(connection, ids)
    open_ = await pool.fetch("SELECT id FROM failures WHERE resolved_at IS NULL")
    assert [row["id"] for row in open_] == ids[:1]
