"""The cores and the memory that this process may use, and how it uses them."""

import ctypes
import os
import sys
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

_GIB = 2**30
WORKER_BYTES = _GIB // 2
"""The memory that a worker process may need for the longest files."""
REST_BYTES = _GIB
"""The memory left for everything else: database, index, services, operating system."""
_CGROUP = Path("/sys/fs/cgroup")
_M_ARENA_MAX = -8  # malloc.h of glibc


@dataclass(frozen=True, slots=True)
class Machine:
    """The cores that this process may use, at least one, and the memory."""

    cores: int
    memory_bytes: int


@dataclass(frozen=True, slots=True)
class Workers:
    """A number of worker processes, at least one, and the reason for it, in words."""

    count: int
    why: str


def this_machine(cgroup: Path = _CGROUP) -> Machine:
    """Return what the machine has, within the limits of the process's control group (version 2)."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    memory_bytes = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    quota, period = (*_words(cgroup / "cpu.max"), "max", "max")[:2]
    if quota.isdigit() and period.isdigit():
        cores = min(cores or 1, -(-int(quota) // int(period)))
    limit = (*_words(cgroup / "memory.max"), "max")[0]
    if limit.isdigit():
        memory_bytes = min(memory_bytes, int(limit))
    return Machine(max(1, cores or 1), memory_bytes)


def _words(path: Path) -> list[str]:
    try:
        return path.read_text(encoding="ascii").split()
    except (OSError, ValueError):
        return []


def workers_for(machine: Machine) -> Workers:
    """Return one worker a core, but no more than fit into memory."""
    fitting = max(1, (machine.memory_bytes - REST_BYTES) // WORKER_BYTES)
    count = min(machine.cores, fitting)
    has = f"{machine.cores} cores, {machine.memory_bytes / _GIB:.1f} GiB of memory"
    rest, each = f"{REST_BYTES / _GIB:g} GiB", f"{WORKER_BYTES / _GIB:g} GiB"
    return Workers(count, f"{has}: less {rest} for the rest, room for {fitting} of {each} each")


def limit_malloc_arenas() -> None:
    """Let all threads share one malloc arena; call it before other threads start.

    glibc gives threads arenas of their own, and each keeps the memory that it once had. For a
    service that hands work to a dozen threads, that is memory that nobody uses. With one arena
    they do not wait for each other more than before, since Python's lock lets one run at a time.
    Has no effect with another C library than glibc.
    """
    if sys.platform == "linux":
        with suppress(AttributeError):  # musl has no mallopt
            ctypes.CDLL(None).mallopt(_M_ARENA_MAX, 1)
