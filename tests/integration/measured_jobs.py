"""A job that measures what a file costs its worker process."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from shared.contracts.errors import InvalidInput


@dataclass(frozen=True, slots=True)
class Measured:
    """What became of a file, and what it cost.

    Attributes:
        outcome: `succeed`, `fail`, or `bug` for an error that the service would report as one.
        reason: the message of the error.
        cpu_s: CPU time of the process for this file.
        began_s, ended_s: monotonic time, the same clock in all processes.
        peak_mb: the most memory that the process has had so far.
    """

    outcome: str
    reason: str
    cpu_s: float
    began_s: float
    ended_s: float
    peak_mb: float


def measured(work: Callable[[bytes], Any], path: bytes) -> Measured:
    """Do the work on a file."""
    began_s, cpu_s = time.monotonic(), time.process_time()
    try:
        work(path)
        outcome, reason = "succeed", ""
    except InvalidInput as error:
        outcome, reason = "fail", str(error)
    except Exception as error:
        outcome, reason = "bug", repr(error)
    return Measured(
        outcome, reason, time.process_time() - cpu_s, began_s, time.monotonic(), peak_memory_mb()
    )


def peak_memory_mb() -> float:
    """The most resident memory that this process has had.

    Not `ru_maxrss`: across `exec`, Linux keeps that of the process that started this one.
    """
    status = Path("/proc/self/status").read_text().splitlines()
    (peak,) = (line.split()[1] for line in status if line.startswith("VmHWM"))
    return int(peak) / 1024
