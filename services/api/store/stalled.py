"""Finds stalled tracks and scans for the reconciler; each query is a cheap look at an index.

Only tracks to be analysed again are sorted: once for each batch of them.
"""

from dataclasses import dataclass
from uuid import UUID

import asyncpg

from services.api.store.tracks.delete import RemovedTrack
from shared.contracts.identity import IdKind
from shared.contracts.topics import Stage


@dataclass(frozen=True, slots=True)
class WaitingTrack:
    """A track that waits for a stage."""

    id: UUID
    revision: int
    content_revision: int
    is_missing: bool


@dataclass(frozen=True, slots=True)
class StalledScan:
    """A scan that was cut off while it walked or read."""

    id: UUID
    library: str
    root: str
    folder: str
    mode: str
    accept_missing: bool
    state: str
    walks: int


_WAITS_FOR_ANALYSIS = f"""
    NOT t.is_missing AND (
        t.analyzed_content_revision IS DISTINCT FROM t.content_revision
        OR t.vectorized_content_revision IS DISTINCT FROM t.content_revision
    )
    AND t.analyzed_content_revision IS DISTINCT FROM t.content_revision
    AND NOT EXISTS (
        SELECT FROM failures f
        WHERE f.track_id = t.id AND f.resolved_at IS NULL AND f.stage = '{Stage.ANALYZE}'
    )
"""
# Never analysed, or only a content before this one.
_NEW_TO_ANALYZE = f"""
SELECT id, revision, content_revision, is_missing FROM tracks t
WHERE {_WAITS_FOR_ANALYSIS}
    AND (t.analyzer_version IS NULL OR t.analyzed_content_revision IS NOT NULL)
ORDER BY id LIMIT $1
"""  # noqa: S608 - as above
# The analysis of another version is shown meanwhile. First come tracks that are played most, by the
# counts of other programs; then those with the least certain results, which gain most.
_TO_ANALYZE_AGAIN = f"""
SELECT t.id, t.revision, t.content_revision, t.is_missing
FROM tracks t
LEFT JOIN analyses a ON a.track_id = t.id AND a.analyzer_version = t.analyzer_version
LEFT JOIN LATERAL (
    SELECT max(play_count) AS plays FROM imported_facts i WHERE i.track_id = t.id
) i ON true
WHERE {_WAITS_FOR_ANALYSIS}
    AND t.analyzer_version IS NOT NULL AND t.analyzed_content_revision IS NULL
ORDER BY i.plays DESC NULLS LAST, least(a.tempo_confidence, a.key_confidence) NULLS FIRST, t.id
LIMIT $1
"""  # noqa: S608 - as above
REANALYSIS_LIMIT = 200
"""How many are analysed again at a time: new tracks wait for no more than these."""
_TO_VECTORIZE = f"""
SELECT id, revision, content_revision, is_missing FROM tracks t
WHERE NOT is_missing AND (
        analyzed_content_revision IS DISTINCT FROM content_revision
        OR vectorized_content_revision IS DISTINCT FROM content_revision
    )
    AND analyzed_content_revision = content_revision
    AND NOT EXISTS (
        SELECT FROM failures f
        WHERE f.track_id = t.id AND f.resolved_at IS NULL AND f.stage = '{Stage.VECTORIZE}'
    )
ORDER BY id LIMIT $1
"""  # noqa: S608 - as above
# Tracks that no further event will bring to the index: missing, complete, or stopped by a failure.
_TO_INDEX = f"""
SELECT id, revision, content_revision, is_missing FROM tracks t
WHERE indexed_revision < revision
    AND (
        is_missing
        OR (analyzed_content_revision = content_revision
            AND vectorized_content_revision = content_revision)
        OR EXISTS (
            SELECT FROM failures f WHERE f.track_id = t.id AND f.resolved_at IS NULL
        )
    )
    AND NOT EXISTS (
        SELECT FROM failures f
        WHERE f.track_id = t.id AND f.resolved_at IS NULL AND f.stage = '{Stage.INDEX}'
    )
ORDER BY id LIMIT $1
"""  # noqa: S608 - as above
# Tracks that were deleted, and that the index may still have.
_TO_REMOVE = f"""
SELECT r.track_id AS id, r.revision FROM removed_tracks r
WHERE NOT EXISTS (
    SELECT FROM failures f
    WHERE f.subject = '{IdKind.TRACK}_' || replace(r.track_id::text, '-', '')
        AND f.resolved_at IS NULL AND f.stage = '{Stage.INDEX}'
)
ORDER BY removed_at, track_id LIMIT $1
"""  # noqa: S608 - as above
# $1: a grace period, since a scan that was just requested is not on the bus yet.
_SCANS = """
SELECT s.id, l.name AS library, s.root, s.folder, s.mode, s.accept_missing, s.state,
    s.walks
FROM scans s JOIN libraries l ON l.id = s.library_id
WHERE s.state IN ('requested', 'walking', 'reading')
    AND s.moved_at < now() - make_interval(secs => $1)
ORDER BY s.requested_at
"""
_ANY_SCAN = """
SELECT EXISTS (SELECT FROM scans WHERE state IN ('requested', 'walking', 'reading'))
"""


async def to_analyze(connection: asyncpg.Connection, first: int) -> list[WaitingTrack]:
    """Tracks without a current analysis of their content that have not failed there.

    Only where none is new, some of those that another analyzer version analysed.
    """
    found = await connection.fetch(_NEW_TO_ANALYZE, first)
    if not found:
        found = await connection.fetch(_TO_ANALYZE_AGAIN, min(first, REANALYSIS_LIMIT))
    return [WaitingTrack(**row) for row in found]


async def to_vectorize(connection: asyncpg.Connection, first: int) -> list[WaitingTrack]:
    """Analyzed tracks without vectors that have not failed there."""
    return [WaitingTrack(**row) for row in await connection.fetch(_TO_VECTORIZE, first)]


async def to_index(connection: asyncpg.Connection, first: int) -> list[WaitingTrack]:
    """Tracks whose latest revision is not indexed, and that no other stage works on."""
    return [WaitingTrack(**row) for row in await connection.fetch(_TO_INDEX, first)]


async def to_remove(connection: asyncpg.Connection, first: int) -> list[RemovedTrack]:
    """Deleted tracks that the index has not confirmed as deleted."""
    return [RemovedTrack(**row) for row in await connection.fetch(_TO_REMOVE, first)]


async def scans(connection: asyncpg.Connection, quiet_s: float) -> list[StalledScan]:
    """Active scans without any progress for `quiet_s` seconds."""
    return [StalledScan(**row) for row in await connection.fetch(_SCANS, quiet_s)]


async def is_scanning(connection: asyncpg.Connection) -> bool:
    """Whether any scan is active."""
    return bool(await connection.fetchval(_ANY_SCAN))
