"""How the process's memory is handed out."""

import ctypes
import sys
from contextlib import suppress

_M_ARENA_MAX = -8  # malloc.h of glibc
_HEAPS = 1


def one_heap() -> None:
    """Let all threads share one heap; call it before there are others.

    glibc gives threads heaps of their own, each of which keeps what it once had: of a service that
    hands work to a dozen threads, memory that nobody uses. Python's lock has them take turns
    anyhow. Does nothing where the C library is another one.
    """
    if sys.platform == "linux":
        with suppress(AttributeError):  # musl has no mallopt
            ctypes.CDLL(None).mallopt(_M_ARENA_MAX, _HEAPS)
