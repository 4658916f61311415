"""The bus on Kafka where it differs from the one within a process: brokers, members, foreigners."""

import asyncio
import json
import struct
import subprocess
import sys
import time
import uuid
from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.consumer.group_coordinator import GroupCoordinator
from aiokafka.protocol.commit import OffsetFetchRequest, OffsetFetchResponse_v3
from aiokafka.record.util import calc_crc32c
from pytest_asyncio import fixture

from shared.bus.kafka import KafkaBus
from shared.bus.kafka.topics import Layout
from shared.bus.policy import ErrorPolicy
from shared.bus.port import Outcome, Subscription
from shared.contracts.envelope import DeadLetter, Record
from shared.contracts.errors import DependencyDown, FailureKind
from shared.contracts.events import Event, ScanRequested, TrackIndexed, TrackVectorized
from shared.contracts.topics import Stage, Topic
from tests.engines import kafka as engine
from tests.engines.jars import Server
from tests.fetch_debian import NotFetched

QUICK = ErrorPolicy(attempts=3, retry_first_s=0.01, wait_first_s=0.05, wait_cap_s=0.2)
DEADLINE_S = 60.0

Make = Callable[[], KafkaBus]


@fixture
async def make(kafka: Server) -> AsyncIterator[Make]:
    """Makes buses that share topics and groups, as processes of one cluster do."""
    made: list[KafkaBus] = []
    prefix = f"{uuid.uuid4().hex[:8]}."

    def one_more() -> KafkaBus:
        name = f"tests-{len(made)}"
        bus = KafkaBus(
            kafka.address, client=name, policy=QUICK, prefix=prefix, layout=Layout(6)
        )  # fmt: skip
        made.append(bus)
        return bus

    one_more.prefix = prefix  # type: ignore[attr-defined] # what foreign clients must know
    yield one_more
    await asyncio.gather(*(bus.drain(0) for bus in made))


def prefix_of(make: Make) -> str:
    prefix: str = make.prefix  # type: ignore[attr-defined] # set by the fixture
    return prefix


def vectorized(number: int) -> TrackVectorized:
    return TrackVectorized(track_id=f"trk_{number:032x}", content_revision=1, revision=1)


async def eventually(condition: Callable[[], object], what: str) -> None:
    deadline = time.monotonic() + DEADLINE_S
    while not condition():
        assert time.monotonic() < deadline, f"never came true: {what}"
        await asyncio.sleep(0.02)


async def until_idle(bus: KafkaBus) -> None:
    deadline = time.monotonic() + DEADLINE_S
    while any(lag.records for lag in await bus.lag()):
        assert time.monotonic() < deadline, "never idle"
        await asyncio.sleep(0.02)


class Counting:
    """A handler that counts events and takes its time."""

    def __init__(self, takes_s: float = 0) -> None:
        self.seen: Counter[Event] = Counter()
        self._takes_s = takes_s

    async def __call__(self, events: Sequence[Any]) -> Outcome:
        await asyncio.sleep(self._takes_s)
        self.seen.update(events)
        return Outcome()


def consume(bus: KafkaBus, handler: Any, **options: Any) -> None:
    bus.subscribe(Subscription(Topic.TRACK_VECTORIZED, Stage.INDEX, handler, **options))


def keep_dead_letters(bus: KafkaBus) -> list[DeadLetter]:
    kept: list[DeadLetter] = []

    async def keep(letters: Sequence[DeadLetter]) -> None:
        kept.extend(letters)

    bus.subscribe_dead_letters(Stage.FAILURES, keep)
    return kept


async def test_a_broker_that_is_killed_and_comes_back_costs_no_event(
    make: Make, kafka: Server
) -> None:
    async def index(events: Sequence[TrackVectorized]) -> Outcome:
        await asyncio.sleep(0.02)
        return Outcome(emit=[TrackIndexed(track_id=e.track_id, revision=1) for e in events])

    bus, last = make(), Counting()
    consume(bus, index, batch_size=20, members=2)
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


async def test_members_that_come_and_go_while_all_are_busy_run_no_event_twice(make: Make) -> None:
    first, second, third = make(), make(), make()
    seen = [Counting(takes_s=0.1) for _ in range(3)]
    for bus, handler in zip([first, second, third], seen, strict=True):
        consume(bus, handler, batch_size=5)
    await first.start()
    sent = [vectorized(number) for number in range(600)]
    await first.publish(sent)

    async def publish_more() -> None:
        """However long the others take to begin, there is work for all."""
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


async def test_what_a_killed_member_had_taken_is_done_by_another(make: Make, kafka: Server) -> None:
    script = Path(__file__).with_name("kafka_member.py")
    doomed = await asyncio.create_subprocess_exec(
        sys.executable, script, kafka.address, prefix_of(make), stdout=subprocess.PIPE,
        cwd=Path(__file__).parents[2], env={"PYTHONPATH": "."},
    )  # fmt: skip
    try:
        bus, handler = make(), Counting()
        sent = [vectorized(number) for number in range(50)]
        consume(bus, handler)
        publisher = make()
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


async def test_a_stage_that_waits_for_a_dependency_does_not_hold_up_its_group(make: Make) -> None:
    down = True

    async def work(events: Sequence[Any]) -> Outcome:
        if down:
            raise DependencyDown("the gateway is out of reach")
        return await done(events)

    first, second, done = make(), make(), Counting()
    sent = [vectorized(number) for number in range(60)]
    consume(first, work, batch_size=5)
    consume(second, done, batch_size=5)
    await first.start()
    await first.publish(sent)
    await eventually(lambda: first.health().paused, "the first waits")
    await second.start()
    await eventually(lambda: len(done.seen) > 10, "the second has its share")
    assert first.health().paused
    down = False
    await eventually(lambda: len(done.seen) == 60, "all are handled")
    assert done.seen == Counter(sent)


GOOD = vectorized(1).model_dump_json().encode()


@pytest.mark.parametrize(
    ("value", "headers", "named"),
    [
        (b"not json at all", [], "JSON"),
        (b'{"track_id": 5}', [], "track_id"),
        (GOOD, [("ce_type", b"soniquebay.track.vectorized.v9")], "v9"),
        (b"[" + b'"x",' * 500_000 + b'"x"]', [], "the value"),
        (b"no", [("x-note", b"\xff\xfe"), ("x-note-2", b"")], "JSON"),
    ],
    ids=["not JSON", "wrong schema", "unknown version", "2 MB", "header that is no UTF-8"],
)
async def test_a_foreign_record_that_is_no_event_is_a_dead_letter_and_stops_nobody(
    make: Make, kafka: Server, value: bytes, headers: list[tuple[str, bytes]], named: str
) -> None:
    bus, handler = make(), Counting()
    consume(bus, handler)
    letters = keep_dead_letters(bus)
    await bus.start()
    topic = prefix_of(make) + "track.vectorized"
    async with AIOKafkaProducer(
        bootstrap_servers=kafka.address, max_request_size=2**23
    ) as foreigner:
        for n in (1, 2):
            await foreigner.send_and_wait(topic, vectorized(n).model_dump_json().encode(), b"k")
            await foreigner.send_and_wait(topic, value, key=b"k", headers=headers)
        await foreigner.send_and_wait(topic, vectorized(3).model_dump_json().encode(), b"k")
    await eventually(lambda: len(letters) == 2 and len(handler.seen) == 3, "all have their place")
    for letter in letters:
        assert letter.kind is FailureKind.INVALID
        assert named in letter.message
        assert letter.record == Record("track.vectorized", b"k", value, dict(headers))


async def test_a_header_whose_name_is_no_utf8_is_stepped_over(make: Make, kafka: Server) -> None:
    bus, handler = make(), Counting()
    consume(bus, handler)
    letters = keep_dead_letters(bus)
    await bus.start()
    await bus.publish([vectorized(1)])
    async with AIOKafkaProducer(bootstrap_servers=kafka.address) as foreigner:
        await foreigner.send_batch(
            _with_bad_name(foreigner), prefix_of(make) + "track.vectorized", partition=0
        )
    await bus.publish([vectorized(number) for number in range(2, 100)])
    await eventually(lambda: len(handler.seen) == 99 and letters, "the others are handled")
    (letter,) = letters
    assert letter.kind is FailureKind.INVALID
    assert "partition 0, offset" in letter.message
    assert "name is no UTF-8" in letter.message


def _with_bad_name(producer: AIOKafkaProducer) -> Any:
    """A batch of one record, with bytes that aiokafka would refuse to write itself."""
    batch = producer.create_batch()
    batch.append(key=b"k", value=b"{}", timestamp=None, headers=[("nnnn", b"")])
    batch.close()
    built = batch._build

    def spoil() -> bytearray:
        told = bytearray(built())
        start = told.index(b"nnnn")
        told[start : start + 2] = b"\xff\xfe"
        struct.pack_into(">I", told, 17, calc_crc32c(bytes(told[21:])))
        return told

    batch._build = spoil
    return batch


@pytest.mark.parametrize("codec", ["none", "gzip", "snappy", "lz4", "zstd"])
async def test_kafkas_own_command_line_asks_for_a_scan(
    make: Make, kafka: Server, codec: str
) -> None:
    try:
        tools = engine.fetch_tools()
    except NotFetched as error:
        pytest.skip(f"Kafka's command-line clients cannot be had here: {error}")
    bus, handler = make(), Counting()
    bus.subscribe(Subscription(Topic.SCAN_REQUESTED, Stage.WALK, handler, batch_size=1))
    await bus.start()
    line = "/srv/music\t" + json.dumps({"root": "/srv/music"}) + "\n"
    await asyncio.to_thread(
        engine.produce, tools, kafka.address, prefix_of(make) + "scan.requested", line,
        "--compression-codec", codec,
    )  # fmt: skip
    await eventually(lambda: handler.seen, "it is heard")
    assert handler.seen == Counter([ScanRequested(root="/srv/music")])


@pytest.mark.parametrize("key", [b"k", b"k" * 20_000], ids=["small key", "key too large as well"])
async def test_a_dead_letter_too_large_for_its_topic_leaves_its_value_out(
    make: Make, kafka: Server, key: bytes
) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka.address)
    await admin.start()
    small = {"max.message.bytes": "10000"}
    name = prefix_of(make) + "track.vectorized.dlq"
    await admin.create_topics([NewTopic(name, 1, 1, topic_configs=small)])
    await admin.close()
    bus, handler = make(), Counting()
    consume(bus, handler)
    letters = keep_dead_letters(bus)
    await bus.start()
    await bus.publish_records([Record("track.vectorized", key, b"[" * 20_000)])
    await bus.publish([vectorized(1)])
    await eventually(lambda: letters and handler.seen, "both have their place")
    assert letters[0].record == Record("track.vectorized", key[:1000], b"")
    assert "JSON" in letters[0].message
    assert "larger than the brokers take" in letters[0].message


async def test_a_coordinator_that_is_not_ready_does_not_send_a_member_back_to_the_beginning(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second, handler = make(), make(), Counting()
    consume(first, handler)
    await first.start()
    sent = [vectorized(number) for number in range(100)]
    await first.publish(sent)
    await until_idle(first)
    assert await first.drain(20)
    asks, refusals = GroupCoordinator._send_req, [14, 16]  # it loads, it is another one

    async def refuse_first(self: GroupCoordinator, request: Any) -> Any:
        if isinstance(request, OffsetFetchRequest) and refusals:
            return OffsetFetchResponse_v3(0, [], refusals.pop())
        return await asks(self, request)

    monkeypatch.setattr(GroupCoordinator, "_send_req", refuse_first)
    consume(second, handler)
    await second.start()
    await second.publish([vectorized(100)])
    await eventually(lambda: handler.seen[vectorized(100)], "the new one is handled")
    assert not refusals
    assert handler.seen == Counter([*sent, vectorized(100)])


async def test_topics_are_declared_by_whoever_comes_first(make: Make, kafka: Server) -> None:
    await asyncio.gather(*(make().start() for _ in range(3)))
    await make().start()
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka.address)
    await admin.start()
    names = [prefix_of(make) + name for name in ("file.found", "file.found.dlq")]
    told = {topic["topic"]: topic for topic in await admin.describe_topics(names)}
    (answer,) = await admin.describe_configs(
        [ConfigResource(ConfigResourceType.TOPIC, name) for name in names]
    )
    await admin.close()
    configs = {each[3]: {entry[0]: entry[1] for entry in each[4]} for each in answer.resources}
    assert [len(told[name]["partitions"]) for name in names] == [6, 1]
    week_ms = 7 * 24 * 3600 * 1000
    assert [int(configs[name]["retention.ms"]) for name in names] == [week_ms, 4 * week_ms]
    assert {configs[name]["cleanup.policy"] for name in names} == {"delete"}
