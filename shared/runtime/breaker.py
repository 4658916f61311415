"""A circuit breaker for a server that may fail for long: it is not hammered meanwhile.

Closed, calls go through. After a number of failures in a row it is open: calls are refused at once.
After a while the next call is a trial: it closes the breaker or opens it again. (Nygard, Release
It!, 2007; the machine is the library's, its state is a metric.)
"""

from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from circuitbreaker import CircuitBreaker

from shared.runtime import metrics

T = TypeVar("T")


class Refused(Exception):
    """The breaker is open, nothing was tried: ask again after `after_s`.

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
        failures: how many in a row open it.
        open_s: how long it stays open.
        counts: the errors that are the server's failure; others pass and close it.
    """

    def __init__(
        self,
        server: str,
        *,
        failures: int,
        open_s: float,
        counts: type[Exception] | tuple[type[Exception], ...],
    ) -> None:
        self._machine: Any = CircuitBreaker(
            failure_threshold=failures, recovery_timeout=open_s, expected_exception=counts,
            name=server,
        )  # fmt: skip
        metrics.BREAKER_OPEN.labels(server).set_function(lambda: float(not self._machine.closed))

    def check(self) -> None:
        """Raise `Refused` where a call would.

        Raises:
            Refused: the breaker is open.
        """
        if self._machine.opened:
            raise Refused(self._machine.last_failure, max(0.0, self._machine.open_remaining))

    async def call(self, ask: Callable[[], Awaitable[T]]) -> T:
        """Run a call.

        Raises:
            Refused: the breaker is open.
        """
        self.check()
        answer: T = await self._machine.call_async(ask)
        return answer
