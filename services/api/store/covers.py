"""Images by the SHA-256 of their content; facts and bytes apart."""

from collections.abc import Sequence
from dataclasses import dataclass

import asyncpg


@dataclass(frozen=True, slots=True)
class CoverContent:
    """An image as it is served."""

    mime_type: str
    content: bytes


# Hashes whose bytes are not there yet.
_MISSING = """
SELECT wanted FROM unnest($1::bytea[]) AS wanted
WHERE NOT EXISTS (SELECT FROM cover_contents WHERE sha256 = wanted)
"""
_STORE_FACTS = """
INSERT INTO covers (sha256, mime_type, width, height, size_bytes) VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (sha256) DO NOTHING
"""
_STORE_CONTENT = """
INSERT INTO cover_contents (sha256, content) VALUES ($1, $2) ON CONFLICT (sha256) DO NOTHING
"""
_CONTENT = """
SELECT mime_type, content FROM covers JOIN cover_contents USING (sha256) WHERE sha256 = $1
"""
# What is kept of this size; the image itself where it is no larger.
_SMALLER = """
SELECT v.mime_type, v.content FROM cover_variants v WHERE v.sha256 = $1 AND v.size_px = $2
UNION ALL
SELECT c.mime_type, w.content FROM covers c JOIN cover_contents w USING (sha256)
WHERE c.sha256 = $1 AND greatest(c.width, c.height) <= $2
LIMIT 1
"""
_KEEP_SMALLER = """
INSERT INTO cover_variants (sha256, size_px, mime_type, content)
SELECT sha256, $2, $3, $4 FROM covers WHERE sha256 = $1
ON CONFLICT (sha256, size_px) DO NOTHING
"""


async def missing(pool: asyncpg.Pool, hashes: Sequence[bytes]) -> set[bytes]:
    """Those of the hashes whose image is not stored yet."""
    return {row["wanted"] for row in await pool.fetch(_MISSING, list(hashes))}


async def store(
    pool: asyncpg.Pool,
    *,
    sha256: bytes,
    mime_type: str,
    content: bytes,
    width: int | None = None,
    height: int | None = None,
) -> None:
    """Store an image under its hash, which the caller has checked; again changes nothing."""
    async with pool.acquire() as connection, connection.transaction():
        await connection.execute(_STORE_FACTS, sha256, mime_type, width, height, len(content))
        await connection.execute(_STORE_CONTENT, sha256, content)


async def content(pool: asyncpg.Pool, sha256: bytes) -> CoverContent | None:
    """An image's bytes, None where there is none."""
    row = await pool.fetchrow(_CONTENT, sha256)
    return row and CoverContent(row["mime_type"], row["content"])


async def smaller(pool: asyncpg.Pool, sha256: bytes, size_px: int) -> CoverContent | None:
    """An image whose longer side has `size_px` pixels at most; None where none is kept."""
    row = await pool.fetchrow(_SMALLER, sha256, size_px)
    return row and CoverContent(row["mime_type"], row["content"])


async def keep_smaller(pool: asyncpg.Pool, sha256: bytes, size_px: int, made: CoverContent) -> None:
    """Keep a smaller image, as long as the image itself is there."""
    await pool.execute(_KEEP_SMALLER, sha256, size_px, made.mime_type, made.content)
