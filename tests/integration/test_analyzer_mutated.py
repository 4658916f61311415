"""Mutated files in real worker processes: none crashes or hangs the service, each has a reason.

The long form (`--thorough`) has 5,000 of them, and files of three hours.
"""

import asyncio
import os
import subprocess
import sys
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import numpy as np
import pytest
import soundfile
from pytest_asyncio import fixture

from services.analyzer.worker import analyze_file, prepare_worker
from shared.contracts.analysis import Analysis
from shared.contracts.errors import InvalidInput
from shared.runtime.settings import Settings
from shared.runtime.worker_process import WorkerTimeout
from shared.runtime.workers import WorkerDied, WorkerProcesses
from tests.mutated_audio import Mutant, mutants

_LIMIT_S = Settings().analysis_timeout_s
_HOURS = 3
_MOST_MEMORY_MB = 400
_PEAK = """
import resource, sys
from services.analyzer.worker import analyze_file
found = analyze_file(sys.argv[1].encode())
print(found.analyzed_duration_s, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
"""


@fixture(scope="module")
async def workers() -> AsyncIterator[WorkerProcesses]:
    processes = WorkerProcesses(2, warm=prepare_worker)
    async with processes.running():
        yield processes


async def test_a_mutated_file_is_analysed_or_its_failure_has_a_message(
    workers: WorkerProcesses, tmp_path: Path, thorough: bool, request: pytest.FixtureRequest
) -> None:
    count = 5_000 if thorough else 108
    seed = request.config.getoption("--seed")
    queue = mutants(tmp_path, count, seed)
    problems: list[str] = []
    outcomes: Counter[tuple[str, str]] = Counter()
    await asyncio.gather(*(_take(queue, workers, problems, outcomes) for _ in range(4)))
    for (kind, outcome), number in sorted(outcomes.items()):
        sys.stdout.write(f"{kind:20s} {outcome:14s} {number}\n")
    assert not problems
    assert sum(outcomes.values()) == count
    good = next((tmp_path / "good").glob("*.flac"))
    assert isinstance(await workers.run(analyze_file, bytes(good)), Analysis)


async def _take(
    queue: Iterator[Mutant],
    workers: WorkerProcesses,
    problems: list[str],
    outcomes: Counter[tuple[str, str]],
) -> None:
    for mutant in queue:
        try:
            await workers.run_within(_LIMIT_S, analyze_file, bytes(mutant.path))
            outcome, reason = "succeed", ""
        except InvalidInput as error:
            outcome, reason = "fail", str(error)
            if isinstance(error, WorkerDied | WorkerTimeout):
                problems.append(f"{mutant}: {type(error).__name__}")
            elif not reason or "Traceback" in reason or str(mutant.path.parent) in reason:
                problems.append(f"{mutant}: it fails without a readable reason: {reason!r}")
        except Exception as error:  # the service would report it as a bug
            outcome, reason = "bug", repr(error)
            problems.append(f"{mutant}: {error!r}")
        if mutant.must not in {"either", outcome}:
            problems.append(f"{mutant}: {outcome} {reason}")
        outcomes[mutant.kind, outcome] += 1
        mutant.path.unlink()


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
