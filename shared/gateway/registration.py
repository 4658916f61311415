"""Registers something with the gateway before a worker begins; waits until it is accepted."""

from collections.abc import Awaitable, Callable

import structlog
from tenacity import RetryCallState, retry, retry_if_exception_type, wait_random_exponential

from shared.contracts.errors import DependencyDown, TransientError

_log = structlog.get_logger(__name__)
_MAX_WAIT_S = 10


def _log_wait(state: RetryCallState) -> None:
    error = state.outcome.exception() if state.outcome else None
    _log.warning("the gateway does not answer yet; trying again", reason=str(error))


@retry(
    retry=retry_if_exception_type((DependencyDown, TransientError)),
    wait=wait_random_exponential(multiplier=0.2, max=_MAX_WAIT_S),
    before_sleep=_log_wait,
)
async def when_accepted(register: Callable[[], Awaitable[None]]) -> None:
    """Call `register` until the gateway answers. A refusal is raised."""
    await register()
