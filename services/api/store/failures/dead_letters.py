"""Makes rows of `failures` of dead letters, and records of rows. Pure."""

import base64
import hashlib
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any
from uuid import UUID

import asyncpg

from services.api.identity import bounded
from shared.contracts.envelope import DeadLetter, Record, decode
from shared.contracts.errors import InvalidInput
from shared.contracts.events import Event, FileFound, FileMissing, ScanRequested, TrackEvent
from shared.contracts.identity import display_path, parse_id
from shared.contracts.topics import Stage

_DETAIL_LIMIT = 20_000
MESSAGE_LIMIT = 2_000
PATH_LIMIT_BYTES = 2_500  # as for tracks


@dataclass(frozen=True, slots=True)
class FailureRow:
    """A dead letter and what it is about."""

    letter: DeadLetter
    event: Event | None
    subject: str
    track_id: UUID | None = None
    library_id: UUID | None = None
    path: str | None = None
    scan_id: UUID | None = None


def failure_row(letter: DeadLetter) -> FailureRow:
    """What a letter is about, as far as its record can be decoded."""
    record = letter.record
    try:
        event = decode(record)
    except (InvalidInput, ValueError):
        digest = hashlib.sha256(record.key + b"\0" + record.value).hexdigest()
        return FailureRow(letter, None, f"{record.topic}:{digest}")
    if isinstance(event, TrackEvent):
        return FailureRow(letter, event, event.track_id, track_id=parse_id(event.track_id)[1])
    if isinstance(event, FileFound | FileMissing):
        return FailureRow(
            letter,
            event,
            bounded(f"{event.library_id}:{event.path}"),
            library_id=parse_id(event.library_id)[1],
            path=event.path,
            scan_id=parse_id(event.scan_id)[1],
        )
    if isinstance(event, ScanRequested) and event.scan_id:
        return FailureRow(letter, event, event.scan_id, scan_id=parse_id(event.scan_id)[1])
    return FailureRow(letter, event, bounded(f"{record.topic}:{event.key}"))


def columns_of(row: FailureRow, track: asyncpg.Record | None) -> dict[str, Any]:
    """The columns of `failures` by name; `track` is the one that the letter is about, if any."""
    letter = row.letter
    path = row.path or (track and track["path"])
    content = getattr(row.event, "content_revision", None)
    return {
        "stage": clean(letter.stage, 100),
        "subject": row.subject,
        "kind": letter.kind.value,
        "message": _message(letter.message, path),
        "detail": clean(letter.detail, _DETAIL_LIMIT),
        "attempts": letter.attempts,
        "track_id": track and str(track["id"]),
        "library_id": row.library_id or (track and track["library_id"]),
        "path": path,
        "scan_id": row.scan_id,
        "event_topic": clean(letter.record.topic, 200),
        "event_key": "\\x" + letter.record.key.hex(),
        "event_value": "\\x" + letter.record.value.hex(),
        "event_headers": {
            clean(name, 200): base64.b64encode(value).decode()
            for name, value in letter.record.headers.items()
        },
        "is_stale": _is_stale(row, content, track) if track else _is_of_removed_track(row),
    }


def _is_of_removed_track(row: FailureRow) -> bool:
    """Whether the track was removed since. That the index does not delete it still matters."""
    return row.track_id is not None and row.letter.stage != Stage.INDEX


def _is_stale(row: FailureRow, content: int | None, track: asyncpg.Record) -> bool:
    """Whether the failure no longer matters: the file has changed since, or is known to be missing.

    A missing track is still removed from the index, which may fail.
    """
    if content and content < track["content_revision"]:
        return True
    return bool(track["is_missing"]) and row.letter.stage in {Stage.ANALYZE, Stage.VECTORIZE}


def _message(message: str, path: str | None) -> str:
    """The message, with the file's name before it unless it contains it."""
    cleaned = clean(message, MESSAGE_LIMIT) or "it failed without a message"
    name = display_path(PurePosixPath(path).name) if path else ""
    return cleaned if not name or name in cleaned else f"{name}: {cleaned}"


def clean(text: str, limit: int) -> str:
    """The text as PostgreSQL can store it: no NUL, valid Unicode, `limit` characters."""
    return text.replace("\0", "").encode(errors="replace").decode()[:limit]


def record_of(row: asyncpg.Record) -> Record:
    """The record as it was published, to be published again."""
    return Record(
        topic=row["event_topic"],
        key=row["event_key"],
        value=row["event_value"],
        headers={name: base64.b64decode(value) for name, value in row["event_headers"].items()},
    )
