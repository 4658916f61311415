"""Worker processes that may die or hang without taking the service along.

Each slot is a pool of one process, so that a crash or a time limit costs the one job that
caused it and no other. (One `ProcessPoolExecutor` of many fails all its jobs when one dies.)
"""

import asyncio
import ctypes
import os
import pickle
import signal
import sys
import traceback
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import asynccontextmanager, suppress
from multiprocessing import get_context
from typing import Any, ParamSpec, TypeVar

from shared.contracts.errors import DependencyDown, InvalidInput
from shared.runtime import metrics

P = ParamSpec("P")
R = TypeVar("R")
_PR_SET_PDEATHSIG = 1
_ONE_THREAD = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")


class WorkerDied(InvalidInput):
    """The process that did this job crashed, twice: the input is taken to be at fault."""


class WorkerTimeout(InvalidInput):
    """The job took longer than it may: its process was ended."""


class JobFailed(Exception):
    """A job's error that cannot be sent between processes; the message is its traceback."""


def _prepare(parent: int, nice: int, warm: Callable[[], None] | None) -> None:
    """In the new process: end with the parent, leave Ctrl-C to it, be nice."""
    if sys.platform == "linux":
        # The signal comes when the *thread* that started this process ends: the event loop's.
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:
            os._exit(1)  # it died before we asked to be told
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if nice:
        os.nice(nice)
    if warm is not None:
        with suppress(Exception):  # the job will meet the same error, and can pass it on
            warm()


def _ready() -> None:
    """The first job of a process: done when the process is up and warm."""


def _call(job: Callable[..., R], args: tuple[Any, ...], kwargs: dict[str, Any]) -> R:
    """In the worker: do the job; its error is made one that survives the way back."""
    try:
        return job(*args, **kwargs)
    except Exception as error:
        try:
            pickle.loads(pickle.dumps(error))  # noqa: S301 - our own object, a moment ago
        except Exception:
            raise JobFailed(traceback.format_exc()) from None
        raise
    except BaseException as error:
        # SystemExit in a worker must not become one of the service.
        raise JobFailed(f"the job ended its process: {error!r}") from None


class _Slot:
    """One process, started with its first job."""

    def __init__(self, nice: int, warm: Callable[[], None] | None) -> None:
        # spawn: a fork of a process with threads and an event loop may deadlock.
        self._pool = ProcessPoolExecutor(
            1,
            mp_context=get_context("spawn"),
            initializer=_prepare,
            initargs=(os.getpid(), nice, warm),
        )
        self._up = False

    async def call(self, timeout_s: float | None, job: Callable[..., R], *args: object) -> R:
        """Do one job; `BrokenProcessPool` when the process died of it or before it."""
        if not self._up:
            # The time limit is the job's: starting Python and importing is not counted.
            await self._submit(None, _ready)
            self._up = True
        return await self._submit(timeout_s, job, *args)

    async def _submit(self, timeout_s: float | None, job: Callable[..., R], *args: object) -> R:
        future = asyncio.wrap_future(self._pool.submit(job, *args))
        try:
            # Not wait_for: a TimeoutError of the job itself is not ours.
            done, _ = await asyncio.wait([future], timeout=timeout_s)
        finally:
            future.cancel()  # does nothing to one that is done
        if not done:
            raise WorkerTimeout(f"took longer than {timeout_s:g} s")
        if future.cancelled():
            raise BrokenProcessPool("the process was ended before the job began")
        return future.result()

    def kill(self) -> None:
        """End the process, whatever it does."""
        processes = list((self._pool._processes or {}).values())  # there is no public way
        self._pool.shutdown(wait=False, cancel_futures=True)
        for process in processes:
            process.kill()


class WorkerProcesses:
    """A fixed number of processes for CPU work.

    Jobs, their arguments and results are pickled: a job is a function of a module. Start the
    event loop in the main thread; the processes end with the thread that runs it.

    Args:
        count: processes, each started when first needed.
        nice: added to the processes' niceness, so that the machine stays usable.
        warm: called once in each new process, to import what the jobs need.
    """

    def __init__(
        self, count: int, *, nice: int = 0, warm: Callable[[], None] | None = None
    ) -> None:
        self._count = count
        self._nice = nice
        self._warm = warm
        self._slots: set[_Slot] = set()
        self._idle: list[_Slot] = []
        # Not a queue: there, who asks at the right moment is before those who wait.
        self._turns = asyncio.Semaphore(0)
        self._closed = True
        self.restarts = 0
        """How many processes were replaced."""

    @property
    def count(self) -> int:
        """How many jobs run at a time."""
        return self._count

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Hold the processes; at the end those still at work are killed."""
        # Set here and not in the child: it must be told before it imports its BLAS or numba.
        for name in _ONE_THREAD:
            os.environ.setdefault(name, "1")
        self._idle = [self._new_slot() for _ in range(self._count)]
        self._turns = asyncio.Semaphore(self._count)
        self._closed = False
        try:
            yield
        finally:
            self._closed = True
            for slot in self._slots:
                slot.kill()
            self._slots.clear()
            self._turns.release()

    async def run(self, job: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        """Run a job without a time limit; see `run_within`."""
        return await self.run_within(None, job, *args, **kwargs)

    async def run_within(
        self, timeout_s: float | None, job: Callable[P, R], *args: P.args, **kwargs: P.kwargs
    ) -> R:
        """Run `job` in the next free process and return what it returns or raises.

        Who asks first is served first.

        A job whose process dies is run once more in a fresh one: the cause may have been
        elsewhere (memory, an operator). A cancelled call ends the job's process.

        Raises:
            WorkerDied: its process crashed both times.
            WorkerTimeout: it took longer than `timeout_s` seconds.
            DependencyDown: the processes were stopped meanwhile.
        """
        with suppress(BrokenProcessPool):
            return await self._attempt(timeout_s, _call, job, args, kwargs)
        try:
            return await self._attempt(timeout_s, _call, job, args, kwargs)
        except BrokenProcessPool as error:
            raise WorkerDied("the worker process crashed on this input") from error

    async def _attempt(self, timeout_s: float | None, job: Callable[..., R], *args: object) -> R:
        with metrics.WORKER_JOBS.labels("waiting").track_inprogress():
            slot = await self._take()
        healthy = False
        try:
            with metrics.WORKER_JOBS.labels("running").track_inprogress():
                result = await slot.call(timeout_s, job, *args)
        except (BrokenProcessPool, WorkerTimeout):
            self._check_open()
            raise
        except Exception:
            healthy = True  # the job's own error: the process is fine
            raise
        else:
            healthy = True
            return result
        finally:
            self._give_back(slot, healthy=healthy)

    async def _take(self) -> _Slot:
        self._check_open()
        await self._turns.acquire()
        if self._closed:
            self._turns.release()  # for the next one who waits
        self._check_open()
        return self._idle.pop()  # the last one used is the one whose caches are warm

    def _check_open(self) -> None:
        if self._closed:
            raise DependencyDown("the worker processes are stopped")

    def _give_back(self, slot: _Slot, *, healthy: bool) -> None:
        if self._closed:
            return
        if not healthy:
            self.restarts += 1
            metrics.WORKER_RESTARTS.inc()
            slot.kill()
            self._slots.discard(slot)
            slot = self._new_slot()
        self._idle.append(slot)
        self._turns.release()

    def _new_slot(self) -> _Slot:
        slot = _Slot(self._nice, self._warm)
        self._slots.add(slot)
        return slot
