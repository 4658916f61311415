"""`make bench-queries`: how long the hot queries take in libraries of several sizes.

One client sends one query at a time over HTTP, with new values each time.
"""

import argparse
import asyncio
import random
import statistics
import tempfile
import time
from pathlib import Path

import httpx

from bench.hot_queries import HOT_QUERIES, HotQuery
from bench.large_library import fill
from bench.load import WrongAnswer
from bench.measurement import percentile
from services.api.service import build
from shared.bus.in_process import InProcessBus
from shared.embedding.wordllama_embedder import WordLlamaEmbedder
from shared.runtime.settings import Settings

_WARM_UP = 5


async def measure(folder: Path, tracks: int, times: int) -> dict[str, list[float]]:
    """The latencies in ms of each query, in a library of so many tracks."""
    settings = Settings(data_dir=folder, port=0)
    api = build(settings, bus=InProcessBus(), embedder=WordLlamaEmbedder())
    async with api.service.lifespan():
        await fill(api.pool, tracks)
        async with httpx.AsyncClient(base_url=api.url, timeout=60) as client:
            return {
                name: await _measure_query(client, query, tracks, times)
                for name, query in HOT_QUERIES.items()
            }


async def _measure_query(
    client: httpx.AsyncClient, query: HotQuery, tracks: int, times: int
) -> list[float]:
    chance = random.Random(tracks)
    latencies_ms: list[float] = []
    for _ in range(_WARM_UP + times):
        request = {"query": query.document, "variables": query.variables(chance, tracks)}
        began_s = time.perf_counter()
        body = (await client.post("/graphql", json=request)).json()
        latencies_ms.append((time.perf_counter() - began_s) * 1_000)
        if "errors" in body:
            raise WrongAnswer(str(body)[:500])
    return latencies_ms[_WARM_UP:]


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(prog="make bench-queries ARGS=...", description=__doc__)
    parser.add_argument("--tracks", type=int, nargs="+", default=[10_000, 300_000])
    parser.add_argument("--times", type=int, default=60, help="how often each is sent")
    options = parser.parse_args()
    print("milliseconds, median / 95th percentile\n")
    print(f"| query | {' | '.join(f'{tracks:,} tracks' for tracks in options.tracks)} |")
    print("|---" * (1 + len(options.tracks)) + "|")
    latencies_ms = []
    for tracks in options.tracks:
        with tempfile.TemporaryDirectory(prefix="soniquebay-queries-") as folder:
            latencies_ms.append(asyncio.run(measure(Path(folder), tracks, options.times)))
    for name in HOT_QUERIES:
        cells = [
            f"{statistics.median(one[name]):.0f} / {percentile(one[name], 95):.0f}"
            for one in latencies_ms
        ]
        print(f"| {name} | {' | '.join(cells)} |")


if __name__ == "__main__":
    main()
