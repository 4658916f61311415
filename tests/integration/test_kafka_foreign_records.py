"""Records of other Kafka clients: invalid ones do not stop a member."""

import asyncio
import json
import struct
from collections import Counter
from typing import Any

import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.record.util import calc_crc32c

from shared.bus.port import Subscription
from shared.contracts.envelope import Record
from shared.contracts.errors import FailureKind
from shared.contracts.events import ScanRequested
from shared.contracts.topics import Stage, Topic
from tests.engines import kafka as engine
from tests.engines.jars import Server
from tests.fetch_debian import NotFetched
from tests.integration.kafka_buses import (
    Cluster,
    CountingHandler,
    consume,
    eventually,
    keep_dead_letters,
    make_bus,
    vectorized,
)

__all__ = ["make_bus"]

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
async def test_an_invalid_foreign_record_becomes_a_dead_letter_and_stops_no_member(
    make_bus: Cluster, kafka: Server, value: bytes, headers: list[tuple[str, bytes]], named: str
) -> None:
    bus, handler = make_bus(), CountingHandler()
    consume(bus, handler)
    letters = keep_dead_letters(bus)
    await bus.start()
    topic = make_bus.prefix + "track.vectorized"
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


@pytest.mark.parametrize("by_key", [False, True])
async def test_a_header_name_that_is_not_utf8_is_skipped(
    make_bus: Cluster, kafka: Server, by_key: bool
) -> None:
    bus, handler = make_bus(), CountingHandler()
    consume(bus, handler, by_key=by_key)
    letters = keep_dead_letters(bus)
    await bus.start()
    await bus.publish([vectorized(1)])
    async with AIOKafkaProducer(bootstrap_servers=kafka.address) as foreigner:
        await foreigner.send_batch(
            _with_bad_name(foreigner), make_bus.prefix + "track.vectorized", partition=0
        )
    await bus.publish([vectorized(number) for number in range(2, 100)])
    await eventually(lambda: len(handler.seen) == 99 and letters, "the others are handled")
    (letter,) = letters
    assert letter.kind is FailureKind.INVALID
    assert "partition 0, offset" in letter.message
    assert "name is not UTF-8" in letter.message


def _with_bad_name(producer: AIOKafkaProducer) -> Any:
    """A batch of one record, with bytes that aiokafka itself would refuse to write."""
    batch = producer.create_batch()
    batch.append(key=b"k", value=b"{}", timestamp=None, headers=[("nnnn", b"")])
    batch.close()
    built = batch._build

    def spoil() -> bytearray:
        content = bytearray(built())
        start = content.index(b"nnnn")
        content[start : start + 2] = b"\xff\xfe"
        struct.pack_into(">I", content, 17, calc_crc32c(bytes(content[21:])))
        return content

    batch._build = spoil
    return batch


@pytest.mark.parametrize("codec", ["none", "gzip", "snappy", "lz4", "zstd"])
async def test_kafkas_command_line_can_request_a_scan(
    make_bus: Cluster, kafka: Server, codec: str
) -> None:
    try:
        tools = engine.fetch_tools()
    except NotFetched as error:
        pytest.skip(f"Kafka's command-line clients are not available here: {error}")
    bus, handler = make_bus(), CountingHandler()
    bus.subscribe(Subscription(Topic.SCAN_REQUESTED, Stage.WALK, handler, batch_size=1))
    await bus.start()
    line = "/srv/music\t" + json.dumps({"root": "/srv/music"}) + "\n"
    await asyncio.to_thread(
        engine.produce, tools, kafka.address, make_bus.prefix + "scan.requested", line,
        "--compression-codec", codec,
    )  # fmt: skip
    await eventually(lambda: handler.seen, "it is heard")
    assert handler.seen == Counter([ScanRequested(root="/srv/music")])
