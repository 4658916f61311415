"""One run of the real services in a process of its own; prints what it measured as JSON."""

import argparse
import asyncio
import json
import os
import sys
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path

from bench.composition import PROFILES, Profile, composed_services
from bench.load import measure_idle_latencies, query_load
from bench.memory import PssParts, pss_parts, sample_memory
from bench.processes import cpu_s_by_part
from shared.runtime.logs import configure_logs
from shared.runtime.resources import limit_malloc_arenas
from shared.runtime.settings import Settings

_IDLE_QUERIES_S = 3.0


@dataclass(slots=True)
class Measured:
    """The figures of a run.

    Attributes:
        read_s: from the request of the scans until all files are stored.
        whole_s: until everything is indexed. rescan_s: of a second scan.
        tracks, failed: how many there are at the end.
        busy_latencies_s, idle_latencies_s: of queries during the run, and after it.
        idle_mb, peak_mb, full_mb: memory of each part before the scan, at the highest sum of all
            parts, and at the end.
        read_cpu_s: CPU time of each part from the request of the scans until all work was done.
    """

    read_s: float = 0.0
    whole_s: float = 0.0
    rescan_s: float = 0.0
    tracks: int = 0
    failed: int = 0
    busy_latencies_s: list[float] = field(default_factory=list)
    idle_latencies_s: list[float] = field(default_factory=list)
    idle_mb: dict[str, float] = field(default_factory=dict)
    peak_mb: dict[str, float] = field(default_factory=dict)
    full_mb: dict[str, float] = field(default_factory=dict)
    read_cpu_s: dict[str, float] = field(default_factory=dict)


async def measure(data: Path, roots: Sequence[Path], warm_up: Path, profile: Profile) -> Measured:
    """Scan a small folder, so that all processes are up; then the roots; then the roots again."""
    settings = Settings(
        data_dir=data, port=0, readers=profile.readers, workers=profile.workers
    )  # fmt: skip
    measured = Measured()
    process, database = os.getpid(), settings.data_dir / "postgres"
    async with composed_services(settings, profile) as services:
        measured.idle_mb = pss_parts(process, database).by_part
        await services.scan([warm_up])
        before = cpu_s_by_part(database)
        async with query_load(services.url, profile.clients) as measured.busy_latencies_s:
            # Sampling memory takes time, which would show in the short runs without analysis.
            sampling: AbstractContextManager[list[tuple[float, PssParts]]] = (
                sample_memory(process, database) if profile.analyses else nullcontext([])
            )
            with sampling as samples:
                measured.read_s, measured.whole_s = await services.scan(roots)
        by_part = [parts.by_part for _, parts in samples]
        measured.peak_mb = max(by_part, key=lambda parts: sum(parts.values()), default={})
        after = cpu_s_by_part(database)
        measured.read_cpu_s = {part: after[part] - before[part] for part in after}
        if profile.clients:
            measured.idle_latencies_s = await measure_idle_latencies(
                services.url, profile.clients, _IDLE_QUERIES_S
            )
        measured.rescan_s, _ = await services.scan(roots)
        measured.full_mb = pss_parts(process, database).by_part
        status = await services.status()
        measured.tracks, measured.failed = status["tracks"], status["failed"]
    return measured


def main() -> None:
    """Measure once, with the options of the command line."""
    parser = argparse.ArgumentParser(description="One measured run of the services.")
    parser.add_argument("--profile", choices=PROFILES, default="optimised")
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--music", type=Path, action="append", required=True)
    parser.add_argument("--warm-up", type=Path, required=True)
    options = parser.parse_args()
    limit_malloc_arenas()
    configure_logs("error")
    measured = asyncio.run(
        measure(options.data, options.music, options.warm_up, PROFILES[options.profile])
    )  # fmt: skip
    json.dump({name: getattr(measured, name) for name in Measured.__slots__}, sys.stdout)
