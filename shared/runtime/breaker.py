"""A circuit breaker for a server that may fail for long, so that it is not called meanwhile.

While the breaker is closed, calls go through. After a number of failures in a row it opens: calls
are refused at once. After a while the next call is a trial, which closes the breaker or opens it
again (Nygard, Release It!, 2007). The library `circuitbreaker` does it; its state is a metric.
"""

from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from circuitbreaker import CircuitBreaker

from shared.runtime import metrics

T = TypeVar("T")


class Refused(Exception):
    """The breaker is open, so nothing was called; try again after `after_s`.

    Attributes:
        cause: the failure that opened it.
        after_s: seconds until it lets a trial through.
    """

    def __init__(self, cause: BaseException, after_s: float) -> None:
        super().__init__(f"not asked for another {after_s:.0f} s, since it failed: {cause}")
        self.cause = cause
        self.after_s = after_s


class Breaker:
    """One server's breaker.

    Args:
        server: its name, a label of the metric.
        failures: the number of failures in a row that open it.
        open_s: how long it stays open.
        counts: the errors that are failures of the server; others are passed on and close it.
    """

    def __init__(
        self,
        server: str,
        *,
        failures: int,
        open_s: float,
        counts: type[Exception] | tuple[type[Exception], ...],
    ) -> None:
        self._breaker: Any = CircuitBreaker(
            failure_threshold=failures, recovery_timeout=open_s, expected_exception=counts,
            name=server,
        )  # fmt: skip
        metrics.BREAKER_OPEN.labels(server).set_function(lambda: float(not self._breaker.closed))

    def check(self) -> None:
        """Raise `Refused` where a call would.

        Raises:
            Refused: the breaker is open.
        """
        if self._breaker.opened:
            raise Refused(self._breaker.last_failure, max(0.0, self._breaker.open_remaining))

    async def call(self, ask: Callable[[], Awaitable[T]]) -> T:
        """Run a call.

        Raises:
            Refused: the breaker is open.
        """
        self.check()
        answer: T = await self._breaker.call_async(ask)
        return answer
