"""Waiting for a change in the store: waiters are woken, and miss nothing."""

import asyncio

from services.api.change_notifier import ChangeNotifier


async def test_a_waiter_is_woken_by_a_change() -> None:
    changes = ChangeNotifier()
    waiter = asyncio.create_task(changes.wait(changes.count, timeout_s=60))
    await asyncio.sleep(0)
    assert not waiter.done()
    changes.notify()
    async with asyncio.timeout(10):
        await waiter


async def test_a_change_between_reading_and_waiting_is_not_missed() -> None:
    changes = ChangeNotifier()
    seen = changes.count
    changes.notify()
    async with asyncio.timeout(10):
        await changes.wait(seen, timeout_s=60)


async def test_a_wait_ends_at_its_time_limit() -> None:
    await ChangeNotifier().wait(0, timeout_s=0)
