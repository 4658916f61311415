"""The reaction of the error policy to each kind of error."""

import json

import pytest
from tenacity import RetryCallState

from shared.bus.policy import DETAIL_MAX, MESSAGE_MAX, ErrorPolicy, dead_letter, isolate, kind_of
from shared.contracts.envelope import Record
from shared.contracts.errors import (
    DependencyDown,
    FailureKind,
    InvalidInput,
    PipelineError,
    TransientError,
)

POLICY = ErrorPolicy(attempts=4, retry_first_s=1, retry_cap_s=5, wait_first_s=2, wait_cap_s=30)
RECORD = Record("file.found", b"k", b"v")


class UnreadableFile(InvalidInput):
    """An error of a service, named after the reaction it needs."""


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (InvalidInput(), FailureKind.INVALID),
        (UnreadableFile(), FailureKind.INVALID),
        (TransientError(), FailureKind.TRANSIENT),
        (DependencyDown(), FailureKind.DEPENDENCY),
        (PipelineError(), FailureKind.BUG),
        (TimeoutError(), FailureKind.BUG),
        (ConnectionError(), FailureKind.BUG),
    ],
    ids=repr,
)
def test_an_error_has_the_kind_of_its_class(error: Exception, kind: FailureKind) -> None:
    assert kind_of(error) is kind


async def _calls(error: Exception, *, enough: int) -> tuple[int, list[float]]:
    """The calls and delays of both loops around a failing function; `enough` calls end them."""
    delays: list[float] = []
    calls = 0

    def record(state: RetryCallState) -> None:
        delays.append(state.upcoming_sleep)

    async def fails() -> None:
        nonlocal calls
        calls += 1
        raise error if calls < enough else StopAsyncIteration

    async def no_sleep(_: float) -> None:
        return None

    retrying, waiting = POLICY.retrying(POLICY.attempts, record), POLICY.waiting(record)
    retrying.sleep = waiting.sleep = no_sleep  # type: ignore[assignment] # typed for its own

    async def once() -> None:
        await waiting(fails)

    with pytest.raises((type(error), RuntimeError, StopAsyncIteration)):
        await retrying(once)
    return calls, delays


@pytest.mark.parametrize("error", [InvalidInput("no"), ValueError("bug")], ids=repr)
async def test_an_error_that_would_repeat_is_not_retried(error: Exception) -> None:
    assert await _calls(error, enough=100) == (1, [])


async def test_a_transient_error_is_retried_after_growing_delays_a_few_times() -> None:
    calls, delays = await _calls(TransientError("x"), enough=100)
    assert calls == POLICY.attempts
    for delay, base in zip(delays, [1, 2, 4], strict=True):
        assert base <= delay <= base + POLICY.retry_first_s


async def test_a_dependency_is_retried_without_end_with_delays_up_to_a_cap() -> None:
    calls, delays = await _calls(DependencyDown("x"), enough=1000)
    assert calls == 1000
    assert delays[0] < 5
    assert max(delays) <= POLICY.wait_cap_s + POLICY.wait_first_s
    assert all(delay >= POLICY.wait_cap_s for delay in delays[5:])


@pytest.mark.parametrize("size", [2, 3, 500])
def test_a_failed_batch_is_split_in_two_and_keeps_its_order(size: int) -> None:
    batch = list(range(size))
    first, second = isolate(batch)
    assert first
    assert second
    assert [*first, *second] == batch


def test_only_the_dead_letter_of_a_bug_has_a_traceback() -> None:
    try:
        json.loads("{}")["tempo"]
    except KeyError as error:
        bug = dead_letter(RECORD, stage="analyzer", error=error, attempts=1)
    assert (bug.message, bug.kind) == ("KeyError: 'tempo'", FailureKind.BUG)
    assert '["tempo"]' in bug.detail
    plain = dead_letter(RECORD, stage="analyzer", error=UnreadableFile(), attempts=2)
    assert (plain.message, plain.detail, plain.attempts) == ("UnreadableFile", "", 2)


def test_the_size_of_a_dead_letter_is_limited() -> None:
    letter = dead_letter(RECORD, stage="s", error=ValueError("x" * 10**6), attempts=1)
    assert len(letter.message) == MESSAGE_MAX
    assert len(letter.detail) == DETAIL_MAX
