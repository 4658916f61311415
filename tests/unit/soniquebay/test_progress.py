import pytest

from soniquebay.output import duration
from soniquebay.progress import StageRates, format_line


def stage(name: str, done: int, total: int, failed: int = 0) -> dict[str, object]:
    return {"stage": name, "done": done, "failed": failed, "total": total}


def test_rate_and_time_left_are_computed_over_the_last_seconds() -> None:
    rates = StageRates()
    rates.update(0.0, [stage("ANALYZED", 0, 100)])
    (view,) = rates.update(10.0, [stage("ANALYZED", 20, 100)])
    assert (view.rate_per_s, view.eta_s) == (2.0, 40.0)
    for second in range(11, 40):
        (view,) = rates.update(float(second), [stage("ANALYZED", 20 + (second - 10), 100)])
    assert view.rate_per_s == pytest.approx(1.0)


def test_failures_do_not_count_as_work_left() -> None:
    rates = StageRates()
    rates.update(0.0, [stage("ANALYZED", 0, 10)])
    (view,) = rates.update(1.0, [stage("ANALYZED", 8, 10, failed=2)])
    assert view.eta_s == 0


def test_time_left_is_unknown_while_there_is_no_progress() -> None:
    rates = StageRates()
    rates.update(0.0, [stage("INDEXED", 5, 10)])
    (view,) = rates.update(5.0, [stage("INDEXED", 5, 10)])
    assert view.eta_s is None
    assert format_line([view]) == "indexed 5/10"


def test_a_line_has_all_stages() -> None:
    rates = StageRates()
    rates.update(0.0, [stage("EXTRACTED", 0, 2_000), stage("ANALYZED", 0, 2_000)])
    views = rates.update(1.0, [stage("EXTRACTED", 2_000, 2_000), stage("ANALYZED", 10, 2_000, 3)])
    assert (
        format_line(views)
        == "read 2,000/2,000 · analysed 10/2,000, 3 failed (10.0/s, 3:19 min left)"
    )


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.4, "0 s"), (59.4, "59 s"), (60, "1:00 min"), (3_599, "59:59 min"), (7_260, "2:01 h")],
)
def test_durations_are_formatted_for_people(seconds: float, text: str) -> None:
    assert duration(seconds) == text
