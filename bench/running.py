"""The services as `soniquebay up` composes them, in the way of a profile; scans of them, timed."""

import asyncio
import os
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from bench.following import Follower, follower
from services.analyzer import service as analyzer
from services.api import service as api_service
from services.extractor import service as extractor
from services.indexer import service as indexer
from services.vectorizer import service as vectorizer
from shared.bus.in_process import InProcessBus
from shared.embedding.factory import text_embedder
from shared.gateway.client import Gateway
from shared.runtime.service import Service
from shared.runtime.settings import Settings
from shared.search.tantivy_index import TantivyIndex
from soniquebay.documents import REQUEST_SCAN, STATUS

_CORES = os.cpu_count() or 1
_LOOK_EVERY_S = 0.2  # `up` looks half as often; more of it would be measured too
_ASKERS = 4


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
        status: dict[str, Any] = (await self.gateway.execute_document(STATUS, {}))["status"]
        return status

    async def _request(self, root: Path) -> str:
        told = {"input": {"root": str(root)}}
        payload = (await self.gateway.execute_document(REQUEST_SCAN, told))["requestScan"]
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
    gateway = Gateway(api.transport)
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
