"""`make bench-scan`: a first scan and a rescan, compared with MPD, beets and the floor.

All are measured in turn, pinned to one core, with a warm disk cache. Rates are tracks a second of
wall time and of CPU time (which other work on the machine disturbs less); a ratio above 1 is in our
favour. Ours is measured until all tracks are queryable (walk, tags, covers, mutations, database),
MPD's `update` into its file, beets' `import -A -C`.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bench import floors
from bench.generated_library import generate
from bench.measurement import compare_ratios, wall_s
from bench.peers import Cost, Unavailable, import_with_beets, mpd, pinned

_RUN_ONCE = "from bench.run_once import main; main()"
_WARM_UP_FILES = 8
_LISTINGS = 5


@dataclass
class Rounds:
    """The measurements of all rounds, by program."""

    rates: dict[str, list[float]] = field(default_factory=dict)
    cpu_rates: dict[str, list[float]] = field(default_factory=dict)
    rescans_s: dict[str, list[float]] = field(default_factory=dict)

    def add_scan(self, program: str, files: int, cost: Cost) -> None:
        """Add a first scan."""
        self.rates.setdefault(program, []).append(files / cost.wall_s)
        self.cpu_rates.setdefault(program, []).append(files / cost.cpu_s)

    def add_rescan(self, program: str, wall_s: float) -> None:
        """Add a scan without changes."""
        self.rescans_s.setdefault(program, []).append(wall_s)


@dataclass(frozen=True)
class ScanBench:
    """The programs; each is measured once a round."""

    work: Path
    music: Path
    files: int
    few: Path
    few_files: int
    rounds: Rounds

    def ours(self, cores: Sequence[int], name: str) -> None:
        """The services without analysis, in a process of their own with a new data folder."""
        warm_up = self.work / "warm-up"
        if not warm_up.exists():
            generate(warm_up, _WARM_UP_FILES, seed=2)
        with tempfile.TemporaryDirectory(dir=self.work) as data:
            command = [
                sys.executable, "-c", _RUN_ONCE, "--profile", "ingest", "--data", data,
                "--warm-up", str(warm_up), "--music", str(self.music),
            ]  # fmt: skip
            process = subprocess.run(pinned(command, cores), check=True, stdout=subprocess.PIPE)
        run: dict[str, Any] = json.loads(process.stdout)
        if run["failed"] or run["tracks"] != self.files + _WARM_UP_FILES:
            raise SystemExit(f"{run['tracks']} tracks, {run['failed']} failed: no figures")
        self.rounds.add_scan(name, self.files, Cost(run["read_s"], sum(run["read_cpu_s"].values())))
        self.rounds.add_rescan(name, run["rescan_s"])

    def floor(self, cores: Sequence[int]) -> None:
        """The floor of a rescan: the fastest of some listings."""
        all_cores = os.sched_getaffinity(0)
        os.sched_setaffinity(0, cores)
        wall = min(wall_s(lambda: floors.list_files(self.music)) for _ in range(_LISTINGS))
        os.sched_setaffinity(0, all_cores)
        self.rounds.add_rescan("scandir + stat", wall)

    def mpd(self, cores: Sequence[int]) -> None:
        """MPD's first and second update."""
        with mpd(self.work, self.music, cores) as running:
            first = running.update()
            if running.songs() != self.files:
                raise SystemExit(f"MPD knows {running.songs()} of {self.files} files: no figures")
            self.rounds.add_scan("MPD", self.files, first)
            self.rounds.add_rescan("MPD", running.update().wall_s)

    def beets(self, cores: Sequence[int]) -> None:
        """Of fewer files: beets slows down as its library grows; that is left out in its favour."""
        self.rounds.add_scan("beets", self.few_files, import_with_beets(self.work, self.few, cores))


def _show(rounds: Rounds) -> None:
    for unit, rates in (("wall", rounds.rates), ("CPU", rounds.cpu_rates)):
        for program in ("MPD", "beets"):
            if program in rates:
                _row(f"first scan, {unit} time", rates["one core"], program, rates[program])
    if "two cores" in rounds.rates:
        _row("first scan, wall time", rounds.rates["two cores"], "on one", rounds.rates["one core"])
    for program in ("scandir + stat", "MPD"):
        if program in rounds.rescans_s:
            _row(
                "unchanged rescan takes",
                rounds.rescans_s["one core"],
                program,
                rounds.rescans_s[program],
            )
    for unit, rates in (("a second", rounds.rates), ("a CPU second", rounds.cpu_rates)):
        best = (f"{program} {max(values):,.0f}" for program, values in rates.items())
        print(f"(tracks {unit}, best round: {', '.join(best)})")
    best = (f"{program} {min(values):.3f}" for program, values in rounds.rescans_s.items())
    print(f"(rescan, s, best round: {', '.join(best)})")


def _row(subject: str, of: Sequence[float], against: str, by: Sequence[float]) -> None:
    row = compare_ratios(subject, of, against, by)
    spread = f"{row.lowest:.3g}..{row.highest:.3g}"
    print(f"{row.subject:<26} / {row.against:<16} {row.ratio:>8.3g}  {spread}", flush=True)


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure all programs that are available here."""
    parser = argparse.ArgumentParser(prog="make bench-scan ARGS=", description=__doc__)
    parser.add_argument("--files", type=int, default=10_000, help="files to scan (%(default)s)")
    parser.add_argument("--beets-files", type=int, default=1_000, help="for beets (%(default)s)")
    parser.add_argument("--rounds", type=int, default=3, help="rounds of each (%(default)s)")
    parser.add_argument("--quick", action="store_true", help="one round of 1,000 and 200 files")
    options = parser.parse_args(arguments)
    if options.quick:
        options.files, options.beets_files, options.rounds = 1_000, 200, 1
    cores = sorted(os.sched_getaffinity(0))
    with tempfile.TemporaryDirectory(prefix="soniquebay-bench-") as work:
        folder = Path(work)
        print(f"generating {options.files:,} files ...", file=sys.stderr)
        floors.read(generate(folder / "music", options.files))  # warms the disk cache for all
        generate(folder / "few", options.beets_files)
        bench = ScanBench(
            folder, folder / "music", options.files, folder / "few", options.beets_files, Rounds()
        )
        _measure(bench, cores, options.rounds)
    _show(bench.rounds)


def _measure(bench: ScanBench, cores: Sequence[int], rounds: int) -> None:
    one = cores[:1]
    programs: dict[str, Callable[[], None]] = {
        "ours": lambda: bench.ours(one, "one core"),
        "the floor": lambda: bench.floor(one),
        "MPD": lambda: bench.mpd(one),
        "beets": lambda: bench.beets(one),
        "ours on two cores": lambda: bench.ours(cores[:2], "two cores"),
    }
    if len(cores) == 1:
        del programs["ours on two cores"]
    for _ in range(rounds):
        for program, measure in list(programs.items()):
            try:
                measure()
            except Unavailable as error:
                print(f"without {program}: {error}")
                del programs[program]


if __name__ == "__main__":
    main()
