"""Events, their envelopes, and the checked-in schemas."""

import json
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from shared.contracts import schemas
from shared.contracts.envelope import (
    DeadLetter,
    Record,
    Sent,
    decode,
    decode_dead_letter,
    encode,
    encode_dead_letter,
    event_of,
    event_type,
    record_of,
)
from shared.contracts.errors import FailureKind, InvalidInput
from shared.contracts.events import (
    EVENT_OF_TOPIC,
    EVENTS,
    AudioAnalyzed,
    Event,
    FileFound,
    FileMissing,
    ScanRequested,
    TrackChange,
    TrackExtracted,
    TrackIndexed,
    TrackVectorized,
)
from shared.contracts.identity import encode_path
from shared.contracts.topics import CONSUMERS, Topic

TRACK = "trk_" + "0" * 31 + "1"
FILE = {"library_id": "lib_" + "a" * 32, "scan_id": "scn_" + "b" * 32}
SAMPLES: tuple[Event, ...] = (
    ScanRequested(library="home", folder="new"),
    FileFound(**FILE, path=encode_path(b"caf\xe9.mp3"), size_bytes=9, mtime_ns=-1),
    FileMissing(**FILE, path="a/b.flac"),
    TrackExtracted(track_id=TRACK, change=TrackChange.CREATED, content_revision=1, revision=2),
    AudioAnalyzed(track_id=TRACK, analyzer_version="1", content_revision=1, revision=2),
    TrackVectorized(track_id=TRACK, content_revision=1, revision=2),
    TrackIndexed(track_id=TRACK, revision=2),
)
NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


def test_every_topic_has_an_event_a_consumer_and_a_sample() -> None:
    topics = set(Topic)
    assert set(EVENT_OF_TOPIC) == set(CONSUMERS) == {sample.topic for sample in SAMPLES} == topics
    assert len(EVENTS) == len(topics)


@pytest.mark.parametrize("event", SAMPLES, ids=lambda event: event.topic.value)
def test_an_event_survives_its_envelope(event: Event) -> None:
    record = encode(event, source="extractor", time=NOON)
    assert decode(record) == event
    assert decode(Record(record.topic, b"", record.value)) == event  # as other clients send it
    assert record.key.decode() == event.key


@pytest.mark.parametrize("event", SAMPLES, ids=lambda event: event.topic.value)
def test_an_event_sent_in_one_process_becomes_the_same_record_on_demand(event: Event) -> None:
    sent = Sent(event, source="extractor", time=NOON)
    record = encode(event, source="extractor", time=NOON)
    assert record_of(sent) == record_of(record) == record
    assert (sent.topic, sent.key) == (record.topic, record.key)
    assert event_of(sent) == event_of(record) == event


def test_an_envelope_is_a_cloud_event_in_binary_mode() -> None:
    event = SAMPLES[-1]
    berlin = timezone(timedelta(hours=1))
    record = encode(event, source="indexer", time=NOON.astimezone(berlin))
    assert record.topic == "track.indexed"
    assert {name: value.decode() for name, value in record.headers.items()} == {
        "ce_specversion": "1.0",
        "ce_id": event.event_id,
        "ce_source": "/soniquebay/indexer",
        "ce_type": "soniquebay.track.indexed.v1",
        "ce_time": "2026-01-01T12:00:00+00:00",
        "ce_subject": TRACK,
        "content-type": "application/json",
    }


def test_equal_events_have_the_same_id_and_different_events_different_ids() -> None:
    ids = [TrackIndexed(track_id=TRACK, revision=revision).event_id for revision in (1, 2, 1)]
    assert ids[0] == ids[2] != ids[1]
    # A fixed value: if ids changed between versions, repeated events would look new.
    assert ids[0] == "71312aaf8191f38c9841b34ee07296ed"
    assert len({sample.event_id for sample in SAMPLES}) == len(SAMPLES)


def test_events_cannot_be_changed() -> None:
    with pytest.raises(ValidationError):
        SAMPLES[-1].revision = 3  # type: ignore[attr-defined] # it must fail


@pytest.mark.parametrize(
    "fields",
    [{}, {"library": ""}, {"folder": "x"}, {"library": "x", "mode": "deep"}],
    ids=["nothing", "empty name", "folder alone", "unknown mode"],
)
def test_a_scan_request_names_a_library_or_a_root(fields: dict[str, str]) -> None:
    record = Record("scan.requested", b"", json.dumps(fields).encode())
    with pytest.raises(InvalidInput, match=r"^scan\.requested: "):
        decode(record)


@pytest.mark.parametrize("field", ["size_bytes", "mtime_ns"])
def test_a_number_that_the_database_cannot_hold_is_no_event(field: str) -> None:
    sample = FileFound(**FILE, path="a.mp3", size_bytes=2**63 - 1, mtime_ns=-1)
    value = sample.model_dump() | {field: 2**63}
    with pytest.raises(InvalidInput, match=field):
        decode(Record("file.found", b"", json.dumps(value).encode()))


@given(st.binary(), st.dictionaries(st.sampled_from(["ce_type", "ce_id"]), st.binary()))
def test_any_record_decodes_to_an_event_or_raises_invalid_input(
    value: bytes, headers: dict[str, bytes]
) -> None:
    for topic in Topic:
        try:
            assert isinstance(decode(Record(topic.value, b"", value, headers)), Event)
        except InvalidInput as error:
            assert str(error).startswith(topic.value)


@given(
    key=st.binary(),
    value=st.binary(),
    kind=st.sampled_from(FailureKind),
    message=st.text(),
    attempts=st.integers(1, 99),
)
def test_a_dead_letter_keeps_its_record_and_its_reason(
    key: bytes, value: bytes, kind: FailureKind, message: str, attempts: int
) -> None:
    record = Record("file.found", key, value, {"ce_id": b"7", "trace": b"\xff"})
    sendable = message.encode(errors="replace").decode()
    letter = DeadLetter(record, "extractor.read", kind, sendable, "Traceback", attempts)
    sent = encode_dead_letter(letter)
    assert sent.topic == "file.found.dlq"
    assert decode_dead_letter(sent) == letter


def test_a_dead_letter_with_invalid_headers_is_read_with_defaults() -> None:
    headers = {"x-dlq-kind": b"odd", "x-dlq-attempts": b"\xffmany", "x-dlq-message": b"so"}
    letter = decode_dead_letter(Record("file.found.dlq", b"", b"", headers))
    assert (letter.kind, letter.attempts, letter.message) == (FailureKind.BUG, 1, "so")
    assert letter.record == Record("file.found", b"", b"", {})


@pytest.mark.parametrize("digits", [7, 5000])
def test_a_dead_letter_with_too_many_attempts_is_read(digits: int) -> None:
    headers = {"x-dlq-attempts": b"9" * digits}
    assert decode_dead_letter(Record("file.found.dlq", b"", b"", headers)).attempts == 1


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: event.topic.value)
def test_the_checked_in_schemas_are_those_of_the_events(event: type[Event]) -> None:
    text = schemas.file_of(event).read_text(encoding="utf-8")
    assert text == schemas.schema_of(event), "run: python -m shared.contracts.schemas"
    assert json.loads(text)["x-cloudevents-type"] == event_type(event)


def test_there_is_no_schema_without_an_event() -> None:
    kept = {path.name for path in schemas.FOLDER.glob("*.json")}
    assert kept == {schemas.file_of(event).name for event in EVENTS}
