"""Concurrent writers of the same tracks do not deadlock, and lose nothing."""

import asyncio
import random
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from services.api.store import artists
from services.api.store.analyses.upsert import upsert_analyses
from services.api.store.database.pool import LostRace, in_transaction
from services.api.store.failures.write import store_failures
from services.api.store.files.missing import mark_missing
from services.api.store.tracks.lock import CreationLock, lock_file_creation_for
from services.api.store.tracks.upsert import upsert_tracks
from services.api.store.vectors.upsert import upsert_vectors
from shared.contracts.errors import FailureKind, TransientError
from shared.contracts.identity import IdKind, format_id
from shared.contracts.topics import Stage
from tests.integration.api_write_items import (
    AUDIO,
    begin_scan,
    deadlocks,
    extracted,
    found,
    letter,
    register_both,
    vector,
)
from tests.integration.conftest import StoreTracks, analysis_item, track_item


async def test_overlapping_batches_of_new_tracks_neither_deadlock_nor_store_twice(
    pool: asyncpg.Pool, library_id: UUID
) -> None:
    async def batch(number: int) -> None:
        items = [
            track_item(f"{n}.mp3", title=f"{number}", genres=[f"g{n % 7}", f"h{number}"])
            for n in range(number * 20, number * 20 + 100)
        ]
        await artists.upsert(pool, [{"name": f"Artist {n}"} for n in range(number, number + 50)])
        await upsert_tracks(pool, library_id, None, items[::-1] if number % 2 else items)

    before = await deadlocks(pool)
    for _ in range(5):
        await pool.execute("DELETE FROM tracks")
        await asyncio.gather(*(batch(number % 5) for number in range(20)))
        assert await pool.fetchval("SELECT count(*) FROM tracks") == 180
        assert await pool.fetchval("SELECT count(*) FROM files") == 180
        assert await pool.fetchval("SELECT count(*) FROM artists") == 54
    assert await deadlocks(pool) == before


async def test_batches_of_new_files_are_stored_concurrently(
    pool: asyncpg.Pool, library_id: UUID
) -> None:
    """While a transaction that creates files is open, another one with new files does not wait."""
    keys = [(f"{n}.mp3", 0) for n in range(9)]
    async with pool.acquire() as connection, connection.transaction():
        lock = await lock_file_creation_for(connection, library_id, keys, may_move=False)
        assert lock is CreationLock.SHARED
        new = upsert_tracks(pool, library_id, None, [track_item("new.mp3")])
        assert (await asyncio.wait_for(new, 30))[0].problem is None

        # A batch with known files waits: it locks these, and might create the same files.
        mixed = asyncio.create_task(
            upsert_tracks(pool, library_id, None, [track_item("new.mp3"), track_item("0.mp3")])
        )
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(asyncio.shield(mixed), 0.5)
    assert len(await asyncio.wait_for(mixed, 30)) == 2


async def test_a_write_that_a_durable_one_follows_does_not_wait_for_the_disk(
    pool: asyncpg.Pool,
) -> None:
    """Artists are stored so before their tracks. The next transaction is durable again."""

    async def synchronous_commit(connection: asyncpg.Connection) -> str:
        setting: str = await connection.fetchval("SHOW synchronous_commit")
        return setting

    assert await in_transaction(pool, synchronous_commit, durable=False) == "off"
    assert await in_transaction(pool, synchronous_commit) == "on"


async def test_creating_files_takes_the_creation_lock_that_they_need(
    pool: asyncpg.Pool, library_id: UUID
) -> None:
    await upsert_tracks(pool, library_id, None, [track_item("known.mp3")])
    for paths, may_move, lock in (
        (["known.mp3"], False, CreationLock.NONE),
        (["known.mp3", "new.mp3"], False, CreationLock.EXCLUSIVE),
        (["new.mp3"], True, CreationLock.EXCLUSIVE),
        (["new.mp3"], False, CreationLock.SHARED),
    ):
        async with pool.acquire() as connection, connection.transaction():
            keys = [(path, 0) for path in paths]
            taken = await lock_file_creation_for(connection, library_id, keys, may_move=may_move)
        assert taken is lock, paths


async def test_all_stages_write_the_same_tracks_without_a_deadlock(
    pool: asyncpg.Pool, library_id: UUID, store_tracks: StoreTracks
) -> None:
    rng = random.Random(7)
    paths = [f"{n:03}.mp3" for n in range(120)]
    await register_both(pool)
    scan = await begin_scan(pool, len(paths))
    known = await store_tracks(*paths[::2])

    def some_paths() -> list[str]:
        return rng.sample(paths, 40)

    async def write(kind: int) -> None:
        some = rng.sample(known, 40)
        if kind == 0:
            await upsert_tracks(pool, library_id, scan, [track_item(p) for p in some_paths()])
        elif kind == 1:
            await mark_missing(pool, library_id, some_paths())
        elif kind == 2:
            await upsert_analyses(pool, [analysis_item(track) for track in some])
        elif kind == 3:
            await upsert_vectors(pool, [vector(track, AUDIO) for track in some])
        elif kind == 4:
            events = [found(library_id, scan, path) for path in some_paths()]
            await store_failures(pool, [letter(event, Stage.READ) for event in events])
        else:
            gone = [letter(extracted(t), Stage.ANALYZE, kind=FailureKind.BUG) for t in some]
            await store_failures(pool, gone)

    before = await deadlocks(pool)
    await asyncio.gather(*(write(number % 6) for number in range(90)))
    assert await deadlocks(pool) == before
    assert await pool.fetchval("SELECT count(*) FROM files") == len(paths)


async def test_concurrent_moves_neither_deadlock_nor_lose_tracks(
    pool: asyncpg.Pool, library_id: UUID, store_tracks: StoreTracks
) -> None:
    rng = random.Random(11)
    paths = [f"{n:03}.mp3" for n in range(60)]
    hashes = [f"{n:032x}" for n in range(60)]
    items = [track_item(p, content_hash=h) for p, h in zip(paths, hashes, strict=True)]
    known = await store_tracks(*items)
    ids = [format_id(IdKind.TRACK, track.id) for track in known if track.id]
    scan = await begin_scan(pool, len(paths))

    def moved_item() -> dict[str, Any]:
        """An item at any path that claims the track of the same content."""
        n = rng.randrange(60)
        path = rng.choice([*paths, *(f"new {number:03}.mp3" for number in range(30))])
        return track_item(path, content_hash=hashes[n], moved_from=ids[n])

    async def write(kind: int) -> None:
        if kind % 3:
            await upsert_tracks(pool, library_id, scan, [moved_item() for _ in range(20)])
        else:
            await mark_missing(pool, library_id, rng.sample(paths, 20))

    before = await deadlocks(pool)
    await asyncio.gather(*(write(number) for number in range(60)))
    assert await deadlocks(pool) == before
    lost = (
        "SELECT count(*) FROM tracks t WHERE NOT EXISTS (SELECT FROM files WHERE track_id = t.id)"
    )
    assert await pool.fetchval(lost) == 0
    kept = "SELECT count(*) FROM tracks WHERE id = ANY($1)"
    assert await pool.fetchval(kept, [track.id for track in known]) == 60


async def test_a_transaction_that_loses_again_and_again_is_to_be_tried_later(
    pool: asyncpg.Pool,
) -> None:
    attempts = 0

    async def lose(_: asyncpg.Connection) -> None:
        nonlocal attempts
        attempts += 1
        raise LostRace

    with pytest.raises(TransientError, match="try again"):
        await in_transaction(pool, lose)
    assert attempts == 5
