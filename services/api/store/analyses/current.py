"""A stored analysis of the current version comes to stand: the track counts as analysed."""

from collections.abc import Sequence
from uuid import UUID

import asyncpg

from services.api.store.corrections.apply import what_stands
from services.api.store.vectors import upsert as vectors
from shared.contracts.versions import ANALYZER_VERSION

_CLEAR = "DELETE FROM analyses WHERE track_id = ANY($1) AND analyzer_version = $2"
_COUNT = f"""
UPDATE tracks SET {what_stands("$2")},
    analyzer_version = $2, analyzed_content_revision = content_revision,
    vectorized_content_revision = NULL, revision = revision + $3, updated_at = now()
WHERE id = ANY($1)
"""  # noqa: S608 - names of ours


async def clear(connection: asyncpg.Connection, track_ids: Sequence[UUID]) -> None:
    """Make room for new ones of the current version."""
    await connection.execute(_CLEAR, track_ids, ANALYZER_VERSION)


async def count(
    connection: asyncpg.Connection, track_ids: Sequence[UUID], *, is_new_revision: bool = True
) -> None:
    """The tracks, which are locked, have an analysis of their content; vectors are made anew.

    `is_new_revision` counts it as a change of the track: where the transaction has not done so.
    """
    await connection.execute(_COUNT, track_ids, ANALYZER_VERSION, int(is_new_revision))
    await vectors.outdate(connection, track_ids)
