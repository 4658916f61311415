"""The analyzer, put together."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, nullcontext
from dataclasses import replace
from functools import partial

import httpx
import structlog

from services.analyzer.acoustid import MANNERS, AcoustId
from services.analyzer.fingerprint import NOTICE, is_available
from services.analyzer.handlers import AnalyzeTracks
from services.analyzer.jobs import prepare_worker
from services.analyzer.musicnn.msd import MSD
from services.analyzer.musicnn.package import WeightsAbsent, folder_of
from shared.bus.port import Subscription
from shared.contracts.meaning import AudioModel
from shared.contracts.topics import Stage, Topic
from shared.gateway.analysis import register_audio_model
from shared.gateway.announcing import announce
from shared.gateway.client import Gateway
from shared.runtime.resources import this_machine, workers_for
from shared.runtime.service import Service
from shared.runtime.settings import Settings
from shared.runtime.workers import WorkerProcesses

_MEMBERS = 2
"""While one batch waits for its longest file, the other one keeps the processes at work."""
_FILES_A_WORKER = 4
"""In a batch: more would spare requests, and would be lost work where the service is killed."""

_log = structlog.get_logger(__name__)


def model_at_hand() -> AudioModel | str:
    """The trained model that is installed here, or why there is none."""
    try:
        folder_of(MSD)
    except WeightsAbsent as absent:
        return str(absent)
    return AudioModel(model=MSD.name, version=MSD.version, dimensions=MSD.dimensions)


def build(
    settings: Settings,
    *,
    gateway: Gateway,
    acoustid_transport: httpx.AsyncBaseTransport | None = None,
) -> Service:
    """The service. `acoustid_transport` is how AcoustID is reached, the network by default."""
    workers = WorkerProcesses(settings.workers, nice=settings.worker_nice, warm=prepare_worker)
    acoustid = None
    if key := settings.acoustid_key:
        manners = replace(MANNERS, most_per_s=settings.acoustid_per_s)
        acoustid = AcoustId(key.get_secret_value(), manners=manners, transport=acoustid_transport)
    model = model_at_hand()
    handler = AnalyzeTracks(
        gateway,
        workers,
        timeout_s=settings.analysis_timeout_s,
        heard_s=settings.analysis_heard_s,
        mounts=settings.mounts,
        acoustid=acoustid,
        model=None if isinstance(model, str) else model,
    )

    @asynccontextmanager
    async def lifespan() -> AsyncIterator[None]:
        _log.info("workers", count=workers.count, nice=settings.worker_nice, why=_why(settings))
        if not is_available():
            _log.warning(NOTICE)
        if isinstance(model, str):
            _log.warning(model)
        else:
            await announce(partial(register_audio_model, gateway, model))
        async with workers.running(), acoustid.open() if acoustid else nullcontext():
            yield

    return Service(
        name="analyzer",
        subscriptions=[
            Subscription(
                Topic.TRACK_EXTRACTED, Stage.ANALYZE, handler,
                batch_size=_FILES_A_WORKER * settings.workers, members=_MEMBERS,
            )
        ],
        lifespan=lifespan,
    )  # fmt: skip


def _why(settings: Settings) -> str:
    """How the number of workers was chosen."""
    if "workers" in settings.model_fields_set:
        return "SONIQUEBAY_WORKERS says so"
    return workers_for(this_machine()).why
