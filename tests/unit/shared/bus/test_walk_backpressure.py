"""A walk is at most 2,000 files ahead of reading, however large the library is."""

import asyncio
from collections.abc import Sequence

from shared.bus.in_process import InProcessBus
from shared.bus.port import Outcome, Subscription
from shared.contracts.events import FileFound
from shared.contracts.topics import Stage, Topic


def found(number: int) -> FileFound:
    return FileFound(
        library_id=f"lib_{1:032x}",
        scan_id=f"scn_{1:032x}",
        path=f"{number}.mp3",
        size_bytes=1,
        mtime_ns=1,
    )


async def test_a_walk_waits_until_its_files_are_read() -> None:
    bus = InProcessBus(capacity=50_000)
    gate, read, most = asyncio.Event(), 0, 0

    async def read_files(events: Sequence[FileFound]) -> Outcome:
        nonlocal read, most
        await gate.wait()
        most = max(most, sum(lag.records for lag in await bus.lag()))
        read += len(events)
        return Outcome()

    bus.subscribe(Subscription(Topic.FILE_FOUND, Stage.READ, read_files, batch_size=500))
    await bus.start()
    walk = asyncio.create_task(bus.publish([found(number) for number in range(10_000)]))
    for _ in range(100):
        await asyncio.sleep(0)
    assert not walk.done()
    gate.set()
    async with asyncio.timeout(30):
        await walk
        while read < 10_000:  # noqa: ASYNC110 - it is polled
            await asyncio.sleep(0.01)
    assert most <= 2_000
    await bus.drain(10)
