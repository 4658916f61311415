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

from bench.load import ask_for_a_while, keep_asking
from bench.memory import PssParts, pss_parts, watching
from bench.processes import cpu_s_by_part
from bench.running import PROFILES, Profile, running
from shared.runtime.logs import configure_logs
from shared.runtime.resources import limit_malloc_arenas
from shared.runtime.settings import Settings

_ASK_S = 3.0


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
    limit_malloc_arenas()
    configure_logs("error")
    measured = asyncio.run(
        measure(told.data, told.music, told.warm_up, PROFILES[told.profile])
    )  # fmt: skip
    json.dump({name: getattr(measured, name) for name in Measured.__slots__}, sys.stdout)
