"""Records of other programs: invalid ones, ones with more fields, and ones without a topic."""

import json

import pytest

from shared.bus.port import Bus
from shared.contracts.envelope import Record
from shared.contracts.errors import FailureKind
from tests.contract.bus_handlers import RecordingHandler, subscribe, vectorized
from tests.contract.conftest import eventually, until_idle

GOOD = json.loads(vectorized(1).model_dump_json())
V1 = {"ce_type": b"soniquebay.track.vectorized.v1", "ce_id": b"42"}


@pytest.mark.parametrize(
    ("value", "headers", "named"),
    [
        (b"{broken", {}, "JSON"),
        (b"\xff\xfe", {}, "JSON"),
        (b"", {}, "JSON"),
        (b"[" * 100_000, {}, "JSON"),
        (b'"text"', {}, "the value"),
        (json.dumps(GOOD | {"note": "x" * 300_000}).encode(), V1, "larger than an event can be"),
        (json.dumps(GOOD | {"revision": "soon"}).encode(), {}, "revision"),
        (json.dumps(GOOD | {"track_id": "../../etc"}).encode(), V1, "track_id"),
        (json.dumps(GOOD | {"content_revision": 0}).encode(), V1, "content_revision"),
        (json.dumps({"track_id": GOOD["track_id"]}).encode(), V1, "content_revision"),
        (json.dumps(GOOD).encode(), {"ce_type": b"soniquebay.track.vectorized.v9"}, "v9"),
        (json.dumps(GOOD).encode(), {"ce_type": b"\xff"}, "type"),
    ],
    ids=[
        "no JSON", "no UTF-8", "empty", "deep", "no object", "too large", "wrong type", "bad id",
        "out of range", "missing field", "unknown version", "type is no UTF-8",
    ],
)  # fmt: skip
async def test_a_record_that_is_no_event_becomes_a_dead_letter_unchanged(
    bus: Bus, value: bytes, headers: dict[str, bytes], named: str
) -> None:
    seen = RecordingHandler()
    dead_letters = subscribe(bus, seen)
    await bus.start()
    bad = Record("track.vectorized", b"\xfe a key", value, headers)
    await bus.publish([vectorized(1)])
    await bus.publish_records([bad])
    await bus.publish([vectorized(2)])
    await until_idle(bus)
    (letter,) = dead_letters.letters
    assert letter.kind is FailureKind.INVALID
    assert letter.record == bad
    assert named in letter.message
    assert set(seen.events) == {vectorized(1), vectorized(2)}


async def test_a_foreign_record_needs_no_headers_and_may_have_more_fields(bus: Bus) -> None:
    seen = RecordingHandler()
    subscribe(bus, seen)
    await bus.start()
    value = json.dumps(GOOD | {"mood": "fine"}).encode()
    await bus.publish_records([Record("track.vectorized", b"", value)])
    await eventually(lambda: seen.events == [vectorized(1)], "it is handled")


async def test_records_of_an_unknown_topic_are_refused(bus: Bus) -> None:
    await bus.start()
    with pytest.raises(ValueError, match=r"track\.lost"):
        await bus.publish_records([Record("track.lost", b"k", b"{}")])
