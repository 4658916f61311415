"""Nothing is computed twice for the same sound: a waiting track gets the analysis of another one.

Files say by a hash what sound they hold (`files.content_hash`). Any track of that sound counts, of
any library and missing ones too, whose analysis stands and is of the current analyzer version.
"""

from collections.abc import Sequence
from uuid import UUID

import asyncpg

from services.api.store.analyses import current as standing_analyses
from services.api.store.failures.resolve import resolve
from services.api.store.results import in_transaction
from shared.contracts.topics import Stage
from shared.contracts.versions import ANALYZER_VERSION

_TABLES = ("analyses", "meanings")
"""What an analysis is kept in; the first one makes it count."""
_PORTION = 1_000

# Each sound is looked up once: a library may have one a thousand times. LATERAL with LIMIT has the
# planner go from sound to file to track by their indexes, however little it knows of the tables.
_PAIRS = """
WITH waiting AS (
    SELECT f.track_id, f.content_hash, t.content_revision
    FROM files f JOIN tracks t ON t.id = f.track_id
    WHERE f.track_id = ANY($1) AND f.content_hash IS NOT NULL
        AND t.analyzed_content_revision IS DISTINCT FROM t.content_revision
), donors AS MATERIALIZED (
    SELECT told.content_hash, donor.track_id
    FROM (SELECT DISTINCT content_hash FROM waiting) told
    CROSS JOIN LATERAL (
        SELECT f.track_id FROM files f
        CROSS JOIN LATERAL (
            SELECT FROM tracks t
            WHERE t.id = f.track_id AND t.analyzer_version = $2
                AND t.analyzed_content_revision = t.content_revision
            LIMIT 1
        ) stands
        WHERE f.content_hash = told.content_hash LIMIT 1
    ) donor
)
SELECT w.track_id AS taker, d.track_id AS donor, w.content_revision
FROM waiting w JOIN donors d USING (content_hash) ORDER BY 1
"""
_COPY = """
INSERT INTO {table} SELECT new.*
FROM unnest($1::uuid[], $2::uuid[], $3::integer[]) AS pair(taker, donor, content_revision)
JOIN {table} its ON its.track_id = pair.donor AND its.analyzer_version = $4
CROSS JOIN LATERAL jsonb_populate_record(its, jsonb_build_object(
    'track_id', pair.taker, 'content_revision', pair.content_revision
)) AS new
RETURNING track_id
"""
_WAITING_ALIKE = """
SELECT id FROM tracks
WHERE id = ANY(array(
    SELECT alike.track_id
    FROM (
        SELECT DISTINCT content_hash FROM files
        WHERE track_id = ANY($1) AND content_hash IS NOT NULL
    ) told
    CROSS JOIN LATERAL (
        SELECT f.track_id FROM files f
        CROSS JOIN LATERAL (
            SELECT FROM tracks t
            WHERE t.id = f.track_id AND NOT t.is_missing
                AND t.analyzed_content_revision IS DISTINCT FROM t.content_revision
            LIMIT 1
        ) waits
        WHERE f.content_hash = told.content_hash LIMIT $2
    ) alike
    LIMIT $2
))
ORDER BY id FOR UPDATE
"""


async def take_over(
    connection: asyncpg.Connection, track_ids: Sequence[UUID], *, is_new_revision: bool
) -> list[UUID]:
    """Give those of the tracks, which are locked, that wait the analyses of their sound.

    `is_new_revision` counts it as a change of the track: where the transaction has not done so.
    Returns the tracks that have an analysis now.
    """
    pairs = await connection.fetch(_PAIRS, track_ids, ANALYZER_VERSION)
    if not pairs:
        return []
    takers, donors, revisions = zip(*pairs, strict=True)
    await standing_analyses.clear(connection, takers)
    copied = [
        await connection.fetch(
            _COPY.format(table=table), takers, donors, revisions, ANALYZER_VERSION
        )
        for table in _TABLES
    ]
    done = [row["track_id"] for row in copied[0]]
    await standing_analyses.count(connection, done, is_new_revision=is_new_revision)
    await resolve(connection, done, Stage.ANALYZE)
    return done


async def share(pool: asyncpg.Pool, track_ids: Sequence[UUID]) -> None:
    """Give the analyses of these tracks to all that wait for one of the same sound.

    In transactions of its own, so that tracks are locked in one order. What it does not come to
    is only analysed itself.
    """

    async def work(connection: asyncpg.Connection) -> int:
        alike = await connection.fetch(_WAITING_ALIKE, track_ids, _PORTION)
        ids = [row["id"] for row in alike]
        return len(await take_over(connection, ids, is_new_revision=True))

    while await in_transaction(pool, work) == _PORTION:
        pass
