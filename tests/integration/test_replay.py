"""A replay publishes outside of transactions, and loses nothing that is cut off."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import asyncpg
import pytest
import strawberry
from strawberry.schema.config import StrawberryConfig

from services.api.graphql.scalars import SCALAR_MAP
from services.api.graphql.schema import Mutation, Query
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
from tests.integration.api_write_ground import extracted, letter
from tests.integration.conftest import StoreTracks

_REPLAY = "mutation { replayFailures { replayed } }"
_CAPACITY = 4
SCHEMA = strawberry.Schema(Query, Mutation, config=StrawberryConfig(scalar_map=SCALAR_MAP))


async def _fail(pool: asyncpg.Pool, store_tracks: StoreTracks, count: int) -> list[UUID]:
    tracks = await store_tracks(*(f"{n}.mp3" for n in range(count)))
    stored = await store_failures(pool, [letter(extracted(t), Stage.ANALYZE) for t in tracks])
    return [each.id for each in stored if each.id is not None]


async def _replay(pool: asyncpg.Pool, bus: Any) -> int:
    context = SimpleNamespace(pool=pool, bus=bus)
    answer = await SCHEMA.execute(_REPLAY, context_value=context)
    if answer.errors:
        raise answer.errors[0]
    assert answer.data is not None
    replayed: int = answer.data["replayFailures"]["replayed"]
    return replayed


async def test_a_replay_into_a_full_topic_waits_without_locks(
    pool: asyncpg.Pool, store_tracks: StoreTracks
) -> None:
    await _fail(pool, store_tracks, 40)
    seen: list[str] = []
    all_seen = asyncio.Event()

    async def analyze(events: Sequence[TrackExtracted]) -> Outcome:
        """As an analyzer: what it stores resolves the failures of its tracks."""
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
    async with asyncio.timeout(60):  # it waited for ever where it published with locks held
        assert await _replay(pool, bus) == 40
        await all_seen.wait()
    await bus.drain(5)
    assert (await progress.read(pool)).failed == 0


class _Unavailable:
    """A bus that cannot publish."""

    async def publish_records(self, records: Sequence[Record]) -> None:
        raise ConnectionError("the broker is away")


async def test_a_replay_that_is_cut_off_leaves_its_failures_open(
    pool: asyncpg.Pool, store_tracks: StoreTracks
) -> None:
    await _fail(pool, store_tracks, 3)
    with pytest.raises(Exception, match="broker is away"):
        await _replay(pool, _Unavailable())
    assert (await progress.read(pool)).failed == 3
    bus = InProcessBus()
    assert await _replay(pool, bus) == 0, "they may be on their way"
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
        await store_failures(pool, letters[:1])  # published, and failed before it is resolved
        await resolve_claimed(connection, ids)
    open_ = await pool.fetch("SELECT id FROM failures WHERE resolved_at IS NULL")
    assert [row["id"] for row in open_] == ids[:1]
