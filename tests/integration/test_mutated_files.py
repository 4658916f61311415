"""Mutated files in real worker processes: none crashes or hangs the service, each has a reason.

The long form (`--thorough`) has 5,000 of them for the analyzer and as many for the reader of tags,
says what they cost, and has files of three hours.
"""

import asyncio
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from services.analyzer.worker import analyze_file, prepare_worker
from services.extractor.read.file_reader import read_file
from services.extractor.read.jobs import prepare_reader
from shared.runtime.settings import Settings
from shared.runtime.worker_process import WorkerTimeout
from shared.runtime.workers import WorkerDied, WorkerProcesses
from tests.integration.measured_jobs import Measured, measured
from tests.mutated_audio import Mutant, mutants

_LIMIT_S = Settings().analysis_timeout_s
_HOURS = 3
_MOST_MEMORY_MB = 400
_MOST_CPU_S = 20
_PEAK = """
import sys
from services.analyzer.worker import analyze_file
from tests.integration.measured_jobs import peak_memory_mb
found = analyze_file(sys.argv[1].encode())
print(found.analyzed_duration_s, peak_memory_mb())
"""


@pytest.mark.parametrize(
    ("work", "warm"), [(analyze_file, prepare_worker), (read_file, prepare_reader)],
    ids=["analyzer", "reader"],
)  # fmt: skip
@pytest.mark.timeout(14_400)
async def test_a_mutated_file_is_handled_or_its_failure_has_a_message(
    work: Callable[[bytes], Any],
    warm: Callable[[], None],
    tmp_path: Path,
    thorough: bool,
    request: pytest.FixtureRequest,
) -> None:
    count = 5_000 if thorough else 114
    seed = request.config.getoption("--seed")
    run = _Run(work, mutants(tmp_path, count, seed))
    workers = WorkerProcesses(2, warm=warm)
    async with workers.running():
        await asyncio.gather(*(run.take(workers) for _ in range(4)))
        good = next((tmp_path / "good").glob("*.flac"))
        assert (await workers.run(measured, work, bytes(good))).outcome == "succeed"
    sys.stdout.write(run.report())
    assert not run.problems
    assert len(run.files) == count
    assert max(file.peak_mb for _, file in run.files) <= _MOST_MEMORY_MB
    assert max(file.cpu_s for _, file in run.files) <= _MOST_CPU_S
    assert workers.restarts == 0


class _Run:
    """Takes mutants one by one, and keeps what became of them."""

    def __init__(self, work: Callable[[bytes], Any], queue: Iterator[Mutant]) -> None:
        self._work = work
        self._queue = queue
        self._is_analyzer = work is analyze_file
        self.files: list[tuple[Mutant, Measured]] = []
        self.problems: list[str] = []

    async def take(self, workers: WorkerProcesses) -> None:
        """Give files to the workers until none is left."""
        for mutant in self._queue:
            try:
                file = await workers.run_within(_LIMIT_S, measured, self._work, bytes(mutant.path))
            except (WorkerDied, WorkerTimeout) as error:
                self.problems.append(f"{mutant}: {type(error).__name__}")
                continue
            self.files.append((mutant, file))
            is_readable = file.reason and "Traceback" not in file.reason
            if file.outcome == "bug" or (file.outcome == "fail" and not is_readable):
                self.problems.append(f"{mutant}: {file.outcome} {file.reason!r}")
            elif str(mutant.path.parent) in file.reason:
                self.problems.append(f"{mutant}: its message has a path: {file.reason!r}")
            elif self._is_analyzer and mutant.must not in {"either", file.outcome}:
                self.problems.append(f"{mutant}: {file.outcome} {file.reason}")
            mutant.path.unlink()

    def report(self) -> str:
        """What became of each kind, and what the files cost."""
        outcomes = Counter((mutant.kind, file.outcome) for mutant, file in self.files)
        rows = [
            f"{kind:20s} {what:8s} {number}" for (kind, what), number in sorted(outcomes.items())
        ]
        longest_s = max(file.ended_s - file.began_s for _, file in self.files)
        slowest = max(self.files, key=lambda each: each[1].cpu_s)
        meanwhile = sum(
            slowest[1].began_s < file.ended_s < slowest[1].ended_s for _, file in self.files
        )
        rows += [
            f"memory of a worker: at most {max(f.peak_mb for _, f in self.files):.0f} MB",
            f"slowest file: {slowest[1].cpu_s:.2f} s of CPU, {slowest[0].kind},"
            f" {slowest[0].path.name}; meanwhile the other worker did {meanwhile}",
            f"longest wall time of a file: {longest_s:.2f} s",
            f"at work, of two workers: {100 * _share_at_work([f for _, f in self.files]):.0f}%",
        ]
        return "\n".join(rows) + "\n"


def _share_at_work(files: list[Measured]) -> float:
    """The time at work of all files, as a share of the time that two workers had."""
    whole_s = max(file.ended_s for file in files) - min(file.began_s for file in files)
    return sum(file.ended_s - file.began_s for file in files) / (2 * whole_s)


@pytest.mark.parametrize("kind", ["silence", "tone"])
@pytest.mark.parametrize("ending", ["opus", "flac", "mp3"])
@pytest.mark.timeout(900)
def test_three_hours_are_analysed_within_400_mb(
    tmp_path: Path, kind: str, ending: str, thorough: bool
) -> None:
    if not thorough:
        pytest.skip("only in the long form")
    path = tmp_path / f"long.{ending}"
    _write_long(path, kind, 3_600 * _HOURS)
    process = subprocess.run(
        [sys.executable, "-c", _PEAK, os.fspath(path)], capture_output=True, text=True, check=True
    )
    length_s, peak_mb = map(float, process.stdout.split())
    sys.stdout.write(f"{kind} {ending}: {length_s:.0f} s, at most {peak_mb:.0f} MB\n")
    assert length_s == pytest.approx(3_600 * _HOURS, abs=10)  # an MP3 begins before its sound
    assert peak_mb <= _MOST_MEMORY_MB


def _write_long(path: Path, kind: str, length_s: int) -> None:
    """Repeat one minute: 44.1 kHz (Opus: 48), stereo."""
    rate_hz = 48_000 if path.suffix == ".opus" else 44_100
    subtype = {".opus": "OPUS", ".flac": "PCM_16", ".mp3": "MPEG_LAYER_III"}[path.suffix]
    form = {".opus": "OGG", ".flac": "FLAC", ".mp3": "MP3"}[path.suffix]
    level = 0.3 if kind == "tone" else 0.0
    t = np.arange(rate_hz * 60) / rate_hz
    minute = (level * np.sin(2 * np.pi * 441 * t)).astype(np.float32)
    stereo = np.stack([minute, 0.5 * minute], axis=1)
    minutes = 1 if form == "MP3" else length_s // 60
    with soundfile.SoundFile(path, "w", rate_hz, 2, subtype=subtype, format=form) as file:
        for _ in range(minutes):
            for start in range(0, len(stereo), 4_096):
                file.write(stereo[start : start + 4_096])
    if (
        form == "MP3"
    ):  # to encode hours takes minutes: its frames can be repeated, but for the first
        content = path.read_bytes()
        frames = content[content.index(content[:2], 4) :]
        path.write_bytes(frames * (length_s // 60))
