"""`make bench`: each part compared with its floor and with peers, in one run.

It prints ratios, not times: both sides of each were measured in turn on the same machine.
"""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from bench import floors, whole_tracks
from bench.generated_library import generate
from bench.measurement import Row, compare_ratios, cpu_s, measure_in_turn, percentile, wall_s
from services.analyzer.analysis import warm_up
from soniquebay.demo import render_demo

PARTS = ("scan", "analysis", "tracks", "profiles")
_RESULTS = Path(__file__).parent / "results"
_WARM_UP_FILES = 8
_ANALYSED_PIECES = 8
_SHORT_S = 3.0
# Not `-m`: a spawned worker imports its parent's main module, here all services.
_RUN_ONCE = "from bench.run_once import main; main()"
_BOTH_DECODE = {".flac", ".mp3", ".ogg", ".opus", ".wav"}  # librosa has no decoder for M4A


@dataclass
class Report:
    """Prints the results, and keeps them for the file."""

    rows: list[Row] = field(default_factory=list)
    memory: dict[str, dict[str, float]] = field(default_factory=dict)

    def add(self, *rows: Row) -> None:
        """Print rows and keep them."""
        for row in rows:
            spread = f"{row.lowest:.3g}..{row.highest:.3g}"
            print(f"{row.subject:<38} / {row.against:<34} {row.ratio:>8.3g}  {spread}", flush=True)
        self.rows += rows

    def add_memory(self, moment: str, parts: dict[str, float]) -> None:
        """Print the memory of each part in MB, and keep it."""
        by_part = ", ".join(f"{part} {size:.0f}" for part, size in parts.items())
        print(f"memory {moment}: {sum(parts.values()):.0f} MB ({by_part})", flush=True)
        self.memory[moment] = parts


@dataclass(frozen=True)
class Bench:
    """The parts of the bench, a method each.

    Attributes:
        work: a folder for temporary files.
        files: number of files to scan.
        analysed: number of files that the profiles analyse. length_s: of each of them.
        rounds: how often each side is measured.
    """

    work: Path
    files: int
    analysed: int
    length_s: float
    rounds: int
    report: Report

    def scan(self) -> None:
        """Scan and ingest, against listing the folder and against mutagen alone."""
        music = self._library("scanned", self.files)
        paths = sorted(path for path in music.rglob("*") if floors.is_music(path))
        floors.read(paths)  # warms the disk cache for all
        values = measure_in_turn(
            {
                "listing": lambda: wall_s(lambda: floors.list_files(music)),
                "walk": lambda: wall_s(lambda: floors.walk(music)),
                "mutagen": lambda: wall_s(lambda: floors.read_with_mutagen(paths)),
                "read": lambda: wall_s(lambda: floors.read(paths)),
            },
            self.rounds,
        )
        runs = [self._run("ingest", music) for _ in range(self.rounds)]
        ingest, rescan = [run["read_s"] for run in runs], [run["rescan_s"] for run in runs]
        listing, mutagen = "scandir + stat", "mutagen alone, one process"
        self.report.add(
            compare_ratios("walk", values["walk"], listing, values["listing"]),
            compare_ratios("rescan, nothing changed", rescan, listing, values["listing"]),
            compare_ratios("rescan, nothing changed", rescan, "scan and ingest", ingest),
            compare_ratios("reading tags and covers", values["read"], mutagen, values["mutagen"]),
            compare_ratios("scan and ingest, stored", ingest, mutagen, values["mutagen"]),
            compare_ratios("scan and ingest, stored", ingest, listing, values["listing"]),
        )
        self.report.add_memory("idle, ingest only", runs[-1]["idle_mb"])
        self.report.add_memory(f"after {self.files:,} files, ingest only", runs[-1]["full_mb"])

    def analysis(self) -> None:
        """The analysis, against decoding alone and librosa, in CPU time of one process."""
        pieces = self._pieces()
        warm_up()  # as workers do
        for contender in (floors.decode, floors.analyse, floors.analyse_with_librosa):
            contender(pieces[:1])  # loads and compiles what is needed once
        values = measure_in_turn(
            {
                "decoding": lambda: cpu_s(lambda: floors.decode(pieces)),
                "ours": lambda: cpu_s(lambda: floors.analyse(pieces)),
                "librosa": lambda: cpu_s(lambda: floors.analyse_with_librosa(pieces)),
            },
            self.rounds,
        )
        self.report.add(
            compare_ratios("analysis", values["ours"], "decoding alone", values["decoding"]),
            compare_ratios("librosa", values["librosa"], "analysis", values["ours"]),
        )

    def tracks(self) -> None:
        """Tracks of four minutes: see `bench.whole_tracks`."""
        warm_up()
        pieces = self._pieces()
        tracks = floors.long_tracks(self.work, pieces)
        for contender in (floors.decode, floors.analyse, floors.analyse_with_librosa):
            contender(pieces[:1])
        self.report.add(*whole_tracks.against_decoding(tracks, self.rounds))
        self.report.add(*whole_tracks.against_librosa(tracks))
        self.report.add(whole_tracks.second_worker(tracks, self.rounds))
        print(whole_tracks.describe_worker(tracks, pieces[0]), flush=True)

    def _pieces(self) -> list[Path]:
        folder = self.work / "demo"
        if not folder.exists():
            render_demo(folder)
        pieces = sorted(path for path in folder.rglob("*") if path.suffix in _BOTH_DECODE)
        return pieces[:: max(1, len(pieces) // _ANALYSED_PIECES)]

    def profiles(self) -> None:
        """From files to a searchable library: one at a time, by default, with queries meanwhile."""
        music = self._library("analysed", self.analysed, self.length_s)
        names = ("baseline", "optimised", "high concurrency")
        runs: dict[str, list[dict[str, Any]]] = {name: [] for name in names}
        for _ in range(self.rounds):
            for name in names:
                runs[name].append(self._run(name, music))
        whole = {name: [run["whole_s"] for run in runs[name]] for name in names}
        busy = runs["high concurrency"]
        self.report.add(
            compare_ratios("baseline (one at a time)", whole["baseline"],
                     "optimised (default)", whole["optimised"]),
            compare_ratios("high concurrency (4 clients)", whole["high concurrency"],
                     "optimised (default)", whole["optimised"]),
            *(
                compare_ratios(f"query p{percent} while analysing",
                         [percentile(run["busy_latencies_s"], percent) for run in busy],
                         f"query p{percent} when idle",
                         [percentile(run["idle_latencies_s"], percent) for run in busy])
                for percent in (50, 95)
            ),
        )  # fmt: skip
        p95_s = statistics.median(percentile(run["busy_latencies_s"], 95) for run in busy)
        print(f"(query p95 while analysing, 4 clients: {p95_s * 1000:.0f} ms)")
        self.report.add_memory("idle", runs["optimised"][-1]["idle_mb"])
        for name in names:
            per_min = self.analysed * 60 / statistics.median(whole[name])
            print(f"({name}: {per_min:.0f} tracks a minute)")
            self.report.add_memory(f"at its highest, {name}", runs[name][-1]["peak_mb"])
        self.report.add_memory(f"after {self.analysed:,} files", runs["optimised"][-1]["full_mb"])

    def _library(self, name: str, files: int, length_s: float = _SHORT_S) -> Path:
        folder = self.work / name
        print(f"generating {files:,} files of {length_s:g} s ...", file=sys.stderr)
        generate(folder, files, length_s=length_s)
        return folder

    def _run(self, profile: str, music: Path) -> dict[str, Any]:
        """One run in a process of its own, with a new data folder."""
        warm_up = self.work / "warm-up"
        if not warm_up.exists():
            generate(warm_up, _WARM_UP_FILES, seed=2)
        with tempfile.TemporaryDirectory(dir=self.work) as data:
            command = [
                sys.executable, "-c", _RUN_ONCE, "--profile", profile,
                "--data", data, "--warm-up", str(warm_up), "--music", str(music),
            ]  # fmt: skip
            process = subprocess.run(command, check=True, stdout=subprocess.PIPE)
        run: dict[str, Any] = json.loads(process.stdout)
        if run["failed"]:
            raise SystemExit(f"{run['failed']} files failed: the figures would mean nothing")
        return run


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the parts that the command line names, by default all."""
    parser = argparse.ArgumentParser(prog="make bench ARGS=", description=__doc__)
    parser.add_argument("--files", type=int, default=3_000, help="files to scan (%(default)s)")
    parser.add_argument("--analysed", type=int, default=400, help="files to analyse (%(default)s)")
    parser.add_argument(
        "--length", type=float, default=_SHORT_S, help="length of these in s (%(default)g)"
    )
    parser.add_argument("--rounds", type=int, default=3, help="rounds of each (%(default)s)")
    parser.add_argument("--quick", action="store_true", help="one round of 300 and 60 files")
    parser.add_argument("--only", choices=PARTS, action="append", help="a part; may be repeated")
    options = parser.parse_args(arguments)
    if options.quick:
        options.files, options.analysed, options.rounds = 300, 60, 1
    report = Report()
    with tempfile.TemporaryDirectory(prefix="soniquebay-bench-") as work:
        bench = Bench(
            Path(work), options.files, options.analysed, options.length, options.rounds, report
        )
        for part in options.only or PARTS:
            getattr(bench, part)()
    _RESULTS.mkdir(exist_ok=True)
    kept = _RESULTS / f"{time.strftime('%Y%m%dT%H%M%S')}.json"
    kept.write_text(json.dumps({"options": vars(options), **asdict(report)}, indent=1))
    print(f"kept in {kept}", file=sys.stderr)


if __name__ == "__main__":
    main()
