"""Requests for single items are joined, and an item at fault fails alone."""

import asyncio
from collections.abc import Sequence

import pytest

from services.analyzer.request_batcher import RequestBatcher
from shared.contracts.errors import DependencyDown


class Doubling:
    """Doubles numbers, and records its requests."""

    def __init__(self, error: Exception | None = None, *, at: int = 0) -> None:
        self.requests: list[list[int]] = []
        self._error, self._at = error, at

    async def __call__(self, items: Sequence[int]) -> list[int]:
        self.requests.append(list(items))
        if self._error is not None and self._at in items:
            raise self._error
        return [2 * item for item in items]


async def test_calls_that_come_together_are_one_request() -> None:
    request = Doubling()
    batcher = RequestBatcher(request, wait_s=0.01, most=100)
    assert await asyncio.gather(*map(batcher, range(50))) == [2 * n for n in range(50)]
    assert await batcher(7) == 14
    assert request.requests == [list(range(50)), [7]]


async def test_a_request_has_at_most_so_many_items() -> None:
    request = Doubling()
    batcher = RequestBatcher(request, wait_s=0.01, most=20)
    assert await asyncio.gather(*map(batcher, range(50))) == [2 * n for n in range(50)]
    assert [len(items) for items in request.requests] == [20, 20, 10]


async def test_an_item_that_causes_a_bug_fails_alone() -> None:
    batcher = RequestBatcher(Doubling(KeyError("bug"), at=3), wait_s=0.01, most=100)
    results = await asyncio.gather(*map(batcher, range(5)), return_exceptions=True)
    assert isinstance(results.pop(3), KeyError)
    assert results == [0, 2, 4, 8]


async def test_all_items_of_a_request_fail_if_a_server_is_down() -> None:
    request = Doubling(DependencyDown("away"), at=3)
    batcher = RequestBatcher(request, wait_s=0.01, most=100)
    results = await asyncio.gather(*map(batcher, range(5)), return_exceptions=True)
    assert all(isinstance(result, DependencyDown) for result in results)
    assert len(request.requests) == 1


async def test_a_call_that_is_cancelled_does_not_cancel_the_others() -> None:
    batcher = RequestBatcher(Doubling(), wait_s=0.01, most=100)
    first, second = asyncio.create_task(batcher(1)), asyncio.create_task(batcher(2))
    await asyncio.sleep(0)
    first.cancel()
    assert await second == 4
    with pytest.raises(asyncio.CancelledError):
        await first
