"""Worker processes that may die or hang without taking the service along.

Each slot is a pool of one process, so that a crash or a time limit costs the one job that
caused it and no other. (One `ProcessPoolExecutor` of many fails all its jobs when one dies.)
"""

import asyncio
import ctypes
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import asynccontextmanager
from multiprocessing import get_context
from typing import ParamSpec, TypeVar

from shared.contracts.errors import InvalidInput

P = ParamSpec("P")
R = TypeVar("R")
_PR_SET_PDEATHSIG = 1


class WorkerDied(InvalidInput):
    """The process that did this job crashed: the input is taken to be at fault."""


class WorkerTimeout(InvalidInput):
    """The job took longer than it may: its process was ended."""


def _prepare(nice: int, warm: Callable[[], None] | None) -> None:
    """In the new process: end with the parent, leave Ctrl-C to it, one thread, be nice."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if nice:
        os.nice(nice)
    if warm is not None:
        warm()


class WorkerProcesses:
    """A fixed number of processes for CPU work.

    Args:
        count: processes, started when first needed.
        nice: added to the processes' niceness, so that the machine stays usable.
        warm: called once in each new process, to import what the jobs need.
    """

    def __init__(self, count: int, *, nice: int = 0, warm: Callable[[], None] | None = None) -> None:
        self._count = count
        self._nice = nice
        self._warm = warm
        self._idle: asyncio.Queue[ProcessPoolExecutor] = asyncio.Queue()
        self.restarts = 0
        """How many processes were replaced."""

    @property
    def count(self) -> int:
        """How many jobs run at a time."""
        return self._count

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Hold the processes; at the end those still at work are killed."""
        # The parent's threads set these for its children only: BLAS and numba with one thread.
        for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS"):
            os.environ.setdefault(name, "1")
        slots = [self._new_slot() for _ in range(self._count)]
        for slot in slots:
            self._idle.put_nowait(slot)
        try:
            yield
        finally:
            while not self._idle.empty():
                _kill(self._idle.get_nowait())

    async def run(
        self, job: Callable[P, R], *args: P.args, **kwargs: P.kwargs
    ) -> R:
        """Run a job without a time limit; see `run_within`."""
        return await self.run_within(None, job, *args, **kwargs)

    async def run_within(
        self, timeout_s: float | None, job: Callable[P, R], *args: P.args, **kwargs: P.kwargs
    ) -> R:
        """Run `job` in the next free process and return what it returns or raises.

        Raises:
            WorkerDied: its process crashed.
            WorkerTimeout: it took longer than `timeout_s`.
        """
        slot = await self._idle.get()
        healthy = False
        try:
            future = asyncio.wrap_future(slot.submit(job, *args, **kwargs))
            result = await asyncio.wait_for(future, timeout_s)
            healthy = True
            return result
        except BrokenProcessPool as error:
            raise WorkerDied("the worker process crashed on this input") from error
        except TimeoutError as error:
            raise WorkerTimeout(f"took longer than {timeout_s:g} s") from error
        except Exception:
            healthy = True  # the job's own error: the process is fine
            raise
        finally:
            if not healthy:
                self.restarts += 1
                _kill(slot)
                slot = self._new_slot()
            self._idle.put_nowait(slot)

    def _new_slot(self) -> ProcessPoolExecutor:
        # spawn: a fork of a process with threads and an event loop may deadlock.
        return ProcessPoolExecutor(
            1, mp_context=get_context("spawn"), initializer=_prepare, initargs=(self._nice, self._warm)
        )


def _kill(slot: ProcessPoolExecutor) -> None:
    processes = list((slot._processes or {}).values())  # no public way to end one at work
    slot.shutdown(wait=False, cancel_futures=True)
    for process in processes:
        process.kill()
