"""Reads failures, and claims them for a replay."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import asyncpg

from services.api.store.failures.dead_letters import record_of
from shared.contracts.envelope import Record
from shared.contracts.topics import Stage

_READ = """
SELECT id, stage, kind, message, detail, attempts, path, track_id, library_id, scan_id,
    event_topic AS topic, failed_at, resolved_at
FROM failures WHERE id = ANY($1)
"""
# A claim that is old is of a replay that was cut off: its records may not be published.
_CLAIM = """
WITH claimed AS (
    SELECT id FROM failures
    WHERE resolved_at IS NULL
        AND (claimed_at IS NULL OR claimed_at < now() - interval '10 minutes')
        AND ($1::uuid[] IS NULL OR id = ANY($1)) AND ($2::text IS NULL OR stage = $2)
        AND ($3::text IS NULL OR kind = $3) AND ($4::text IS NULL OR event_topic = $4)
        AND ($5::uuid IS NULL OR track_id = $5) AND failed_at <= $6
    ORDER BY stage, subject LIMIT $7 FOR UPDATE
)
UPDATE failures f SET claimed_at = now() FROM claimed WHERE f.id = claimed.id
RETURNING f.id, f.stage, f.scan_id, f.event_topic, f.event_key, f.event_value, f.event_headers
"""
# A record that has failed again meanwhile is no longer claimed: its failure stays open.
_RESOLVE_CLAIMED = """
WITH claimed AS (
    SELECT id FROM failures WHERE id = ANY($1) AND claimed_at IS NOT NULL
    ORDER BY stage, subject FOR UPDATE
)
UPDATE failures f SET resolved_at = now(), claimed_at = NULL FROM claimed WHERE f.id = claimed.id
"""
# A refused scan is requested again, unless another one does the same by now.
_REVIVE_SCANS = """
UPDATE scans s SET state = 'requested', message = NULL, finished_at = NULL, moved_at = now()
WHERE id = ANY($1) AND state = 'refused' AND NOT EXISTS (
    SELECT FROM scans o
    WHERE (o.library_id, o.folder, o.mode, o.accept_missing)
            = (s.library_id, s.folder, s.mode, s.accept_missing)
        AND o.state IN ('requested', 'walking', 'reading')
)
"""


@dataclass(frozen=True, slots=True)
class StoredFailure:
    """A failure as it is shown."""

    id: UUID
    stage: str
    kind: str
    message: str
    detail: str
    attempts: int
    path: str | None
    track_id: UUID | None
    library_id: UUID | None
    scan_id: UUID | None
    topic: str
    failed_at: datetime
    resolved_at: datetime | None


@dataclass(frozen=True, slots=True)
class FailureSelection:
    """Which open failures; None leaves a field out. `until`: those that failed by then."""

    until: datetime
    ids: list[UUID] | None = None
    stage: str | None = None
    kind: str | None = None
    topic: str | None = None
    track_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Replay:
    """A failure that is claimed, and the record to be published again."""

    id: UUID
    record: Record


async def read_failures(pool: asyncpg.Pool, ids: Sequence[UUID]) -> dict[UUID, StoredFailure]:
    """The failures of the ids that exist."""
    return {row["id"]: StoredFailure(**row) for row in await pool.fetch(_READ, list(ids))}


async def claim_failures(
    connection: asyncpg.Connection, selection: FailureSelection, *, first: int
) -> list[Replay]:
    """Claim `first` of the open failures of a selection, for a replay.

    Commit, then publish the records, then call `resolve_claimed`. Publishing may wait for room in
    a topic, and services make room only while they can write: so no lock is held meanwhile. The
    failures of a replay that is cut off stay open. They can be replayed again after 10 minutes.
    """
    rows = await connection.fetch(
        _CLAIM,
        selection.ids,
        selection.stage,
        selection.kind,
        selection.topic,
        selection.track_id,
        selection.until,
        first,
    )
    scan_ids = [row["scan_id"] for row in rows if row["stage"] == Stage.WALK]
    await connection.execute(_REVIVE_SCANS, scan_ids)
    return [Replay(row["id"], record_of(row)) for row in rows]


async def resolve_claimed(connection: asyncpg.Connection, ids: Sequence[UUID]) -> None:
    """Resolve claimed failures whose records are published, unless they have failed again."""
    await connection.execute(_RESOLVE_CLAIMED, list(ids))
