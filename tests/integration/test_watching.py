"""Watched libraries: changes in a folder are scanned without a request."""

import asyncio
import ctypes
import json
import os
import shutil
import subprocess
import sys
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from pytest_asyncio import fixture

from services.extractor.libraries import Libraries
from services.extractor.watch.file_events import (
    MAX_PATHS,
    CannotWatch,
    FileEvents,
    explain,
    watch_folder,
)
from services.extractor.watch.watcher import Watcher
from shared.bus.in_process import InProcessBus
from shared.runtime.settings import Settings
from tests.integration.extractor_setup import LibraryClient, running_extractor
from tests.integration.library_changes import retag, write

_SCANS = "{ scans(first: 100) { folder state message library { name } } }"
MakeWatcher = Callable[..., Any]


@fixture
async def library(
    pool: asyncpg.Pool, database_settings: Settings, tmp_path: Path
) -> AsyncIterator["WatchedLibrary"]:
    bus = InProcessBus()
    async with running_extractor(pool, database_settings, bus) as gateway:
        yield WatchedLibrary(LibraryClient(gateway, tmp_path / "music"), bus)


class WatchedLibrary:
    """A library of the running product, and the watcher."""

    def __init__(self, client: LibraryClient, bus: InProcessBus) -> None:
        self.client = client
        self.root = client.root
        self._bus = bus

    async def scans(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = (await self.client.gateway.execute_document(_SCANS, {}))[
            "scans"
        ]
        return found

    async def titles(self, *, missing: bool = False) -> set[str]:
        return {track["title"] for track in (await self.client.tracks(missing=missing)).values()}

    @asynccontextmanager
    async def watched(
        self, events: FileEvents = watch_folder, every_s: float | None = None
    ) -> AsyncIterator[None]:
        """Run the watcher with short delays; enters once its first scan is requested."""
        watcher = Watcher(
            self.client.gateway, self._bus.publish, Libraries(self.client.gateway, {}),
            watches=True, every_s=every_s, events=events, quiet_s=0.3, check_every_s=0.2,
        )  # fmt: skip
        before = len(await self.scans())
        work = asyncio.create_task(watcher.run())
        try:
            await until(lambda: self.has_more_scans_than(before))
            yield
        finally:
            work.cancel()
            await asyncio.gather(work, return_exceptions=True)

    async def has_more_scans_than(self, scans: int) -> bool:
        return len(await self.scans()) > scans


async def until(holds: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(30):
        while not await holds():  # noqa: ASYNC110 - it is polled
            await asyncio.sleep(0.05)


async def test_a_change_in_a_folder_scans_only_that_folder(
    library: WatchedLibrary,
) -> None:
    write(library.root / "a" / "One.flac", 1)
    await library.client.scan()
    write(library.root / "a" / "Two.flac", 2)  # before the watcher starts
    async with library.watched():
        await until(lambda: has(library, "One", "Two"))
        write(library.root / "b" / "c" / "Three.flac", 3)
        await until(lambda: has(library, "One", "Two", "Three"))
        folders = {scan["folder"] for scan in await library.scans()}
        assert folders <= {"", "b", "b/c"}
        assert "b" in folders

        retag(library.root / "a" / "Two.flac", title="Other")
        await until(lambda: has(library, "One", "Other", "Three"))
        assert (await library.scans())[0]["folder"] == "a"

        (library.root / "a" / "One.flac").unlink()
        await until(lambda: has(library, "Other", "Three"))
        assert await library.titles(missing=True) == {"One"}


async def has(library: WatchedLibrary, *titles: str) -> bool:
    return await library.titles() == set(titles)


async def test_a_folder_that_is_renamed_keeps_its_tracks(library: WatchedLibrary) -> None:
    write(library.root / "Jóga [1997]" / "One.flac", 1)
    await library.client.scan()
    (before,) = (await library.client.tracks()).values()
    async with library.watched():
        (library.root / "Jóga [1997]").rename(library.root / "Vol. 2")

        async def is_moved() -> bool:
            return "Vol. 2/One.flac" in await library.client.tracks()

        await until(is_moved)
        (after,) = (await library.client.tracks()).values()
        assert after["id"] == before["id"]
        assert not await library.client.tracks(missing=True)


async def test_a_change_of_other_files_starts_no_scan(library: WatchedLibrary) -> None:
    write(library.root / "One.flac", 1)
    await library.client.scan()
    async with library.watched():
        await until(lambda: all_scans_ended(library))
        before = len(await library.scans())
        (library.root / "notes.txt").write_text("x")
        (library.root / ".hidden").mkdir()
        (library.root / "notes.txt").unlink()
        (library.root / "a").mkdir()  # the events come in order
        await until(lambda: library.has_more_scans_than(before))
        assert [scan["folder"] for scan in await library.scans()][:-before] == ["a"]


async def all_scans_ended(library: WatchedLibrary) -> bool:
    return all(scan["state"] in {"FINISHED", "HELD"} for scan in await library.scans())


async def test_a_library_that_is_added_later_is_watched(
    library: WatchedLibrary, tmp_path: Path
) -> None:
    write(library.root / "One.flac", 1)
    await library.client.scan()
    async with library.watched():
        other = tmp_path / "other"
        write(other / "Two.flac", 2)
        await library.client.scan(root=str(other))
        write(other / "a" / "Three.flac", 3)
        write(library.root / "b" / "Four.flac", 4)
        await until(lambda: has(library, "One", "Two", "Three", "Four"))


async def test_too_many_changes_scan_the_whole_library(library: WatchedLibrary) -> None:
    write(library.root / "One.flac", 1)
    await library.client.scan()
    async with library.watched():
        await until(lambda: all_scans_ended(library))
        before = len(await library.scans())
        for number in range(4 * MAX_PATHS):
            (library.root / f"{number}.txt").touch()
        await until(lambda: library.has_more_scans_than(before))
        assert (await library.scans())[0]["folder"] == ""


async def test_a_disk_that_is_unmounted_and_mounted_again_loses_nothing(
    library: WatchedLibrary, tmp_path: Path
) -> None:
    for number in range(3):
        write(library.root / "a" / f"{number}.flac", number)
    await library.client.scan()
    before = await library.client.tracks()
    async with library.watched():
        library.root.rename(tmp_path / "aside")
        library.root.mkdir()

        async def is_held() -> bool:
            return any(scan["state"] == "HELD" for scan in await library.scans())

        await until(is_held)
        assert await library.client.tracks() == before
        library.root.rmdir()
        (tmp_path / "aside").rename(library.root)
        write(library.root / "b" / "More.flac", 9)
        await until(lambda: has(library, "0", "1", "2", "More"))
        write(library.root / "c" / "Again.flac", 10)
        await until(lambda: has(library, "0", "1", "2", "More", "Again"))
    assert not await library.client.tracks(missing=True)


async def test_a_library_that_cannot_be_watched_is_scanned_at_intervals(
    library: WatchedLibrary,
) -> None:
    async def at_its_limit(_: str) -> AsyncGenerator[Sequence[str] | None, None]:
        raise CannotWatch("the system watches no more folders")
        yield ()

    write(library.root / "One.flac", 1)
    await library.client.scan()
    async with library.watched(at_its_limit, every_s=0.3):
        write(library.root / "a" / "Two.flac", 2)
        await until(lambda: has(library, "One", "Two"))
        shutil.rmtree(library.root / "a")
        await until(lambda: has(library, "One"))
        assert {scan["folder"] for scan in await library.scans()} == {""}


async def test_a_folder_that_cannot_be_watched_is_named(tmp_path: Path) -> None:
    with pytest.raises(CannotWatch, match="no/where"):
        async for _ in watch_folder(str(tmp_path / "no" / "where")):
            pass


class Child:
    """The child process that watches a folder."""

    def __init__(self, folder: Path, *before: str, **options: Any) -> None:
        self.process = subprocess.Popen(
            [*before, sys.executable, "-m", "services.extractor.watch.file_events", str(folder)],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **options,
        )  # fmt: skip

    def read_line(self) -> Any:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line, self.process.stderr.read() if self.process.stderr else ""
        return json.loads(line)

    def read_until(self, path: Path) -> list[Any]:
        """Read its lines until one names the path."""
        lines: list[Any] = []
        while not lines or str(path) not in (lines[-1] or ()):
            lines.append(self.read_line())
        return lines

    def end(self) -> int:
        """Close its output, and wait for its end."""
        assert self.process.stdout is not None
        assert self.process.stderr is not None
        self.process.stdout.close()
        self.process.stderr.close()
        return self.process.wait(20)


def test_the_watching_process_ends_with_its_reader(tmp_path: Path) -> None:
    child = Child(tmp_path)
    assert child.read_line() == []  # it has begun to watch
    (tmp_path / "One.flac").touch()
    child.read_until(tmp_path / "One.flac")
    assert child.end() == 0


def without_overriding() -> None:
    """Take root's right to read everything from this process (prctl's PR_CAPBSET_DROP)."""
    libc = ctypes.CDLL(None)
    for capability in (1, 2):  # CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH
        libc.prctl(24, capability, 0, 0, 0)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a folder to another user")
def test_unreadable_folders_do_not_affect_others(tmp_path: Path) -> None:
    for name in "abcdefgh":
        (tmp_path / name).mkdir()
    (tmp_path / "d").chmod(0o700)
    os.chown(tmp_path / "d", 65_534, 65_534)
    child = Child(tmp_path, preexec_fn=without_overriding)
    assert child.read_line() is None  # changes before it began to watch may be lost
    for name in "abcefgh":
        (tmp_path / name / "One.flac").touch()
        child.read_until(tmp_path / name / "One.flac")
    (tmp_path / "new").mkdir()
    child.read_until(tmp_path / "new")
    while child.read_line() is not None:
        pass
    (tmp_path / "new" / "One.flac").touch()
    child.read_until(tmp_path / "new" / "One.flac")
    child.end()


def test_the_systems_limit_of_watches_is_named(tmp_path: Path) -> None:
    for name in "abcdefgh":
        (tmp_path / name).mkdir()
    limited = 'echo 4 > /proc/sys/user/max_inotify_watches && exec "$@"'
    child = Child(tmp_path, "unshare", "--user", "--map-root-user", "sh", "-c", limited, "sh")
    output, error = child.process.communicate(timeout=20)
    if "unshare" in error:
        pytest.skip("user namespaces are not available here")
    assert output == ""
    assert "limit reached" in error
    assert "max_user_watches" in explain(error)


_LIBRARY = "{ libraries { id } }"
_MOVE = (
    "mutation ($id: ID!, $to: String!) { moveLibrary(id: $id, root: $to) { error { message } } }"
)
_REMOVE = """
mutation ($id: ID!) { removeLibrary(id: $id, name: "music") { error { message } } }
"""


async def test_a_moved_library_is_watched_where_it_is_now(library: WatchedLibrary) -> None:
    write(library.root / "one.flac", 1)
    await library.client.scan()
    gateway = library.client.gateway
    async with library.watched():
        (found,) = (await gateway.execute_document(_LIBRARY, {}))["libraries"]
        new = library.root.rename(library.root.with_name("new"))

        async def is_moved() -> bool:  # not while the watcher's first scan walks
            answer = await gateway.execute_document(_MOVE, {"id": found["id"], "to": str(new)})
            return answer["moveLibrary"]["error"] is None

        await until(is_moved)
        write(new / "two.flac", 2)

        async def has_both() -> bool:
            return await library.titles() == {"one", "two"}

        await until(has_both)
        assert await library.titles(missing=True) == set()


async def test_a_removed_library_is_scanned_no_longer(library: WatchedLibrary) -> None:
    write(library.root / "one.flac", 1)
    await library.client.scan()
    gateway = library.client.gateway
    async with library.watched(every_s=0.3):
        (found,) = (await gateway.execute_document(_LIBRARY, {}))["libraries"]
        answer = await gateway.execute_document(_REMOVE, {"id": found["id"]})
        assert answer["removeLibrary"]["error"] is None
        await asyncio.sleep(1)  # the watcher looks for libraries every 0.2 s
        before = len(await library.scans())
        await asyncio.sleep(1)
        assert len(await library.scans()) == before
        failures = await library.client.failures()
        assert failures == {}
