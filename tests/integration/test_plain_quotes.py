"""Migration 0017: stored keys of names follow the folding that makes quotes and dashes plain."""

from collections.abc import AsyncIterator

import asyncpg
from pytest_asyncio import fixture

from services.api.identity import fold
from services.api.migrations import FOLDER

_MIGRATION = (FOLDER / "0017_plain_quotes.sql").read_text(encoding="utf-8")
_ARTIST = """
INSERT INTO artists (name, sort_name, name_key, sort_key) VALUES ($1, $1, $2, $2) RETURNING id
"""


@fixture
async def connection(pool: asyncpg.Pool) -> AsyncIterator[asyncpg.Connection]:
    """One whose changes are rolled back."""
    async with pool.acquire() as connection:
        transaction = connection.transaction()
        await transaction.start()
        yield connection
        await transaction.rollback()


async def _keys(connection: asyncpg.Connection, table: str) -> list[str]:
    rows = await connection.fetch(f"SELECT name_key FROM {table} ORDER BY name_key")
    return [row["name_key"] for row in rows]


async def test_a_key_becomes_the_one_that_the_name_has_now(connection: asyncpg.Connection) -> None:
    names = ["Guns N\u2019 Horses", "\u201cHeroes\u201d", "A\u2010ha \u2013 Live", "Rock `n` Roll"]
    for name in names:
        await connection.execute(_ARTIST, name, name.lower())
        await connection.execute(
            "INSERT INTO genres (name, name_key) VALUES ($1, $2)", name, name.lower()
        )
    await connection.execute(_MIGRATION)
    assert await _keys(connection, "artists") == sorted(map(fold, names))
    assert await _keys(connection, "genres") == sorted(map(fold, names))


async def test_two_spellings_of_one_name_do_not_stop_the_migration(
    connection: asyncpg.Connection,
) -> None:
    for key in ("it's", "it\u2019s", "it\u2018s"):
        await connection.execute(_ARTIST, key, key)
        await connection.execute("INSERT INTO genres (name, name_key) VALUES ($1, $1)", key)
    await connection.execute(_MIGRATION)
    assert (await _keys(connection, "artists")).count("it's") == 1
    assert (await _keys(connection, "genres")).count("it's") == 1
    assert len(await _keys(connection, "artists")) == 3
