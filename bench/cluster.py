"""`make bench-cluster`: what the bus costs, and what one more analyzer gives.

The services are processes of their own on a real broker and a real database of this machine.
"""

import argparse
import asyncio
import json
import statistics
import tempfile
import time
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from aiokafka import AIOKafkaConsumer

from bench import analyzers, messages
from bench.generated_library import generate
from bench.load import scanned
from bench.measuring import percentile
from bench.memory import tree_pss_mb
from tests.e2e.cluster import cluster_in
from tests.e2e.running import Bay, Served

_PARTS = ("messages", "latency", "ingest", "analyzers")


def one_by_one(served: Served, music: Path, files: Sequence[Path]) -> dict[str, float]:
    """A scan for each new file: seconds from the request until it is stored, by path."""
    asked: dict[str, float] = {}
    for file in files:
        file.rename(music / file.name)
        asked[file.name] = time.time()
        scanned(served, music)
    stored = served.tracks("createdAt")
    return {
        path: datetime.fromisoformat(stored[path]["createdAt"]).timestamp() - at
        for path, at in asked.items()
    }


async def _found_at(servers: str) -> dict[str, float]:
    """When each `file.found` was written, by path."""
    found: dict[str, float] = {}
    async with AIOKafkaConsumer(
        "file.found", bootstrap_servers=servers, auto_offset_reset="earliest"
    ) as consumer:
        while batch := await consumer.getmany(timeout_ms=2_000):
            for record in (record for records in batch.values() for record in records):
                time_ = dict(record.headers)["ce_time"].decode()
                path = json.loads(record.value)["path"]
                found[path] = datetime.fromisoformat(time_).timestamp()
    return found


def _print_ms(what: str, values_s: Sequence[float]) -> None:
    p50, p95 = (1_000 * percentile(values_s, percent) for percent in (50, 95))
    print(f"{what}: p50 {p50:.0f} ms, p95 {p95:.0f} ms", flush=True)


def latency(work: Path, files: int) -> None:
    """From a file's appearance to its row, in one process and over the broker; idle memory."""
    seconds: dict[str, dict[str, float]] = {}
    for name in ("one process", "cluster"):
        made, music = work / f"{name} new", work / f"{name} music"
        music.mkdir()
        new = [
            path.rename(made / f"{number}{path.suffix}")
            for number, path in enumerate(generate(made, files, seed=3))
        ]
        if name == "one process":
            bay = Bay(work / "data")
            with bay.serving("--music", str(music)):
                bay.wait_until_idle()
                seconds[name] = one_by_one(bay, music, new)
            continue
        with cluster_in(work / "latency") as cluster:
            cluster.start()
            for member in cluster.running():
                print(f"{member.service}, idle: {tree_pss_mb(member.pid):.0f} MB (PSS)", flush=True)
            seconds[name] = one_by_one(cluster, music, new)
            found = asyncio.run(_found_at(cluster.broker.address))
            stored = cluster.tracks("createdAt")
    for name, told in seconds.items():
        _print_ms(f"{name}: from a scan's request to the one new file's row", list(told.values()))
    waited = [
        datetime.fromisoformat(track["createdAt"]).timestamp() - found[path]
        for path, track in stored.items()
    ]
    _print_ms("cluster: from file.found to its row, the reading included", waited)
    medians = {name: statistics.median(told.values()) for name, told in seconds.items()}
    added_ms = 1_000 * (medians["cluster"] - medians["one process"])
    print(f"added by the bus and four processes more, median: {added_ms:.0f} ms", flush=True)


def ingest(work: Path, files: int) -> None:
    """A whole library scanned and stored: files a second in one process and over the broker."""
    music = work / "ingested"
    generate(music, files, seed=5)
    bay = Bay(work / "ingest-data")
    (work / "none").mkdir()
    with bay.serving("--music", str(work / "none")):
        alone = files / scanned(bay, music)
    with cluster_in(work / "ingest") as cluster:
        cluster.start()
        together = files / scanned(cluster, music)
    print(f"scan and ingest: {alone:.0f} files/s in one process, {together:.0f} over the broker")


def main() -> None:
    """Run what the command line names, all by default."""
    parser = argparse.ArgumentParser(prog="make bench-cluster ARGS=", description=__doc__)
    parser.add_argument("--only", choices=_PARTS, action="append")
    parser.add_argument("--rounds", type=int, default=2, help="rounds of analyzers (%(default)s)")
    told = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="soniquebay-bench-") as name:
        work = Path(name)
        parts = told.only or _PARTS
        if "messages" in parts:
            messages.compare(work, events=50_000)
        if "latency" in parts:
            latency(work, files=40)
        if "ingest" in parts:
            ingest(work, files=3_000)
        if "analyzers" in parts:
            analyzers.compare(work, pieces=90, rounds=told.rounds)


if __name__ == "__main__":
    main()
