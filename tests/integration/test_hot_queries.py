"""The hot queries at 100,000 tracks: each finds its rows by its index, and reads no table whole."""

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
from services.api.store.database.postgres import open_pool, register_codecs
from shared.runtime.settings import Settings
from tests.integration.api_read_fixtures import schema_client

TRACKS = 100_000
Asked = list[tuple[str, tuple[Any, ...]]]


@fixture(scope="module")
async def large(
    tmp_path_factory: pytest.TempPathFactory,
) -> AsyncIterator[tuple[asyncpg.Pool, Asked, Settings]]:
    """A large library, a pool of one connection to it, and what that one is asked."""
    settings = Settings(data_dir=tmp_path_factory.mktemp("large"))
    queries: Asked = []

    async def init(connection: asyncpg.Connection) -> None:
        await register_codecs(connection)
        connection.add_query_logger(lambda query: queries.append((query.query, query.args)))

    async with open_pool(settings) as pool:
        await fill(pool, TRACKS)
        server = EmbeddedPostgres(settings.data_dir / "postgres")
        async with asyncpg.create_pool(**server.dsn, min_size=1, max_size=1, init=init) as one:
            yield one, queries, settings


@pytest.mark.parametrize("name", HOT_QUERIES)
async def test_a_hot_query_is_led_by_its_index(
    large: tuple[asyncpg.Pool, Asked, Settings], name: str
) -> None:
    pool, queries, settings = large
    query = HOT_QUERIES[name]
    chance = random.Random(3)
    queries.clear()
    answer = await schema_client(pool, settings)(query.document, **query.variables(chance, TRACKS))
    assert "'id'" in str(answer) or "'title'" in str(answer) or "'name'" in str(answer), answer
    # But for what the driver asks of the types that it does not know yet.
    asked = [one for one in queries if "FROM" in one[0] and "typeinfo" not in one[0]]
    plans = [await plan(pool, *one) for one in asked]
    shown = "\n\n".join(plans)
    assert query.index in shown, shown
    read = set(re.findall(r"Seq Scan on (\w+)", shown))
    assert not read & {"tracks", "files", "albums", "artists", "track_credits", "analyses"}, shown


async def plan(pool: asyncpg.Pool, query: str, arguments: tuple[Any, ...]) -> str:
    """How it is done, seen while it is done."""
    async with pool.acquire() as connection, connection.transaction():
        rows = await connection.fetch("EXPLAIN (ANALYZE, COSTS OFF) " + query, *arguments)
    return "\n".join(row[0] for row in rows)
