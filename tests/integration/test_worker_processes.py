"""The worker processes, with real processes that crash."""

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator
from functools import partial
from pathlib import Path

import pytest
from pytest_asyncio import fixture

from shared.contracts.errors import DependencyDown
from shared.runtime.worker_process import JobFailed, WorkerTimeout
from shared.runtime.workers import WorkerDied, WorkerProcesses
from tests.integration import worker_jobs as jobs


@fixture(scope="module")
async def workers() -> AsyncIterator[WorkerProcesses]:
    processes = WorkerProcesses(2)
    async with processes.running():
        yield processes


async def test_a_job_returns_its_result(workers: WorkerProcesses) -> None:
    assert await asyncio.gather(*(workers.run(jobs.double, n) for n in range(20))) == [
        2 * n for n in range(20)
    ]


async def test_processes_have_the_given_niceness() -> None:
    processes = WorkerProcesses(1, nice=3)
    async with processes.running():
        assert await processes.run(jobs.niceness) == min(19, jobs.niceness() + 3)


@pytest.mark.parametrize(
    ("job", "error", "message"),
    [
        (partial(jobs.refuse, "no such tag"), ValueError, "no such tag"),
        (jobs.time_out, TimeoutError, "the job's own"),
        (jobs.refuse_awkwardly, JobFailed, "7: cannot travel"),
        (jobs.leave, JobFailed, r"SystemExit\(3\)"),
    ],
    ids=["its own", "its own timeout", "one that cannot be pickled", "exit"],
)
async def test_an_error_of_a_job_is_raised_and_its_process_is_kept(
    workers: WorkerProcesses, job: Callable[[], None], error: type[Exception], message: str
) -> None:
    before = workers.restarts
    with pytest.raises(error, match=message):
        await workers.run_within(60, job)
    assert workers.restarts == before


@pytest.mark.parametrize("job", [jobs.die, jobs.segfault])
async def test_a_crash_fails_only_its_own_job(
    workers: WorkerProcesses, job: Callable[[], None]
) -> None:
    others = [asyncio.create_task(workers.run(jobs.double, n)) for n in range(30)]
    with pytest.raises(WorkerDied):
        await workers.run(job)
    assert await asyncio.gather(*others) == [2 * n for n in range(30)]


async def test_a_process_that_died_for_another_reason_fails_no_job(
    workers: WorkerProcesses, tmp_path: Path
) -> None:
    assert await workers.run(jobs.die_once, tmp_path / "mark") == "done"
    for process in {await workers.run(jobs.process_id) for _ in range(2)}:
        os.kill(process, 9)  # idle now; the next job must not be blamed
    assert await workers.run(jobs.double, 4) == 8


async def test_a_job_beyond_its_time_limit_is_ended(workers: WorkerProcesses) -> None:
    with pytest.raises(WorkerTimeout, match=r"longer than 0\.2 s"):
        await workers.run_within(0.2, jobs.sleep, 600)
    assert await workers.run_within(60, jobs.double, 1) == 2


async def test_a_cancelled_call_ends_its_job(workers: WorkerProcesses) -> None:
    before = workers.restarts
    calls = [asyncio.create_task(workers.run(jobs.sleep, 600.0)) for _ in range(2)]
    await asyncio.sleep(0.5)
    for call in calls:
        call.cancel()
    await asyncio.gather(*calls, return_exceptions=True)
    assert all(call.cancelled() for call in calls)
    assert workers.restarts == before + 2
    assert await workers.run(jobs.double, 2) == 4


async def test_jobs_start_in_order() -> None:
    workers = WorkerProcesses(1)
    served: list[int] = []

    async def ask(who: int) -> None:
        for _ in range(5):  # each time behind those who wait since then
            await workers.run(jobs.double, who)
            served.append(who)

    async with workers.running():
        await asyncio.gather(*map(ask, range(6)))
    assert all(set(served[turn : turn + 6]) == set(range(6)) for turn in range(0, 30, 6))


async def test_a_failed_warm_up_is_no_error() -> None:
    workers = WorkerProcesses(1, warm=jobs.break_down)
    async with workers.running():
        assert await workers.run(jobs.double, 3) == 6


async def test_closing_ends_running_and_waiting_jobs() -> None:
    workers = WorkerProcesses(1)
    async with workers.running():
        process = await workers.run(jobs.process_id)
        calls = [asyncio.create_task(workers.run(jobs.sleep, 600.0)) for _ in range(3)]
        await asyncio.sleep(0.2)
    results = await asyncio.wait_for(asyncio.gather(*calls, return_exceptions=True), 30)
    assert [type(result) for result in results] == [DependencyDown] * 3
    assert _gone(process)
    with pytest.raises(DependencyDown):
        await workers.run(jobs.double, 1)


@pytest.fixture
def program() -> Iterator[subprocess.Popen[str]]:
    """A process with three busy worker processes."""
    with subprocess.Popen(
        [sys.executable, "-m", "tests.integration.worker_jobs", "3"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        yield process
        process.kill()


@pytest.mark.parametrize("end", ["killed", "ended"])
def test_no_process_outlives_its_parent(program: subprocess.Popen[str], end: str) -> None:
    assert program.stdin is not None
    assert program.stdout is not None
    children = [int(word) for word in program.stdout.readline().split()]
    assert len(children) == 3
    if end == "killed":
        program.kill()
    else:
        program.stdin.write("\n")
        program.stdin.flush()
    program.wait(60)
    assert all(_gone(child) for child in children)


def _gone(process: int) -> bool:
    """Wait a while until the process is gone or a zombie; whether it is."""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        try:
            stat = Path(f"/proc/{process}/stat").read_text()
        except (FileNotFoundError, ProcessLookupError):
            return True
        if stat.rpartition(")")[2].split()[0] == "Z":
            return True
        time.sleep(0.02)
    return False


async def test_an_idle_process_is_ended_and_the_next_job_gets_a_new_one() -> None:
    workers = WorkerProcesses(2, idle_s=0.4)
    async with workers.running():
        process = await workers.run(jobs.process_id)
        assert await asyncio.to_thread(_gone, process)
        assert await workers.run(jobs.process_id) != process
        assert workers.restarts == 0, "an idle process did not fail"


async def test_a_process_at_work_is_not_idle() -> None:
    workers = WorkerProcesses(1, idle_s=0.2)
    async with workers.running():
        process = await workers.run(jobs.process_id)
        await workers.run(time.sleep, 1)
        assert await workers.run(jobs.process_id) == process
