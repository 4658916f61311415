"""`make bench-cluster`: what Kafka costs, and what a second analyzer gains.

Each service is a process of its own, with a real broker and a real database on this machine.
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

from bench import analyzer_scaling, bus_throughput
from bench.generated_library import generate
from bench.load import scan_and_wait
from bench.measurement import percentile
from bench.memory import tree_pss_mb
from tests.e2e.cluster import cluster_in
from tests.e2e.running import Bay, Served

_PARTS = ("messages", "latency", "ingest", "analyzers")


def scan_one_by_one(served: Served, music: Path, files: Sequence[Path]) -> dict[str, float]:
    """Scan for each new file; the seconds from the request until it is stored, by path."""
    requested_at: dict[str, float] = {}
    for file in files:
        file.rename(music / file.name)
        requested_at[file.name] = time.time()
        scan_and_wait(served, music)
    stored = served.tracks("createdAt")
    return {
        path: datetime.fromisoformat(stored[path]["createdAt"]).timestamp() - at
        for path, at in requested_at.items()
    }


async def _read_found_times(servers: str) -> dict[str, float]:
    """The time of each event `file.found`, in s, by path."""
    times: dict[str, float] = {}
    async with AIOKafkaConsumer(
        "file.found", bootstrap_servers=servers, auto_offset_reset="earliest"
    ) as consumer:
        while batch := await consumer.getmany(timeout_ms=2_000):
            for record in (record for records in batch.values() for record in records):
                time_ = dict(record.headers)["ce_time"].decode()
                path = json.loads(record.value)["path"]
                times[path] = datetime.fromisoformat(time_).timestamp()
    return times


def _print_ms(what: str, values_s: Sequence[float]) -> None:
    p50, p95 = (1_000 * percentile(values_s, percent) for percent in (50, 95))
    print(f"{what}: p50 {p50:.0f} ms, p95 {p95:.0f} ms", flush=True)


def latency(work: Path, files: int) -> None:
    """From a new file to its row, in one process and over the broker; and the idle memory."""
    seconds: dict[str, dict[str, float]] = {}
    for name in ("one process", "cluster"):
        incoming, music = work / f"{name} new", work / f"{name} music"
        music.mkdir()
        new = [
            path.rename(incoming / f"{number}{path.suffix}")
            for number, path in enumerate(generate(incoming, files, seed=3))
        ]
        if name == "one process":
            bay = Bay(work / "data")
            with bay.serving("--music", str(music)):
                bay.wait_until_idle()
                seconds[name] = scan_one_by_one(bay, music, new)
            continue
        with cluster_in(work / "latency") as cluster:
            cluster.start()
            for member in cluster.running():
                print(f"{member.service}, idle: {tree_pss_mb(member.pid):.0f} MB (PSS)", flush=True)
            seconds[name] = scan_one_by_one(cluster, music, new)
            found = asyncio.run(_read_found_times(cluster.broker.address))
            stored = cluster.tracks("createdAt")
    for name, by_path in seconds.items():
        _print_ms(f"{name}: from a scan's request to the new file's row", list(by_path.values()))
    latencies_s = [
        datetime.fromisoformat(track["createdAt"]).timestamp() - found[path]
        for path, track in stored.items()
    ]
    _print_ms("cluster: from file.found to its row, reading included", latencies_s)
    medians = {name: statistics.median(by_path.values()) for name, by_path in seconds.items()}
    added_ms = 1_000 * (medians["cluster"] - medians["one process"])
    print(f"added by Kafka and four more processes, median: {added_ms:.0f} ms", flush=True)


def ingest(work: Path, files: int) -> None:
    """Scan and store a whole library: files a second in one process and over the broker."""
    music = work / "ingested"
    generate(music, files, seed=5)
    bay = Bay(work / "ingest-data")
    (work / "none").mkdir()
    with bay.serving("--music", str(work / "none")):
        alone = files / scan_and_wait(bay, music)
    with cluster_in(work / "ingest") as cluster:
        cluster.start()
        together = files / scan_and_wait(cluster, music)
    print(f"scan and ingest: {alone:.0f} files/s in one process, {together:.0f} over the broker")


def main() -> None:
    """Run the parts that the command line names, by default all."""
    parser = argparse.ArgumentParser(prog="make bench-cluster ARGS=", description=__doc__)
    parser.add_argument("--only", choices=_PARTS, action="append", help="may be repeated")
    parser.add_argument("--rounds", type=int, default=2, help="rounds of analyzers (%(default)s)")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="soniquebay-bench-") as name:
        work = Path(name)
        parts = options.only or _PARTS
        if "messages" in parts:
            bus_throughput.compare(work, events=50_000)
        if "latency" in parts:
            latency(work, files=40)
        if "ingest" in parts:
            ingest(work, files=3_000)
        if "analyzers" in parts:
            analyzer_scaling.compare(work, pieces=90, rounds=options.rounds)


if __name__ == "__main__":
    main()
