"""The rates of the stages, computed from counts."""

import pytest

from services.api.graphql.people.subscriptions import Rates
from services.api.graphql.types.status import StageProgress
from services.api.graphql.types.track_details import TrackStage


def counts(done: int, failed: int = 0, total: int = 100) -> list[StageProgress]:
    return [StageProgress(stage=TrackStage.ANALYZED, done=done, failed=failed, total=total)]


def test_the_first_count_gives_no_rate_and_no_time_left() -> None:
    (rate,) = Rates().note(0, counts(10))
    assert (rate.rate_per_s, rate.eta_s) == (0, None)


def test_failed_tracks_do_not_count_as_left() -> None:
    rates = Rates()
    rates.note(0, counts(10))
    (rate,) = rates.note(2, counts(30, failed=10))
    assert (rate.rate_per_s, rate.eta_s) == (10, 6)


def test_with_nothing_left_the_time_left_is_0() -> None:
    (rate,) = Rates().note(0, counts(90, failed=10))
    assert rate.eta_s == 0


def test_only_the_last_ten_seconds_count() -> None:
    rates = Rates()
    for second in range(31):
        (rate,) = rates.note(second, counts(min(second, 10)))
    assert (rate.rate_per_s, rate.eta_s) == (0, None)


@pytest.mark.parametrize("done", [0, 50])
def test_a_falling_count_gives_no_negative_rate(done: int) -> None:
    rates = Rates()
    rates.note(0, counts(50))
    assert rates.note(1, counts(done))[0].rate_per_s == 0
