"""Known files in stretches, told by a digest: a scan of nothing new asks for no file by itself."""

from dataclasses import dataclass
from uuid import UUID

import asyncpg

from services.api.store.files.missing import below


@dataclass(frozen=True, slots=True)
class KnownStretches:
    """Columns of equal length: stretches of files that follow each other by path."""

    ends: list[str]
    """The last path of each."""
    counts: list[int]
    digests: list[str]
    """As `shared.contracts.range_digests.digest_of` has it."""
    unknown_images: list[list[int]]
    """Places in the stretch, from 0, of files the digest of whose images is not known."""
    end_cursor: str | None
    """The last path; None where nothing follows."""


# Files that are missing are left out: a walk does not see them. $4 files are looked at, of which
# each $5 are a stretch. What the digest is made of: shared/contracts/range_digests.py.
_STRETCHES = """
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
    WHERE library_id = $1 AND path > $2 AND ($3::text IS NULL OR path < $3) AND state <> 'missing'
    ORDER BY path LIMIT $4
) AS file
GROUP BY place / $5 ORDER BY 1
"""


async def known(
    pool: asyncpg.Pool,
    *,
    library_id: UUID,
    folder: str,
    after: str | None,
    first: int,
    files_each: int,
) -> KnownStretches:
    """The `first` stretches of `files_each` files of a library, below a folder ('' is all).

    They begin after the path `after`; the last one may be shorter. Should PostgreSQL ever take
    the files of a stretch in another order, their digest is another one, and they are looked at.
    """
    start, end = below(folder, after)
    most = first * files_each
    rows = await pool.fetch(_STRETCHES, library_id, start, end, most, files_each)
    is_full = sum(row["files"] for row in rows) == most
    return KnownStretches(
        ends=[row["last"] for row in rows],
        counts=[row["files"] for row in rows],
        digests=[row["digest"] for row in rows],
        unknown_images=[row["unknown_images"] or [] for row in rows],
        end_cursor=rows[-1]["last"] if is_full else None,
    )
