"""Process trees and their CPU time, from /proc (proc(5))."""

import os
from collections.abc import Iterator
from pathlib import Path


def cpu_s_by_part(database: Path) -> dict[str, float]:
    """CPU time so far in s: of this process, its workers, and the database in a folder."""
    return {
        "main process": _cpu_s(os.getpid()),
        "workers": tree_cpu_s(os.getpid()) - _cpu_s(os.getpid()),
        "database": tree_cpu_s(postmaster_pid(database)),
    }


def tree_cpu_s(pid: int) -> float:
    """CPU time so far in s of a process and its descendants, those that ended included."""
    return sum(map(_cpu_s, tree(pid)))


def postmaster_pid(database: Path) -> int:
    """The main process of the PostgreSQL on a data folder."""
    return int((database / "postmaster.pid").read_text().split()[0])


def tree(pid: int) -> list[int]:
    """The pids of a process and of all its descendants."""
    return [pid, *_descendants(pid)]


def _descendants(pid: int) -> Iterator[int]:
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        for child in task.read_text().split():
            yield int(child)
            yield from _descendants(int(child))


def _cpu_s(pid: int) -> float:
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0  # it ended meanwhile: its parent counts it
    # utime, stime, cutime and cstime: the last two are of children that ended.
    return sum(map(int, fields[11:15])) / os.sysconf("SC_CLK_TCK")
