"""Events a second over the bus alone: published, handled in batches, emitted again."""

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

_POLL_EVERY_S = 0.01


def compare(work: Path, events: int) -> None:
    """Measure on a real broker and in the process, and print both."""
    configure_logs("error")
    broker = kafka.server(kafka.fetch(), work / "messages")
    broker.start()
    try:
        asyncio.run(_measure("Kafka", lambda: KafkaBus(broker.address, client="bench"), events))
    finally:
        broker.kill()
    asyncio.run(_measure("in process", lambda: InProcessBus(capacity=events), events))


async def _measure(name: str, make: Callable[[], Bus], events: int) -> None:
    bus, handled = make(), 0

    async def pass_on(events: Sequence[TrackVectorized]) -> Outcome:
        return Outcome([TrackIndexed(track_id=e.track_id, revision=e.revision) for e in events])

    async def count(indexed: Sequence[TrackIndexed]) -> Outcome:
        nonlocal handled
        handled += len(indexed)
        return Outcome()

    bus.subscribe(Subscription(Topic.TRACK_VECTORIZED, Stage.INDEX, pass_on, batch_wait_s=0))
    bus.subscribe(Subscription(Topic.TRACK_INDEXED, Stage.PROGRESS, count, batch_wait_s=0))
    await bus.start()
    vectorized = [
        TrackVectorized(track_id=f"trk_{number:032x}", content_revision=1, revision=1)
        for number in range(events)
    ]
    try:
        await _publish_and_wait(bus, vectorized[:500], lambda: handled >= 500)  # joins the groups
        handled = 0
        publish_s, whole_s = await _publish_and_wait(bus, vectorized, lambda: handled >= events)
    finally:
        await bus.drain(10)
    published, passed_on = events / publish_s, events / whole_s
    print(
        f"{name}: {published:,.0f} events/s published; {passed_on:,.0f}/s published, handled,"
        " emitted and handled again in one process",
        flush=True,
    )


async def _publish_and_wait(
    bus: Bus, events: Sequence[TrackVectorized], is_done: Callable[[], bool]
) -> tuple[float, float]:
    """The seconds until all events are published, and until all are handled."""
    began_s = time.perf_counter()
    await bus.publish(events)
    published_s = time.perf_counter() - began_s
    while not is_done():  # noqa: ASYNC110 - handlers count
        await asyncio.sleep(_POLL_EVERY_S)
    return published_s, time.perf_counter() - began_s
