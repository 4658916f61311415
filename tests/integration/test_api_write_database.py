"""The embedded PostgreSQL: start, restart after a crash, migrations, and clear errors."""

import asyncio
import os
import signal
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import pytest
from pydantic import SecretStr

from services.api.migrations import FOLDER
from services.api.store.database.embedded import DatabaseUnusable, EmbeddedPostgres
from services.api.store.database.postgres import open_pool
from shared.contracts.errors import DependencyDown
from shared.runtime.settings import Settings

CRASH = """
import asyncio, os, sys
from pathlib import Path
from services.api.store.database.postgres import open_pool
from shared.contracts.errors import DependencyDown
from shared.runtime.settings import Settings

async def main():
    async with open_pool(Settings(data_dir=Path(sys.argv[1]))) as pool:
        await pool.execute("INSERT INTO libraries (name, root) VALUES ('kept', '/kept')")
        os.kill(os.getpid(), 9)

asyncio.run(main())
"""

OPEN = """
import asyncio, os, sys
from pathlib import Path
from services.api.store.database.postgres import open_pool
from shared.contracts.errors import DependencyDown
from shared.runtime.settings import Settings

async def main():
    async with open_pool(Settings(data_dir=Path(sys.argv[1]))) as pool:
        row = (str(os.getpid()), f"/{os.getpid()}")
        await pool.execute("INSERT INTO libraries (name, root) VALUES ($1, $2)", *row)

asyncio.run(main())
"""
MIGRATE = """
import asyncio, sys
import asyncpg
from services.api.migrations import FOLDER, migrate

async def main():
    await migrate(await asyncpg.connect(sys.argv[1]))

asyncio.run(main())
"""


async def run_three_times(script: str, argument: str) -> None:
    """Run a script in three processes at the same time; each must exit with 0."""
    command = (sys.executable, "-c", script, argument)
    started = [await asyncio.create_subprocess_exec(*command) for _ in range(3)]
    assert [await process.wait() for process in started] == [0, 0, 0]


def is_running(server: EmbeddedPostgres) -> bool:
    return (server.socket_folder / ".s.PGSQL.5432").exists()


@pytest.mark.parametrize("name", ["data", "da ta'%s", "deep/" + "x" * 120])
async def test_the_next_start_uses_the_server_that_a_crash_left_running(
    tmp_path: Path, name: str
) -> None:
    settings = Settings(data_dir=tmp_path / name)
    server = EmbeddedPostgres(settings.data_dir / "postgres")
    crashed = await asyncio.to_thread(
        subprocess.run, [sys.executable, "-c", CRASH, str(settings.data_dir)], check=False
    )
    assert crashed.returncode == -signal.SIGKILL
    assert is_running(server)
    async with open_pool(settings) as pool, open_pool(settings) as other:
        assert await pool.fetchval("SELECT name FROM libraries") == "kept"
        assert await other.fetchval("SELECT count(*) FROM alembic_version") == 1
        assert stat.S_IMODE(server.socket_folder.stat().st_mode) == stat.S_IRWXU
    assert not is_running(server), "the last user stops it"


async def test_processes_that_start_at_once_migrate_one_after_another(tmp_path: Path) -> None:
    await run_three_times(OPEN, str(tmp_path))
    async with open_pool(Settings(data_dir=tmp_path)) as pool:
        newest = max(path.name[:4] for path in FOLDER.glob("*.sql"))
        assert await pool.fetch("SELECT version_num FROM alembic_version") == [(newest,)]
        assert await pool.fetchval("SELECT count(*) FROM libraries") == 3


async def test_a_database_of_a_newer_version_is_left_alone(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path)
    async with open_pool(settings) as pool:
        await pool.execute("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(DatabaseUnusable, match=r"newer version of SoniqueBay.*9999"):
        async with open_pool(settings):
            pass


async def test_migrations_of_an_external_database_run_one_after_another(
    database: asyncpg.Pool, database_settings: Settings
) -> None:
    await database.execute("CREATE DATABASE twice")
    server = EmbeddedPostgres(database_settings.data_dir / "postgres")
    url = f"postgresql://postgres@/twice?host={server.socket_folder}"
    await run_three_times(MIGRATE, url)
    await database.execute("DROP DATABASE twice")


async def test_an_external_database_is_used_by_its_url(
    database: asyncpg.Pool, database_settings: Settings
) -> None:
    server = EmbeddedPostgres(database_settings.data_dir / "postgres")
    url = f"postgresql://postgres@/postgres?host={server.socket_folder}"
    async with open_pool(Settings(database_url=SecretStr(url))) as pool:
        assert await pool.fetchval("SELECT count(*) FROM alembic_version") == 1


@pytest.mark.parametrize(
    "url",
    ["postgresql://nobody@127.0.0.1:1/x", "postgresql://nobody@host.invalid/x", "nonsense://x"],
)
async def test_an_unreachable_external_database_is_one_clear_error(url: str) -> None:
    expected = (
        DatabaseUnusable if "nonsense" in url else DependencyDown
    )  # a server that is down may come back
    with pytest.raises(expected, match=r"database cannot be (used|reached)"):
        async with open_pool(Settings(database_url=SecretStr(url))):
            pass


async def test_an_unusable_folder_is_named_with_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(DatabaseUnusable, match=r"file/postgres.*SONIQUEBAY_DATA_DIR"):
        async with open_pool(Settings(data_dir=tmp_path / "file")):
            pass


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 20 MB."""
    command = ["mount", "-t", "tmpfs", "-o", "size=20m", "none", str(tmp_path)]
    if os.geteuid() != 0 or subprocess.run(command, check=False, capture_output=True).returncode:
        pytest.skip("this user may not mount")
    yield tmp_path
    subprocess.run(["umount", str(tmp_path)], check=True)


async def test_a_full_disk_is_reported_as_such(small_disk: Path) -> None:
    with pytest.raises(DatabaseUnusable, match=r"No space left.*free some space"):
        async with open_pool(Settings(data_dir=small_disk)):
            pass
