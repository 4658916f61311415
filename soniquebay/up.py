"""`soniquebay up`: composes all services in one process, and shows their progress."""

import asyncio
import fcntl
import os
import shlex
import sys
import time
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from typing import Any

from services.analyzer import service as analyzer
from services.api import service as api_service
from services.extractor import service as extractor
from services.indexer import service as indexer
from services.vectorizer import service as vectorizer
from shared.bus.in_process import InProcessBus
from shared.contracts.errors import DependencyDown, InvalidInput, TransientError
from shared.embedding.factory import text_embedder
from shared.gateway.client import Gateway
from shared.runtime.logs import configure_logs
from shared.runtime.resources import limit_malloc_arenas
from shared.runtime.service import Service, stop_signals
from shared.runtime.settings import Settings
from shared.search.factory import search_index
from soniquebay.documents import (
    FIRST_TRACK,
    PROGRESS,
    REQUEST_SCAN,
    SCAN,
    STATUS,
    UNRESOLVED_SCANS,
)
from soniquebay.output import duration, say, unresolved_line
from soniquebay.progress import ProgressView

_POLL_EVERY_S = 0.4
_LOOK_FOR_SCANS_EVERY_S = 30.0
_IDLE_POLLS = 2  # so many in a row mean that all work is done


def run(settings: Settings, *, roots: Sequence[str], demo: bool, until_idle: bool) -> bool:
    """Run everything until a signal or, with `until_idle`, until all work is done.

    `roots` are absolute paths of folders to scan; `demo` adds the demo library, rendered into the
    data folder. Returns whether all requested scans succeeded.

    Raises:
        PipelineError: it cannot start; the message says why and what to do.
    """
    limit_malloc_arenas()
    # The log would break the progress bars. They show what waits, and `failures` what failed.
    configure_logs(settings.log_level if "log_level" in settings.model_fields_set else "error")
    with _data_folder(settings):
        folders = list(roots)
        if demo:
            # Imported only when used: it brings the encoders along.
            from soniquebay.demo import render_demo  # noqa: PLC0415 - see above

            folder = settings.data_dir / "demo-music"
            say(f"rendering the demo library into {folder} (some seconds, once)")
            render_demo(folder)
            folders.append(str(folder))
        return asyncio.run(_Up(settings, folders, until_idle, demo=demo).run())


@contextmanager
def _data_folder(settings: Settings) -> Iterator[None]:
    """Create and lock the data folder, so that no second `up` uses it."""
    folder = settings.data_dir
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = (folder / "up.lock").open("a+")
    except OSError as error:
        raise InvalidInput(
            f"cannot use the data folder {folder}: {error.strerror}; make it writable, or"
            " choose another one with SONIQUEBAY_DATA_DIR"
        ) from error
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise InvalidInput(
                f"another `soniquebay up` uses {folder}: stop it, or choose another folder with"
                " SONIQUEBAY_DATA_DIR"
            ) from error
        yield


class _Up:
    """One run of all services."""

    def __init__(
        self, settings: Settings, roots: Sequence[str], until_idle: bool, *, demo: bool
    ) -> None:
        if settings.allowed_roots is not None:  # who starts this program may name any folder
            allowed = (*settings.allowed_roots, *roots)
            settings = settings.model_copy(update={"roots": allowed})
        self._settings = settings
        self._roots = roots
        self._until_idle = until_idle
        self._demo = demo
        self._started_s = time.monotonic()
        self._shown_scans: set[str] = set()
        self._bus = InProcessBus(capacity=settings.bus_capacity)
        embedder = text_embedder(settings)
        index = search_index(settings)
        self._api = api_service.build(settings, bus=self._bus, embedder=embedder, search=index)
        self._gateway = gateway = Gateway(self._api.transport)
        self._services: list[Service] = [
            self._api.service,
            indexer.build(settings, gateway=gateway, index=index),
            analyzer.build(settings, gateway=gateway),  # its model makes the vectorizer's space
            vectorizer.build(gateway=gateway, embedder=embedder),
            extractor.build(settings, gateway=gateway, publish=self._bus.publish),
        ]

    async def run(self) -> bool:
        """Start the services, request the scans, show progress, serve, and drain at the end."""
        stopped = stop_signals()
        async with AsyncExitStack() as stack:
            # The stack closes in reverse order: loops end, the bus drains, then connections close.
            for service in self._services:
                await stack.enter_async_context(service.lifespan())
                service.subscribe(self._bus)
            await stack.enter_async_context(self._bus_running())
            for service in self._services:
                await stack.enter_async_context(service.running())
            say(f"the gateway is at {self._api.url}/graphql")
            scans = await self._request_scans()
            work = asyncio.create_task(self._follow(scans))
            either: list[asyncio.Future[Any]] = [work, stopped]
            await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
            succeeded = True
            if work.done():
                succeeded = await work
                if not self._until_idle:
                    await self._show_scans_until(stopped)
            else:
                work.cancel()
            if stopped.done():
                say("stopping: finishing the work in flight (press Ctrl-C again to end at once)")
        return succeeded

    @asynccontextmanager
    async def _bus_running(self) -> AsyncIterator[None]:
        await self._bus.start()
        try:
            yield
        finally:
            if not await self._bus.drain(self._settings.drain_timeout_s):
                say("some work in flight was not finished; the next start continues it")

    async def _request_scans(self) -> list[str]:
        ids = []
        for root in self._roots:
            variables = {"input": {"root": root}}
            payload = (await self._execute(REQUEST_SCAN, variables))["requestScan"]
            if payload["error"]:
                raise InvalidInput(payload["error"]["message"])
            ids.append(payload["scan"]["id"])
        return ids

    async def _execute(self, document: str, variables: dict[str, Any]) -> Mapping[str, Any]:
        """Run a document; while the gateway or its database does not answer, wait and try again."""
        has_said_so = False
        while True:
            try:
                return await self._gateway.execute_document(document, variables)
            except (DependencyDown, TransientError) as error:
                if not has_said_so:
                    say(f"waiting: {error}")
                has_said_so = True
            await asyncio.sleep(_POLL_EVERY_S)

    async def _follow(self, scans: Sequence[str]) -> bool:
        """Show progress until all work is done, then a summary; whether the scans succeeded."""
        idle_polls = 0
        with ProgressView() as view:
            while idle_polls < _IDLE_POLLS:
                status = (await self._execute(PROGRESS, {}))["status"]
                view.update(time.monotonic(), status)
                idle = not status["activeScans"] and not status["pending"]
                idle_polls = idle_polls + 1 if idle else 0
                await asyncio.sleep(_POLL_EVERY_S)
        ended = [(await self._execute(SCAN, {"id": id_}))["scan"] for id_ in scans]
        for scan in ended:
            if scan["message"]:
                say(f"{scan['root']}: {scan['message']}")
        self._shown_scans.update(scans)
        await self._print_summary((await self._execute(STATUS, {}))["status"])
        return all(scan["state"] not in {"HELD", "REFUSED"} for scan in ended)

    async def _show_scans_until(self, stopped: asyncio.Future[Any]) -> None:
        """Serve until the signal; show scans that are held or refused, as the watcher's may be."""
        while not stopped.done():
            status = (await self._execute(UNRESOLVED_SCANS, {}))["status"]
            for scan in status["unresolvedScans"]:
                if scan["id"] not in self._shown_scans:
                    say(unresolved_line(scan))
                    self._shown_scans.add(scan["id"])
            await asyncio.wait([stopped], timeout=_LOOK_FOR_SCANS_EVERY_S)

    async def _print_summary(self, status: dict[str, Any]) -> None:
        elapsed = duration(time.monotonic() - self._started_s)
        say(
            f"done in {elapsed}: {status['tracks']:,} tracks, {status['artists']:,} artists,"
            f" {status['albums']:,} albums"
        )
        if status["failed"]:
            say(f"{status['failed']:,} failed; to see which, and why: soniquebay failures")
        if not status["tracks"]:
            say("the library is empty: add music with `soniquebay scan DIR --follow`")
        if not self._until_idle:
            await self._print_hints()

    async def _print_hints(self) -> None:
        # After `make run`, `soniquebay` is not on the PATH: show it with its folder.
        program = sys.argv[0] if os.path.sep in sys.argv[0] else "soniquebay"
        edges = (await self._execute(FIRST_TRACK, {}))["tracks"]["edges"]
        if edges:
            track = edges[0]["node"]
            words = track["artists"][0] if track["artists"] else track["title"]
            say("try next:")
            say(f"  {program} search {shlex.quote(words)}")
            say(f"  {program} similar {shlex.quote(track['title'])}")
            say(f"  {program} show {shlex.quote(track['title'])}")
        say(f"browse and query at {self._api.url}/graphql; Ctrl-C stops")
        if self._demo:
            say("this is the demo library. For your own: make run MUSIC=/path/to/your/music")
