"""The pool of connections, to a PostgreSQL of our own or to one that is told."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg
import structlog
from pgvector.asyncpg import register_vector

from services.api.migrations import migrate
from services.api.store.counted_pool import CountedPool
from services.api.store.embedded import DatabaseUnusable, EmbeddedPostgres
from shared.contracts.errors import DependencyDown
from shared.runtime.settings import Settings

__all__ = ["DatabaseUnusable", "open_pool"]

_CONNECTIONS = 10
_CONNECT_TIMEOUT_S = 30
_CLOSE_TIMEOUT_S = 10
_LOOK_EVERY_S = 2.0

log = structlog.get_logger()


@asynccontextmanager
async def open_pool(settings: Settings) -> AsyncIterator[CountedPool]:
    """A pool on the migrated database; at the end it is closed, and a server of our own stopped.

    Raises:
        DatabaseUnusable: with a message for the one who started the service.
        DependencyDown: it cannot be reached; it may come.
    """
    if settings.database_url is not None:
        async with _pool({"dsn": settings.database_url.get_secret_value()}) as pool:
            yield pool
        return
    server = EmbeddedPostgres(settings.data_dir / "postgres")
    try:
        await asyncio.to_thread(server.start)
        async with _pool(server.dsn) as pool:
            keeping = asyncio.create_task(_keep_running(server))
            try:
                yield pool
            finally:
                keeping.cancel()
                await asyncio.gather(keeping, return_exceptions=True)
    finally:
        await asyncio.to_thread(server.stop)


async def _keep_running(server: EmbeddedPostgres) -> None:
    """Start it again whenever it has died (out of memory, say); those who ask it wait meanwhile."""
    while True:
        await asyncio.sleep(_LOOK_EVERY_S)
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
            reset=_keep,
        )
    except (OSError, TimeoutError, asyncpg.CannotConnectNowError) as error:
        told = f"the database cannot be reached: {str(error) or type(error).__name__}"
        raise DependencyDown(told) from error
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


async def _keep(connection: asyncpg.Connection) -> None:
    """A connection comes back as it went: what is set, or locked, is of one transaction.

    Unless told, asyncpg has the server forget all of a session each time, which takes as long as a
    short question. An open transaction is ended all the same.
    """


# asyncpg asks a new connection about types of lists when a statement first has one, which takes
# the server 6 ms each time; about all of them at once it is as much as about one.
_LISTS = """
SELECT $1::uuid[], $2::text[], $3::bytea[], $4::smallint[], $5::integer[], $6::bigint[],
    $7::double precision[], $8::boolean[], $9::jsonb[], $10::timestamptz[]
"""


async def register_codecs(connection: asyncpg.Connection) -> None:
    """`jsonb` as Python objects, `vector` as arrays; what lists of values are."""
    await connection.set_type_codec(
        "jsonb", schema="pg_catalog", encoder=json.dumps, decoder=json.loads
    )
    await register_vector(connection)
    await connection.prepare(_LISTS)
