"""The composition root: builds the analyzer from the settings and its dependencies."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, nullcontext
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import structlog

from services.analyzer.acoustid import fingerprint
from services.analyzer.handlers import AnalyzeTracks
from services.analyzer.musicnn.models import WeightsAbsent, checkpoint_folder
from services.analyzer.musicnn.msd import MSD
from services.analyzer.worker import analyze_file, prepare_worker
from shared.bus.port import Subscription
from shared.contracts.analysis import Analysis
from shared.contracts.meaning import AudioModel
from shared.contracts.topics import Stage, Topic
from shared.gateway.analysis import register_audio_model
from shared.gateway.client import Gateway
from shared.gateway.registration import when_accepted
from shared.runtime.resources import this_machine, workers_for
from shared.runtime.service import Service
from shared.runtime.settings import Settings
from shared.runtime.workers import WorkerProcesses

if TYPE_CHECKING:
    import httpx

    from services.analyzer.acoustid.client import AcoustId

_FILES_PER_WORKER = 8
"""Files that are looked up, analysed or stored at a time. More are stored by one request, but their
work is lost where the service is killed."""

_log = structlog.get_logger(__name__)


def installed_model() -> AudioModel | str:
    """The trained model that is installed here, or why there is none."""
    try:
        checkpoint_folder(MSD)
    except WeightsAbsent as absent:
        return str(absent)
    return AudioModel(model=MSD.name, version=MSD.version, dimensions=MSD.dimensions)


def build(
    settings: Settings,
    *,
    gateway: Gateway,
    acoustid_transport: "httpx.AsyncBaseTransport | None" = None,
    analyze: Callable[[bytes, float], Analysis] = analyze_file,
) -> Service:
    """Build the service.

    Args:
        settings: see docs/configuration.md.
        gateway: reads tracks and stores analyses.
        acoustid_transport: of httpx, for AcoustID; the network by default.
        analyze: the job of the worker processes.
    """
    workers = WorkerProcesses(settings.workers, nice=settings.worker_nice, warm=prepare_worker)
    acoustid = _acoustid(settings, acoustid_transport)
    model = installed_model()
    handler = AnalyzeTracks(
        gateway,
        workers,
        timeout_s=settings.analysis_timeout_s,
        max_excerpt_s=settings.analysis_heard_s,
        mounts=settings.mounts,
        acoustid=acoustid,
        model=None if isinstance(model, str) else model,
        analyze=analyze,
    )

    @asynccontextmanager
    async def lifespan() -> AsyncIterator[None]:
        _log.info(
            "workers",
            count=workers.count,
            nice=settings.worker_nice,
            why=_reason_for_count(settings),
        )
        if not fingerprint.is_available():
            _log.warning(fingerprint.UNAVAILABLE)
        if isinstance(model, str):
            _log.warning(model)
        else:
            await when_accepted(partial(register_audio_model, gateway, model))
        async with workers.running(), acoustid.open() if acoustid else nullcontext():
            yield

    return Service(
        name="analyzer",
        subscriptions=[
            Subscription(
                Topic.TRACK_EXTRACTED, Stage.ANALYZE, handler,
                batch_size=1, members=_FILES_PER_WORKER * settings.workers, by_key=True,
            )
        ],
        lifespan=lifespan,
    )  # fmt: skip


def _acoustid(
    settings: Settings, transport: "httpx.AsyncBaseTransport | None"
) -> "AcoustId | None":
    """The AcoustID client, where a key is set."""
    if not settings.acoustid_key:
        return None
    # Imported only when used: its HTTP client takes a twentieth of a second.
    from services.analyzer.acoustid.client import REQUEST_POLICY, AcoustId  # noqa: PLC0415 - see above

    policy = replace(REQUEST_POLICY, max_per_s=settings.acoustid_per_s)
    return AcoustId(settings.acoustid_key.get_secret_value(), policy=policy, transport=transport)


def _reason_for_count(settings: Settings) -> str:
    """How the number of workers was chosen, for the log."""
    if "workers" in settings.model_fields_set:
        return "SONIQUEBAY_WORKERS says so"
    return workers_for(this_machine()).why
