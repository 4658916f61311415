"""Whether a person paused the analysis: kept until it is resumed, over restarts too."""

import asyncpg

_PAUSE = "INSERT INTO analysis_pause DEFAULT VALUES ON CONFLICT DO NOTHING RETURNING paused_at"
_RESUME = "DELETE FROM analysis_pause RETURNING paused_at"
_IS_PAUSED = "SELECT EXISTS (SELECT FROM analysis_pause)"


async def pause(pool: asyncpg.Pool) -> bool:
    """Pause the analysis; returns whether that changed anything."""
    return await pool.fetchval(_PAUSE) is not None


async def resume(pool: asyncpg.Pool) -> bool:
    """Resume the analysis; returns whether that changed anything."""
    return await pool.fetchval(_RESUME) is not None


async def is_paused(pool: asyncpg.Pool) -> bool:
    """Whether the analysis is paused."""
    return bool(await pool.fetchval(_IS_PAUSED))
