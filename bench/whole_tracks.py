"""Whole tracks: four minutes in five formats, analysed.

Against decoding alone and against librosa, in CPU time of one process; what a second worker gives;
what a worker takes to start, and to keep.
"""

import asyncio
import os
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path

import numpy as np

from bench import floors
from bench.measuring import Row, compared, cpu_s, interleaved
from bench.memory import tree_pss_mb
from services.analyzer.worker import analyze_file, prepare_worker
from shared.runtime.workers import WorkerProcesses

_NO_DECODER_OF_LIBROSA = {".m4a"}
_TIMES = 4
"""How often the workers analyse each of the tracks: enough that the last one waits for little."""


def against_decoding(tracks: Sequence[Path], rounds: int) -> Iterator[Row]:
    """Our analysis of each format, of all, and what the trained model adds."""
    floors.hear(tracks)  # decodes them, once
    works = {"decoding": floors.decode, "loading": floors.load, "analysis": floors.analyse}
    got = interleaved(
        {
            **{
                f"{what} {track.suffix}": partial(_cpu_s, work, track)
                for what, work in works.items()
                for track in tracks
            },
            "model": lambda: cpu_s(lambda: floors.hear(tracks)),
        },
        rounds,
    )
    for track in tracks:
        name = f"analysis of 4 minutes, {track.suffix}"
        decoding = got[f"decoding {track.suffix}"]
        yield compared(name, got[f"analysis {track.suffix}"], "decoding", decoding)
    sums = {
        what: np.sum([got[f"{what} {track.suffix}"] for track in tracks], axis=0).tolist()
        for what in works
    }
    less = [a - b for a, b in zip(sums["analysis"], got["model"], strict=True)]
    for what, against in (("decoding", "decoding"), ("loading", "decoding to 22,050 Hz, mono")):
        yield compared("all five", sums["analysis"], against, sums[what])
        yield compared("all five without the model", less, against, sums[what])


def against_librosa(tracks: Sequence[Path]) -> Iterator[Row]:
    """Naive librosa, once: it takes five seconds a track. It has nothing like the trained model."""
    heard = [track for track in tracks if track.suffix not in _NO_DECODER_OF_LIBROSA]
    ours = cpu_s(lambda: floors.analyse(heard))
    theirs = cpu_s(lambda: floors.analyse_with_librosa(heard))
    model = cpu_s(lambda: floors.hear(heard))
    name = "naive librosa, 4 minutes"
    yield compared(name, [theirs], "analysis", [ours])
    yield compared(name, [theirs], "analysis without the model", [ours - model])


def second_worker(tracks: Sequence[Path], rounds: int) -> Row:
    """The rate of two worker processes against that of one, warm."""
    got = interleaved(
        {str(count): partial(_tracks_per_s, tracks, count) for count in (2, 1)}, rounds
    )
    return compared("two workers", got["2"], "one", got["1"])


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


def what_a_worker_takes(tracks: Sequence[Path], short: Path) -> str:
    """Seconds until a new worker is warm, and librosa's first answer; memory in MB."""

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
            f"a worker is warm after {ours:.1f} s (librosa has its first answer after"
            f" {theirs:.1f} s); it has {new_mb:.0f} MB, and {used_mb:.0f} MB after these tracks"
        )

    return asyncio.run(measured())


async def _start_s(
    warm: Callable[[], None] | None, job: Callable[..., object], *args: object
) -> float:
    """From nothing to the answer of a first job, in a process of its own."""
    workers = WorkerProcesses(1, warm=warm)
    began = time.perf_counter()
    async with workers.running():
        await workers.run(job, *args)
        return time.perf_counter() - began


def _cpu_s(work: Callable[[Sequence[Path]], None], track: Path) -> float:
    return cpu_s(lambda: work([track]))
