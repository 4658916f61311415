"""Measures contenders in turn, and compares them as ratios.

Every contender runs once in each round, so that a slow moment of the machine affects all of them.
"""

import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

Samples = dict[str, list[float]]


def measure_in_turn(contenders: Mapping[str, Callable[[], float]], rounds: int) -> Samples:
    """Run all contenders in turn, `rounds` times; the values of each, by its name."""
    values: Samples = {name: [] for name in contenders}
    for _ in range(rounds):
        for name, measure in contenders.items():
            values[name].append(measure())
    return values


def wall_s(work: Callable[[], object]) -> float:
    """Run the work; its wall time in seconds."""
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def cpu_s(work: Callable[[], object]) -> float:
    """Run the work; its CPU time in this process, on which other processes have little effect."""
    began = time.process_time()
    work()
    return time.process_time() - began


def percentile(values: Sequence[float], percent: int) -> float:
    """The value that `percent` of the values do not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, len(ordered) * percent // 100)]


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a table of ratios.

    Attributes:
        subject: what is compared.
        against: what it is compared with.
        ratio: subject divided by against, the median of the rounds.
        lowest, highest: ratios of single rounds.
    """

    subject: str
    against: str
    ratio: float
    lowest: float
    highest: float


def compare_ratios(subject: str, of: Sequence[float], against: str, by: Sequence[float]) -> Row:
    """Divide round by round, so that a slow moment affects both sides of its ratio."""
    ratios = [a / b for a, b in zip(of, by, strict=True)]
    return Row(subject, against, statistics.median(ratios), min(ratios), max(ratios))
