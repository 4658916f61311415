"""What is known of a library's files, for a walk to compare with: file by file, or as digests.

A scan of an unchanged library compares digests of ranges alone, and asks for no single file.
"""

from dataclasses import dataclass
from uuid import UUID

import asyncpg

MOST_FILES = 50_000
FILES_PER_RANGE = 500
MOST_RANGES = MOST_FILES // FILES_PER_RANGE
MOST_SAMPLED = 100


@dataclass(frozen=True, slots=True)
class KnownFiles:
    """Columns of equal length, in the order of the paths."""

    paths: list[str]
    sizes_bytes: list[int]
    mtimes_ns: list[int]
    images_digests: list[int | None]
    missing: list[bool]
    end_cursor: str | None
    """The last path; None where nothing follows."""


@dataclass(frozen=True, slots=True)
class KnownRanges:
    """Columns of equal length: ranges of files that follow each other by path."""

    ends: list[str]
    """The last path of each range."""
    counts: list[int]
    digests: list[str]
    """As `shared.contracts.range_digests.digest_of` makes them."""
    unknown_images: list[list[int]]
    """Places in the range, from 0, of files without a known digest of their images."""
    end_cursor: str | None
    """The last path; None where nothing follows."""


@dataclass(frozen=True, slots=True)
class FileSample:
    """Some files of a library, in columns of equal length."""

    paths: list[str]
    sizes_bytes: list[int]
    content_hashes: list[str | None]
    """In hex; None where it is not known."""


# Always the same files, of all folders. Missing ones only where others are too few. Of a file with
# parts the first one stands for all, and its content hash is not that of the file.
_SAMPLE = """
SELECT path, size_bytes, CASE part WHEN 0 THEN encode(content_hash, 'hex') END AS content_hash
FROM files
WHERE library_id = $1 AND part <= 1 AND state <> 'replaced'
ORDER BY state = 'missing', md5(path) LIMIT $2
"""
# In the order of the paths, by the unique index (library_id, path). Below a folder are the paths
# from 'folder/' up to 'folder0', since '0' follows '/' in byte order.
# Of a file with parts the first one stands for all.
_FILES = """
SELECT path, size_bytes, mtime_ns, images_digest, state = 'missing' AS missing FROM files
WHERE library_id = $1 AND path > $2 AND ($3::text IS NULL OR path < $3)
    AND ($5::text IS NULL OR path <= $5) AND part <= 1 AND state <> 'replaced'
ORDER BY path LIMIT $4
"""
# Missing files are left out: a walk does not see them. $4: files in all, $5: files of a range. What
# the digest is made of: shared/contracts/range_digests.py.
_RANGES = """
SELECT max(path) AS last, count(*) AS files,
    encode(sha256(
        convert_to(string_agg(path, '//'), 'UTF8') || string_agg(int8send(size_bytes), '')
        || string_agg(int8send(mtime_ns), '')
        || string_agg(int4send(coalesce(images_digest, 0)), '')
    ), 'hex') AS digest,
    array_agg(place % $5) FILTER (WHERE images_digest IS NULL) AS unknown_images
FROM (
    SELECT path, size_bytes, mtime_ns, images_digest, row_number() OVER (ORDER BY path) - 1 AS place
    FROM files
    WHERE library_id = $1 AND path > $2 AND ($3::text IS NULL OR path < $3)
        AND part <= 1 AND state <> 'missing' AND state <> 'replaced'
    ORDER BY path LIMIT $4
) AS file
GROUP BY place / $5 ORDER BY 1
"""


async def known_files(
    pool: asyncpg.Pool,
    *,
    library_id: UUID,
    folder: str,
    after: str | None,
    first: int,
    until: str | None = None,
) -> KnownFiles:
    """Files of a library, below a folder ('' is all), `first` of them after the path `after`.

    No path is behind `until`. Unreadable files are included: they need no reading until they
    change. So are missing ones, flagged: the walk may see them again.
    """
    start, end = _below(folder, after)
    rows = await pool.fetch(_FILES, library_id, start, end, first + 1, until)
    has_next, rows = len(rows) > first, rows[:first]
    return KnownFiles(
        paths=[row["path"] for row in rows],
        sizes_bytes=[row["size_bytes"] for row in rows],
        mtimes_ns=[row["mtime_ns"] for row in rows],
        images_digests=[row["images_digest"] for row in rows],
        missing=[row["missing"] for row in rows],
        end_cursor=rows[-1]["path"] if has_next else None,
    )


async def sample_files(pool: asyncpg.Pool, library_id: UUID, first: int) -> FileSample:
    """At most `first` files of a library, by which it can be recognised elsewhere."""
    rows = await pool.fetch(_SAMPLE, library_id, first)
    return FileSample(
        paths=[row["path"] for row in rows],
        sizes_bytes=[row["size_bytes"] for row in rows],
        content_hashes=[row["content_hash"] for row in rows],
    )


async def known_ranges(
    pool: asyncpg.Pool,
    *,
    library_id: UUID,
    folder: str,
    after: str | None,
    first: int,
    files_each: int,
) -> KnownRanges:
    """The `first` ranges of `files_each` files of a library, below a folder ('' is all).

    They begin after the path `after`; the last one may be shorter. Should PostgreSQL ever
    aggregate the files of a range in another order, the digest differs, and the files are compared
    one by one.
    """
    start, end = _below(folder, after)
    limit = first * files_each
    rows = await pool.fetch(_RANGES, library_id, start, end, limit, files_each)
    is_full = sum(row["files"] for row in rows) == limit
    return KnownRanges(
        ends=[row["last"] for row in rows],
        counts=[row["files"] for row in rows],
        digests=[row["digest"] for row in rows],
        unknown_images=[row["unknown_images"] or [] for row in rows],
        end_cursor=rows[-1]["last"] if is_full else None,
    )


def _below(folder: str, after: str | None) -> tuple[str, str | None]:
    """Bounds of the paths below a folder ('' is all), both exclusive; None where there is no end.

    `after` is the path to continue behind.
    """
    inside = folder.rstrip("/") + "/" if folder else ""
    return max(inside, after or ""), inside[:-1] + "0" if inside else None
