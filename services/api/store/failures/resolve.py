"""A stage that succeeds resolves what failed there before."""

from collections.abc import Sequence
from uuid import UUID

import asyncpg

# Locked in the order of all writes to failures.
_RESOLVE = """
WITH done AS (
    SELECT id FROM failures
    WHERE resolved_at IS NULL AND track_id = ANY($1) AND stage = $2
    ORDER BY stage, subject FOR UPDATE
)
UPDATE failures SET resolved_at = now() FROM done WHERE failures.id = done.id
"""


async def resolve(connection: asyncpg.Connection, track_ids: Sequence[UUID], stage: str) -> None:
    """The open failures of these tracks at a stage are open no longer."""
    await connection.execute(_RESOLVE, track_ids, stage)
