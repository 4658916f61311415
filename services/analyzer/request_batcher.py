"""Joins requests for single items into requests for many, as GraphQL's DataLoader does."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from shared.contracts.errors import PipelineError

T = TypeVar("T")
R = TypeVar("R")


@dataclass
class _Batch(Generic[T, R]):
    """The items of the next request, and the task that sends it."""

    items: list[T] = field(default_factory=list)
    sending: "asyncio.Task[list[R | Exception]] | None" = None


class RequestBatcher(Generic[T, R]):
    """Makes one request for all items that come within a short time.

    Args:
        request: returns a result an item, in order. What it raises, each item's call raises; after
            an error that is a bug each item is sent alone, so that only the one at fault fails.
        wait_s: how long the first item of a request waits for others.
        most: the most items of a request.
    """

    def __init__(
        self,
        request: Callable[[Sequence[T]], Awaitable[Sequence[R]]],
        *,
        wait_s: float,
        most: int,
    ) -> None:
        self._request = request
        self._wait_s = wait_s
        self._most = most
        self._open: _Batch[T, R] | None = None

    async def __call__(self, item: T) -> R:
        """The result of one item. A call that is cancelled does not cancel the others."""
        batch = self._open
        if batch is None:
            batch = self._open = _Batch()
            batch.sending = asyncio.create_task(self._send_later(batch))
        batch.items.append(item)
        place = len(batch.items) - 1
        if len(batch.items) == self._most:
            self._open = None
        assert batch.sending is not None
        result = (await asyncio.shield(batch.sending))[place]
        if isinstance(result, Exception):
            raise result
        return result

    async def _send_later(self, batch: _Batch[T, R]) -> list[R | Exception]:
        await asyncio.sleep(self._wait_s)
        if self._open is batch:
            self._open = None
        return await self._send(batch.items)

    async def _send(self, items: Sequence[T]) -> list[R | Exception]:
        try:
            return list(await self._request(items))
        except PipelineError as error:
            return [error] * len(items)
        except Exception as error:  # a bug, of which one item may be the cause
            if len(items) == 1:
                return [error]
            return [result for item in items for result in await self._send([item])]
