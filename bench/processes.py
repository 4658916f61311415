"""Memory and CPU time of process trees, from Linux's accounts (proc(5))."""

import asyncio
import os
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

_LOOK_EVERY_S = 1.0


def pss_mb(database: Path) -> dict[str, float]:
    """Proportional set size in MB: of this process, its workers, and the database in a folder.

    Shared pages are divided among those who share them, so the parts can be added up.
    """
    postmaster = postmaster_pid(database)
    return {
        "main process": _pss_mb(os.getpid()),
        "workers": tree_pss_mb(os.getpid()) - _pss_mb(os.getpid()),
        "database": tree_pss_mb(postmaster),
    }


@asynccontextmanager
async def watching_pss_mb(database: Path) -> AsyncIterator[list[dict[str, float]]]:
    """What `pss_mb` tells, looked at every second; the list grows meanwhile."""
    found: list[dict[str, float]] = []

    async def watch() -> None:
        while True:
            found.append(await asyncio.to_thread(pss_mb, database))
            await asyncio.sleep(_LOOK_EVERY_S)

    task = asyncio.create_task(watch())
    try:
        yield found
    finally:
        task.cancel()


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


def tree_pss_mb(pid: int) -> float:
    """The same of any process and all that descend from it."""
    return sum(map(_pss_mb, tree(pid)))


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


def _pss_mb(pid: int, which: str = "Pss:") -> float:
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0.0  # it ended meanwhile
    return sum(int(line.split()[1]) for line in lines if line.startswith(which)) / 1024


@dataclass(frozen=True, slots=True)
class PssParts:
    """Proportional set sizes in MB.

    Attributes:
        services_mb: of our processes, all together.
        database_mb: of PostgreSQL's, without the shared memory.
        database_shared_mb: the shared memory that PostgreSQL's processes touched: its buffers
            fill up to their size, whatever the library.
    """

    services_mb: float
    database_mb: float
    database_shared_mb: float

    @property
    def told(self) -> str:
        """In words."""
        whole = self.services_mb + self.database_mb + self.database_shared_mb
        return (
            f"{whole:.0f} MB (our processes {self.services_mb:.0f}, PostgreSQL's own"
            f" {self.database_mb:.0f}, its shared buffers {self.database_shared_mb:.0f})"
        )


def pss_parts(pid: int, database: Path) -> PssParts:
    """Those of a process and all below it, and of the database in a folder."""
    servers = tree(postmaster_pid(database))
    ours = set(tree(pid)) - set(servers)
    shared_mb = sum(_pss_mb(server, "Pss_Shmem:") for server in servers)
    whole_mb = sum(map(_pss_mb, servers))
    return PssParts(sum(map(_pss_mb, ours)), whole_mb - shared_mb, shared_mb)
