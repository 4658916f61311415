"""Process trees and their CPU time, from Linux's accounts (proc(5))."""

import os
from collections.abc import Iterator
from pathlib import Path


def cpu_s_by_part(database: Path) -> dict[str, float]:
    """CPU time so far: of this process, of its workers, and of the database in a folder."""
    return {
        "main process": _cpu_s(os.getpid()),
        "workers": tree_cpu_s(os.getpid()) - _cpu_s(os.getpid()),
        "database": tree_cpu_s(postmaster_pid(database)),
    }


def tree_cpu_s(pid: int) -> float:
    """CPU time so far of a process, all that descend from it, and those of them that ended."""
    return sum(map(_cpu_s, tree(pid)))


def postmaster_pid(database: Path) -> int:
    """The process of the PostgreSQL on a folder of data."""
    return int((database / "postmaster.pid").read_text().split()[0])


def tree(pid: int) -> list[int]:
    """A process and all that descend from it."""
    return [pid, *_below(pid)]


def _below(pid: int) -> Iterator[int]:
    """The processes that descend from one."""
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        for child in task.read_text().split():
            yield int(child)
            yield from _below(int(child))


def _cpu_s(pid: int) -> float:
    try:
        told = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0  # it ended meanwhile: its parent counts it
    return sum(map(int, told[11:15])) / os.sysconf("SC_CLK_TCK")
