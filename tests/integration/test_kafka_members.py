"""Members of a Kafka group that join, leave, wait and are killed, and a broker that is killed."""

import asyncio
import subprocess
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, RecordsToDelete
from aiokafka.client import AIOKafkaClient
from aiokafka.protocol.commit import OffsetFetchRequest, OffsetFetchResponse_v3

from shared.bus.port import Outcome, Subscription
from shared.contracts.errors import DependencyDown
from shared.contracts.events import TrackIndexed, TrackVectorized
from shared.contracts.topics import Stage, Topic
from tests.engines.jars import Server
from tests.integration.kafka_buses import (
    DEADLINE_S,
    Cluster,
    CountingHandler,
    consume,
    eventually,
    make_bus,
    until_idle,
    vectorized,
)

__all__ = ["make_bus"]


BY_PARTITION_AND_BY_KEY = pytest.mark.parametrize("by_key", [False, True])


@BY_PARTITION_AND_BY_KEY
async def test_a_killed_and_restarted_broker_loses_no_event(
    make_bus: Cluster, kafka: Server, by_key: bool
) -> None:
    async def index(events: Sequence[TrackVectorized]) -> Outcome:
        await asyncio.sleep(0.02)
        return Outcome(emit=[TrackIndexed(track_id=e.track_id, revision=1) for e in events])

    bus, last = make_bus(), CountingHandler()
    consume(bus, index, batch_size=20, members=2, by_key=by_key)
    bus.subscribe(Subscription(Topic.TRACK_INDEXED, Stage.PROGRESS, last))
    await bus.start()

    async def publish() -> None:
        for start in range(0, 3000, 50):
            while True:
                try:
                    await bus.publish([vectorized(n) for n in range(start, start + 50)])
                    break
                except DependencyDown:
                    await asyncio.sleep(0.1)

    publishing = asyncio.create_task(publish())
    await eventually(lambda: len(last.seen) > 200, "some are through")
    await asyncio.to_thread(kafka.kill)
    await asyncio.sleep(1)
    await asyncio.to_thread(kafka.start)
    await publishing
    await eventually(lambda: len(last.seen) == 3000, "all are through")
    assert {event.key for event in last.seen} == {vectorized(n).key for n in range(3000)}


@BY_PARTITION_AND_BY_KEY
async def test_members_that_join_and_leave_under_load_handle_no_event_twice(
    make_bus: Cluster, by_key: bool
) -> None:
    first, second, third = make_bus(), make_bus(), make_bus()
    seen = [CountingHandler(takes_s=0.1) for _ in range(3)]
    for bus, handler in zip([first, second, third], seen, strict=True):
        consume(bus, handler, batch_size=5, by_key=by_key)
    await first.start()
    sent = [vectorized(number) for number in range(600)]
    await first.publish(sent)

    async def publish_more() -> None:
        """Publish until stopped: there is work for all, however long the others take to start."""
        while not seen[2].seen:
            more = [vectorized(len(sent) + number) for number in range(60)]
            sent.extend(more)
            await first.publish(more)
            await asyncio.sleep(0.25)

    publishing = asyncio.create_task(publish_more())
    await eventually(lambda: seen[0].seen, "the first is at work")
    await second.start()
    await eventually(lambda: seen[1].seen, "the second too")
    await third.start()
    await eventually(lambda: seen[2].seen, "the third too")
    await publishing
    assert await second.drain(20)
    await eventually(lambda: sum(len(each.seen) for each in seen) >= len(sent), "all are handled")
    assert seen[0].seen + seen[1].seen + seen[2].seen == Counter(sent)


async def test_the_batch_of_a_killed_member_is_handled_by_another(
    make_bus: Cluster, kafka: Server
) -> None:
    script = Path(__file__).with_name("kafka_member.py")
    doomed = await asyncio.create_subprocess_exec(
        sys.executable, script, kafka.address, make_bus.prefix, stdout=subprocess.PIPE,
        cwd=Path(__file__).parents[2], env={"PYTHONPATH": "."},
    )  # fmt: skip
    try:
        bus, handler = make_bus(), CountingHandler()
        sent = [vectorized(number) for number in range(50)]
        consume(bus, handler)
        publisher = make_bus()
        await publisher.start()
        await publisher.publish(sent)
        assert doomed.stdout is not None
        while not (await asyncio.wait_for(doomed.stdout.readline(), DEADLINE_S)).startswith(
            b"took"
        ):
            pass
    finally:
        doomed.kill()
        await doomed.wait()
    await bus.start()
    await eventually(lambda: len(handler.seen) == 50, "the other has them all")
    assert handler.seen == Counter(sent)


@BY_PARTITION_AND_BY_KEY
async def test_a_stage_that_waits_for_a_dependency_does_not_block_its_group(
    make_bus: Cluster, by_key: bool
) -> None:
    down = True

    async def work(events: Sequence[Any]) -> Outcome:
        if down:
            raise DependencyDown("the gateway is out of reach")
        return await done(events)

    first, second, done = make_bus(), make_bus(), CountingHandler()
    sent = [vectorized(number) for number in range(60)]
    consume(first, work, batch_size=5, by_key=by_key)
    consume(second, done, batch_size=5, by_key=by_key)
    await first.start()
    await first.publish(sent)
    await eventually(lambda: first.health().paused, "the first waits")
    await second.start()
    await eventually(lambda: len(done.seen) > 10, "the second has its share")
    await eventually(lambda: first.health().paused, "the first waits with what it has now")
    down = False
    await eventually(lambda: len(done.seen) == 60, "all are handled")
    assert done.seen == Counter(sent)


async def test_a_rebalance_lets_go_of_a_record_that_hangs_and_another_member_handles_it(
    make_bus: Cluster,
) -> None:
    hangs = True

    async def work(events: Sequence[TrackVectorized]) -> Outcome:
        if hangs and vectorized(7) in events:
            await asyncio.Event().wait()
        return await first_done(events)

    first, second, first_done, second_done = (
        make_bus(), make_bus(), CountingHandler(), CountingHandler(),
    )  # fmt: skip
    consume(first, work, batch_size=1, members=4, by_key=True)
    consume(second, second_done, batch_size=1, members=4, by_key=True)
    await first.start()
    await first.publish([vectorized(number) for number in range(200)])
    await eventually(lambda: len(first_done.seen) == 199, "all others are handled")
    hangs = False
    await second.start()
    await until_idle(second)
    done = first_done.seen + second_done.seen
    assert set(done) == {vectorized(number) for number in range(200)}
    assert done[vectorized(7)] == 1


async def test_a_coordinator_that_is_not_ready_does_not_reset_a_member_to_the_first_offset(
    make_bus: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second, handler = make_bus(), make_bus(), CountingHandler()
    consume(first, handler)
    await first.start()
    sent = [vectorized(number) for number in range(100)]
    await first.publish(sent)
    await until_idle(first)
    assert await first.drain(20)
    send, refusals = AIOKafkaClient.send, [14, 16]  # it is loading, it is another broker

    async def refuse_first(self: AIOKafkaClient, node: int, request: Any, **options: Any) -> Any:
        if isinstance(request, OffsetFetchRequest) and refusals:
            return OffsetFetchResponse_v3(0, [], refusals.pop())
        return await send(self, node, request, **options)

    monkeypatch.setattr(AIOKafkaClient, "send", refuse_first)
    consume(second, handler)
    await second.start()
    await second.publish([vectorized(100)])
    await eventually(lambda: handler.seen[vectorized(100)], "the new one is handled")
    assert not refusals
    assert handler.seen == Counter([*sent, vectorized(100)])


async def test_a_member_whose_next_records_were_deleted_goes_on_at_the_oldest_offset(
    make_bus: Cluster, kafka: Server
) -> None:
    first, second, publisher, handler = make_bus(), make_bus(), make_bus(), CountingHandler()
    consume(first, handler)
    await first.start()
    await first.publish([vectorized(number) for number in range(50)])
    await until_idle(first)
    assert await first.drain(20)
    await publisher.start()
    await publisher.publish([vectorized(number) for number in range(50, 200)])
    await _delete_all(kafka, make_bus.prefix + "track.vectorized")
    left = [vectorized(number) for number in range(200, 250)]
    await publisher.publish(left)
    consume(second, handler)
    await second.start()
    await eventually(lambda: all(handler.seen[event] for event in left), "they are handled")
    assert handler.seen == Counter([*(vectorized(number) for number in range(50)), *left])


async def _delete_all(kafka: Server, topic: str) -> None:
    """Delete a topic's records, as retention does."""
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka.address)
    await admin.start()
    async with AIOKafkaConsumer(bootstrap_servers=kafka.address) as consumer:
        partitions = [TopicPartition(topic, number) for number in range(6)]
        ends = await consumer.end_offsets(partitions)
    await admin.delete_records({tp: RecordsToDelete(end) for tp, end in ends.items()})
    await admin.close()
