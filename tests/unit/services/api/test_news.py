"""Who waits for something to be stored is woken, and misses nothing."""

import asyncio

from services.api.news import News


async def test_who_waits_is_woken_by_what_is_told() -> None:
    news = News()
    waiting = asyncio.create_task(news.after(news.count, at_most_s=60))
    await asyncio.sleep(0)
    assert not waiting.done()
    news.tell()
    async with asyncio.timeout(10):
        await waiting


async def test_what_was_told_between_look_and_wait_is_not_missed() -> None:
    news = News()
    heard = news.count
    news.tell()
    async with asyncio.timeout(10):
        await news.after(heard, at_most_s=60)


async def test_nobody_waits_longer_than_they_want() -> None:
    await News().after(0, at_most_s=0)
