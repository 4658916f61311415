"""Waiting for a change in the store: waiters are woken, and miss nothing."""

import asyncio

from services.api.news import News


async def test_a_waiter_is_woken_by_a_change() -> None:
    news = News()
    waiter = asyncio.create_task(news.after(news.count, at_most_s=60))
    await asyncio.sleep(0)
    assert not waiter.done()
    news.tell()
    async with asyncio.timeout(10):
        await waiter


async def test_a_change_between_reading_and_waiting_is_not_missed() -> None:
    news = News()
    seen = news.count
    news.tell()
    async with asyncio.timeout(10):
        await news.after(seen, at_most_s=60)


async def test_a_wait_ends_at_its_time_limit() -> None:
    await News().after(0, at_most_s=0)
