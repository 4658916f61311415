"""A pool of database connections that counts the tasks waiting for one of them."""

from collections.abc import Awaitable, Callable, Generator, Mapping
from types import TracebackType
from typing import Any

import asyncpg

Hook = Callable[[asyncpg.Connection], Awaitable[None]]


class CountedPool(asyncpg.Pool):  # type: ignore[misc] # asyncpg has no types
    """`asyncpg.Pool` with a count of waiters, which asyncpg itself does not report.

    Args:
        target: the database, as options of `asyncpg.connect`.
        min_size: the number of connections that are opened at once.
        max_size: the most connections.
        timeout_s: of connecting.
        init: called with each new connection.
        reset: called with each connection that is released.

    Attributes:
        waiting: the number of tasks that wait for a connection now.
    """

    def __init__(
        self,
        target: Mapping[str, str],
        *,
        min_size: int,
        max_size: int,
        timeout_s: float,
        init: Hook,
        reset: Hook,
    ) -> None:
        # `asyncpg.create_pool` makes no subclass, and the constructor has no defaults of its own:
        # the values of the last five are those of `create_pool`. See docs/fragile.md.
        super().__init__(
            **target,
            timeout=timeout_s,
            min_size=min_size,
            max_size=max_size,
            init=init,
            reset=reset,
            max_queries=50_000,
            max_inactive_connection_lifetime=300.0,
            loop=None,
            connection_class=asyncpg.Connection,
            record_class=asyncpg.Record,
        )
        self.waiting = 0
        self._target = {**target, "timeout": timeout_s}

    def acquire(self, *, timeout: float | None = None) -> "_Acquisition":
        """Acquire a connection, with `await` or `async with`; all other methods go through here."""
        return _Acquisition(self, super().acquire(timeout=timeout))

    async def new_connection(self) -> asyncpg.Connection:
        """Open a connection to the same database that is not one of the pool's."""
        return await asyncpg.connect(**self._target)


class _Acquisition:
    """What `acquire` returns: counted as waiting until the connection is there."""

    __slots__ = ("_context", "_pool")

    def __init__(self, pool: CountedPool, context: Any) -> None:
        self._pool = pool
        self._context = context

    def __await__(self) -> Generator[Any, None, asyncpg.Connection]:
        self._pool.waiting += 1
        try:
            return (yield from self._context.__await__())
        finally:
            self._pool.waiting -= 1

    async def __aenter__(self) -> asyncpg.Connection:
        self._pool.waiting += 1
        try:
            return await self._context.__aenter__()
        finally:
            self._pool.waiting -= 1

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._context.__aexit__(kind, error, trace)
