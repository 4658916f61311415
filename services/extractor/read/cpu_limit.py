"""Limits the CPU time that one file may take in a reader process, so that it fails alone.

CPU time, because a disk that is slow takes none: its files are not at fault.
"""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

FILE_CPU_LIMIT_S = 10.0


class TookTooLong(BaseException):
    """Raised in the middle of reading a file. No `except Exception` on the way may take it."""


def prepare_limit() -> None:
    """Prepare this process; call it in its main thread."""
    signal.signal(signal.SIGPROF, _stop)


def _stop(_: int, __: FrameType | None) -> None:
    raise TookTooLong


@contextmanager
def limited_cpu(limit_s: float) -> Iterator[None]:
    """Limit the CPU time of the block, where `prepare_limit` was called.

    Code of a library that does not return to Python is not interrupted: the time limit of the
    whole job ends that.

    Raises:
        TookTooLong: it took more than `limit_s` seconds.
    """
    if signal.getsignal(signal.SIGPROF) is not _stop:
        yield
        return
    signal.setitimer(signal.ITIMER_PROF, limit_s)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
