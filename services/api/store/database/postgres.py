"""Opens the pool of connections, to our own PostgreSQL or to the one of the settings."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg
import structlog

from services.api.migrations import NewerDatabase, migrate
from services.api.store.database.embedded import DatabaseUnusable, EmbeddedPostgres
from services.api.store.database.pool import CountedPool, keep_session, register_codecs
from shared.contracts.errors import DependencyDown
from shared.runtime.settings import Settings

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
            reset=keep_session,
        )
    except (OSError, TimeoutError, asyncpg.CannotConnectNowError) as error:
        message = f"the database cannot be reached: {str(error) or type(error).__name__}"
        raise DependencyDown(message) from error
    except NewerDatabase as error:
        raise DatabaseUnusable(f"the database cannot be used: {error}") from error
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
