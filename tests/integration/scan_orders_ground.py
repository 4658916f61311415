"""What the tests of orders stand on: the extractor's handlers, called in whatever order."""

from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import asyncpg
from pytest_asyncio import fixture

from services.extractor import service as extractor
from shared.bus.in_process import InProcessBus
from shared.bus.port import Subscription
from shared.contracts.events import Event, FileFound, FileMissing
from shared.contracts.identity import IdKind, format_id
from shared.contracts.topics import Topic
from shared.gateway.client import Gateway
from shared.runtime.settings import Settings
from tests.integration.extractor_ground import running


class Ground:
    """Handlers of the extractor, called event by event in whatever order a test says."""

    def __init__(self, pool: asyncpg.Pool, gateway: Gateway, handlers: dict[Topic, Any]) -> None:
        self.pool = pool
        self.gateway = gateway
        self._handlers = handlers

    async def library(self, root: Path) -> str:
        id_ = await self.pool.fetchval(
            "INSERT INTO libraries (name, root) VALUES ($1, $1) RETURNING id", str(root)
        )
        return format_id(IdKind.LIBRARY, id_)

    async def scan(self) -> str:
        id_ = await self.pool.fetchval(
            "INSERT INTO scans (root, mode, state) VALUES ('', 'incremental', 'reading')"
            " RETURNING id"
        )
        return format_id(IdKind.SCAN, id_)

    async def handle(self, batches: Sequence[Sequence[Event]]) -> None:
        """Handle batches, each of one kind of event, one after another."""
        for batch in batches:
            outcome = await self._handlers[batch[0].topic](batch)
            assert not outcome.rejected, outcome.rejected

    async def tracks(self, root: Path) -> dict[str, tuple[Any, int]]:
        """Id and content revision of the tracks that are there, by path."""
        rows = await self.pool.fetch(
            "SELECT path, t.id, content_revision FROM files f JOIN tracks t ON t.id = track_id"
            " JOIN libraries l ON l.id = library_id WHERE root = $1 AND state = 'present'",
            str(root),
        )
        return {row["path"]: (row["id"], row["content_revision"]) for row in rows}


@fixture
async def ground(
    pool: asyncpg.Pool, database_settings: Settings, tmp_path: Path
) -> AsyncIterator[Ground]:
    async with running(pool, database_settings) as gateway:
        bus = InProcessBus()
        service = extractor.build(database_settings, gateway=gateway, publish=bus.publish)
        handlers = {
            each.topic: each.handler
            for each in service.subscriptions
            if isinstance(each, Subscription)
        }
        async with service.lifespan():
            yield Ground(pool, gateway, handlers)


def events(root: Path, library: str, scan: str, known: dict[str, Any]) -> list[Event]:
    """What a walk says after a change."""
    there = {str(path.relative_to(root)): path.stat() for path in root.rglob("*") if path.is_file()}
    found: list[Event] = [
        FileFound(
            library_id=library, scan_id=scan, path=path, size_bytes=stat.st_size,
            mtime_ns=stat.st_mtime_ns,
        )
        for path, stat in there.items()
        if known.get(path) != (stat.st_size, stat.st_mtime_ns)
    ]  # fmt: skip
    return found + [
        FileMissing(library_id=library, scan_id=scan, path=path) for path in known.keys() - there
    ]
