"""The services as `soniquebay up` composes them, run with a profile; timed scans of them."""

import asyncio
import json
import os
import time
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.typing import Subprotocol

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
_POLL_EVERY_S = 0.2  # `up` polls half as often; polling more often would add to the figures
_CLIENTS = 4
_PROTOCOL = Subprotocol("graphql-transport-ws")
_SCAN_ENDED = "subscription Ended($id: ID!) { scanEnded(scanId: $id) { id state message } }"


@dataclass(frozen=True, slots=True)
class Profile:
    """How the services are run.

    Attributes:
        readers: worker processes that read tags. workers: worker processes that analyse.
        one_at_a_time: batches of one event, one batch at a time.
        clients: so many clients query the gateway all the while.
        analyses: whether more than scan and ingest is run.
    """

    readers: int = Settings().readers
    workers: int = Settings().workers
    one_at_a_time: bool = False
    clients: int = 0
    analyses: bool = True


PROFILES = {
    "ingest": Profile(analyses=False),
    "baseline": Profile(readers=1, workers=1, one_at_a_time=True),
    "optimised": Profile(),
    "high concurrency": Profile(readers=2 * _CORES, workers=2 * _CORES, clients=_CLIENTS),
}


class ScanEnds:
    """Waits for the ends of scans, by the gateway's subscription over one websocket.

    Polling would add its own load and up to an interval to each time that is measured.
    """

    def __init__(self, connection: ClientConnection) -> None:
        self._connection = connection

    async def wait(self, scans: Iterable[str]) -> list[dict[str, Any]]:
        """Wait until all these scans have ended; their ends.

        Raises:
            RuntimeError: the gateway sent an error.
        """
        waiting = set(scans)
        for id_ in waiting:
            payload = {"query": _SCAN_ENDED, "variables": {"id": id_}}
            await self._send(id=id_, type="subscribe", payload=payload)
        ends = []
        while waiting:
            message = json.loads(await self._connection.recv())
            if message["type"] == "complete":
                waiting.discard(message["id"])
            elif message["type"] == "next" and message["payload"].get("data"):
                ends.append(message["payload"]["data"]["scanEnded"])
            elif message["type"] in {"next", "error"}:
                raise RuntimeError(str(message["payload"]))
        return ends

    async def _send(self, **message: object) -> None:
        await self._connection.send(json.dumps(message))


@asynccontextmanager
async def _scan_ends(url: str) -> AsyncIterator[ScanEnds]:
    address = f"{url.replace('http', 'ws', 1)}/graphql"
    async with connect(
        address, subprotocols=[_PROTOCOL], proxy=None, compression=None, ping_interval=None
    ) as connection:
        await connection.send(json.dumps({"type": "connection_init"}))
        await connection.recv()  # connection_ack
        yield ScanEnds(connection)


class ComposedServices:
    """The running services."""

    def __init__(self, gateway: Gateway, url: str, ends: ScanEnds, *, analyses: bool) -> None:
        self.gateway = gateway
        self.url = url
        self._ends = ends
        self._analyses = analyses

    async def scan(self, roots: Sequence[Path]) -> tuple[float, float]:
        """Scan all roots; the seconds until all files are read, and until all work is done."""
        began = time.perf_counter()
        scans = [await self._request(root) for root in roots]
        ends = await self._ends.wait(scans)
        read_s = time.perf_counter() - began
        if any(end["state"] != "FINISHED" for end in ends):
            raise RuntimeError(f"a scan did not finish: {ends}")
        while self._analyses and (await self.status())["pending"]:  # noqa: ASYNC110 - `status` has no event
            await asyncio.sleep(_POLL_EVERY_S)
        return read_s, time.perf_counter() - began

    async def status(self) -> dict[str, Any]:
        """The gateway's `status`."""
        status: dict[str, Any] = (await self.gateway.execute_document(STATUS, {}))["status"]
        return status

    async def _request(self, root: Path) -> str:
        variables = {"input": {"root": str(root)}}
        payload = (await self.gateway.execute_document(REQUEST_SCAN, variables))["requestScan"]
        if payload["error"]:
            raise RuntimeError(payload["error"]["message"])
        id_: str = payload["scan"]["id"]
        return id_


def _one_at_a_time(service: Service) -> Service:
    subscriptions = [
        replace(subscription, batch_size=1, members=1, batch_wait_s=0.0)
        for subscription in service.subscriptions
    ]
    return replace(service, subscriptions=subscriptions)


@asynccontextmanager
async def composed_services(
    settings: Settings, profile: Profile
) -> AsyncIterator[ComposedServices]:
    """Compose and run the services as `soniquebay up` does, with a profile."""
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
            (_one_at_a_time(service) if profile.one_at_a_time else service).subscribe(bus)
        await bus.start()
        stack.push_async_callback(bus.drain, settings.drain_timeout_s)
        if profile.analyses:
            await stack.enter_async_context(api.service.running())
        ends = await stack.enter_async_context(_scan_ends(api.url))
        yield ComposedServices(gateway, api.url, ends, analyses=profile.analyses)
