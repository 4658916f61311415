"""The extractor, put together."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from services.extractor.handlers import MarkMissing, ReadFiles
from services.extractor.read.file_reader import prepare_reader
from services.extractor.read.readers import Readers
from services.extractor.scan.deletion_guard import Guard
from services.extractor.scan.ignore_rules import Ignoring
from services.extractor.scan.scanning import Publish, ScanLibrary
from services.extractor.store.libraries import Libraries
from services.extractor.store.move_resolution import Placing
from services.extractor.store.storing import Storing
from services.extractor.tags.rules import CreditRules, Rules
from services.extractor.watch.watcher import Watcher
from shared.bus.port import Subscription
from shared.contracts.topics import Stage, Topic
from shared.gateway.client import Gateway
from shared.runtime.service import Service
from shared.runtime.settings import Settings
from shared.runtime.workers import WorkerProcesses

_LONGEST_WALK_S = 3600  # millions of files, on a slow share
_LONGEST_READ_S = 1800  # a thousand of them


def build(settings: Settings, *, gateway: Gateway, publish: Publish) -> Service:
    """The service. `publish` is the bus's: a walk emits while it goes on."""
    workers = WorkerProcesses(settings.readers, warm=prepare_reader)
    libraries = Libraries(gateway, settings.mounts)
    ignoring = Ignoring.of_settings(settings.ignore)
    rules = Rules(CreditRules.with_names(settings.credit_names, settings.credit_joins))
    readers = Readers(workers, rules)
    guard = Guard(share=settings.missing_guard_share, least=settings.missing_guard_files)

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

    placing = Placing(gateway, readers, libraries)
    scan = ScanLibrary(gateway, publish, libraries, ignoring, guard)
    read = ReadFiles(libraries, readers, Storing(gateway, readers, placing))
    missing = MarkMissing(gateway, libraries, ignoring)
    return Service(
        name="extractor",
        subscriptions=[
            Subscription(
                Topic.SCAN_REQUESTED,
                Stage.WALK,
                scan,
                batch_size=1,
                members=2,
                longest_batch_s=_LONGEST_WALK_S,
            ),
            # Three batches at a time: one is read while two are stored, of which one waits for the
            # database as often as not. What a batch costs whatever its size, half as many spare.
            Subscription(
                Topic.FILE_FOUND,
                Stage.READ,
                read,
                batch_size=1_000,
                members=3,
                longest_batch_s=_LONGEST_READ_S,
            ),
            Subscription(Topic.FILE_MISSING, Stage.READ, missing, batch_size=500),
        ],
        lifespan=lifespan,
        running=running,
    )
