from pathlib import Path

import pytest

from shared.runtime.resources import Machine, this_machine, workers_for

GIB = 2**30


@pytest.mark.parametrize(
    ("cores", "memory_gib", "count"),
    [(4, 8, 4), (4, 4, 4), (4, 2, 2), (4, 1, 1), (1, 64, 1), (16, 4, 6), (2, 0.25, 1)],
)
def test_there_is_one_worker_per_core_if_memory_allows(
    cores: int, memory_gib: float, count: int
) -> None:
    found = workers_for(Machine(cores, int(memory_gib * GIB)))
    assert found.count == count
    for reason in (f"{cores} cores", f"{memory_gib:.1f} GiB of memory", "room for"):
        assert reason in found.why


def test_a_containers_limits_apply(tmp_path: Path) -> None:
    bare = this_machine(tmp_path)
    (tmp_path / "cpu.max").write_text("max 100000\n")
    (tmp_path / "memory.max").write_text("max\n")
    assert this_machine(tmp_path) == bare
    (tmp_path / "cpu.max").write_text("50000 100000\n")
    (tmp_path / "memory.max").write_text(f"{GIB // 4}\n")
    assert this_machine(tmp_path) == Machine(1, GIB // 4)
