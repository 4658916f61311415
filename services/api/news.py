"""Wakes those in this process who wait for something to be stored."""

import asyncio


class News:
    """Counts what was stored here. Another gateway's are not heard: who waits looks now and then.

    Attributes:
        count: to be noted before one looks, so that nothing falls between look and wait.
    """

    def __init__(self) -> None:
        self.count = 0
        self._waiting: set[asyncio.Event] = set()

    def tell(self) -> None:
        """Something was stored."""
        self.count += 1
        for each in self._waiting:
            each.set()

    async def after(self, count: int, *, at_most_s: float) -> None:
        """Wait until there are more than `count`, but no longer than that."""
        if self.count > count:
            return
        told = asyncio.Event()
        self._waiting.add(told)
        try:
            async with asyncio.timeout(at_most_s):
                await told.wait()
        except TimeoutError:
            pass
        finally:
            self._waiting.discard(told)
