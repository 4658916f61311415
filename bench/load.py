"""Load on running services: scans, and clients that query all the while."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx

from soniquebay.documents import REQUEST_SCAN, SCAN
from tests.e2e.running import Served

_POLL_EVERY_S = 0.1
_DOCUMENTS = (
    """{ tracks(first: 50, sort: ARTIST) { edges { node {
        title artists album { title } genres { name } analysis { tempoBpm key } } } } }""",
    '{ search(text: "night rive", first: 20) { hits { score track { title artists } } } }',
    "{ albums(first: 50) { edges { node { title trackCount artists { artist { name } } } } } }",
)


class WrongAnswer(Exception):
    """The gateway answered a query of the bench with an error."""


async def _query_until(
    end: asyncio.Event, client: httpx.AsyncClient, latencies_s: list[float]
) -> None:
    number = 0
    while not end.is_set():
        began = time.perf_counter()
        request = {"query": _DOCUMENTS[number % len(_DOCUMENTS)]}
        response = await client.post("/graphql", json=request)
        if response.is_error or response.json().get("errors"):
            raise WrongAnswer(response.text[:300])
        latencies_s.append(time.perf_counter() - began)
        number += 1


@asynccontextmanager
async def query_load(url: str, clients: int) -> AsyncIterator[list[float]]:
    """Query with so many clients until the block ends; the list fills with latencies in seconds."""
    latencies_s: list[float] = []
    end = asyncio.Event()
    async with httpx.AsyncClient(base_url=url, timeout=120) as client, asyncio.TaskGroup() as group:
        for _ in range(clients):
            group.create_task(_query_until(end, client, latencies_s))
        yield latencies_s
        end.set()


async def measure_idle_latencies(url: str, clients: int, length_s: float) -> list[float]:
    """The latencies in seconds when the services do nothing else, over `length_s`."""
    async with query_load(url, clients) as latencies_s:
        await asyncio.sleep(length_s)
    return latencies_s


def scan_and_wait(served: Served, music: Path) -> float:
    """Scan a folder; the seconds until all its files are stored."""
    began_s = time.monotonic()
    payload = served.ask(REQUEST_SCAN, input={"root": str(music)})["requestScan"]
    while served.ask(SCAN, id=payload["scan"]["id"])["scan"]["state"] != "FINISHED":
        time.sleep(_POLL_EVERY_S)
    return time.monotonic() - began_s
