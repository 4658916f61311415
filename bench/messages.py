"""What the bus alone carries: events a second that are published, handled in batches, passed on."""

import asyncio
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from shared.bus.in_process import InProcessBus
from shared.bus.kafka import KafkaBus
from shared.bus.port import Bus, Outcome, Subscription
from shared.contracts.events import TrackIndexed, TrackVectorized
from shared.contracts.topics import Stage, Topic
from shared.runtime.logs import configure_logs
from tests.engines import kafka

_LOOK_EVERY_S = 0.01


def compare(work: Path, events: int) -> None:
    """The same way on a real broker and in the process; prints what each carried."""
    configure_logs("error")
    broker = kafka.server(kafka.fetch(), work / "messages")
    broker.start()
    try:
        asyncio.run(_measure("Kafka", lambda: KafkaBus(broker.address, client="bench"), events))
    finally:
        broker.kill()
    asyncio.run(_measure("in process", lambda: InProcessBus(capacity=events), events))


async def _measure(name: str, make: Callable[[], Bus], events: int) -> None:
    bus, ended = make(), 0

    async def pass_on(vectorized: Sequence[TrackVectorized]) -> Outcome:
        return Outcome([TrackIndexed(track_id=e.track_id, revision=e.revision) for e in vectorized])

    async def count(indexed: Sequence[TrackIndexed]) -> Outcome:
        nonlocal ended
        ended += len(indexed)
        return Outcome()

    bus.subscribe(Subscription(Topic.TRACK_VECTORIZED, Stage.INDEX, pass_on, batch_wait_s=0))
    bus.subscribe(Subscription(Topic.TRACK_INDEXED, Stage.PROGRESS, count, batch_wait_s=0))
    await bus.start()
    told = [
        TrackVectorized(track_id=f"trk_{number:032x}", content_revision=1, revision=1)
        for number in range(events)
    ]
    try:
        await _through(bus, told[:500], lambda: ended >= 500)  # the groups are joined
        ended = 0
        publish_s, whole_s = await _through(bus, told, lambda: ended >= events)
    finally:
        await bus.drain(10)
    published, passed_on = events / publish_s, events / whole_s
    print(
        f"{name}: {published:,.0f} events/s published; {passed_on:,.0f}/s published, handled,"
        " emitted and handled again in one process",
        flush=True,
    )


async def _through(
    bus: Bus, events: Sequence[TrackVectorized], is_over: Callable[[], bool]
) -> tuple[float, float]:
    """Seconds until all are published, and until all are through."""
    began_s = time.perf_counter()
    await bus.publish(events)
    published_s = time.perf_counter() - began_s
    while not is_over():  # noqa: ASYNC110 - it is counted by handlers
        await asyncio.sleep(_LOOK_EVERY_S)
    return published_s, time.perf_counter() - began_s
