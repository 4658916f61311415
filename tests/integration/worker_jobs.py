"""Jobs for the tests of worker processes, and a program that starts worker processes."""

import asyncio
import ctypes
import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from services.extractor.cue.sidecars import SheetOfFile
from services.extractor.read.file_reader import FileContents, read_file
from services.extractor.read.jobs import ChunkRead, read_chunk
from services.extractor.tags.rules import DEFAULT_RULES, Rules
from shared.runtime.workers import WorkerProcesses

if TYPE_CHECKING:  # pydantic takes longer to import than some of these jobs may
    from shared.contracts.analysis import Analysis


class Awkward(Exception):
    """An exception that cannot be unpickled, as many libraries have them."""

    def __init__(self, code: int, text: str) -> None:
        super().__init__(f"{code}: {text}")


def read_unless_stalled(root: str, paths: Sequence[str]) -> ChunkRead:
    """Read files; one whose name begins with "stalled" never ends."""
    if any(path.startswith("stalled") for path in paths):
        time.sleep(3_600)
    return read_chunk(root, paths)


def double(value: int) -> int:
    return value * 2


def process_id() -> int:
    return os.getpid()


def refuse(text: str) -> None:
    raise ValueError(text)


def refuse_awkwardly() -> None:
    raise Awkward(7, "cannot travel")


def time_out() -> None:
    raise TimeoutError("the job's own")


def leave() -> None:
    sys.exit(3)


def die() -> None:
    os._exit(1)


def segfault() -> None:
    ctypes.string_at(0)


def die_once(mark: Path) -> str:
    """Die the first time, as when memory was short for a moment."""
    if not mark.exists():
        mark.touch()
        os._exit(1)
    return "done"


def sleep(duration_s: float) -> float:
    time.sleep(duration_s)
    return duration_s


def analyze_or_hang(path: bytes, max_excerpt_s: float) -> "Analysis":
    """Analyse a file; one whose name begins with "hang" never ends, as with a decoder's bug."""
    from services.analyzer.worker import analyze_file

    while os.path.basename(path).startswith(b"hang"):  # noqa: PTH119 - names are bytes
        time.sleep(1)
    return analyze_file(path, max_excerpt_s)


def read_chunk_or_hang(root: str, paths: Sequence[str], rules: Rules = DEFAULT_RULES) -> ChunkRead:
    """Read files; one whose name begins with "hang" never ends, as with a parser's bug."""

    def read(path: bytes, rules: Rules, sheets: Sequence[SheetOfFile]) -> FileContents:
        while os.path.basename(path).startswith(b"hang"):  # noqa: PTH119 - names are bytes
            pass
        return read_file(path, rules, sheets)

    return read_chunk(root, paths, rules, read=read, cpu_limit_s=0.3)


def niceness() -> int:
    return os.getpriority(os.PRIO_PROCESS, 0)


def break_down() -> None:
    raise ImportError("a module for the warm-up is missing")


async def _main(count: int) -> None:
    workers = WorkerProcesses(count)
    async with workers.running():
        ids: set[int] = set()
        while len(ids) < count:
            ids |= set(await asyncio.gather(*(workers.run(process_id) for _ in range(count))))
        sys.stdout.write(" ".join(map(str, sorted(ids))) + "\n")
        sys.stdout.flush()
        jobs = [asyncio.create_task(workers.run(sleep, 600.0)) for _ in range(count)]
        await asyncio.get_running_loop().run_in_executor(None, sys.stdin.readline)
        sys.stdout.write(f"{len(jobs)} at work\n")
    await asyncio.gather(*jobs, return_exceptions=True)


if __name__ == "__main__":
    asyncio.run(_main(int(sys.argv[1])))
