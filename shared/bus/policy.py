"""The error policy: what the bus does when a handler raises. Pure: no clock, no I/O.

    InvalidInput     give up at once
    TransientError   retry in place after a growing, jittered delay, a bounded number of times
    RetryLater       give up at once; its kind is transient, so that the next scan tries again
    DependencyDown   wait with a growing, capped delay for as long as it takes
    anything else    a bug: give up at once, with the traceback

"Give up" concerns only the record at fault: a batch of several is handled again in halves
(`isolate`) until the record that fails is alone.
"""

import random
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from tenacity import (
    AsyncRetrying,
    RetryCallState,
    retry_if_exception,
    retry_if_exception_type,
    stop_after_attempt,
    stop_never,
    wait_exponential,
    wait_random,
)
from tenacity.wait import wait_base

from shared.contracts.envelope import DeadLetter, Record
from shared.contracts.errors import (
    DependencyDown,
    FailureKind,
    InvalidInput,
    RetryLater,
    TransientError,
)

T = TypeVar("T")
MESSAGE_MAX = 2_000
DETAIL_MAX = 20_000

_KINDS: tuple[tuple[type[Exception], FailureKind], ...] = (
    (InvalidInput, FailureKind.INVALID),
    (TransientError, FailureKind.TRANSIENT),
    (DependencyDown, FailureKind.DEPENDENCY),
)


@dataclass(frozen=True, slots=True)
class ErrorPolicy:
    """How often and how long to try; the defaults suit production, tests use shorter delays.

    Attributes:
        attempts: how often a batch is tried when its handler raises `TransientError`.
        retry_first_s: first delay between these; it doubles each time.
        retry_cap_s: longest delay between them.
        wait_first_s: first delay while a dependency is down; it doubles each time.
        wait_cap_s: longest delay while a dependency is down.
    """

    attempts: int = 6
    retry_first_s: float = 0.25
    retry_cap_s: float = 15
    wait_first_s: float = 0.25
    wait_cap_s: float = 10

    def retrying(
        self, attempts: int, before_delay: Callable[[RetryCallState], None]
    ) -> AsyncRetrying:
        """Retry a call after `TransientError`, at most `attempts` times in all."""
        return AsyncRetrying(
            retry=retry_if_exception(is_retried),
            stop=stop_after_attempt(attempts),
            wait=_growing(self.retry_first_s, self.retry_cap_s),
            before_sleep=before_delay,
            reraise=True,
        )

    def retry_delay_s(self, tried: int) -> float:
        """The delay, as `retrying` has it, before events are tried again that a handler rejected.

        Args:
            tried: how often they were tried.
        """
        growing_s: float = min(self.retry_first_s * 2 ** (tried - 1), self.retry_cap_s)
        return growing_s + random.uniform(0, self.retry_first_s)

    def waiting(
        self,
        before_delay: Callable[[RetryCallState], None],
        errors: type[Exception] = DependencyDown,
    ) -> AsyncRetrying:
        """Retry a call after `errors`, without limit."""
        return AsyncRetrying(
            retry=retry_if_exception_type(errors),
            stop=stop_never,
            wait=_growing(self.wait_first_s, self.wait_cap_s),
            before_sleep=before_delay,
            reraise=True,
        )


def _growing(first_s: float, cap_s: float) -> wait_base:
    # The jitter keeps calls that failed together from being retried together.
    return wait_exponential(multiplier=first_s, max=cap_s) + wait_random(0, first_s)


def is_retried(error: BaseException) -> bool:
    """Whether an error is one after which it is tried again in place."""
    return isinstance(error, TransientError) and not isinstance(error, RetryLater)


def kind_of(error: BaseException) -> FailureKind:
    """Return the kind of an error; one that is not of `shared.contracts.errors` is a bug."""
    for type_, kind in _KINDS:
        if isinstance(error, type_):
            return kind
    return FailureKind.BUG


def isolate(batch: Sequence[T]) -> tuple[Sequence[T], Sequence[T]]:
    """Split a failed batch of two or more into halves, in order.

    Halving finds one bad record among 500 in about 18 runs; one by one it would be 500.
    """
    middle = len(batch) // 2
    return batch[:middle], batch[middle:]


def dead_letter(record: Record, *, stage: str, error: BaseException, attempts: int) -> DeadLetter:
    """Return the dead letter of a record that is given up."""
    kind = kind_of(error)
    bug = kind is FailureKind.BUG
    message = f"{type(error).__name__}: {error}" if bug else str(error) or type(error).__name__
    detail = "".join(traceback.format_exception(error)) if bug else ""
    return DeadLetter(
        record=record,
        stage=stage,
        kind=kind,
        message=message[:MESSAGE_MAX],
        detail=detail[-DETAIL_MAX:],
        attempts=attempts,
    )


def last_error(state: RetryCallState) -> BaseException:
    """Return the error because of which a `before_delay` is called."""
    outcome: Any = state.outcome
    error: BaseException = outcome.exception()
    return error
