"""`make bench-growth`: time, CPU time and memory of a first scan as a library grows.

For each size, generated files (`small_files.py`) are scanned without analysis until all is stored,
in new processes with a new data folder. This process samples the memory of those, once a second and
at the end.
"""

import argparse
import asyncio
import json
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bench.composition import PROFILES, composed_services
from bench.markdown import table, write_between_markers
from bench.memory import PssParts, pss_parts, sample_memory
from bench.memory_plot import draw
from bench.processes import cpu_s_by_part
from bench.small_files import generate_small_files
from shared.runtime.logs import configure_logs
from shared.runtime.resources import limit_malloc_arenas
from shared.runtime.settings import Settings

_ROOT = Path(__file__).parents[1]
_DOCUMENT, _PLOT = _ROOT / "docs" / "performance.md", _ROOT / "docs" / "memory.svg"
SIZES = (1_000, 3_000, 10_000, 30_000, 100_000, 300_000)
_DEFAULT_LARGEST = 30_000
_PLOTTED = 100_000
_IDLE_S = 5.0
_WARM_UP_FILES = 20
# Not `-m`: a spawned worker imports its parent's main module.
_RUN = "from bench.growth import run; run()"


@dataclass(slots=True)
class Grown:
    """The figures of one library size.

    Attributes:
        wall_s: from the request until all is stored. cpu_s: of each part.
        rescan_s: of a second scan.
        samples: memory over the scan: seconds since the request, sizes of the parts.
    """

    files: int
    wall_s: float = 0.0
    cpu_s: dict[str, float] = field(default_factory=dict)
    rescan_s: float = 0.0
    samples: list[tuple[float, PssParts]] = field(default_factory=list)

    def peak_mb(self, of: Callable[[PssParts], float]) -> float:
        """The highest value of a part of the memory."""
        return max(of(parts) for _, parts in self.samples)


async def _scan(data: Path, music: Path, warm_up: Path) -> None:
    """Scan in this process; print a JSON line at each step."""
    settings = Settings(data_dir=data, port=0)
    database = settings.data_dir / "postgres"
    async with composed_services(settings, PROFILES["ingest"]) as services:
        await services.scan([warm_up])  # starts all processes, with their imports
        before = cpu_s_by_part(database)
        _print_step(step="scan")
        wall_s, _ = await services.scan([music])
        _print_step(step="scanned")
        after = cpu_s_by_part(database)
        rescan_s, _ = await services.scan([music])
        _print_step(
            step="done", wall_s=wall_s, rescan_s=rescan_s,
            cpu_s={part: after[part] - before[part] for part in after},
            tracks=(await services.status())["tracks"],
        )  # fmt: skip


async def _idle(data: Path) -> None:
    """Run all services with nothing to do."""
    async with composed_services(Settings(data_dir=data, port=0), PROFILES["optimised"]):
        await asyncio.sleep(_IDLE_S)
        _print_step(step="idle")
        await asyncio.to_thread(sys.stdin.read)  # until the memory was measured


def _print_step(**figures: object) -> None:
    print(json.dumps(figures), flush=True)


def run() -> None:
    """The measured process. Arguments: data folder, then folders to scan (none: stay idle)."""
    limit_malloc_arenas()
    configure_logs("error")
    data, *music = map(Path, sys.argv[1:])
    asyncio.run(_scan(data, *music) if music else _idle(data))


def grow(work: Path, files: int) -> Grown:
    """Measure the first scan of so many files."""
    music, warm_up, data = work / "music", work / "warm-up", work / "data"
    for folder, count in ((music, files), (warm_up, _WARM_UP_FILES)):
        folder.mkdir()
        generate_small_files(folder, count)
    with _measured(data, music, warm_up) as process:
        _wait_for("scan", process)
        began_s = time.monotonic()
        with sample_memory(process.pid, data / "postgres") as samples:
            _wait_for("scanned", process)
        figures = _wait_for("done", process)
    for folder in (music, warm_up, data):
        shutil.rmtree(folder)
    if figures.pop("tracks") != files + _WARM_UP_FILES:
        raise SystemExit("not all files are tracks: no figures")
    del figures["step"]
    return Grown(files, samples=[(at - began_s, parts) for at, parts in samples], **figures)


def idle(work: Path) -> PssParts:
    """The memory of all services when there is nothing to do."""
    data = work / "data"
    with _measured(data) as process:
        _wait_for("idle", process)
        found = pss_parts(process.pid, data / "postgres")
        process.communicate()
    shutil.rmtree(data)
    return found


def _measured(data: Path, *music: Path) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", _RUN, str(data), *map(str, music)]
    return subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=_ROOT
    )


def _wait_for(step: str, process: subprocess.Popen[str]) -> dict[str, Any]:
    for line in process.stdout or ():
        found: dict[str, Any] = json.loads(line)
        if found["step"] == step:
            return found
    raise SystemExit("the measured process ended early")


def _row(grown: Grown) -> Sequence[str]:
    us = {part: seconds / grown.files * 1e6 for part, seconds in grown.cpu_s.items()}
    return (
        f"{grown.files:,}", f"{grown.wall_s:,.1f}", f"{grown.files / grown.wall_s:,.0f}",
        f"{grown.wall_s / grown.files * 1e6:,.0f}",
        f"{us['main process']:,.0f} + {us['workers']:,.0f} + {us['database']:,.0f}",
        f"{grown.rescan_s:,.2f}", f"{grown.peak_mb(lambda parts: parts.services_mb):,.0f}",
        f"{grown.peak_mb(lambda parts: parts.database_mb):,.0f}"
        f" + {grown.peak_mb(lambda parts: parts.database_shared_mb):,.0f}",
    )  # fmt: skip


_HEADER = (
    "files", "first scan, s", "files a second", "wall, \u00b5s a track",
    "CPU, \u00b5s a track: main + readers + PostgreSQL", "rescan, s", "peak of our processes, MB",
    "peak of PostgreSQL, MB: its own + shared",
)  # fmt: skip


def main() -> None:
    """Print the table; `--write` puts it and the plot into docs."""
    parser = argparse.ArgumentParser(prog="make bench-growth ARGS=...", description=__doc__)
    parser.add_argument(
        "--up-to",
        type=int,
        default=_DEFAULT_LARGEST,
        help=f"the largest of {SIZES} files (%(default)s)",
    )
    parser.add_argument("--sizes", type=int, nargs="+", help="these sizes instead")
    parser.add_argument("--write", action="store_true", help="into docs/performance.md")
    options = parser.parse_args()
    sizes = options.sizes or [size for size in SIZES if size <= options.up_to]
    grown: list[Grown] = []
    with tempfile.TemporaryDirectory(prefix="soniquebay-growth-") as work:
        idle_memory = idle(Path(work))
        for files in sizes:
            grown.append(grow(Path(work), files))
            print(" | ".join(_row(grown[-1])), flush=True)
    rows = table(_HEADER, map(_row, grown))
    text = f"{rows}\n\nIdle, with all services: {idle_memory.summary}."
    print(f"\n{text}")
    if options.write:
        write_between_markers(_DOCUMENT, "growth", text)
        shown = max((each for each in grown if each.files <= _PLOTTED), key=lambda each: each.files)
        _PLOT.write_text(draw(shown.files, shown.samples))


if __name__ == "__main__":
    main()
