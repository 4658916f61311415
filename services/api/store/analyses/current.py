"""The current analysis of a track: which one counts, and what is shown of it."""

from collections.abc import Sequence
from uuid import UUID

import asyncpg

from services.api.store.database.pool import in_transaction
from services.api.store.vectors.spaces import outdate_vectors
from shared.contracts.versions import ANALYZER_VERSION


def effective_columns(analyzer_version: str) -> str:
    """For `UPDATE tracks SET`: tempo and key, corrected or else measured.

    `analyzer_version` is an SQL expression: the version of the analysis that counts.
    """
    key = ", ".join(
        f"coalesce(c.{name}, CASE WHEN a.key_confidence > 0 THEN a.{name} END)"
        for name in ("key", "mode", "camelot")
    )
    # FROM (SELECT): one row, also for a track that has neither a correction nor an analysis.
    return (
        "(tempo_bpm, key, mode, camelot) = ("  # noqa: S608 - names of ours
        f"SELECT coalesce(c.tempo_bpm, nullif(a.tempo_bpm, 0)), {key} FROM (SELECT) AS one"
        " LEFT JOIN corrections c ON c.track_id = tracks.id"
        " LEFT JOIN analyses a ON a.track_id = tracks.id"
        f" AND a.analyzer_version = {analyzer_version})"
    )


def _decoded_duration(analysis: str) -> str:
    """For `UPDATE tracks SET`: the length by a row of `analyses` replaces the header's.

    Where both agree within rounding, what the header states remains.
    """
    return (
        f"decoded_duration_s = {analysis}.analyzed_duration_s, duration_s = CASE"
        f" WHEN abs(duration_s - {analysis}.analyzed_duration_s) > {_ROUNDING_S}"
        f" THEN {analysis}.analyzed_duration_s ELSE duration_s END"
    )


_ROUNDING_S = 0.05
"""A header's length and the decoded one differ by this much where an encoder padded the end."""
_DELETE = "DELETE FROM analyses WHERE track_id = ANY($1) AND analyzer_version = $2"
_COUNT_AS_ANALYZED = f"""
UPDATE tracks SET {effective_columns("$2")}, {_decoded_duration("own")},
    analyzer_version = $2, analyzed_content_revision = tracks.content_revision,
    vectorized_content_revision = NULL, revision = revision + $3, updated_at = now()
FROM analyses own
WHERE id = ANY($1) AND own.track_id = id AND own.analyzer_version = $2
"""  # noqa: S608 - names of ours
# Analyses of another version than the current one don't count; run at the service's start.
_FORGET_OUTDATED = """
WITH outdated AS (
    SELECT id FROM tracks
    WHERE analyzed_content_revision IS NOT NULL AND analyzer_version IS DISTINCT FROM $1
    ORDER BY id FOR UPDATE
)
UPDATE tracks SET analyzed_content_revision = NULL, vectorized_content_revision = NULL
FROM outdated WHERE tracks.id = outdated.id
"""
# After a return to an earlier version its analyses are still there.
_COUNT_STORED = f"""
WITH stored AS (
    SELECT t.id, a.analyzed_duration_s FROM tracks t JOIN analyses a ON a.track_id = t.id
        AND a.analyzer_version = $1 AND a.content_revision = t.content_revision
    WHERE t.analyzer_version IS DISTINCT FROM $1
    ORDER BY t.id FOR UPDATE OF t
)
UPDATE tracks SET {effective_columns("$1")}, {_decoded_duration("stored")},
    analyzer_version = $1, analyzed_content_revision = content_revision,
    revision = revision + 1, updated_at = now()
FROM stored WHERE tracks.id = stored.id
"""  # noqa: S608 - names of ours
# Tracks whose tags were read anew: the length by the header was written.
_KEEP_DURATION = f"""
UPDATE tracks SET duration_s = decoded_duration_s
WHERE id = ANY($1) AND abs(duration_s - decoded_duration_s) > {_ROUNDING_S}
"""  # noqa: S608 - a number of ours
_FORGET_DURATION = "UPDATE tracks SET decoded_duration_s = NULL WHERE id = ANY($1)"


async def delete_current(connection: asyncpg.Connection, track_ids: Sequence[UUID]) -> None:
    """Delete the tracks' analyses of the current version, to make room for new ones."""
    await connection.execute(_DELETE, track_ids, ANALYZER_VERSION)


async def count_as_analyzed(
    connection: asyncpg.Connection, track_ids: Sequence[UUID], *, is_new_revision: bool = True
) -> None:
    """The tracks, which are locked, have a current analysis of their content; vectors wait.

    `is_new_revision` counts it as a change of the track: where the transaction has not done so.
    """
    await connection.execute(_COUNT_AS_ANALYZED, track_ids, ANALYZER_VERSION, int(is_new_revision))
    await outdate_vectors(connection, track_ids)


async def keep_decoded_durations(
    connection: asyncpg.Connection,
    *,
    same_content: Sequence[UUID],
    new_content: Sequence[UUID],
) -> None:
    """Let the decoded length of a content outlive a retag; a new content has none yet."""
    if same_content:
        await connection.execute(_KEEP_DURATION, same_content)
    if new_content:
        await connection.execute(_FORGET_DURATION, new_content)


async def expect_analyzer(pool: asyncpg.Pool, version: str) -> None:
    """Let all tracks that another analyzer version analysed wait for the current one."""

    async def work(connection: asyncpg.Connection) -> None:
        await connection.execute(_FORGET_OUTDATED, version)
        await connection.execute(_COUNT_STORED, version)

    await in_transaction(pool, work)
