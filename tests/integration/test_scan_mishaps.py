"""The table of mishaps. Each happens to a library of its own; all share one running product."""

import asyncio
import ctypes
import os
import shutil
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from pytest_asyncio import fixture

from shared.runtime.settings import Settings
from tests.integration.extractor_setup import LibraryClient, running_extractor
from tests.integration.library_changes import FILES, retag, sound_of, write
from tests.integration.mishaps import MISHAPS, Mishap

DOCS = Path(__file__).parents[2] / "docs" / "scan.md"
NOBODY = 65_534
GUARDED_FROM = 4  # files: the libraries are small


class AsNobody(ThreadPoolExecutor):
    """Threads that access files as the user `nobody`, since root may read everything."""

    def submit(self, work: Callable[..., Any], /, *args: Any, **named: Any) -> Future[Any]:
        def as_nobody() -> Any:
            libc = ctypes.CDLL(None)
            libc.setfsuid(NOBODY)  # it changes this thread only
            try:
                return work(*args, **named)
            finally:
                libc.setfsuid(os.geteuid())

        return super().submit(as_nobody)


@fixture(scope="module")
async def gateway(database: asyncpg.Pool, database_settings: Settings) -> AsyncIterator[Any]:
    settings = database_settings.model_copy(update={"missing_guard_files": GUARDED_FROM})
    loop = asyncio.get_running_loop()
    loop.set_default_executor(AsNobody())
    async with running_extractor(database, settings) as gateway:
        yield gateway
    loop.set_default_executor(ThreadPoolExecutor())


@pytest.fixture
def root() -> Iterator[Path]:
    """A library's folder that every user may read."""
    place = Path(tempfile.mkdtemp(prefix="mishap"))
    place.chmod(0o755)
    music = place / "music"
    for number, path in enumerate(FILES, 1):
        write(music / path, sound_of(music, path), tracknumber=str(number))
    yield music
    for folder in music.glob("*/"):
        folder.chmod(0o755)  # without access it cannot be removed
    shutil.rmtree(place)


def is_there(root: Path, path: str) -> bool:
    try:
        return (root / os.fsdecode(path.encode())).exists()
    except PermissionError:  # it may exist: the tests need not run as root
        return True


class Library:
    """The library below one root, as the database has it."""

    def __init__(self, pool: asyncpg.Pool, client: LibraryClient) -> None:
        self._pool = pool
        self._client = client

    async def scan(self, **arguments: Any) -> Any:
        """Scan, and wait until all files are read and missing ones are marked."""
        scan = await self._client.scan(**arguments)
        async with asyncio.timeout(20):
            while await self._is_behind(scan):  # noqa: ASYNC110 - it is polled
                await asyncio.sleep(0.02)
        return scan

    async def _is_behind(self, scan: Any) -> bool:
        """Whether files that a finished walk did not see are still marked present."""
        if not scan["filesMissing"]:
            return False
        there = await self.tracks("present")
        root = self._client.root
        seen = [path for path in there if is_there(root, path) or "\uf7e9" in path]
        ignored = (root / ".soniqueignore").exists()
        return len(seen) < len(there) or (ignored and any(p.startswith("b/") for p in there))

    async def tracks(self, state: str) -> dict[str, tuple[Any, int]]:
        """The id and content revision of each track whose file is in a state, by path."""
        rows = await self._pool.fetch(
            "SELECT path, t.id, content_revision FROM files f JOIN tracks t ON t.id = track_id"
            " JOIN libraries l ON l.id = library_id WHERE root = $1 AND state = $2",
            str(self._client.root),
            state,
        )
        return {row["path"]: (row["id"], row["content_revision"]) for row in rows}


@pytest.mark.parametrize("mishap", MISHAPS, ids=lambda mishap: mishap.what)
async def test_a_mishap_has_the_result_of_the_table(
    gateway: Any, database: asyncpg.Pool, root: Path, mishap: Mishap
) -> None:
    if mishap.setup is not None:
        mishap.setup(root)
    library = Library(database, LibraryClient(gateway, root))
    await library.scan()
    before = await library.tracks("present")

    mishap.change(root)
    scan = await library.scan(**mishap.scan)
    assert (scan["state"], scan["filesHeld"] > 0) == (mishap.state, mishap.state == "HELD")
    assert mishap.says in (scan["message"] or ""), scan["message"]
    after = await library.tracks("present")
    expected = {path: was for path, was in mishap.tracks.items() if was != ""}
    names = {id_: path for path, (id_, _) in before.items()}
    assert {path: names.get(id_) for path, (id_, _) in after.items()} == expected
    assert len({id_ for id_, _ in after.values()}) == len(after)
    for path, was in expected.items():
        if was is not None:
            assert after[path][1] - before[was][1] == (path in mishap.renewed), path
    assert set(await library.tracks("missing")) == set(mishap.missing)

    if mishap.undo is not None:
        mishap.undo(root)
        again = await library.scan()
        assert again["state"] == "FINISHED"
        assert await library.tracks("present") == before


async def test_an_interrupted_scan_goes_on(
    gateway: Any, database: asyncpg.Pool, root: Path
) -> None:
    library = Library(database, LibraryClient(gateway, root))
    await library.scan(folder="a")
    before = await library.tracks("present")
    assert set(before) == set(FILES[:2])
    cut = await database.fetchval(
        "INSERT INTO scans (library_id, root, mode, state, walks, moved_at)"
        " SELECT id, root, 'incremental', 'walking', 1, now() - interval '1 minute'"
        " FROM libraries WHERE root = $1 RETURNING id",
        str(root),
    )
    async with asyncio.timeout(20):
        state = "SELECT state FROM scans WHERE id = $1"
        while await database.fetchval(state, cut) != "finished":  # noqa: ASYNC110 - it is polled
            await asyncio.sleep(0.05)
    after = await library.tracks("present")
    assert set(after) == set(FILES)
    assert {path: after[path] for path in before} == before


async def test_a_file_that_moves_to_another_library_stays_the_same_track(
    gateway: Any, database: asyncpg.Pool, root: Path
) -> None:
    here, other = LibraryClient(gateway, root), LibraryClient(gateway, root.with_name("other"))
    write(other.root / "x.flac", sound_of(root, "x"))
    await Library(database, here).scan()
    await Library(database, other).scan()
    (one, revision) = (await Library(database, here).tracks("present"))[FILES[0]]
    (root / FILES[0]).rename(other.root / "came.flac")
    await Library(database, other).scan()
    assert (await Library(database, other).tracks("present"))["came.flac"] == (one, revision)
    await Library(database, here).scan()
    assert set(await Library(database, here).tracks("present")) == set(FILES[1:])


async def test_copies_are_listed_as_duplicates(
    gateway: Any, database: asyncpg.Pool, root: Path
) -> None:
    shutil.copy(root / FILES[0], root / "b" / "copy.flac")
    retag(root / "b" / "copy.flac", title="Another title")
    library = Library(database, LibraryClient(gateway, root))
    await library.scan()
    mine = {f"trk_{id_.hex}" for id_, _ in (await library.tracks("present")).values()}
    answer = await gateway.execute_document("{ duplicates(first: 200) { tracks { id path } } }", {})
    groups = [
        {track["path"] for track in group["tracks"] if track["id"] in mine}
        for group in answer["duplicates"]
    ]
    assert [group for group in groups if group] == [{FILES[0], "b/copy.flac"}]


async def test_one_library_cannot_contain_another(
    gateway: Any, database: asyncpg.Pool, root: Path
) -> None:
    library = Library(database, LibraryClient(gateway, root))
    await library.scan()
    before = await library.tracks("present")
    await LibraryClient(gateway, root).scan(root=str(root / "a"))
    assert await library.tracks("present") == before
    assert await database.fetchval("SELECT count(*) FROM libraries WHERE root LIKE $1",
                                   str(root) + "%") == 1  # fmt: skip
    document = (
        "mutation ($root: String!) { requestScan(input: {root: $root})"
        " { error { code message } } }"
    )  # fmt: skip
    answer = await gateway.execute_document(document, {"root": str(root.parent)})
    assert answer["requestScan"]["error"]["code"] == "CONFLICT"
    assert "contains the library" in answer["requestScan"]["error"]["message"]


def test_docs_scan_md_shows_the_table() -> None:
    rows = [f"| {mishap.what} | {mishap.expected} |" for mishap in MISHAPS]
    shown = [line for line in DOCS.read_text().splitlines() if line.startswith("| ")]
    assert [row for row in rows if row not in shown] == []
