"""Covers: images by the SHA-256 of their content; facts and bytes in tables of their own."""

import asyncio
import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from operator import attrgetter

import asyncpg

from services.api.images import MOST_BYTES, Unshowable, look_at
from services.api.store.database.pool import in_transaction
from shared.contracts.errors import InvalidInput

_MOST_HASHES = 10_000
TOO_LARGE = f"an image has at most {MOST_BYTES:,} bytes"


@dataclass(frozen=True, slots=True)
class CoverContent:
    """An image as it is served."""

    mime_type: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Cover:
    """An image to be stored; width and height in pixels, where they are known."""

    sha256: bytes
    mime_type: str
    content: bytes
    width: int | None = None
    height: int | None = None


# Images that are needed soon: housekeeping leaves them alone for at least a day. Once an hour is
# enough. Locked in the order of all writes.
_NEED = """
WITH needed AS (
    SELECT sha256 FROM covers
    WHERE sha256 = ANY($1) AND needed_at < now() - interval '1 hour' ORDER BY sha256 FOR UPDATE
)
UPDATE covers SET needed_at = now() FROM needed WHERE covers.sha256 = needed.sha256
"""
# Hashes whose bytes are not there yet.
_MISSING = """
SELECT hash FROM unnest($1::bytea[]) AS hash
WHERE NOT EXISTS (SELECT FROM cover_contents WHERE sha256 = hash)
"""
_STORE_FACTS = """
INSERT INTO covers (sha256, mime_type, width, height, size_bytes)
SELECT * FROM unnest($1::bytea[], $2::text[], $3::integer[], $4::integer[], $5::bigint[])
ON CONFLICT (sha256) DO UPDATE SET needed_at = now()
"""
_STORE_CONTENTS = """
INSERT INTO cover_contents (sha256, content) SELECT * FROM unnest($1::bytea[], $2::bytea[])
ON CONFLICT (sha256) DO NOTHING
"""
_CONTENT = """
SELECT mime_type, content FROM covers JOIN cover_contents USING (sha256) WHERE sha256 = $1
"""
# The stored variant of this size, or the image itself where it is no larger.
_SMALLER = """
SELECT v.mime_type, v.content FROM cover_variants v WHERE v.sha256 = $1 AND v.size_px = $2
UNION ALL
SELECT c.mime_type, w.content FROM covers c JOIN cover_contents w USING (sha256)
WHERE c.sha256 = $1 AND greatest(c.width, c.height) <= $2
LIMIT 1
"""
_KEEP_SMALLER = """
INSERT INTO cover_variants (sha256, size_px, mime_type, content)
SELECT sha256, $2, $3, $4 FROM covers WHERE sha256 = $1 FOR KEY SHARE
ON CONFLICT (sha256, size_px) DO NOTHING
"""


def hashes_of(sha256s: Sequence[str]) -> list[bytes]:
    """The argument `sha256s`: at most 10,000 hashes.

    Raises:
        InvalidInput: they are more, or no hashes.
    """
    if len(sha256s) > _MOST_HASHES:
        raise InvalidInput(f"sha256s: ask for at most {_MOST_HASHES:,} at a time")
    try:
        return [bytes.fromhex(sha256) for sha256 in sha256s]
    except ValueError:
        raise InvalidInput("sha256s: a hash is 64 hex digits") from None


async def missing(pool: asyncpg.Pool, hashes: Sequence[bytes]) -> set[bytes]:
    """Those of the hashes whose image is not stored yet. The others stay: they are needed."""
    wanted = list(hashes)

    async def work(connection: asyncpg.Connection) -> set[bytes]:
        # First this, which waits for a deletion at work: then it is known what is left.
        await connection.execute(_NEED, wanted)
        return {row["hash"] for row in await connection.fetch(_MISSING, wanted)}

    return await in_transaction(pool, work, durable=False)


def checked_cover(image: bytes) -> Cover | str:
    """Return the image, ready to be stored, or what is wrong with it."""
    if len(image) > MOST_BYTES:
        return TOO_LARGE
    try:
        kind, width, height = look_at(image)
    except Unshowable as fault:
        return str(fault)
    return Cover(hashlib.sha256(image).digest(), kind, image, width, height)


async def store_images(pool: asyncpg.Pool, images: Sequence[bytes]) -> list[str | None]:
    """Store images under the SHA-256 of their bytes; for each None, or why it was not stored."""
    checked = await asyncio.to_thread(lambda: [checked_cover(image) for image in images])
    await store_all(pool, [cover for cover in checked if isinstance(cover, Cover)])
    return [None if isinstance(cover, Cover) else cover for cover in checked]


async def store(
    pool: asyncpg.Pool,
    *,
    sha256: bytes,
    mime_type: str,
    content: bytes,
    width: int | None = None,
    height: int | None = None,
) -> None:
    """Store an image under its hash, which the caller has checked. Repeating it changes nothing."""
    await store_all(pool, [Cover(sha256, mime_type, content, width, height)])


async def store_all(pool: asyncpg.Pool, covers: Iterable[Cover]) -> None:
    """Store images in one transaction, in the order of their hashes, so that none deadlocks."""
    distinct = sorted({cover.sha256: cover for cover in covers}.values(), key=attrgetter("sha256"))
    if not distinct:
        return
    facts = [(c.sha256, c.mime_type, c.width, c.height, len(c.content)) for c in distinct]

    async def work(connection: asyncpg.Connection) -> None:
        await connection.execute(_STORE_FACTS, *zip(*facts, strict=True))
        contents = [c.content for c in distinct]
        await connection.execute(_STORE_CONTENTS, [c.sha256 for c in distinct], contents)

    # The tracks that refer to them are durable, and so are these with them.
    await in_transaction(pool, work, durable=False)


async def content(pool: asyncpg.Pool, sha256: bytes) -> CoverContent | None:
    """An image's bytes, None where there is none."""
    row = await pool.fetchrow(_CONTENT, sha256)
    return row and CoverContent(row["mime_type"], row["content"])


async def smaller(pool: asyncpg.Pool, sha256: bytes, size_px: int) -> CoverContent | None:
    """An image whose longer side has `size_px` pixels at most; None where none is stored."""
    row = await pool.fetchrow(_SMALLER, sha256, size_px)
    return row and CoverContent(row["mime_type"], row["content"])


async def keep_smaller(pool: asyncpg.Pool, sha256: bytes, size_px: int, made: CoverContent) -> None:
    """Store a smaller image, as long as the image itself is stored."""
    await pool.execute(_KEEP_SMALLER, sha256, size_px, made.mime_type, made.content)
