"""Meanings: what a trained model hears in tracks, and which model that is."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import asyncpg

from services.api.store.database.pool import in_transaction
from shared.contracts.meaning import SCORES, AudioModel
from shared.contracts.versions import ANALYZER_VERSION

# The rows have every column of the table, so that none can be forgotten.
_WRITE = "INSERT INTO meanings SELECT * FROM jsonb_populate_recordset(NULL::meanings, $1)"
_REGISTER = """
INSERT INTO audio_model (model, version, dimensions) VALUES ($1, $2, $3)
ON CONFLICT (only_row) DO UPDATE SET
    model = EXCLUDED.model, version = EXCLUDED.version, dimensions = EXCLUDED.dimensions
"""
# Tracks that the registered model has not heard. Their analyses stay, and are shown until then.
_FORGET_WITHOUT = """
WITH outdated AS (
    SELECT id FROM tracks t
    WHERE analyzed_content_revision IS NOT NULL AND analyzer_version = $1 AND NOT EXISTS (
        SELECT FROM meanings m
        WHERE m.track_id = t.id AND m.analyzer_version = $1 AND m.model = $2 AND m.version = $3
    )
    ORDER BY id FOR UPDATE
)
UPDATE tracks SET analyzed_content_revision = NULL, vectorized_content_revision = NULL
FROM outdated WHERE tracks.id = outdated.id
"""


async def write(
    connection: asyncpg.Connection, meanings: Sequence[tuple[UUID, dict[str, Any]]]
) -> None:
    """Store the meanings of tracks whose analyses were just written."""
    await connection.execute(_WRITE, [_row(track_id, fields) for track_id, fields in meanings])


def _row(track_id: UUID, fields: dict[str, Any]) -> dict[str, Any]:
    """The fields of a meaning as columns: a score and its confidence are two."""
    scores = {name: fields[name]["score"] for name in SCORES}
    confidences = {f"{name}_confidence": fields[name]["confidence"] for name in SCORES}
    key = {"track_id": str(track_id), "analyzer_version": ANALYZER_VERSION}
    return {**fields, **scores, **confidences, **key}


async def register(pool: asyncpg.Pool, model: AudioModel) -> None:
    """Set the model of the analyzers; tracks analysed without it wait for a new analysis."""

    async def work(connection: asyncpg.Connection) -> None:
        await connection.execute(_REGISTER, model.model, model.version, model.dimensions)
        await connection.execute(_FORGET_WITHOUT, ANALYZER_VERSION, model.model, model.version)

    await in_transaction(pool, work)


async def audio_model(pool: asyncpg.Pool) -> AudioModel | None:
    """The model of the analyzers; None where no analyzer has one."""
    row = await pool.fetchrow("SELECT model, version, dimensions FROM audio_model")
    return None if row is None else AudioModel(**row)
