"""Builds the extractor: the only module here that names concrete adapters."""

from typing import Any

from services.extractor.handlers import MarkMissing, ReadFiles
from services.extractor.libraries import Libraries
from services.extractor.read.jobs import prepare_reader
from services.extractor.read.readers import Readers
from services.extractor.scan.deletion_guard import DeletionGuard
from services.extractor.scan.ignore_rules import IgnoreRules
from services.extractor.scan.scanner import Publish, Scanner
from services.extractor.store.batch_store import BatchStore
from services.extractor.store.move_resolution import MoveResolver
from services.extractor.tags.rules import CreditRules, Rules
from services.extractor.watch.watcher import Watcher
from shared.bus.port import Subscription
from shared.contracts.topics import Stage, Topic
from shared.gateway.client import Gateway
from shared.runtime.service import Service
from shared.runtime.settings import Settings
from shared.runtime.workers import WorkerProcesses

_MAX_WALK_S = 3600  # millions of files, on a slow share
_MAX_READ_S = 7200  # a batch of a thousand files, on a slow share: WAVs are read as a whole


def build(settings: Settings, *, gateway: Gateway, publish: Publish) -> Service:
    """The service. `publish` is the bus's: a walk publishes events before its handler returns."""
    workers = WorkerProcesses(settings.readers, warm=prepare_reader)
    libraries = Libraries(gateway, settings.mounts)
    ignore_rules = IgnoreRules.from_settings(settings.ignore)
    rules = Rules(CreditRules.with_names(settings.credit_names, settings.credit_joins))
    readers = Readers(workers, rules)
    guard = DeletionGuard(share=settings.missing_guard_share, least=settings.missing_guard_files)
    store = BatchStore(gateway, readers, MoveResolver(gateway, workers, libraries))
    watcher = Watcher(
        gateway, publish, libraries, watches=settings.watch, every_s=settings.scan_every_s
    )
    return Service(
        name="extractor",
        subscriptions=_subscriptions(
            Scanner(gateway, publish, libraries, ignore_rules, guard),
            ReadFiles(libraries, readers, store),
            MarkMissing(gateway, libraries, ignore_rules),
        ),
        lifespan=workers.running,
        running=watcher.running,
    )


def _subscriptions(
    scanner: Scanner, read_files: ReadFiles, mark_missing: MarkMissing
) -> list[Subscription[Any]]:
    return [
        Subscription(
            Topic.SCAN_REQUESTED,
            Stage.WALK,
            scanner,
            batch_size=1,
            members=2,
            longest_batch_s=_MAX_WALK_S,
        ),
        # Three batches at a time: one is read while two are stored, and one of those usually waits
        # for the database. Every batch has a fixed cost, so that large ones cost less.
        Subscription(
            Topic.FILE_FOUND,
            Stage.READ,
            read_files,
            batch_size=1_000,
            members=3,
            longest_batch_s=_MAX_READ_S,
        ),
        Subscription(Topic.FILE_MISSING, Stage.READ, mark_missing, batch_size=500),
    ]
