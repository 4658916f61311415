"""All writers at once, over the same tracks: none waits for another one that waits for it."""

import asyncio
import random
from uuid import UUID

import asyncpg

from services.api.store import analyses, artists, failures, files, tracks, vectors
from shared.contracts.errors import FailureKind
from shared.contracts.topics import Stage
from tests.integration.conftest import StoreTracks, analysis_item, track_item
from tests.integration.test_api_write_stages import (
    AUDIO,
    begin_scan,
    extracted,
    found,
    letter,
    register_both,
    vector,
)


async def deadlocks(pool: asyncpg.Pool) -> int:
    """Deadlocks that the server has broken up so far, those that were tried again included."""
    taken = [await pool.acquire() for _ in range(pool.get_size())]
    for connection in taken:
        await connection.execute("SELECT pg_stat_force_next_flush()")
        await pool.release(connection)
    count: int = await pool.fetchval("SELECT sum(deadlocks)::int FROM pg_stat_database")
    return count


async def test_overlapping_batches_of_new_tracks_neither_deadlock_nor_double(
    pool: asyncpg.Pool, library_id: UUID
) -> None:
    async def batch(number: int) -> None:
        items = [
            track_item(f"{n}.mp3", title=f"{number}", genres=[f"g{n % 7}", f"h{number}"])
            for n in range(number * 20, number * 20 + 100)
        ]
        await artists.store(pool, [{"name": f"Artist {n}"} for n in range(number, number + 50)])
        await tracks.store(pool, library_id, None, items[::-1] if number % 2 else items)

    before = await deadlocks(pool)
    for _ in range(5):
        await pool.execute("DELETE FROM tracks")
        await asyncio.gather(*(batch(number % 5) for number in range(20)))
        assert await pool.fetchval("SELECT count(*) FROM tracks") == 180
        assert await pool.fetchval("SELECT count(*) FROM files") == 180
        assert await pool.fetchval("SELECT count(*) FROM artists") == 54
    assert await deadlocks(pool) == before


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
            await tracks.store(pool, library_id, scan, [track_item(p) for p in some_paths()])
        elif kind == 1:
            await files.mark_missing(pool, library_id, some_paths())
        elif kind == 2:
            await analyses.store(pool, [analysis_item(track) for track in some])
        elif kind == 3:
            await vectors.store(pool, [vector(track, AUDIO) for track in some])
        elif kind == 4:
            told = [found(library_id, scan, path) for path in some_paths()]
            await failures.store(pool, [letter(event, Stage.READ) for event in told])
        else:
            gone = [letter(extracted(t), Stage.ANALYZE, kind=FailureKind.BUG) for t in some]
            await failures.store(pool, gone)

    before = await deadlocks(pool)
    await asyncio.gather(*(write(number % 6) for number in range(90)))
    assert await deadlocks(pool) == before
    assert await pool.fetchval("SELECT count(*) FROM files") == len(paths)
