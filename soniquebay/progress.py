"""Live progress on stderr: bars on a terminal, otherwise a line every few seconds."""

import sys
from collections import deque
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn

from soniquebay.output import duration

_NAMES = {
    "EXTRACTED": "read",
    "ANALYZED": "analysed",
    "VECTORIZED": "vectors",
    "INDEXED": "indexed",
}
_WINDOW_S = 15.0
_LINE_EVERY_S = 3.0


@dataclass(frozen=True, slots=True)
class StageView:
    """A stage as it is shown.

    Attributes:
        name: for people.
        done, failed, total: tracks.
        rate_per_s: tracks a second, over the last seconds.
        eta_s: seconds until the stage is done; None while the rate is 0.
    """

    name: str
    done: int
    failed: int
    total: int
    rate_per_s: float
    eta_s: float | None


class StageRates:
    """Computes rates over the last 15 seconds. Pure: the caller passes the time."""

    def __init__(self) -> None:
        self._samples: deque[tuple[float, dict[str, int]]] = deque()

    def update(self, now_s: float, stages: list[dict[str, Any]]) -> list[StageView]:
        """Add a status; return its stages with their rates and the time left."""
        self._samples.append((now_s, {stage["stage"]: stage["done"] for stage in stages}))
        while len(self._samples) > 2 and now_s - self._samples[0][0] > _WINDOW_S:
            self._samples.popleft()
        oldest_s, done = self._samples[0]
        elapsed_s = now_s - oldest_s
        return [_view(stage, done.get(stage["stage"], 0), elapsed_s) for stage in stages]


def _view(stage: dict[str, Any], done_before: int, elapsed_s: float) -> StageView:
    # max: `done` falls when a changed file has to be analysed again.
    rate = max(0, stage["done"] - done_before) / elapsed_s if elapsed_s > 0 else 0.0
    left = max(0, stage["total"] - stage["done"] - stage["failed"])
    eta = 0.0 if not left else (left / rate if rate else None)
    name = _NAMES[stage["stage"]]
    return StageView(name, stage["done"], stage["failed"], stage["total"], rate, eta)


def format_line(views: list[StageView]) -> str:
    """All stages in one line."""
    return " · ".join(f"{view.name} {view.done:,}/{view.total:,}{_tail(view)}" for view in views)


def _tail(view: StageView) -> str:
    """Failures, rate and time left, as far as there are any."""
    failed = f", {view.failed:,} failed" if view.failed else ""
    if view.eta_s == 0 or view.rate_per_s == 0:
        return failed
    left = f", {duration(view.eta_s)} left" if view.eta_s is not None else ""
    return f"{failed} ({view.rate_per_s:.1f}/s{left})"


class ProgressView:
    """Shows the gateway's status. A context manager; `update` may be called at any rate."""

    def __init__(self) -> None:
        self._rates = StageRates()
        self._terminal = sys.stderr.isatty()
        self._bars: Progress | None = None
        self._tasks: dict[str, TaskID] = {}
        self._paused: set[str] = set()
        self._line, self._line_at_s = "", float("-inf")

    def __enter__(self) -> Self:
        """Start the bars."""
        if self._terminal:
            self._bars = Progress(
                TextColumn("{task.description:>9}"),
                BarColumn(bar_width=None),
                TextColumn("{task.completed:,.0f}/{task.total:,.0f}"),
                TextColumn("{task.fields[tail]}"),
                console=Console(stderr=True),
                transient=True,
            )
            self._bars.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop the bars, and print the last state as a line."""
        if self._bars is not None:
            self._bars.stop()
        if self._line:
            self._print(self._line)

    def update(self, now_s: float, status: dict[str, Any]) -> None:
        """Show a status.

        Args:
            now_s: a monotonic clock.
            status: the gateway's `status`.
        """
        views = self._rates.update(now_s, status["stages"])
        self._print_paused({stage["stage"]: stage["reason"] for stage in status["paused"]})
        line = format_line(views)
        if self._bars is not None:
            self._line = line
            for view in views:
                self._show_bar(self._bars, view)
        elif line != self._line and now_s - self._line_at_s >= _LINE_EVERY_S:
            self._print(line)
            self._line, self._line_at_s = "", now_s
        elif now_s - self._line_at_s < _LINE_EVERY_S:
            self._line = line

    def _show_bar(self, bars: Progress, view: StageView) -> None:
        if view.name not in self._tasks:
            self._tasks[view.name] = bars.add_task(view.name, total=1, tail="")
        tail = _tail(view).removeprefix(", ").strip()
        # What failed will never be done: without it the bar can fill up.
        total = max(view.total - view.failed, view.done)
        bars.update(self._tasks[view.name], completed=view.done, total=total or 1, tail=tail)

    def _print_paused(self, paused: dict[str, str]) -> None:
        for stage in sorted(paused.keys() - self._paused):
            self._print(f"{stage} waits: {paused[stage]}")
        for stage in sorted(self._paused - paused.keys()):
            self._print(f"{stage} continues")
        self._paused = set(paused)

    def _print(self, line: str) -> None:
        # While bars are shown, only their console can print above them.
        if self._bars is not None and self._bars.live.is_started:
            self._bars.console.print(line, markup=False, highlight=False)
        else:
            sys.stderr.write(line + "\n")
            sys.stderr.flush()
