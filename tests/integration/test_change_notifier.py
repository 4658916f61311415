"""Gateway processes are notified of each other's changes through the database."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from pytest_asyncio import fixture

from services.api.change_notifier import CHANNEL, ChangeNotifier
from services.api.store.database.pool import CountedPool

LISTENING = """
SELECT pid FROM pg_stat_activity WHERE query LIKE '%pg_notify%' AND pid <> pg_backend_pid()
"""


@asynccontextmanager
async def listening(pool: CountedPool) -> AsyncIterator[ChangeNotifier]:
    """The notifier of a process, once it listens."""
    changes = ChangeNotifier()
    task = asyncio.create_task(changes.run(pool))
    async with asyncio.timeout(30):
        await changes.wait(0, timeout_s=30)
    yield changes
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


@fixture
async def processes(pool: CountedPool) -> AsyncIterator[list[ChangeNotifier]]:
    async with listening(pool) as first, listening(pool) as second:
        yield [first, second]


async def wait_for_change(changes: ChangeNotifier, seen: int) -> None:
    await changes.wait(seen, timeout_s=30)
    assert changes.count > seen


async def settled_counts(*all_: ChangeNotifier) -> list[int]:
    """The counts, once the notifications of the start have arrived."""
    while True:
        before = [changes.count for changes in all_]
        await asyncio.sleep(0.6)
        if before == [changes.count for changes in all_]:
            return before


async def test_a_change_is_seen_in_the_other_process(
    pool: CountedPool, processes: list[ChangeNotifier]
) -> None:
    first, second = processes
    mine, theirs = await settled_counts(first, second)
    first.notify()
    assert first.count == mine + 1  # at once
    await wait_for_change(second, theirs)


async def test_many_changes_are_combined_into_few_notifications(
    pool: CountedPool, processes: list[ChangeNotifier]
) -> None:
    first, second = processes
    mine, theirs = await settled_counts(first, second)
    for _ in range(100):
        first.notify()
        await asyncio.sleep(0)
    (after, there) = await settled_counts(first, second)
    assert after == mine + 100
    assert theirs < there <= theirs + 2


async def test_a_lost_connection_is_replaced_and_counts_as_a_change(
    pool: CountedPool, processes: list[ChangeNotifier]
) -> None:
    first, second = processes
    counts = await settled_counts(first, second)
    ended = await pool.fetch(f"SELECT pg_terminate_backend(pid) FROM ({LISTENING}) AS those")
    assert len(ended) == 2
    for changes, seen in zip(processes, counts, strict=True):
        await wait_for_change(changes, seen)
    _, theirs = await settled_counts(first, second)
    first.notify()
    await wait_for_change(second, theirs)


async def test_a_notification_of_another_program_counts_as_a_change(
    pool: CountedPool, processes: list[ChangeNotifier]
) -> None:
    counts = await settled_counts(*processes)
    await pool.execute("SELECT pg_notify($1, '')", CHANNEL)
    for changes, seen in zip(processes, counts, strict=True):
        await wait_for_change(changes, seen)


async def test_the_pool_counts_the_callers_that_wait_for_a_connection(pool: CountedPool) -> None:
    held = [await pool.acquire() for _ in range(pool.get_max_size())]
    calls = [asyncio.create_task(pool.fetchval("SELECT 1")) for _ in range(3)]
    await asyncio.sleep(0.05)
    assert pool.waiting == 3
    for connection in held:
        await pool.release(connection)
    assert await asyncio.gather(*calls) == [1, 1, 1]
    assert pool.waiting == 0
