"""Records as they travel, and how events become records: CloudEvents 1.0, Kafka binary mode.

The attributes are headers (`ce_id`, `ce_type`, ...), the value is the event's JSON, the record's
key is the event's key. A foreign client may leave the headers out: the topic then says what the
record is, and version 1 is assumed.
Source: CloudEvents Kafka protocol binding 1.0.2, section 3.2.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache

from pydantic import ValidationError

from shared.contracts.errors import FailureKind, InvalidInput
from shared.contracts.events import EVENT_OF_TOPIC, Event
from shared.contracts.topics import DEAD_LETTER_SUFFIX, Topic

TYPE_PREFIX = "soniquebay."
LARGEST_VALUE_BYTES = 256 * 1024
"""More than any event takes; larger values are not parsed."""
_ATTEMPTS_DIGITS = 6


@dataclass(frozen=True, slots=True)
class Record:
    """One record of a topic, as bytes."""

    topic: str
    key: bytes
    value: bytes
    headers: Mapping[str, bytes] = field(default_factory=dict)


class Sent:
    """An event sent within the process: it is encoded only if it becomes a dead letter.

    Attributes:
        event: the event.
        topic: the name of its topic.
        key: events of one key keep their order.
    """

    __slots__ = ("_source", "_time", "event", "key", "topic")

    def __init__(self, event: Event, *, source: str, time: datetime) -> None:
        self.event = event
        self.topic = event.topic.value
        self.key = event.key.encode()
        self._source = source
        self._time = time

    def record(self) -> Record:
        """The record of the event, as another bus would carry it."""
        return encode(self.event, source=self._source, time=self._time)


Message = Record | Sent
"""What a bus carries."""


def record_of(message: Message) -> Record:
    """A message as a record."""
    return message.record() if isinstance(message, Sent) else message


def event_of(message: Message) -> Event:
    """The event of a message.

    Raises:
        InvalidInput: the record is not a valid event; the message names the field.
    """
    return message.event if isinstance(message, Sent) else decode(message)


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A record that could not be handled: the original bytes, and why."""

    record: Record
    """The original, with its own topic, key, value and headers."""
    stage: str
    """The consumer group that gave up."""
    kind: FailureKind
    message: str
    detail: str
    """The traceback of a bug, else empty."""
    attempts: int


def event_type(event: type[Event]) -> str:
    """The CloudEvents type of an event: `soniquebay.<topic>.v<version>`."""
    return f"{TYPE_PREFIX}{event.topic.value}.v{event.version}"


def encode(event: Event, *, source: str, time: datetime) -> Record:
    """The record of an event. `source` is the emitting service, `time` when it was emitted."""
    key = event.key.encode()
    value = event.model_dump_json()
    headers = {
        **_common_headers(type(event), source, time),
        "ce_id": event.id_of(value).encode(),
        "ce_subject": key,
    }
    return Record(topic=event.topic.value, key=key, value=value.encode(), headers=headers)


@lru_cache(maxsize=64)
def _common_headers(event: type[Event], source: str, time: datetime) -> Mapping[str, bytes]:
    """The headers that events emitted together share: one copy for thousands in memory."""
    headers = {
        "ce_specversion": "1.0",
        "ce_source": f"/soniquebay/{source}",
        "ce_type": event_type(event),
        "ce_time": time.astimezone(UTC).isoformat(),
        "content-type": "application/json",
    }
    return {name: text.encode() for name, text in headers.items()}


def decode(record: Record) -> Event:
    """The event of a record.

    Raises:
        InvalidInput: it is not a valid event; the message names the field.
    """
    event = EVENT_OF_TOPIC[Topic(record.topic)]
    if len(record.value) > LARGEST_VALUE_BYTES:
        raise InvalidInput(
            f"{record.topic}: the value is larger than an event can be:"
            f" {len(record.value)} bytes, at most {LARGEST_VALUE_BYTES}"
        )
    declared = record.headers.get("ce_type")
    if declared is not None and declared != event_type(event).encode():
        shown = declared.decode(errors="replace")
        raise InvalidInput(
            f"{record.topic}: type {shown!r} is unknown, expected {event_type(event)!r}"
        )
    try:
        return event.model_validate_json(record.value)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"]) or "the value"
        raise InvalidInput(f"{record.topic}: {where}: {first['msg']}") from error


_DLQ = "x-dlq-"
_KINDS = {kind.value: kind for kind in FailureKind}


def encode_dead_letter(letter: DeadLetter) -> Record:
    """The dead letter's record: original bytes and headers, and `x-dlq-*` headers beside them."""
    fields = {
        "stage": letter.stage,
        "kind": letter.kind.value,
        "message": letter.message,
        "detail": letter.detail,
        "attempts": str(letter.attempts),
    }
    headers = {_DLQ + name: text.encode(errors="replace") for name, text in fields.items()}
    original = letter.record
    return Record(
        topic=original.topic + DEAD_LETTER_SUFFIX,
        key=original.key,
        value=original.value,
        headers={**original.headers, **headers},
    )


def decode_dead_letter(record: Record) -> DeadLetter:
    """Read a dead letter back; the record in it can be published again as it is.

    Never fails: missing or wrong headers of an unknown writer count as the first attempt of a bug.
    """

    def field_of(name: str) -> str:
        return record.headers.get(_DLQ + name, b"").decode(errors="replace")

    attempts = field_of("attempts")
    return DeadLetter(
        record=Record(
            topic=record.topic.removesuffix(DEAD_LETTER_SUFFIX),
            key=record.key,
            value=record.value,
            headers={n: v for n, v in record.headers.items() if not n.startswith(_DLQ)},
        ),
        stage=field_of("stage"),
        kind=_KINDS.get(field_of("kind"), FailureKind.BUG),
        message=field_of("message"),
        detail=field_of("detail"),
        attempts=int(attempts) if _is_count(attempts) else 1,
    )


def _is_count(text: str) -> bool:
    """Whether it is a number of attempts that the database can hold."""
    return text.isdecimal() and len(text) <= _ATTEMPTS_DIGITS
