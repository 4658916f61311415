"""The extractor's handlers, called with events in the order that a test chooses."""

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
from tests.integration.extractor_setup import running_extractor


class ExtractorHandlers:
    """The extractor's handlers and the database that they write to."""

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
        """Handle batches one after another; the events of a batch are of one topic."""
        for batch in batches:
            outcome = await self._handlers[batch[0].topic](batch)
            assert not outcome.rejected, outcome.rejected

    async def tracks(self, root: Path) -> dict[str, tuple[Any, int]]:
        """Id and content revision of each track whose file is present, by path."""
        rows = await self.pool.fetch(
            "SELECT path, t.id, content_revision FROM files f JOIN tracks t ON t.id = track_id"
            " JOIN libraries l ON l.id = library_id WHERE root = $1 AND state = 'present'",
            str(root),
        )
        return {row["path"]: (row["id"], row["content_revision"]) for row in rows}


@fixture
async def handlers(
    pool: asyncpg.Pool, database_settings: Settings, tmp_path: Path
) -> AsyncIterator[ExtractorHandlers]:
    async with running_extractor(pool, database_settings) as gateway:
        bus = InProcessBus()
        service = extractor.build(database_settings, gateway=gateway, publish=bus.publish)
        by_topic = {
            each.topic: each.handler
            for each in service.subscriptions
            if isinstance(each, Subscription)
        }
        async with service.lifespan():
            yield ExtractorHandlers(pool, gateway, by_topic)


def events(root: Path, library: str, scan: str, known: dict[str, Any]) -> list[Event]:
    """The events that a walk emits when it knew these sizes and times of files."""
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
