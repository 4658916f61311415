"""One run of the real services in a process of its own; prints what it measured as JSON."""

import argparse
import asyncio
import json
import os
import sys
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import (
    AbstractContextManager,
    AsyncExitStack,
    asynccontextmanager,
    nullcontext,
)
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from bench.following import Follower, follower
from bench.load import ask_for_a_while, keep_asking
from bench.memory import PssParts, pss_parts, watching
from bench.processes import cpu_s_by_part
from services.analyzer import service as analyzer
from services.api import service as api_service
from services.extractor import service as extractor
from services.indexer import service as indexer
from services.vectorizer import service as vectorizer
from shared.bus.in_process import InProcessBus
from shared.embedding.choice import text_embedder
from shared.gateway.client import Gateway
from shared.runtime.heap import one_heap
from shared.runtime.logs import configure_logs
from shared.runtime.service import Service
from shared.runtime.settings import Settings
from shared.search.tantivy_index import TantivyIndex
from soniquebay.documents import REQUEST_SCAN, STATUS

_CORES = os.cpu_count() or 1
_LOOK_EVERY_S = 0.2  # `up` looks half as often; more of it would be measured too
_ASKERS = 4
_ASK_S = 3.0


@dataclass(frozen=True, slots=True)
class Profile:
    """How the services are run.

    Attributes:
        readers: processes that read tags. workers: processes that analyse.
        one_at_a_time: batches of one event, one at a time.
        askers: clients that query the gateway meanwhile, one question after another.
        analyses: whether more than scan and ingest is run.
    """

    readers: int = Settings().readers
    workers: int = Settings().workers
    one_at_a_time: bool = False
    askers: int = 0
    analyses: bool = True


PROFILES = {
    "ingest": Profile(analyses=False),
    "baseline": Profile(readers=1, workers=1, one_at_a_time=True),
    "optimised": Profile(),
    "high concurrency": Profile(readers=2 * _CORES, workers=2 * _CORES, askers=_ASKERS),
}


@dataclass(slots=True)
class Measured:
    """What a run shows.

    Attributes:
        read_s: from the request of the scans until all files are stored, by scan of all roots.
        whole_s: until everything is indexed. rescan_s: the same request again.
        tracks: how many there are then.
        busy_ask_s, idle_ask_s: latencies of queries during the run, and after it.
        idle_mb, peak_mb, full_mb: memory of each part before the scan, when it was highest in all,
            and when all is done.
    read_cpu_s: CPU time of each part from the request of the scans until all was done.
    """

    read_s: float = 0.0
    whole_s: float = 0.0
    rescan_s: float = 0.0
    tracks: int = 0
    failed: int = 0
    busy_ask_s: list[float] = field(default_factory=list)
    idle_ask_s: list[float] = field(default_factory=list)
    idle_mb: dict[str, float] = field(default_factory=dict)
    peak_mb: dict[str, float] = field(default_factory=dict)
    full_mb: dict[str, float] = field(default_factory=dict)
    read_cpu_s: dict[str, float] = field(default_factory=dict)


class Running:
    """The services, running."""

    def __init__(self, gateway: Gateway, url: str, told: Follower, *, analyses: bool) -> None:
        self.gateway = gateway
        self._follower = told
        self.url = url
        self._analyses = analyses

    async def scan(self, roots: Sequence[Path]) -> tuple[float, float]:
        """Scan roots at once; seconds until all files were read, and until all was done."""
        began = time.perf_counter()
        scans = [await self._request(root) for root in roots]
        ends = await self._follower.ended(scans)
        read_s = time.perf_counter() - began
        if any(end["state"] != "FINISHED" for end in ends):
            raise RuntimeError(f"a scan did not finish: {ends}")
        while self._analyses and (await self.status())["pending"]:  # noqa: ASYNC110
            await asyncio.sleep(_LOOK_EVERY_S)
        return read_s, time.perf_counter() - began

    async def status(self) -> dict[str, Any]:
        """How far everything is."""
        status: dict[str, Any] = (await self.gateway.execute(STATUS, {}))["status"]
        return status

    async def _request(self, root: Path) -> str:
        told = {"input": {"root": str(root)}}
        payload = (await self.gateway.execute(REQUEST_SCAN, told))["requestScan"]
        if payload["error"]:
            raise RuntimeError(payload["error"]["message"])
        id_: str = payload["scan"]["id"]
        return id_


def _slowed(service: Service) -> Service:
    """The same service, one event at a time."""
    return replace(
        service,
        subscriptions=[
            replace(each, batch_size=1, members=1, batch_wait_s=0.0)
            for each in service.subscriptions
        ],
    )


@asynccontextmanager
async def running(settings: Settings, profile: Profile) -> AsyncIterator[Running]:
    """Put the services together as `soniquebay up` does, in the way of a profile."""
    bus = InProcessBus(capacity=settings.bus_capacity)
    embedder = text_embedder(settings)
    index = TantivyIndex(settings.search_dir)
    api = api_service.build(settings, bus=bus, embedder=embedder, search=index)
    gateway = Gateway(api.line)
    services = [api.service, extractor.build(settings, gateway=gateway, publish=bus.publish)]
    if profile.analyses:
        services += [
            indexer.build(settings, gateway=gateway, index=index),
            vectorizer.build(gateway=gateway, embedder=embedder),
            analyzer.build(settings, gateway=gateway),
        ]
    async with AsyncExitStack() as stack:
        for service in services:
            await stack.enter_async_context(service.lifespan())
            (_slowed(service) if profile.one_at_a_time else service).subscribe(bus)
        await bus.start()
        stack.push_async_callback(bus.drain, settings.drain_timeout_s)
        if profile.analyses:
            await stack.enter_async_context(api.service.running())
        told = await stack.enter_async_context(follower(api.url))
        yield Running(gateway, api.url, told, analyses=profile.analyses)


async def measure(data: Path, roots: Sequence[Path], warm_up: Path, profile: Profile) -> Measured:
    """Scan a small folder to have all processes up, then the roots, then the roots again."""
    settings = Settings(
        data_dir=data, port=0, readers=profile.readers, workers=profile.workers
    )  # fmt: skip
    measured = Measured()
    process, database = os.getpid(), settings.data_dir / "postgres"
    async with running(settings, profile) as services:
        measured.idle_mb = pss_parts(process, database).by_part
        await services.scan([warm_up])
        before = cpu_s_by_part(database)
        async with keep_asking(services.url, profile.askers) as measured.busy_ask_s:
            # To look at memory takes time, which counts where only seconds go by.
            looking: AbstractContextManager[list[tuple[float, PssParts]]] = (
                watching(process, database) if profile.analyses else nullcontext([])
            )
            with looking as seen:
                measured.read_s, measured.whole_s = await services.scan(roots)
        looks = [parts.by_part for _, parts in seen]
        measured.peak_mb = max(looks, key=lambda parts: sum(parts.values()), default={})
        after = cpu_s_by_part(database)
        measured.read_cpu_s = {part: after[part] - before[part] for part in after}
        if profile.askers:
            measured.idle_ask_s = await ask_for_a_while(services.url, profile.askers, _ASK_S)
        measured.rescan_s, _ = await services.scan(roots)
        measured.full_mb = pss_parts(process, database).by_part
        status = await services.status()
        measured.tracks, measured.failed = status["tracks"], status["failed"]
    return measured


def main() -> None:
    """Measure once, as told by the command line."""
    parser = argparse.ArgumentParser(description="One measured run of the services.")
    parser.add_argument("--profile", choices=PROFILES, default="optimised")
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--music", type=Path, action="append", required=True)
    parser.add_argument("--warm-up", type=Path, required=True)
    told = parser.parse_args()
    one_heap()
    configure_logs("error")
    measured = asyncio.run(
        measure(told.data, told.music, told.warm_up, PROFILES[told.profile])
    )  # fmt: skip
    json.dump({name: getattr(measured, name) for name in Measured.__slots__}, sys.stdout)
