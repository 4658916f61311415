"""The hot statements with 100,000 tracks: each uses its index, and reads no large table whole."""

import random
import re
from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import pytest
from pytest_asyncio import fixture

from bench.hot_queries import HOT_QUERIES
from bench.large_library import fill
from services.api.store.database.embedded import EmbeddedPostgres
from services.api.store.database.pool import register_codecs
from services.api.store.database.postgres import open_pool
from shared.runtime.settings import Settings
from tests.integration.api_read_fixtures import schema_client

TRACKS = 100_000
Statements = list[tuple[str, tuple[Any, ...]]]


@fixture(scope="module")
async def large(
    tmp_path_factory: pytest.TempPathFactory,
) -> AsyncIterator[tuple[asyncpg.Pool, Statements, Settings]]:
    """A large library, a pool of one connection to it, and the statements of that connection."""
    settings = Settings(data_dir=tmp_path_factory.mktemp("large"))
    statements: Statements = []

    async def init(connection: asyncpg.Connection) -> None:
        await register_codecs(connection)
        connection.add_query_logger(lambda query: statements.append((query.query, query.args)))

    async with open_pool(settings) as pool:
        await fill(pool, TRACKS)
        server = EmbeddedPostgres(settings.data_dir / "postgres")
        async with asyncpg.create_pool(**server.dsn, min_size=1, max_size=1, init=init) as one:
            yield one, statements, settings


@pytest.mark.parametrize("name", HOT_QUERIES)
async def test_a_hot_query_uses_its_index(
    large: tuple[asyncpg.Pool, Statements, Settings], name: str
) -> None:
    pool, statements, settings = large
    query = HOT_QUERIES[name]
    chance = random.Random(3)
    statements.clear()
    result = await schema_client(pool, settings)(query.document, **query.variables(chance, TRACKS))
    assert "'id'" in str(result) or "'title'" in str(result) or "'name'" in str(result), result
    # Without the driver's own queries about types that it does not know yet.
    selects = [one for one in statements if "FROM" in one[0] and "typeinfo" not in one[0]]
    plans = [await plan(pool, *one) for one in selects]
    shown = "\n\n".join(plans)
    assert query.index in shown, shown
    read = set(re.findall(r"Seq Scan on (\w+)", shown))
    assert not read & {"tracks", "files", "albums", "artists", "track_credits", "analyses"}, shown


async def plan(pool: asyncpg.Pool, query: str, arguments: tuple[Any, ...]) -> str:
    """The executed plan of a statement."""
    async with pool.acquire() as connection, connection.transaction():
        rows = await connection.fetch("EXPLAIN (ANALYZE, COSTS OFF) " + query, *arguments)
    return "\n".join(row[0] for row in rows)
