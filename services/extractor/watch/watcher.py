"""Requests scans of folders that change: `scan.requested` out.

A library is watched where the system reports changes, and is scanned whole at intervals too: seldom
where it is watched, often where it cannot be. The watcher never decides about files. Scans do, and
their guards apply.
"""

import asyncio
import os
import stat
from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing, asynccontextmanager, suppress

import structlog

from services.extractor.libraries import Libraries, Library
from services.extractor.scan.catalogue import has_files
from services.extractor.scan.scanner import Publish
from services.extractor.watch.changed_folders import Debounce, changed_folders
from services.extractor.watch.file_events import CannotWatch, FileEvents, watch_folder
from services.extractor.watch.mounts import network_mount
from shared.contracts.errors import DependencyDown, TransientError
from shared.contracts.events import ScanRequested
from shared.gateway.client import Gateway

WATCHED_EVERY_S = 86_400.0
"""A watched library is scanned this often all the same, because the system may lose events."""
UNWATCHED_EVERY_S = 900.0
"""A library that cannot be watched is scanned this often."""
_RETRY_S = 5.0
_MAX_LOOKUPS = 20

_log = structlog.get_logger(__name__)


class Watcher:
    """Watches all libraries, including those that are added later.

    Args:
        gateway: knows the files of the libraries.
        publish: the bus's.
        libraries: those to watch.
        watches: whether to watch at all; else libraries are scanned at intervals alone.
        every_s: how often each library is scanned whole. None means the constants above, or never
            where nothing is watched.
        events: reports changes below a folder.
        quiet_s: a folder is scanned when nothing changed in it for so long.
        check_every_s: how often to look for new libraries, and whether roots are still the same.
    """

    def __init__(
        self,
        gateway: Gateway,
        publish: Publish,
        libraries: Libraries,
        *,
        watches: bool,
        every_s: float | None,
        events: FileEvents = watch_folder,
        quiet_s: float = 2.0,
        check_every_s: float = 5.0,
    ) -> None:
        self._gateway = gateway
        self._publish = publish
        self._libraries = libraries
        self._watches = watches
        self._every_s = every_s
        self._events = events
        self._quiet_s = quiet_s
        self._check_every_s = check_every_s

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Watch in the background, if anything is to be watched or scanned at intervals."""
        if not self._watches and self._every_s is None:
            yield
            return
        task = asyncio.create_task(self.run())
        try:
            yield
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    async def run(self) -> None:
        """Run until cancelled. An error with one library is logged, and that library retried."""
        async with asyncio.TaskGroup() as group:
            running: dict[Library, asyncio.Task[None]] = {}
            while True:
                libraries = await self._fetch_libraries()
                if libraries is not None:
                    # A library that was moved or renamed is another one here, with the same id.
                    for gone in running.keys() - set(libraries):
                        running.pop(gone).cancel()
                    for library in libraries:
                        if library not in running:
                            running[library] = group.create_task(self._run_library(library))
                await asyncio.sleep(self._check_every_s)

    async def _fetch_libraries(self) -> Sequence[Library] | None:
        try:
            return await self._libraries.fetch()
        except (DependencyDown, TransientError):
            return None  # they are asked for again soon
        except Exception:
            _log.exception("could not ask for the libraries; it is tried again soon")
            return None

    async def _run_library(self, library: Library) -> None:
        logged = ""
        while True:
            try:
                await (self._watch(library) if self._watches else self._wait_and_scan(library))
                logged = ""
            except CannotWatch as error:
                if str(error) != logged:
                    logged = str(error)
                    _log.warning("cannot be watched", library=library.name, reason=logged)
                    await self._request_if_mounted(library)
                await self._wait_and_scan(library)
            except (DependencyDown, TransientError) as error:
                _log.warning("watching again soon", library=library.name, error=str(error))
                await asyncio.sleep(_RETRY_S)
            except Exception:
                _log.exception("watching failed; it begins again soon", library=library.name)
                await asyncio.sleep(_RETRY_S)

    async def _wait_and_scan(self, library: Library) -> None:
        """Wait, then request a scan. A root that reappears in the meantime ends the wait."""
        was_mounted = await asyncio.to_thread(_identity, library.root) is not None
        loop = asyncio.get_running_loop()
        until_s = loop.time() + (self._every_s or UNWATCHED_EVERY_S)
        while (left_s := until_s - loop.time()) > 0:
            await asyncio.sleep(min(left_s, self._check_every_s))
            if not was_mounted and await asyncio.to_thread(_identity, library.root) is not None:
                break
        await self._request_if_mounted(library)

    async def _watch(self, library: Library) -> None:
        """Watch until another folder is mounted at the root, or `CannotWatch`."""
        root = await asyncio.to_thread(_identity, library.root)
        if root is None:
            raise CannotWatch(f"{library.root} is no folder that can be read")
        network = await asyncio.to_thread(network_mount, library.root)
        if network is not None:
            raise CannotWatch(f"{network} is on a network: other hosts' changes are not reported")
        loop = asyncio.get_running_loop()
        debounce = Debounce(quiet_s=self._quiet_s)
        next_scan_s = loop.time()  # at once: for what changed while nobody watched
        next_check_s = loop.time() + self._check_every_s
        async with aclosing(self._events(library.root)) as batches:
            async for paths in batches:
                for folder in await self._folders_to_scan(library, paths):
                    debounce.add(folder, loop.time())
                now_s = loop.time()
                if now_s >= next_scan_s:
                    next_scan_s = now_s + (self._every_s or WATCHED_EVERY_S)
                    await self._request(library, "")
                for folder in debounce.take_due(now_s):
                    await self._request(library, folder)
                if now_s >= next_check_s:
                    next_check_s = now_s + self._check_every_s
                    # inotify follows the folder, not its name: a disk that is mounted at the root
                    # is another folder, which has to be watched anew.
                    if await asyncio.to_thread(_identity, library.root) != root:
                        return

    async def _folders_to_scan(self, library: Library, paths: Sequence[str] | None) -> set[str]:
        if paths is None:
            return {""}
        if not paths:
            return set()
        changed = await asyncio.to_thread(changed_folders, library.root, paths)
        if len(changed.unknown) > _MAX_LOOKUPS:
            return {""}
        for path in changed.unknown:
            if await has_files(self._gateway, library.id, path):
                return {""}  # it was a folder with music, which may have moved to anywhere
        return changed.folders

    async def _request_if_mounted(self, library: Library) -> None:
        if await asyncio.to_thread(_identity, library.root) is not None:
            await self._request(library, "")

    async def _request(self, library: Library, folder: str) -> None:
        _log.info("asks for a scan", library=library.name, folder=folder)
        await self._publish([ScanRequested(library=library.name, folder=folder)])


def _identity(root: str) -> tuple[int, int] | None:
    """Device and inode of a folder, which differ from another one's of the same name.

    None where there is no folder.
    """
    try:
        status = os.stat(root)  # noqa: PTH116 - as all paths here
    except OSError:
        return None
    return (status.st_dev, status.st_ino) if stat.S_ISDIR(status.st_mode) else None
