"""What this machine has, or what a container leaves of it, and how many workers that is for."""

import os
from dataclasses import dataclass
from pathlib import Path

_GIB = 2**30
WORKER_BYTES = _GIB // 2
"""What a worker process may need with the longest of files."""
REST_BYTES = _GIB
"""For everything else: database, index, the services, and the machine's own."""
_CGROUP = Path("/sys/fs/cgroup")


@dataclass(frozen=True, slots=True)
class Machine:
    """Cores that this process may use, at least one, and memory."""

    cores: int
    memory_bytes: int


@dataclass(frozen=True, slots=True)
class Workers:
    """A number of worker processes, at least one, and why so many."""

    count: int
    why: str


def this_machine(cgroup: Path = _CGROUP) -> Machine:
    """The machine, less what its control group (version 2) keeps from this process."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    memory_bytes = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    quota, period = (*_told(cgroup / "cpu.max"), "max", "max")[:2]
    if quota.isdigit() and period.isdigit():
        cores = min(cores or 1, -(-int(quota) // int(period)))
    limit = (*_told(cgroup / "memory.max"), "max")[0]
    if limit.isdigit():
        memory_bytes = min(memory_bytes, int(limit))
    return Machine(max(1, cores or 1), memory_bytes)


def _told(path: Path) -> list[str]:
    try:
        return path.read_text(encoding="ascii").split()
    except (OSError, ValueError):
        return []


def workers_for(machine: Machine) -> Workers:
    """One a core, but no more than fit into memory beside everything else."""
    fitting = max(1, (machine.memory_bytes - REST_BYTES) // WORKER_BYTES)
    count = min(machine.cores, fitting)
    has = f"{machine.cores} cores, {machine.memory_bytes / _GIB:.1f} GiB of memory"
    rest, each = f"{REST_BYTES / _GIB:g} GiB", f"{WORKER_BYTES / _GIB:g} GiB"
    return Workers(count, f"{has}: less {rest} for the rest, room for {fitting} of {each} each")
