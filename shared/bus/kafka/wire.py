"""Records as aiokafka has them."""

from collections.abc import Sequence

from aiokafka import ConsumerRecord

from shared.contracts.envelope import Record

Headers = Sequence[tuple[str, bytes]]


def record_of(told: ConsumerRecord, topic: str) -> Record:
    """The record that a consumer got, under the topic's own name.

    A missing key or value is an empty one. Of headers with one name the last counts.
    """
    return Record(
        topic=topic,
        key=told.key or b"",
        value=told.value or b"",
        headers={name: value or b"" for name, value in told.headers},
    )


def headers_of(record: Record) -> Headers:
    """The headers as a producer wants them."""
    return list(record.headers.items())
