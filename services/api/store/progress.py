"""Progress: how many tracks have passed each stage, in one statement."""

from dataclasses import dataclass

import asyncpg

from shared.contracts.topics import Stage


@dataclass(frozen=True, slots=True)
class Progress:
    """Counts. Tracks are those with a present file; each later count is part of the one before."""

    tracks: int
    files: int
    """Files that these tracks are in: some are parts of one, by a cue sheet."""
    missing: int
    analyzed: int
    vectorized: int
    indexed: int
    damaged: int
    """Analysed tracks whose file is damaged."""
    failed: int
    """Open failures."""
    failed_by_stage: dict[str, int]
    """Open failures by consumer group (`shared.contracts.topics.Stage`)."""
    files_to_read: int
    """Files that active scans have found but not read yet."""
    waiting: int
    """Tracks that are neither complete nor stopped by a failure."""
    active_scans: int
    is_paused: bool = False
    """A person paused the analysis."""

    @property
    def pending(self) -> int:
        """What is still to be done: files to read, and tracks that are not complete."""
        return self.files_to_read + self.waiting


_READ = f"""
WITH stage AS (
    SELECT id, is_missing,
        analyzed_content_revision IS NOT DISTINCT FROM content_revision AS analyzed,
        vectorized_content_revision IS NOT DISTINCT FROM content_revision AS vectorized,
        indexed_revision >= revision AS indexed
    FROM tracks
), track AS (
    SELECT
        count(*) FILTER (WHERE NOT is_missing) AS tracks,
        -- what is now a part of its file, or the whole, is not missed
        count(*) FILTER (WHERE is_missing)
            - (SELECT count(*) FROM files WHERE state = 'replaced') AS missing,
        count(*) FILTER (WHERE NOT is_missing) - (
            SELECT count(*) FROM files JOIN tracks t ON t.id = track_id
            WHERE part > 1 AND state <> 'replaced' AND NOT t.is_missing
        ) AS files,
        count(*) FILTER (WHERE NOT is_missing AND analyzed) AS analyzed,
        count(*) FILTER (WHERE NOT is_missing AND analyzed AND vectorized) AS vectorized,
        count(*) FILTER (WHERE NOT is_missing AND analyzed AND vectorized AND indexed) AS indexed,
        -- missing ones wait only to be removed from the index
        count(*) FILTER (WHERE
            NOT (indexed AND (is_missing OR (analyzed AND vectorized)))
            AND NOT EXISTS (
                SELECT FROM failures f WHERE f.track_id = stage.id AND f.resolved_at IS NULL
            )
        ) AS waiting
    FROM stage
), failure AS (
    SELECT coalesce(sum(n), 0)::bigint AS failed,
        coalesce(jsonb_object_agg(stage, n), '{{}}'::jsonb) AS failed_by_stage
    FROM (
        SELECT stage, count(*) AS n FROM failures WHERE resolved_at IS NULL GROUP BY stage
    ) AS by_stage
), scan AS (
    SELECT count(*) AS active_scans,
        coalesce(sum(greatest(0, s.files_to_read - s.files_read - (
            SELECT count(*) FROM failures f
            WHERE f.scan_id = s.id AND f.resolved_at IS NULL AND f.stage = '{Stage.READ}'
        ))), 0)::bigint AS files_to_read
    FROM scans s WHERE s.state IN ('requested', 'walking', 'reading')
)
SELECT *,
    (
        SELECT count(*) FROM analyses a JOIN tracks t ON t.id = a.track_id
            AND t.analyzer_version = a.analyzer_version AND NOT t.is_missing
        WHERE a.damaged
    ) AS damaged,
    EXISTS (SELECT FROM analysis_pause) AS is_paused
FROM track, failure, scan
"""  # noqa: S608 - the stage's name is a constant of ours


async def read(pool: asyncpg.Pool) -> Progress:
    """The counts as of now."""
    return Progress(**await pool.fetchrow(_READ))
