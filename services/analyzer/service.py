"""The analyzer, put together."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

import structlog

from services.analyzer.acoustid import AcoustId
from services.analyzer.description import warm_up
from services.analyzer.handlers import AnalyzeTracks
from shared.bus.port import Subscription
from shared.contracts.topics import Stage, Topic
from shared.gateway.client import Gateway
from shared.runtime.service import Service
from shared.runtime.settings import Settings
from shared.runtime.workers import WorkerProcesses

_NICE = 10  # a Raspberry Pi stays usable
_log = structlog.get_logger(__name__)


def build(settings: Settings, *, gateway: Gateway) -> Service:
    """The service, with as many worker processes as the settings say."""
    workers = WorkerProcesses(settings.workers, nice=_NICE, warm=warm_up)
    acoustid = AcoustId(settings.acoustid_key.get_secret_value()) if settings.acoustid_key else None

    @asynccontextmanager
    async def lifespan() -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            await stack.enter_async_context(workers.running())
            if acoustid is not None:
                await stack.enter_async_context(acoustid.open())
            yield

    handler = AnalyzeTracks(
        gateway, workers, timeout_s=settings.analysis_timeout_s, mounts=settings.mounts,
        acoustid=acoustid,
    )  # fmt: skip
    return Service(
        name="analyzer",
        subscriptions=[
            # Two batches at a time: while one waits for its longest file, the other fills the cores.
            Subscription(
                Topic.TRACK_EXTRACTED, Stage.ANALYZE, handler,
                batch_size=2 * settings.workers, members=2,
            )
        ],
        lifespan=lifespan,
    )  # fmt: skip
