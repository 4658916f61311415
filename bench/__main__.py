"""`make bench`: how far each part is from its floor, and from its peers, in one run.

Ratios, not times: both sides of each were measured in turn on the same machine.
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
from bench.measuring import Row, compared, cpu_s, interleaved, percentile, wall_s
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
    """What is printed and kept."""

    rows: list[Row] = field(default_factory=list)
    memory: dict[str, dict[str, float]] = field(default_factory=dict)

    def add(self, *rows: Row) -> None:
        """Print rows, and keep them."""
        for row in rows:
            spread = f"{row.lowest:.3g}..{row.highest:.3g}"
            print(f"{row.subject:<38} / {row.against:<34} {row.ratio:>8.3g}  {spread}", flush=True)
        self.rows += rows

    def remember(self, moment: str, parts: dict[str, float]) -> None:
        """Print memory in MB, and keep it."""
        told = ", ".join(f"{part} {size:.0f}" for part, size in parts.items())
        print(f"memory {moment}: {sum(parts.values()):.0f} MB ({told})", flush=True)
        self.memory[moment] = parts


@dataclass(frozen=True)
class Bench:
    """One bench.

    Attributes:
        work: a folder to work in.
        files: size of the library that is scanned.
        analysed: size of the one that the profiles analyse. length_s: of its tracks.
        rounds: how often each side is measured.
    """

    work: Path
    files: int
    analysed: int
    length_s: float
    rounds: int
    report: Report

    def scan(self) -> None:
        """Scan and ingest against listing the folder, and against mutagen alone."""
        music = self._library("scanned", self.files)
        paths = sorted(path for path in music.rglob("*") if floors.is_music(path))
        floors.read(paths)  # the disk's cache is warm for all
        got = interleaved(
            {
                "look": lambda: wall_s(lambda: floors.look(music)),
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
            compared("walk", got["walk"], listing, got["look"]),
            compared("rescan, nothing changed", rescan, listing, got["look"]),
            compared("rescan, nothing changed", rescan, "scan and ingest", ingest),
            compared("reading tags and covers", got["read"], mutagen, got["mutagen"]),
            compared("scan and ingest, stored", ingest, mutagen, got["mutagen"]),
            compared("scan and ingest, stored", ingest, listing, got["look"]),
        )
        self.report.remember("idle, ingest only", runs[-1]["idle_mb"])
        self.report.remember(f"after {self.files:,} files, ingest only", runs[-1]["full_mb"])

    def analysis(self) -> None:
        """The analysis against decoding alone and naive librosa, in CPU time of one process."""
        pieces = self._pieces()
        warm_up()  # as workers do
        for contender in (floors.decode, floors.analyse, floors.analyse_with_librosa):
            contender(pieces[:1])  # what is loaded and compiled once counts for none
        got = interleaved(
            {
                "decoding": lambda: cpu_s(lambda: floors.decode(pieces)),
                "ours": lambda: cpu_s(lambda: floors.analyse(pieces)),
                "librosa": lambda: cpu_s(lambda: floors.analyse_with_librosa(pieces)),
            },
            self.rounds,
        )
        self.report.add(
            compared("analysis", got["ours"], "decoding alone", got["decoding"]),
            compared("naive librosa", got["librosa"], "analysis", got["ours"]),
        )

    def tracks(self) -> None:
        """Whole tracks: see `bench.whole_tracks`."""
        warm_up()
        pieces = self._pieces()
        tracks = floors.long_tracks(self.work, pieces)
        for contender in (floors.decode, floors.analyse, floors.analyse_with_librosa):
            contender(pieces[:1])
        self.report.add(*whole_tracks.against_decoding(tracks, self.rounds))
        self.report.add(*whole_tracks.against_librosa(tracks))
        self.report.add(whole_tracks.second_worker(tracks, self.rounds))
        print(whole_tracks.what_a_worker_takes(tracks, pieces[0]), flush=True)

    def _pieces(self) -> list[Path]:
        folder = self.work / "demo"
        if not folder.exists():
            render_demo(folder)
        pieces = sorted(path for path in folder.rglob("*") if path.suffix in _BOTH_DECODE)
        return pieces[:: max(1, len(pieces) // _ANALYSED_PIECES)]

    def profiles(self) -> None:
        """The whole way: one at a time, as it is by default, and with queries meanwhile."""
        music = self._library("analysed", self.analysed, self.length_s)
        names = ("baseline", "optimised", "high concurrency")
        runs: dict[str, list[dict[str, Any]]] = {name: [] for name in names}
        for _ in range(self.rounds):
            for name in names:
                runs[name].append(self._run(name, music))
        whole = {name: [run["whole_s"] for run in runs[name]] for name in names}
        busy = runs["high concurrency"]
        self.report.add(
            compared("baseline (one at a time)", whole["baseline"],
                     "optimised (default)", whole["optimised"]),
            compared("high concurrency (4 clients asking)", whole["high concurrency"],
                     "optimised (default)", whole["optimised"]),
            *(
                compared(f"query p{percent} while analysing",
                         [percentile(run["busy_ask_s"], percent) for run in busy],
                         f"query p{percent} when idle",
                         [percentile(run["idle_ask_s"], percent) for run in busy])
                for percent in (50, 95)
            ),
        )  # fmt: skip
        asked = statistics.median(percentile(run["busy_ask_s"], 95) for run in busy)
        print(f"(query p95 while analysing, 4 clients: {asked * 1000:.0f} ms)")
        self.report.remember("idle", runs["optimised"][-1]["idle_mb"])
        for name in names:
            per_min = self.analysed * 60 / statistics.median(whole[name])
            print(f"({name}: {per_min:.0f} tracks a minute)")
            self.report.remember(f"at most, {name}", runs[name][-1]["peak_mb"])
        self.report.remember(f"after {self.analysed:,} files", runs["optimised"][-1]["full_mb"])

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
            answer = subprocess.run(command, check=True, stdout=subprocess.PIPE)
        measured: dict[str, Any] = json.loads(answer.stdout)
        if measured["failed"]:
            raise SystemExit(f"{measured['failed']} files failed: the figures would mean nothing")
        return measured


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the parts that the command line names, all by default."""
    parser = argparse.ArgumentParser(prog="make bench ARGS=", description=__doc__)
    parser.add_argument("--files", type=int, default=3_000, help="files to scan (%(default)s)")
    parser.add_argument("--analysed", type=int, default=400, help="files to analyse (%(default)s)")
    parser.add_argument(
        "--length", type=float, default=_SHORT_S, help="of these, in seconds (%(default)g)"
    )
    parser.add_argument("--rounds", type=int, default=3, help="rounds of each (%(default)s)")
    parser.add_argument("--quick", action="store_true", help="one round of 300 and 60 files")
    parser.add_argument("--only", choices=PARTS, action="append", help="a part; may be repeated")
    told = parser.parse_args(arguments)
    if told.quick:
        told.files, told.analysed, told.rounds = 300, 60, 1
    report = Report()
    with tempfile.TemporaryDirectory(prefix="soniquebay-bench-") as work:
        bench = Bench(Path(work), told.files, told.analysed, told.length, told.rounds, report)
        for part in told.only or PARTS:
            getattr(bench, part)()
    _RESULTS.mkdir(exist_ok=True)
    kept = _RESULTS / f"{time.strftime('%Y%m%dT%H%M%S')}.json"
    kept.write_text(json.dumps({"told": vars(told), **asdict(report)}, indent=1))
    print(f"kept in {kept}", file=sys.stderr)


if __name__ == "__main__":
    main()
