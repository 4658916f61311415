"""The tables and how they change: SQL files that run once each, in the order of their names.

They go forward only: a backup is the way back. They run at the start of the api service. Two
processes that start at once take turns: the first one migrates, the second finds everything done.
"""

from pathlib import Path

import asyncpg

FOLDER = Path(__file__).parent
_LOCK = 0x50_4E_51_42  # any number that nobody else takes
# The name is Alembic's, which ran these files up to 0017: databases from then have the table.
_TABLE = "CREATE TABLE IF NOT EXISTS alembic_version (version_num varchar(32) PRIMARY KEY)"


class NewerDatabase(Exception):
    """A newer version of SoniqueBay has migrated the database."""


async def migrate(connection: asyncpg.Connection) -> None:
    """Bring the database to the newest version, or change nothing. Closes the connection.

    Raises:
        asyncpg.PostgresError: the database refused; nothing was changed.
        NewerDatabase: the database has a version that this program does not know.
    """
    try:
        async with connection.transaction():
            # Held to the end of the transaction.
            await connection.execute("SELECT pg_advisory_xact_lock($1)", _LOCK)
            await _run_new_files(connection)
    finally:
        await connection.close()


async def _run_new_files(connection: asyncpg.Connection) -> None:
    await connection.execute(_TABLE)
    version = await connection.fetchval("SELECT version_num FROM alembic_version") or ""
    files = {path.name[:4]: path for path in sorted(FOLDER.glob("[0-9]*.sql"))}
    if version and version not in files:
        raise NewerDatabase(
            f"a newer version of SoniqueBay has changed its tables (migration {version}): start"
            " that version, or restore a backup"
        )
    newest = max(files)
    if version == newest:
        return
    for number, path in files.items():
        if number > version:
            await connection.execute(path.read_text(encoding="utf-8"))
    await connection.execute("DELETE FROM alembic_version")
    await connection.execute("INSERT INTO alembic_version VALUES ($1)", newest)
