"""`make bench-queries`: what the hot queries take over the gateway, as a library grows.

One client asks one question at a time, over HTTP, with other values every time.
"""

import argparse
import asyncio
import random
import statistics
import tempfile
import time
from pathlib import Path

import httpx

from bench.large_library import fill
from bench.load import WrongAnswer
from bench.measuring import percentile
from bench.questions import QUESTIONS, Question
from services.api.service import build
from shared.bus.in_process import InProcessBus
from shared.embedding.wordllama_embedder import WordLlamaEmbedder
from shared.runtime.settings import Settings

_WARM_UP = 5


async def measure(folder: Path, tracks: int, times: int) -> dict[str, list[float]]:
    """The milliseconds of every question, in a library of so many tracks."""
    settings = Settings(data_dir=folder, port=0)
    api = build(settings, bus=InProcessBus(), embedder=WordLlamaEmbedder())
    async with api.service.lifespan():
        await fill(api.pool, tracks)
        async with httpx.AsyncClient(base_url=api.url, timeout=60) as client:
            return {
                name: await _ask(client, question, tracks, times)
                for name, question in QUESTIONS.items()
            }


async def _ask(
    client: httpx.AsyncClient, question: Question, tracks: int, times: int
) -> list[float]:
    chance = random.Random(tracks)
    latencies_ms: list[float] = []
    for _ in range(_WARM_UP + times):
        told = {"query": question.document, "variables": question.variables(chance, tracks)}
        began_s = time.perf_counter()
        answer = (await client.post("/graphql", json=told)).json()
        latencies_ms.append((time.perf_counter() - began_s) * 1_000)
        if "errors" in answer:
            raise WrongAnswer(str(answer)[:500])
    return latencies_ms[_WARM_UP:]


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(prog="make bench-queries ARGS=...", description=__doc__)
    parser.add_argument("--tracks", type=int, nargs="+", default=[10_000, 300_000])
    parser.add_argument("--times", type=int, default=60, help="how often each is asked")
    told = parser.parse_args()
    print("milliseconds, median / 95th percentile\n")
    print(f"| query | {' | '.join(f'{tracks:,} tracks' for tracks in told.tracks)} |")
    print("|---" * (1 + len(told.tracks)) + "|")
    found = []
    for tracks in told.tracks:
        with tempfile.TemporaryDirectory(prefix="soniquebay-queries-") as folder:
            found.append(asyncio.run(measure(Path(folder), tracks, told.times)))
    for name in QUESTIONS:
        cells = [
            f"{statistics.median(one[name]):.0f} / {percentile(one[name], 95):.0f}" for one in found
        ]
        print(f"| {name} | {' | '.join(cells)} |")


if __name__ == "__main__":
    main()
