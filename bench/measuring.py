"""How things are measured: everything in turn, round after round, so that all meet one machine."""

import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

Samples = dict[str, list[float]]


def interleaved(contenders: Mapping[str, Callable[[], float]], rounds: int) -> Samples:
    """Run all contenders in turn, `rounds` times; what each one measured, by its name."""
    found: Samples = {name: [] for name in contenders}
    for _ in range(rounds):
        for name, measure in contenders.items():
            found[name].append(measure())
    return found


def wall_s(work: Callable[[], object]) -> float:
    """How long it took."""
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def cpu_s(work: Callable[[], object]) -> float:
    """The CPU time of this process that it took: what others do meanwhile hardly counts."""
    began = time.process_time()
    work()
    return time.process_time() - began


def percentile(values: Sequence[float], percent: int) -> float:
    """The value that `percent` of the values do not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, len(ordered) * percent // 100)]


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table.

    Attributes:
        subject: what is compared.
        against: with what.
        ratio: subject divided by against, the median of the rounds.
        lowest, highest: of the rounds.
    """

    subject: str
    against: str
    ratio: float
    lowest: float
    highest: float


def compared(subject: str, of: Sequence[float], against: str, by: Sequence[float]) -> Row:
    """The ratio of each round: a slow moment hits both sides of its round."""
    ratios = [a / b for a, b in zip(of, by, strict=True)]
    return Row(subject, against, statistics.median(ratios), min(ratios), max(ratios))
