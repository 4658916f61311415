"""Reuses analyses: nothing is computed twice for the same sound.

`files.content_hash` identifies the sound of a file. A track without an analysis gets that of
another track of the same sound, of any library, missing ones too, if that has an analysis of its
current content by the current analyzer version. Not that of a damaged file: a content hash may be
of a sample, which does not show damage, and the other file may be whole.
"""

from collections.abc import Sequence
from uuid import UUID

import asyncpg

from services.api.store.analyses.current import count_as_analyzed, delete_current
from services.api.store.database.pool import in_transaction
from services.api.store.failures.resolve import resolve_failures
from shared.contracts.topics import Stage
from shared.contracts.versions import ANALYZER_VERSION

_TABLES = ("analyses", "meanings")
"""The tables of an analysis; a row in the first one makes it count."""
_BATCH = 1_000

# Each sound is looked up once: a library may have one a thousand times. LATERAL with LIMIT has the
# planner go from sound to file to track by their indexes, however little it knows of the tables.
_PAIRS = """
WITH waiting AS (
    SELECT f.track_id, f.content_hash, t.content_revision
    FROM files f JOIN tracks t ON t.id = f.track_id
    WHERE f.track_id = ANY($1) AND f.content_hash IS NOT NULL
        AND t.analyzed_content_revision IS DISTINCT FROM t.content_revision
), donors AS MATERIALIZED (
    SELECT sound.content_hash, donor.track_id
    FROM (SELECT DISTINCT content_hash FROM waiting) sound
    CROSS JOIN LATERAL (
        SELECT f.track_id FROM files f
        CROSS JOIN LATERAL (
            SELECT FROM tracks t JOIN analyses a ON a.track_id = t.id AND a.analyzer_version = $2
            WHERE t.id = f.track_id AND t.analyzer_version = $2 AND NOT a.damaged
                AND t.analyzed_content_revision = t.content_revision
            LIMIT 1
        ) analyzed
        WHERE f.content_hash = sound.content_hash LIMIT 1
    ) donor
)
SELECT w.track_id AS recipient, d.track_id AS donor, w.content_revision
FROM waiting w JOIN donors d USING (content_hash) ORDER BY 1
"""
# The donor's row with another track: `jsonb_populate_record` replaces two of its columns.
_COPY = """
INSERT INTO {table} SELECT new.*
FROM unnest($1::uuid[], $2::uuid[], $3::integer[]) AS pair(recipient, donor, content_revision)
JOIN {table} stored ON stored.track_id = pair.donor AND stored.analyzer_version = $4
CROSS JOIN LATERAL jsonb_populate_record(stored, jsonb_build_object(
    'track_id', pair.recipient, 'content_revision', pair.content_revision
)) AS new
RETURNING track_id
"""
_LOCK_WAITING = """
SELECT id FROM tracks
WHERE id = ANY(array(
    SELECT waiting.track_id
    FROM (
        SELECT DISTINCT content_hash FROM files
        WHERE track_id = ANY($1) AND content_hash IS NOT NULL
    ) sound
    CROSS JOIN LATERAL (
        SELECT f.track_id FROM files f
        CROSS JOIN LATERAL (
            SELECT FROM tracks t
            WHERE t.id = f.track_id AND NOT t.is_missing
                AND t.analyzed_content_revision IS DISTINCT FROM t.content_revision
            LIMIT 1
        ) without_analysis
        WHERE f.content_hash = sound.content_hash LIMIT $2
    ) waiting
    LIMIT $2
))
ORDER BY id FOR UPDATE
"""


async def reuse_analyses(
    connection: asyncpg.Connection, track_ids: Sequence[UUID], *, is_new_revision: bool
) -> list[UUID]:
    """Give those of the tracks, which are locked, that wait for an analysis the one of their sound.

    `is_new_revision` counts it as a change of the track: where the transaction has not done so.
    Returns the tracks that have an analysis now.
    """
    pairs = await connection.fetch(_PAIRS, track_ids, ANALYZER_VERSION)
    if not pairs:
        return []
    recipients, donors, revisions = zip(*pairs, strict=True)
    await delete_current(connection, recipients)
    copied = [
        await connection.fetch(
            _COPY.format(table=table), recipients, donors, revisions, ANALYZER_VERSION
        )
        for table in _TABLES
    ]
    analyzed = [row["track_id"] for row in copied[0]]
    await count_as_analyzed(connection, analyzed, is_new_revision=is_new_revision)
    await resolve_failures(connection, analyzed, Stage.ANALYZE)
    return analyzed


async def share_analyses(pool: asyncpg.Pool, track_ids: Sequence[UUID]) -> None:
    """Give the analyses of these tracks to all that wait for one of the same sound.

    In transactions of its own, so that tracks are locked in one order. If this is cut off, the
    others are only analysed themselves.
    """

    async def work(connection: asyncpg.Connection) -> int:
        waiting = await connection.fetch(_LOCK_WAITING, track_ids, _BATCH)
        ids = [row["id"] for row in waiting]
        return len(await reuse_analyses(connection, ids, is_new_revision=True))

    while await in_transaction(pool, work) == _BATCH:
        pass
