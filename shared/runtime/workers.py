"""Worker processes that may die or hang without taking the service along.

A crash or a time limit costs the one job that caused it and no other.
"""

import asyncio
import os
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any, ParamSpec, TypeVar

from shared.contracts.errors import DependencyDown, InvalidInput
from shared.runtime import metrics
from shared.runtime.worker_process import Call, ProcessEnded, WorkerProcess, WorkerTimeout

P = ParamSpec("P")
R = TypeVar("R")

_ONE_THREAD = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")


class WorkerDied(InvalidInput):
    """The process that did this job crashed, twice: the input is taken to be at fault."""


class WorkerProcesses:
    """A fixed number of processes for CPU work.

    Jobs, their arguments and results are pickled, so a job must be a function of a module. Run the
    event loop in the main thread: the processes end with the thread that started them.

    Args:
        count: the number of processes; each is started when it is needed.
        idle_s: a process that had no job for so long is ended, since it holds its memory.
        nice: added to the niceness of the processes, so that the machine stays usable.
        warm: called once in each new process, to import what the jobs need.
    """

    def __init__(
        self,
        count: int,
        *,
        nice: int = 0,
        warm: Callable[[], None] | None = None,
        idle_s: float = 30.0,
    ) -> None:
        self._count = count
        self._idle_s = idle_s
        self._nice = nice
        self._warm = warm
        self._workers: set[WorkerProcess] = set()
        self._idle: list[WorkerProcess] = []
        # Not an asyncio.Queue, which may serve a new caller before those who wait.
        self._free = asyncio.Semaphore(0)
        self._closed = True
        self.restarts = 0
        """The number of processes that were replaced."""

    @property
    def count(self) -> int:
        """The number of jobs that run at a time."""
        return self._count

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Keep the processes while the block runs; at its end those still at work are killed."""
        # Set here and not in the child, which may import its BLAS or numba before any of our code.
        for name in _ONE_THREAD:
            os.environ.setdefault(name, "1")
        self._idle = [self._new_worker() for _ in range(self._count)]
        self._free = asyncio.Semaphore(self._count)
        self._closed = False
        ending = asyncio.create_task(self._end_idle(), name="end idle worker processes")
        try:
            yield
        finally:
            ending.cancel()
            await asyncio.gather(ending, return_exceptions=True)
            self._closed = True
            for worker in self._workers:
                worker.kill()
            self._workers.clear()
            self._free.release()

    async def run(self, job: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        """Run a job without a time limit; see `run_within`."""
        return await self.run_within(None, job, *args, **kwargs)

    async def run_within(
        self, timeout_s: float | None, job: Callable[P, R], *args: P.args, **kwargs: P.kwargs
    ) -> R:
        """Run `job` in the next free process and return what it returns or raises.

        Jobs are served in the order of the calls.

        A job whose process dies is run once more in a new one, since the cause may have been
        elsewhere (memory, an operator). Cancelling the call kills the job's process.

        Raises:
            WorkerDied: its process crashed both times.
            WorkerTimeout: it took longer than `timeout_s` seconds.
            DependencyDown: the processes were stopped meanwhile.
        """
        result: R
        with suppress(ProcessEnded):
            result = await self._attempt(timeout_s, (job, args, kwargs))
            return result
        try:
            result = await self._attempt(timeout_s, (job, args, kwargs))
        except ProcessEnded as error:
            raise WorkerDied("the worker process crashed on this input") from error
        return result

    async def _attempt(self, timeout_s: float | None, job: Call) -> Any:
        with metrics.WORKER_JOBS.labels("waiting").track_inprogress():
            worker = await self._take()
        healthy = False
        try:
            with metrics.WORKER_JOBS.labels("running").track_inprogress():
                result = await worker.call(timeout_s, job)
        except (ProcessEnded, WorkerTimeout):
            self._check_open()
            raise
        except Exception:
            healthy = True  # the error is the job's own: the process is fine
            raise
        else:
            healthy = True
            return result
        finally:
            self._give_back(worker, healthy=healthy)

    async def _take(self) -> WorkerProcess:
        self._check_open()
        await self._free.acquire()
        if self._closed:
            self._free.release()  # for the next caller that waits
        self._check_open()
        return self._idle.pop()  # the one used last has warm caches

    def _check_open(self) -> None:
        if self._closed:
            raise DependencyDown("the worker processes are stopped")

    def _give_back(self, worker: WorkerProcess, *, healthy: bool) -> None:
        if self._closed:
            return
        if not healthy:
            self.restarts += 1
            metrics.WORKER_RESTARTS.inc()
            worker = self._replaced(worker)
        worker.idle_since_s = time.monotonic()
        self._idle.append(worker)
        self._free.release()

    async def _end_idle(self) -> None:
        """End processes that had no job for a while, again and again."""
        while True:
            await asyncio.sleep(self._idle_s / 4)
            since_s = time.monotonic() - self._idle_s
            self._idle = [
                self._replaced(worker)
                if worker.is_started and worker.idle_since_s < since_s
                else worker
                for worker in self._idle
            ]

    def _replaced(self, worker: WorkerProcess) -> WorkerProcess:
        worker.kill()
        self._workers.discard(worker)
        return self._new_worker()

    def _new_worker(self) -> WorkerProcess:
        worker = WorkerProcess(self._nice, self._warm)
        self._workers.add(worker)
        return worker
