"""`make bench-scan`: a first scan, and one of nothing new, beside MPD, beets and the floor.

All sides are measured in turn on one pinned core, with the disk's cache warm; ratios of rates
(tracks a second of wall time, and of CPU time where other work on the machine disturbs), so that
more than 1 is in our favour. What is measured of ours: walk, tags, covers, mutations, database,
until all is queryable; of MPD: `update` into its file; of beets: `import -A -C`.
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
from bench.measuring import compared, wall_s
from bench.peers import NotHad, Taken, import_with_beets, mpd, pinned

_RUN_ONCE = "from bench.run_once import main; main()"
_WARM_UP_FILES = 8
_LOOKS = 5


@dataclass
class Rounds:
    """What was measured, round by round: rates by who, and what the rescans took."""

    rates: dict[str, list[float]] = field(default_factory=dict)
    cpu_rates: dict[str, list[float]] = field(default_factory=dict)
    rescans_s: dict[str, list[float]] = field(default_factory=dict)

    def scanned(self, who: str, files: int, taken: Taken) -> None:
        """A first scan."""
        self.rates.setdefault(who, []).append(files / taken.wall_s)
        self.cpu_rates.setdefault(who, []).append(files / taken.cpu_s)

    def rescanned(self, who: str, taken_s: float) -> None:
        """A scan of what is known."""
        self.rescans_s.setdefault(who, []).append(taken_s)


@dataclass(frozen=True)
class ScanBench:
    """The sides, each measured once a round."""

    work: Path
    music: Path
    files: int
    few: Path
    few_files: int
    rounds: Rounds

    def ours(self, cores: Sequence[int], who: str) -> None:
        """The services, analysis off, in a process of their own with a new data folder."""
        warm_up = self.work / "warm-up"
        if not warm_up.exists():
            generate(warm_up, _WARM_UP_FILES, seed=2)
        with tempfile.TemporaryDirectory(dir=self.work) as data:
            command = [
                sys.executable, "-c", _RUN_ONCE, "--profile", "ingest", "--data", data,
                "--warm-up", str(warm_up), "--music", str(self.music),
            ]  # fmt: skip
            answer = subprocess.run(pinned(command, cores), check=True, stdout=subprocess.PIPE)
        told: dict[str, Any] = json.loads(answer.stdout)
        if told["failed"] or told["tracks"] != self.files + _WARM_UP_FILES:
            raise SystemExit(f"{told['tracks']} tracks, {told['failed']} failed: no figures")
        self.rounds.scanned(
            who, self.files, Taken(told["read_s"], sum(told["read_cpu_s"].values()))
        )
        self.rounds.rescanned(who, told["rescan_s"])

    def look(self, cores: Sequence[int]) -> None:
        """The floor of a rescan: the least of some looks."""
        usual = os.sched_getaffinity(0)
        os.sched_setaffinity(0, cores)
        took = min(wall_s(lambda: floors.look(self.music)) for _ in range(_LOOKS))
        os.sched_setaffinity(0, usual)
        self.rounds.rescanned("scandir + stat", took)

    def mpd(self, cores: Sequence[int]) -> None:
        """MPD's first update, and its second."""
        with mpd(self.work, self.music, cores) as running:
            first = running.update()
            if running.songs() != self.files:
                raise SystemExit(f"MPD knows {running.songs()} of {self.files} files: no figures")
            self.rounds.scanned("MPD", self.files, first)
            self.rounds.rescanned("MPD", running.update().wall_s)

    def beets(self, cores: Sequence[int]) -> None:
        """Fewer files: it slows down as its library grows, which is left out in its favour."""
        self.rounds.scanned("beets", self.few_files, import_with_beets(self.work, self.few, cores))


def _show(rounds: Rounds) -> None:
    for unit, rates in (("wall", rounds.rates), ("CPU", rounds.cpu_rates)):
        for who in ("MPD", "beets"):
            if who in rates:
                _row(f"first scan, {unit} time", rates["one core"], who, rates[who])
    if "two cores" in rounds.rates:
        _row("first scan, wall time", rounds.rates["two cores"], "on one", rounds.rates["one core"])
    for who in ("scandir + stat", "MPD"):
        if who in rounds.rescans_s:
            _row("unchanged rescan takes", rounds.rescans_s["one core"], who, rounds.rescans_s[who])
    for name, rates in (("a second", rounds.rates), ("a CPU second", rounds.cpu_rates)):
        told = (f"{who} {max(values):,.0f}" for who, values in rates.items())
        print(f"(tracks {name}, best round: {', '.join(told)})")
    told = (f"{who} {min(values):.3f}" for who, values in rounds.rescans_s.items())
    print(f"(rescan, s, best round: {', '.join(told)})")


def _row(subject: str, of: Sequence[float], against: str, by: Sequence[float]) -> None:
    row = compared(subject, of, against, by)
    spread = f"{row.lowest:.3g}..{row.highest:.3g}"
    print(f"{row.subject:<26} / {row.against:<16} {row.ratio:>8.3g}  {spread}", flush=True)


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure all that can be had here."""
    parser = argparse.ArgumentParser(prog="make bench-scan ARGS=", description=__doc__)
    parser.add_argument("--files", type=int, default=10_000, help="files to scan (%(default)s)")
    parser.add_argument("--beets-files", type=int, default=1_000, help="for beets (%(default)s)")
    parser.add_argument("--rounds", type=int, default=3, help="rounds of each (%(default)s)")
    parser.add_argument("--quick", action="store_true", help="one round of 1,000 and 200 files")
    told = parser.parse_args(arguments)
    if told.quick:
        told.files, told.beets_files, told.rounds = 1_000, 200, 1
    cores = sorted(os.sched_getaffinity(0))
    with tempfile.TemporaryDirectory(prefix="soniquebay-bench-") as work:
        folder = Path(work)
        print(f"generating {told.files:,} files ...", file=sys.stderr)
        floors.read(generate(folder / "music", told.files))  # the disk's cache is warm for all
        generate(folder / "few", told.beets_files)
        bench = ScanBench(
            folder, folder / "music", told.files, folder / "few", told.beets_files, Rounds()
        )
        _measure(bench, cores, told.rounds)
    _show(bench.rounds)


def _measure(bench: ScanBench, cores: Sequence[int], rounds: int) -> None:
    one = cores[:1]
    sides: dict[str, Callable[[], None]] = {
        "ours": lambda: bench.ours(one, "one core"),
        "the floor": lambda: bench.look(one),
        "MPD": lambda: bench.mpd(one),
        "beets": lambda: bench.beets(one),
        "ours on two cores": lambda: bench.ours(cores[:2], "two cores"),
    }
    if len(cores) == 1:
        del sides["ours on two cores"]
    for _ in range(rounds):
        for who, measure in list(sides.items()):
            try:
                measure()
            except NotHad as error:
                print(f"without {who}: {error}")
                del sides[who]


if __name__ == "__main__":
    main()
