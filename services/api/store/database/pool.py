"""The pool of database connections, transactions on one of them, and which errors mean what."""

import json
from collections.abc import Awaitable, Callable, Generator, Iterator, Mapping
from contextlib import contextmanager
from types import TracebackType
from typing import Any, TypeVar
from uuid import UUID

import asyncpg
from pgvector.asyncpg import register_vector

from shared.contracts.errors import DependencyDown, TransientError

T = TypeVar("T")
_ATTEMPTS = 5
_IDLE_CONNECTION_S = 30.0
"""Then an idle connection is closed: its server process holds some 8 MB."""
Hook = Callable[[asyncpg.Connection], Awaitable[None]]


class DatabaseNotOpen(DependencyDown):
    """The service is starting or stopping: try again a moment later."""


DATABASE_DOWN = (
    OSError,
    asyncpg.InterfaceError,
    asyncpg.PostgresConnectionError,
    asyncpg.InsufficientResourcesError,  # disk full, out of memory, too many connections
    asyncpg.OperatorInterventionError,  # starting, stopping, crashed
    asyncpg.InternalClientError,  # the server ended a connection while it was being opened
)
"""Errors of a database that is out of reach or out of resources, except `INVALID_VALUES`."""

INVALID_VALUES = (
    asyncpg.exceptions.DataError,  # a value that its column cannot hold; an InterfaceError too
    asyncpg.CharacterNotInRepertoireError,  # NUL
    asyncpg.UntranslatableCharacterError,
    asyncpg.NumericValueOutOfRangeError,
    UnicodeEncodeError,  # half a surrogate pair
)
"""Errors of values that the database cannot hold: the request is at fault."""


@contextmanager
def waiting_for_database() -> Iterator[None]:
    """For event handlers: turn errors of an unavailable database into one that the bus waits for.

    Raises:
        DependencyDown: the database is unavailable.
    """
    try:
        yield
    except INVALID_VALUES:
        raise
    except DATABASE_DOWN as error:
        reason = str(error) or type(error).__name__
        raise DependencyDown(f"the database does not answer: {reason}") from error


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
        # the values of the last four are those of `create_pool`. See docs/fragile.md.
        super().__init__(
            **target,
            timeout=timeout_s,
            min_size=min_size,
            max_size=max_size,
            init=init,
            reset=reset,
            max_inactive_connection_lifetime=_IDLE_CONNECTION_S,
            max_queries=50_000,
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


async def keep_session(connection: asyncpg.Connection) -> None:
    """Leave a returned connection as it is: settings and locks end with their transaction.

    By default asyncpg has the server reset the session each time, which takes as long as a short
    query. It still ends an open transaction.
    """


# asyncpg looks up an array type when a connection first uses it, which takes the server 6 ms each
# time; a statement with all of them takes no longer than one with a single one.
_ARRAYS = """
SELECT $1::uuid[], $2::text[], $3::bytea[], $4::smallint[], $5::integer[], $6::bigint[],
    $7::double precision[], $8::boolean[], $9::jsonb[], $10::timestamptz[]
"""


async def register_codecs(connection: asyncpg.Connection) -> None:
    """Have `jsonb` as Python objects and `vector` as arrays; look up the array types."""
    await connection.set_type_codec(
        "jsonb", schema="pg_catalog", encoder=json.dumps, decoder=json.loads
    )
    await register_vector(connection)
    await connection.prepare(_ARRAYS)


class LostRace(Exception):
    """Another transaction made the same row first: run this one again."""


async def in_transaction(
    pool: asyncpg.Pool, work: Callable[[asyncpg.Connection], Awaitable[T]], *, durable: bool = True
) -> T:
    """Run `work` in a transaction, and run it again where it lost a race with another one.

    Raises:
        TransientError: it lost again and again.

    A transaction that is not `durable` may be lost if the server dies within a second, but not
    once a durable one that began later has ended: the log is written in order.
    """
    for attempts_left in reversed(range(_ATTEMPTS)):
        try:
            async with pool.acquire() as connection, connection.transaction():
                if not durable:
                    await connection.execute("SET LOCAL synchronous_commit TO off")
                return await work(connection)
        # All writes lock in one order, so they do not deadlock with each other. A statement of an
        # administrator may still cause a deadlock, which then costs one repetition.
        except (LostRace, asyncpg.DeadlockDetectedError, asyncpg.SerializationError) as error:
            if not attempts_left:
                raise TransientError("others kept changing the same rows: try again") from error
    raise AssertionError("unreachable")


def json_value(value: Any) -> Any:
    """A value as JSON has it, for `jsonb_populate_recordset`."""
    if isinstance(value, bytes):
        return "\\x" + value.hex()
    return str(value) if isinstance(value, UUID) else value
