"""The pool of connections, to our own PostgreSQL or to the one of the settings; transactions."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any, TypeVar
from uuid import UUID

import asyncpg
import structlog
from pgvector.asyncpg import register_vector

from services.api.migrations import migrate
from services.api.store.database.counted_pool import CountedPool
from services.api.store.database.embedded import DatabaseUnusable, EmbeddedPostgres
from shared.contracts.errors import DependencyDown
from shared.runtime.settings import Settings

T = TypeVar("T")
_ATTEMPTS = 5
_CONNECTIONS = 10
_CONNECT_TIMEOUT_S = 30
_CLOSE_TIMEOUT_S = 10
_CHECK_INTERVAL_S = 2.0

log = structlog.get_logger()


@asynccontextmanager
async def open_pool(settings: Settings) -> AsyncIterator[CountedPool]:
    """A pool on the migrated database; at the end it is closed, and our own server stopped.

    Raises:
        DatabaseUnusable: it cannot be started or used; the message says what to do.
        DependencyDown: it cannot be reached now.
    """
    if settings.database_url is not None:
        async with _pool({"dsn": settings.database_url.get_secret_value()}) as pool:
            yield pool
        return
    server = EmbeddedPostgres(settings.data_dir / "postgres")
    try:
        await asyncio.to_thread(server.start)
        async with _pool(server.dsn) as pool:
            restarts = asyncio.create_task(_keep_running(server))
            try:
                yield pool
            finally:
                restarts.cancel()
                await asyncio.gather(restarts, return_exceptions=True)
    finally:
        await asyncio.to_thread(server.stop)


async def _keep_running(server: EmbeddedPostgres) -> None:
    """Start the server again whenever it has died (out of memory, say); requests wait meanwhile."""
    while True:
        await asyncio.sleep(_CHECK_INTERVAL_S)
        if server.answers():
            continue
        log.warning("database_gone", message="it is started again")
        try:
            await asyncio.to_thread(server.start)
        except DatabaseUnusable as error:
            log.warning("database_not_started", error=str(error))


@asynccontextmanager
async def _pool(target: dict[str, str]) -> AsyncIterator[CountedPool]:
    try:
        await migrate(await asyncpg.connect(**target, timeout=_CONNECT_TIMEOUT_S))
        pool = await CountedPool(
            target,
            min_size=1,
            max_size=_CONNECTIONS,
            timeout_s=_CONNECT_TIMEOUT_S,
            init=register_codecs,
            reset=_keep_session,
        )
    except (OSError, TimeoutError, asyncpg.CannotConnectNowError) as error:
        message = f"the database cannot be reached: {str(error) or type(error).__name__}"
        raise DependencyDown(message) from error
    except (asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        raise DatabaseUnusable(_explain(error)) from error
    try:
        yield pool
    finally:
        try:
            await asyncio.wait_for(pool.close(), _CLOSE_TIMEOUT_S)
        except TimeoutError:  # somebody still holds a connection
            pool.terminate()


def _explain(error: Exception) -> str:
    if isinstance(error, asyncpg.FeatureNotSupportedError | asyncpg.UndefinedFileError):
        return f"the database has no pgvector: install the extension `vector` there ({error})"
    if isinstance(error, asyncpg.InsufficientPrivilegeError):
        return f"the database's user may not do this: {error}"
    if isinstance(error, asyncpg.DiskFullError):
        return f"the database's disk is full: free some space ({error})"
    return f"the database cannot be used: {str(error) or type(error).__name__}"


async def _keep_session(connection: asyncpg.Connection) -> None:
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
        except (LostRace, asyncpg.DeadlockDetectedError, asyncpg.SerializationError):
            if not attempts_left:
                raise
    raise AssertionError("unreachable")


def json_value(value: Any) -> Any:
    """A value as JSON has it, for `jsonb_populate_recordset`."""
    if isinstance(value, bytes):
        return "\\x" + value.hex()
    return str(value) if isinstance(value, UUID) else value
