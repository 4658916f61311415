"""One worker process: it does a job at a time, and can be killed.

`concurrent.futures.ProcessPoolExecutor` is not used, since it offers no way to kill a process that
hangs before Python 3.14 (`kill_workers`).
"""

import asyncio
import ctypes
import os
import pickle
import signal
import sys
import traceback
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from multiprocessing import get_context
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnProcess
from typing import Any, ParamSpec, TypeVar

from shared.contracts.errors import InvalidInput

P = ParamSpec("P")
R = TypeVar("R")
Call = tuple[Callable[..., Any], tuple[Any, ...], dict[str, Any]]
"""A job with its positional and keyword arguments."""

_READY = b"ready"
_PR_SET_PDEATHSIG = 1


class WorkerTimeout(InvalidInput):
    """The job took longer than it may: its process was killed."""


class JobFailed(Exception):
    """A job's error that cannot be sent between processes; the message is its traceback."""


class ProcessEnded(Exception):
    """A worker process ended before it answered."""


class RemoteTraceback(Exception):
    """The cause of a job's error: the traceback in the worker process, as text."""


def _serve(
    connection: "Connection[bytes, bytes]", parent: int, nice: int, warm: Callable[[], None] | None
) -> None:
    """Do jobs, in the worker process, until the parent closes its end of the connection."""
    if sys.platform == "linux":
        # The signal comes when the *thread* that started this process ends: the event loop's.
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:
            return  # the parent died before the signal was asked for
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent handles Ctrl-C
    if nice:
        os.nice(nice)
    if warm is not None:
        with suppress(Exception):  # the job will meet the same error, and can report it
            warm()
    with suppress(EOFError, ConnectionError):
        connection.send_bytes(_READY)
        while True:
            connection.send_bytes(_answer(connection.recv_bytes()))


def _answer(request: bytes) -> bytes:
    """Do a pickled job. Pickle its result and None, or its error and the traceback."""
    try:
        job, args, kwargs = pickle.loads(request)  # noqa: S301 - from our own parent process
        return pickle.dumps((job(*args, **kwargs), None))
    except Exception as error:
        text = traceback.format_exc()
        try:
            answer = pickle.dumps((error, text))
            pickle.loads(answer)  # noqa: S301 - our own object, a moment ago
        except Exception:
            return pickle.dumps((JobFailed(text), ""))
        return answer
    except BaseException as error:
        # SystemExit in a worker must not become one of the service.
        return pickle.dumps((JobFailed(f"the job ended its process: {error!r}"), ""))


class WorkerProcess:
    """One process, started with its first job, and the thread that waits for its answers.

    Attributes:
        idle_since_s: when its last job ended, by the monotonic clock.
    """

    def __init__(self, nice: int, warm: Callable[[], None] | None) -> None:
        self._nice = nice
        self._warm = warm
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="worker")
        self._process: SpawnProcess | None = None
        self._connection: Connection[bytes, bytes] | None = None
        self._is_killed = False
        self.idle_since_s = 0.0

    @property
    def is_started(self) -> bool:
        """Whether there is a process."""
        return self._process is not None

    async def call(self, timeout_s: float | None, job: Call) -> Any:
        """Do one job, and return or raise what it returns or raises.

        Raises:
            ProcessEnded: the process died of the job, or before it.
            WorkerTimeout: the job took too long.
        """
        if self._connection is None:
            self._connection = self._start()
            # The time limit is the job's: starting Python and importing is not counted.
            await self._in_thread(None, _receive, self._connection)
        result, remote_traceback = await self._in_thread(
            timeout_s, _exchange, self._connection, job
        )
        if remote_traceback is None:
            return result
        raise result from (RemoteTraceback(remote_traceback) if remote_traceback else None)

    def _start(self) -> "Connection[bytes, bytes]":
        # spawn: a fork of a process with threads and an event loop may deadlock.
        context = get_context("spawn")
        ours, theirs = context.Pipe()
        self._process = context.Process(
            target=_serve, args=(theirs, os.getpid(), self._nice, self._warm), daemon=True
        )
        with theirs:  # as long as the parent has it open too, it does not see the process end
            self._process.start()
        return ours

    async def _in_thread(
        self, timeout_s: float | None, call: Callable[P, R], *args: P.args, **kwargs: P.kwargs
    ) -> R:
        if self._is_killed:
            raise ProcessEnded
        future = asyncio.wrap_future(self._thread.submit(call, *args, **kwargs))
        try:
            # Not wait_for, which would take a TimeoutError of the call for its own.
            done, _ = await asyncio.wait([future], timeout=timeout_s)
        finally:
            future.cancel()  # no effect on a future that is done
        if not done:
            raise WorkerTimeout(f"took longer than {timeout_s:g} s")
        return future.result()

    def kill(self) -> None:
        """End the process, whatever it does."""
        self._is_killed = True
        if self._process is not None and self._connection is not None:
            self._process.kill()
            # The thread may still read from the connection, so that it closes it, too.
            self._thread.submit(_reap, self._process, self._connection)
        self._thread.shutdown(wait=False)


def _exchange(connection: "Connection[bytes, bytes]", job: Call) -> tuple[Any, str | None]:
    """Send a job and receive its answer, see `_answer`."""
    request = pickle.dumps(job)
    try:
        connection.send_bytes(request)
    except OSError as error:
        raise ProcessEnded from error
    result: tuple[Any, str | None] = pickle.loads(_receive(connection))  # noqa: S301 - our own
    return result


def _receive(connection: "Connection[bytes, bytes]") -> bytes:
    try:
        return connection.recv_bytes()
    except (EOFError, OSError) as error:
        raise ProcessEnded from error


def _reap(process: SpawnProcess, connection: "Connection[bytes, bytes]") -> None:
    process.join()
    process.close()
    connection.close()
