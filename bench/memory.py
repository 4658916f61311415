"""Memory of the services and their database, from /proc (proc(5)).

It is the proportional set size (PSS): shared pages are divided among the processes that share them,
so that the sizes of processes can be added up.
"""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.processes import postmaster_pid, tree

_SAMPLE_EVERY_S = 1.0


@dataclass(frozen=True, slots=True)
class PssParts:
    """Proportional set sizes in MB.

    Attributes:
        main_mb: the process that runs the services.
        workers_mb: its worker processes.
        database_mb: PostgreSQL's processes, without shared memory.
        database_shared_mb: the shared memory that PostgreSQL's processes touched. Its buffers
            fill up to their size with any library.
    """

    main_mb: float
    workers_mb: float
    database_mb: float
    database_shared_mb: float

    @property
    def services_mb(self) -> float:
        """All our processes."""
        return self.main_mb + self.workers_mb

    @property
    def by_part(self) -> dict[str, float]:
        """By the names that the tables use."""
        database_mb = self.database_mb + self.database_shared_mb
        return {
            "main process": self.main_mb, "workers": self.workers_mb, "database": database_mb
        }  # fmt: skip

    @property
    def summary(self) -> str:
        """A line for people."""
        return (
            f"{sum(self.by_part.values()):.0f} MB (our processes {self.services_mb:.0f},"
            f" PostgreSQL's own {self.database_mb:.0f}, its shared buffers"
            f" {self.database_shared_mb:.0f})"
        )


def pss_parts(pid: int, database: Path) -> PssParts:
    """The sizes of a process, its workers, and the database in a folder."""
    servers = tree(postmaster_pid(database))
    workers = set(tree(pid)) - {pid, *servers}
    shared_mb = sum(_pss_mb(server, "Pss_Shmem:") for server in servers)
    whole_mb = sum(map(_pss_mb, servers))
    return PssParts(_pss_mb(pid), sum(map(_pss_mb, workers)), whole_mb - shared_mb, shared_mb)


def tree_pss_mb(pid: int) -> float:
    """The size of a process and all its descendants."""
    return sum(map(_pss_mb, tree(pid)))


@contextmanager
def sample_memory(pid: int, database: Path) -> Iterator[list[tuple[float, PssParts]]]:
    """Sample `pss_parts` at once, every second, and at the end.

    The list fills with pairs of `time.monotonic` and the sizes.
    """
    samples: list[tuple[float, PssParts]] = []
    end = threading.Event()

    def sample() -> None:
        is_over = False
        while not is_over:
            is_over = end.wait(_SAMPLE_EVERY_S if samples else 0)
            samples.append((time.monotonic(), pss_parts(pid, database)))

    thread = threading.Thread(target=sample)
    thread.start()
    try:
        yield samples
    finally:
        end.set()
        thread.join()


def _pss_mb(pid: int, which: str = "Pss:") -> float:
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0.0  # it ended meanwhile
    return sum(int(line.split()[1]) for line in lines if line.startswith(which)) / 1024
