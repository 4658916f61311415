"""One malloc heap for all threads, measured in a child process."""

import subprocess
import sys

import pytest

_HEAPS = """
import ctypes, re, threading
from shared.runtime.resources import limit_malloc_arenas

{first}
hold = threading.Barrier(5)

def allocate():
    kept = [bytearray(2_000) for _ in range(1_000)]  # from malloc, not from Python's own pools
    hold.wait()

threads = [threading.Thread(target=allocate) for _ in range(4)]
for thread in threads:
    thread.start()
libc = ctypes.CDLL(None)
libc.fopen.restype = ctypes.c_void_p
file = ctypes.c_void_p(libc.fopen(b"/dev/stdout", b"w"))
libc.malloc_info(0, file)
libc.fclose(file)
hold.wait()
"""


@pytest.mark.skipif(sys.platform != "linux", reason="malloc_info belongs to glibc")
@pytest.mark.parametrize(("first", "is_one"), [("limit_malloc_arenas()", True), ("", False)])
def test_threads_share_one_heap(first: str, is_one: bool) -> None:
    code = _HEAPS.format(first=first)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert (done.stdout.count("<heap nr=") == 1) == is_one
