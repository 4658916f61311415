"""Resolves failures: a stage that succeeds for a track resolves what failed there before."""

from collections.abc import Sequence
from uuid import UUID

import asyncpg

# Locked in the order of all writes to failures.
_RESOLVE = """
WITH resolved AS (
    SELECT id FROM failures
    WHERE resolved_at IS NULL AND track_id = ANY($1) AND stage = $2
    ORDER BY stage, subject FOR UPDATE
)
UPDATE failures SET resolved_at = now() FROM resolved WHERE failures.id = resolved.id
"""


async def resolve_failures(
    connection: asyncpg.Connection, track_ids: Sequence[UUID], stage: str
) -> None:
    """Resolve the open failures of these tracks at a stage."""
    await connection.execute(_RESOLVE, track_ids, stage)
