"""Items that tests write to the store: vectors, events, dead letters, scans."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import asyncpg
import numpy as np

from services.api.store import scans
from services.api.store.results import TrackUpserted
from services.api.store.vectors.spaces import register_spaces, validate_space
from shared.contracts.envelope import DeadLetter, encode
from shared.contracts.errors import FailureKind
from shared.contracts.events import Event, FileFound, TrackExtracted
from shared.contracts.identity import IdKind, format_id
from shared.contracts.topics import Stage
from tests.integration.conftest import track_item

AUDIO = {"space": "AUDIO", "model": "m", "version": "1", "dimensions": 4}
TEXT = {"space": "TEXT", "model": "m", "version": "1", "dimensions": 3}


def part_item(number: int, count: int, path: str = "a.flac", **changes: Any) -> dict[str, Any]:
    """An item of a part that lasts a minute; each has a content of its own."""
    return track_item(
        path,
        title=f"{number} of {count}",
        content_hash=f"{number:032x}",
        images_digest=count,
        part={
            "number": number, "count": count, "start_s": number * 60.0,
            "end_s": None if number == count else number * 60.0 + 60, "cue_sheet": "a.cue",
        },
        **changes,
    )  # fmt: skip


def track_of(result: TrackUpserted) -> str:
    assert result.id is not None
    return format_id(IdKind.TRACK, result.id)


def vector(track: TrackUpserted, wanted: dict[str, Any], **changes: Any) -> dict[str, Any]:
    values = np.ones(wanted["dimensions"], np.float32)
    return {
        "track_id": track_of(track),
        "content_revision": track.content_revision,
        "space": wanted,
        "values": values / np.linalg.norm(values),
        **changes,
    }


def letter(
    event: Event, stage: Stage, message: str = "broken", kind: FailureKind = FailureKind.INVALID
) -> DeadLetter:
    record = encode(event, source="test", time=datetime.now(UTC))
    return DeadLetter(record, stage, kind, message, "", 1)


def found(library_id: UUID, scan: UUID, path: str) -> FileFound:
    return FileFound(
        library_id=format_id(IdKind.LIBRARY, library_id),
        scan_id=format_id(IdKind.SCAN, scan),
        path=path,
        size_bytes=1_000,
        mtime_ns=1_700_000_000_000_000_000,
    )


def extracted(track: TrackUpserted) -> TrackExtracted:
    return TrackExtracted(
        track_id=track_of(track),
        change="created",
        content_revision=track.content_revision,
        revision=track.revision,
    )


async def begin_scan(pool: asyncpg.Pool, to_read: int, mode: str = "incremental") -> UUID:
    async with pool.acquire() as connection:
        scan, _ = await scans.request(connection, library="music", root=None, folder="", mode=mode)
        await scans.begin(connection, scan)
        await scans.report(
            connection, scan, seen=to_read, to_read=to_read, unchanged=0, missing=0,
            is_finished=True, message=None,
        )  # fmt: skip
    return scan


async def register_both(pool: asyncpg.Pool) -> None:
    await register_spaces(pool, [validate_space(AUDIO), validate_space(TEXT)])


async def deadlocks(pool: asyncpg.Pool) -> int:
    """The deadlocks that the server has resolved so far, also those that were retried."""
    taken = [await pool.acquire() for _ in range(pool.get_size())]
    for connection in taken:
        await connection.execute("SELECT pg_stat_force_next_flush()")
        await pool.release(connection)
    count: int = await pool.fetchval("SELECT sum(deadlocks)::int FROM pg_stat_database")
    return count
