"""Analyses of whole tracks: four minutes in five formats.

CPU time of one process against decoding alone and against librosa; what a second worker process
gains; how long a worker takes to start, and how much memory it uses.
"""

import asyncio
import os
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path

import numpy as np

from bench import floors
from bench.measurement import Row, compare_ratios, cpu_s, measure_in_turn
from bench.memory import tree_pss_mb
from services.analyzer.worker import analyze_file, prepare_worker
from shared.runtime.workers import WorkerProcesses

_NOT_READ_BY_LIBROSA = {".m4a"}
_TIMES = 4
"""How often each track is analysed: often enough that an idle worker at the end hardly counts."""


def against_decoding(tracks: Sequence[Path], rounds: int) -> Iterator[Row]:
    """Our analysis of each format and of all, with and without the trained model."""
    floors.run_model(tracks)  # decodes them once
    measured = {
        "decoding": floors.decode,
        "loading": floors.decode_to_mono,
        "analysis": floors.analyse,
    }
    values = measure_in_turn(
        {
            **{
                f"{what} {track.suffix}": partial(_cpu_s, work, track)
                for what, work in measured.items()
                for track in tracks
            },
            "model": lambda: cpu_s(lambda: floors.run_model(tracks)),
        },
        rounds,
    )
    for track in tracks:
        name = f"analysis of 4 minutes, {track.suffix}"
        decoding = values[f"decoding {track.suffix}"]
        yield compare_ratios(name, values[f"analysis {track.suffix}"], "decoding", decoding)
    sums = {
        what: np.sum([values[f"{what} {track.suffix}"] for track in tracks], axis=0).tolist()
        for what in measured
    }
    without_model = [a - b for a, b in zip(sums["analysis"], values["model"], strict=True)]
    for what, against in (("decoding", "decoding"), ("loading", "decoding to 22,050 Hz, mono")):
        yield compare_ratios("all five", sums["analysis"], against, sums[what])
        yield compare_ratios("all five without the model", without_model, against, sums[what])


def against_librosa(tracks: Sequence[Path]) -> Iterator[Row]:
    """librosa, once: it takes five seconds a track. It has no counterpart of the trained model."""
    readable = [track for track in tracks if track.suffix not in _NOT_READ_BY_LIBROSA]
    ours = cpu_s(lambda: floors.analyse(readable))
    theirs = cpu_s(lambda: floors.analyse_with_librosa(readable))
    model = cpu_s(lambda: floors.run_model(readable))
    name = "librosa, 4 minutes"
    yield compare_ratios(name, [theirs], "analysis", [ours])
    yield compare_ratios(name, [theirs], "analysis without the model", [ours - model])


def second_worker(tracks: Sequence[Path], rounds: int) -> Row:
    """The rate of two worker processes against that of one, after a warm-up."""
    values = measure_in_turn(
        {str(count): partial(_tracks_per_s, tracks, count) for count in (2, 1)}, rounds
    )
    return compare_ratios("two workers", values["2"], "one", values["1"])


def _tracks_per_s(tracks: Sequence[Path], count: int) -> float:
    async def measured() -> float:
        workers = WorkerProcesses(count, warm=prepare_worker)
        async with workers.running():
            await asyncio.gather(*(workers.run(os.getpid) for _ in range(2 * count)))
            began = time.perf_counter()
            paths = [os.fsencode(track) for track in tracks] * _TIMES
            await asyncio.gather(*(workers.run(analyze_file, path) for path in paths))
            return len(paths) / (time.perf_counter() - began)

    return asyncio.run(measured())


def describe_worker(tracks: Sequence[Path], short: Path) -> str:
    """A sentence: how long a worker takes to start, and its memory."""

    async def measured() -> str:
        ours, theirs = (
            await _start_s(prepare_worker, os.getpid),
            await _start_s(None, floors.analyse_with_librosa, [short]),
        )
        workers = WorkerProcesses(1, warm=prepare_worker)
        async with workers.running():
            pid = await workers.run(os.getpid)
            new_mb = tree_pss_mb(pid)
            for track in tracks:
                await workers.run(analyze_file, os.fsencode(track))
            used_mb = tree_pss_mb(pid)
        return (
            f"a worker is ready after {ours:.1f} s (librosa has its first answer after"
            f" {theirs:.1f} s); it uses {new_mb:.0f} MB, and {used_mb:.0f} MB after these tracks"
        )

    return asyncio.run(measured())


async def _start_s(
    warm: Callable[[], None] | None, job: Callable[..., object], *args: object
) -> float:
    """The seconds from starting a worker process to the result of its first job."""
    workers = WorkerProcesses(1, warm=warm)
    began = time.perf_counter()
    async with workers.running():
        await workers.run(job, *args)
        return time.perf_counter() - began


def _cpu_s(work: Callable[[Sequence[Path]], None], track: Path) -> float:
    return cpu_s(lambda: work([track]))
