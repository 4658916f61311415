"""Asks for scans of what changes: `scan.requested` out.

A library is watched where the system tells what changes, and scanned by the clock beside it: seldom
where it is watched, often where it can't be. Files are never judged here: scans do it, whose guards
hold.
"""

import asyncio
import os
import stat
from collections.abc import Sequence
from contextlib import aclosing
from dataclasses import dataclass

import structlog

from services.extractor.scan.scanning import Publish
from services.extractor.store.libraries import Libraries
from services.extractor.watch.changes import CannotWatch, Changes, changed_paths
from services.extractor.watch.mounts import network_mount
from services.extractor.watch.settling import Settling
from services.extractor.watch.touched import touched
from shared.contracts.errors import DependencyDown, TransientError
from shared.contracts.events import ScanRequested
from shared.gateway.client import Gateway
from shared.gateway.extraction import known_files, libraries

WATCHED_EVERY_S = 86_400.0
"""A watched library is scanned so often all the same: the system may lose events."""
UNWATCHED_EVERY_S = 900.0
"""One that cannot be watched, so often."""
_RETRY_S = 5.0
_MOST_ASKED = 20

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class _Place:
    """A library as it is on this host."""

    id: str
    name: str
    root: str


class Watcher:
    """Tends all libraries there are, and new ones soon after they are made.

    Args:
        gateway: who knows the libraries.
        publish: the bus's.
        places: where the libraries are here.
        watches: whether to watch at all; else there is the clock alone.
        every_s: how often each library is scanned whole; None leaves it to the constants above,
            or, where nothing is watched, never.
        changes: who tells what changes.
        quiet_s: how long a folder must be at rest before it is scanned.
        look_every_s: how often to look for new libraries, and whether roots are still the same.
    """

    def __init__(
        self,
        gateway: Gateway,
        publish: Publish,
        places: Libraries,
        *,
        watches: bool,
        every_s: float | None,
        changes: Changes = changed_paths,
        quiet_s: float = 2.0,
        look_every_s: float = 5.0,
    ) -> None:
        self._gateway = gateway
        self._publish = publish
        self._places = places
        self._watches = watches
        self._every_s = every_s
        self._changes = changes
        self._quiet_s = quiet_s
        self._look_every_s = look_every_s

    @property
    def has_work(self) -> bool:
        """Whether anything is to be watched or scanned by the clock."""
        return self._watches or self._every_s is not None

    async def run(self) -> None:
        """Until cancelled. What goes wrong with a library is logged and tried again."""
        async with asyncio.TaskGroup() as group:
            tended: set[str] = set()
            while True:
                for place in await self._known():
                    if place.id not in tended:
                        tended.add(place.id)
                        group.create_task(self._tend(place))
                await asyncio.sleep(self._look_every_s)

    async def _known(self) -> Sequence[_Place]:
        try:
            told = await libraries(self._gateway)
        except (DependencyDown, TransientError):
            return ()  # it is asked again soon
        except Exception:
            _log.exception("could not ask for the libraries; it is tried again soon")
            return ()
        return [
            _Place(one["id"], one["name"], self._places.local_root(one["name"], one["root"]))
            for one in told
        ]

    async def _tend(self, place: _Place) -> None:
        told = ""
        while True:
            try:
                await (self._watch(place) if self._watches else self._by_the_clock(place))
                told = ""
            except CannotWatch as error:
                if str(error) != told:
                    told = str(error)
                    _log.warning("cannot be watched", library=place.name, reason=told)
                    await self._request_if_there(place)
                await self._by_the_clock(place)
            except (DependencyDown, TransientError) as error:
                _log.warning("watching again soon", library=place.name, error=str(error))
                await asyncio.sleep(_RETRY_S)
            except Exception:
                _log.exception("watching failed; it begins again soon", library=place.name)
                await asyncio.sleep(_RETRY_S)

    async def _by_the_clock(self, place: _Place) -> None:
        """Wait, then ask for a scan; a root that comes back meanwhile ends the waiting."""
        was_there = await asyncio.to_thread(_identity, place.root) is not None
        loop = asyncio.get_running_loop()
        until = loop.time() + (self._every_s or UNWATCHED_EVERY_S)
        while (left := until - loop.time()) > 0:
            await asyncio.sleep(min(left, self._look_every_s))
            if not was_there and await asyncio.to_thread(_identity, place.root) is not None:
                break
        await self._request_if_there(place)

    async def _watch(self, place: _Place) -> None:
        """Watch until the root is another folder than before, or `CannotWatch`."""
        root = await asyncio.to_thread(_identity, place.root)
        if root is None:
            raise CannotWatch(f"{place.root} is no folder that can be read")
        network = await asyncio.to_thread(network_mount, place.root)
        if network is not None:
            raise CannotWatch(f"{network} is on a network: what other hosts change is not told")
        loop = asyncio.get_running_loop()
        settling = Settling(quiet_s=self._quiet_s)
        next_whole_s = loop.time()  # what changed while nobody watched
        next_look_s = loop.time() + self._look_every_s
        async with aclosing(self._changes(place.root)) as batches:
            async for paths in batches:
                for folder in await self._concerned(place, paths):
                    settling.note(folder, loop.time())
                now_s = loop.time()
                if now_s >= next_whole_s:
                    next_whole_s = now_s + (self._every_s or WATCHED_EVERY_S)
                    await self._request(place, "")
                for folder in settling.due(now_s):
                    await self._request(place, folder)
                if now_s >= next_look_s:
                    next_look_s = now_s + self._look_every_s
                    if await asyncio.to_thread(_identity, place.root) != root:
                        return

    async def _concerned(self, place: _Place, paths: Sequence[str] | None) -> set[str]:
        if paths is None:
            return {""}
        if not paths:
            return set()
        found = await asyncio.to_thread(touched, place.root, paths)
        if len(found.unknown) > _MOST_ASKED:
            return {""}
        for path in found.unknown:
            if (await known_files(self._gateway, place.id, path, None))["paths"]:
                return {""}  # it was a folder with music
        return found.folders

    async def _request_if_there(self, place: _Place) -> None:
        if await asyncio.to_thread(_identity, place.root) is not None:
            await self._request(place, "")

    async def _request(self, place: _Place, folder: str) -> None:
        _log.info("asks for a scan", library=place.name, folder=folder)
        await self._publish([ScanRequested(library=place.name, folder=folder)])


def _identity(root: str) -> tuple[int, int] | None:
    """What tells a folder from another one of the same name; None where it is none."""
    try:
        told = os.stat(root)  # noqa: PTH116 - as all paths here
    except OSError:
        return None
    return (told.st_dev, told.st_ino) if stat.S_ISDIR(told.st_mode) else None
