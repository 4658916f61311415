"""Builds the extractor: the only module here that names concrete adapters."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from services.extractor.handlers import MarkMissing, ReadFiles
from services.extractor.libraries import Libraries
from services.extractor.read.jobs import prepare_reader
from services.extractor.read.readers import Readers
from services.extractor.scan.deletion_guard import DeletionGuard
from services.extractor.scan.ignore_rules import IgnoreRules
from services.extractor.scan.scanner import Publish, Scanner
from services.extractor.store.batch_store import BatchStore
from services.extractor.store.move_resolution import MoveResolver
from services.extractor.tags.credits import CreditRules
from services.extractor.tags.rules import Rules
from services.extractor.watch.watcher import Watcher
from shared.bus.port import Subscription
from shared.contracts.topics import Stage, Topic
from shared.gateway.client import Gateway
from shared.runtime.service import Service
from shared.runtime.settings import Settings
from shared.runtime.workers import WorkerProcesses

_MAX_WALK_S = 3600  # millions of files, on a slow share
_MAX_READ_S = 1800  # a thousand of them


def build(settings: Settings, *, gateway: Gateway, publish: Publish) -> Service:
    """The service. `publish` is the bus's: a walk publishes events before its handler returns."""
    workers = WorkerProcesses(settings.readers, warm=prepare_reader)
    libraries = Libraries(gateway, settings.mounts)
    ignore_rules = IgnoreRules.from_settings(settings.ignore)
    rules = Rules(CreditRules.with_names(settings.credit_names, settings.credit_joins))
    readers = Readers(workers, rules)
    guard = DeletionGuard(share=settings.missing_guard_share, least=settings.missing_guard_files)

    @asynccontextmanager
    async def lifespan() -> AsyncIterator[None]:
        async with workers.running():
            yield

    watcher = Watcher(
        gateway, publish, libraries, watches=settings.watch, every_s=settings.scan_every_s
    )

    @asynccontextmanager
    async def running() -> AsyncIterator[None]:
        if not watcher.has_work:
            yield
            return
        watching = asyncio.create_task(watcher.run())
        try:
            yield
        finally:
            watching.cancel()
            with suppress(asyncio.CancelledError):
                await watching

    scanner = Scanner(gateway, publish, libraries, ignore_rules, guard)
    store = BatchStore(gateway, readers, MoveResolver(gateway, workers, libraries))
    return Service(
        name="extractor",
        subscriptions=[
            Subscription(
                Topic.SCAN_REQUESTED,
                Stage.WALK,
                scanner,
                batch_size=1,
                members=2,
                longest_batch_s=_MAX_WALK_S,
            ),
            # Three batches at a time: one is read while two are stored, and one of those usually
            # waits for the database. Every batch has a fixed cost, so that large ones cost less.
            Subscription(
                Topic.FILE_FOUND,
                Stage.READ,
                ReadFiles(libraries, readers, store),
                batch_size=1_000,
                members=3,
                longest_batch_s=_MAX_READ_S,
            ),
            Subscription(
                Topic.FILE_MISSING,
                Stage.READ,
                MarkMissing(gateway, libraries, ignore_rules),
                batch_size=500,
            ),
        ],
        lifespan=lifespan,
        running=running,
    )
