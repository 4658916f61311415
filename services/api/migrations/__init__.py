"""The tables and how they change: forward only, run at the start of the api service.

Each revision in `versions/` runs the SQL file of its name. Two processes that start at once
take turns: the first one migrates, the second finds everything done.
"""

from pathlib import Path

import asyncpg
from alembic import command
from alembic.config import Config
from sqlalchemy import Connection
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

FOLDER = Path(__file__).parent


async def migrate(driver: asyncpg.Connection) -> None:
    """Bring the database to the newest revision, or change nothing. Closes the connection.

    Raises:
        asyncpg.PostgresError: the database refused; nothing was changed.
    """

    async def connect() -> asyncpg.Connection:
        return driver

    engine = create_async_engine("postgresql+asyncpg://", async_creator=connect, poolclass=NullPool)
    try:
        async with engine.connect() as connection:
            await connection.run_sync(_upgrade)
            await connection.commit()
    finally:
        await engine.dispose()


def _upgrade(connection: Connection) -> None:
    config = Config()
    # The option is a format string of configparser: a `%` in the path is doubled.
    config.set_main_option("script_location", str(FOLDER).replace("%", "%%"))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


def run_file(name: str, connection: Connection) -> None:
    """Run one of this folder's SQL files in the connection's transaction."""
    script = (FOLDER / name).read_text(encoding="utf-8")

    async def run(driver: asyncpg.Connection) -> None:
        await driver.execute(script)

    # The driver runs many statements in one go only when they are not prepared.
    connection.connection.run_async(run)
