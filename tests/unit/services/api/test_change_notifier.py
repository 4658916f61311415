"""Who waits for something to be stored is woken, and misses nothing."""

import asyncio

from services.api.change_notifier import ChangeNotifier


async def test_who_waits_is_woken_by_a_change() -> None:
    changes = ChangeNotifier()
    waiting = asyncio.create_task(changes.wait(changes.count, timeout_s=60))
    await asyncio.sleep(0)
    assert not waiting.done()
    changes.notify()
    async with asyncio.timeout(10):
        await waiting


async def test_a_change_between_look_and_wait_is_not_missed() -> None:
    changes = ChangeNotifier()
    seen = changes.count
    changes.notify()
    async with asyncio.timeout(10):
        await changes.wait(seen, timeout_s=60)


async def test_nobody_waits_longer_than_they_want() -> None:
    await ChangeNotifier().wait(0, timeout_s=0)
