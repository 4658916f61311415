"""What is asked of a product that is up: scans, and many clients' questions at once."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx

from soniquebay.documents import REQUEST_SCAN, SCAN
from tests.e2e.running import Served

_LOOK_EVERY_S = 0.1
_QUESTIONS = (
    """{ tracks(first: 50, sort: ARTIST) { edges { node {
        title artists album { title } genres { name } analysis { tempoBpm key } } } } }""",
    '{ search(text: "night rive", first: 20) { hits { score track { title artists } } } }',
    "{ albums(first: 50) { edges { node { title trackCount artists { artist { name } } } } } }",
)


class WrongAnswer(Exception):
    """The gateway answered a question of the bench with an error."""


async def _ask_on(client: httpx.AsyncClient, latencies_s: list[float], end: asyncio.Event) -> None:
    number = 0
    while not end.is_set():
        began = time.perf_counter()
        question = {"query": _QUESTIONS[number % len(_QUESTIONS)]}
        answer = await client.post("/graphql", json=question)
        if answer.is_error or answer.json().get("errors"):
            raise WrongAnswer(answer.text[:300])
        latencies_s.append(time.perf_counter() - began)
        number += 1


@asynccontextmanager
async def keep_asking(url: str, askers: int) -> AsyncIterator[list[float]]:
    """Ask with so many clients until the block ends; the list fills with latencies in seconds."""
    latencies_s: list[float] = []
    end = asyncio.Event()
    async with httpx.AsyncClient(base_url=url, timeout=120) as client, asyncio.TaskGroup() as group:
        for _ in range(askers):
            group.create_task(_ask_on(client, latencies_s, end))
        yield latencies_s
        end.set()


async def ask_for_a_while(url: str, askers: int, length_s: float) -> list[float]:
    """The latencies when nothing else goes on, with so many clients for that long."""
    async with keep_asking(url, askers) as latencies_s:
        await asyncio.sleep(length_s)
    return latencies_s


def scanned(served: Served, music: Path) -> float:
    """Scan a folder; return when all its files are stored, and how many seconds it took."""
    began_s = time.monotonic()
    told = served.ask(REQUEST_SCAN, input={"root": str(music)})["requestScan"]
    while served.ask(SCAN, id=told["scan"]["id"])["scan"]["state"] != "FINISHED":
        time.sleep(_LOOK_EVERY_S)
    return time.monotonic() - began_s
