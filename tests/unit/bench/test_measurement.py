"""How the bench measures and compares."""

import pytest

from bench.measurement import compare_ratios, measure_in_turn, percentile


def test_ratios_are_computed_round_by_round() -> None:
    row = compare_ratios("subject", [2.0, 40.0, 6.0], "floor", [1.0, 10.0, 2.0])
    assert (row.ratio, row.lowest, row.highest) == (3.0, 2.0, 4.0)


@pytest.mark.parametrize(("percent", "value"), [(50, 51), (95, 96), (100, 100)])
def test_a_percentile_is_one_of_the_values(percent: int, value: int) -> None:
    assert percentile(list(range(100, 0, -1)), percent) == value


def test_contenders_run_in_turn() -> None:
    runs: list[str] = []

    def run(name: str) -> float:
        runs.append(name)
        return float(len(runs))

    values = measure_in_turn({"a": lambda: run("a"), "b": lambda: run("b")}, 2)
    assert values == {"a": [1.0, 3.0], "b": [2.0, 4.0]}
