"""Scans as people see them: with their library's name and what they count."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import asyncpg

from services.api.store.libraries.read import Library
from shared.contracts.topics import Stage


@dataclass(frozen=True, slots=True)
class Scan:
    """A scan. `files_failed` are open failures to read, while it is active.

    `files_held` are known files that were not seen, but too many at once to be marked missing.
    """

    id: UUID
    library_id: UUID | None
    library: str | None
    library_root: str | None
    """Its root now; `root` is the one that was scanned."""
    removal_requested_at: datetime | None
    root: str
    folder: str
    mode: str
    state: str
    message: str | None
    files_seen: int
    files_to_read: int
    files_read: int
    files_failed: int
    files_unchanged: int
    files_missing: int
    files_held: int
    accept_missing: bool
    requested_at: datetime
    finished_at: datetime | None

    @property
    def stored_library(self) -> Library | None:
        """The library as it is now; None if the request was refused before there was one."""
        if self.library_id is None or self.library is None or self.library_root is None:
            return None
        return Library(self.library_id, self.library, self.library_root, self.removal_requested_at)

    @property
    def is_active(self) -> bool:
        """Whether it is not finished yet."""
        return self.state in {"requested", "walking", "reading"}


# $1: ids, or null for the newest $2.
_READ = f"""
SELECT s.id, s.library_id, l.name AS library, l.root AS library_root,
    l.removal_requested_at, s.root, s.folder, s.mode, s.state, s.message,
    s.files_seen, s.files_to_read, s.files_read, s.files_unchanged, s.files_missing, s.files_held,
    s.accept_missing,
    CASE WHEN s.finished_at IS NOT NULL THEN s.files_failed ELSE (
        SELECT count(*) FROM failures f
        WHERE f.scan_id = s.id AND f.resolved_at IS NULL AND f.stage = '{Stage.READ}'
    ) END AS files_failed,
    s.requested_at, s.finished_at
FROM scans s LEFT JOIN libraries l ON l.id = s.library_id
WHERE $1::uuid[] IS NULL OR s.id = ANY($1)
ORDER BY s.requested_at DESC, s.id LIMIT $2
"""  # noqa: S608 - the stage's name is a constant of ours
# A later scan of the same files, or of more, has the last word.
_UNRESOLVED = """
SELECT id FROM scans s
WHERE s.state IN ('held', 'refused') AND s.library_id IS NOT NULL AND NOT EXISTS (
    SELECT FROM scans later
    WHERE later.library_id = s.library_id AND later.requested_at > s.requested_at
        AND later.finished_at IS NOT NULL
        AND (later.folder IN ('', s.folder) OR starts_with(s.folder, later.folder || '/'))
)
ORDER BY s.requested_at DESC, s.id LIMIT $1
"""


async def read(pool: asyncpg.Pool, ids: Sequence[UUID]) -> dict[UUID, Scan]:
    """The scans of the ids that exist."""
    found = await pool.fetch(_READ, list(ids), len(ids))
    return {row["id"]: Scan(**row) for row in found}


async def newest(pool: asyncpg.Pool, first: int) -> list[Scan]:
    """The newest scans, newest first."""
    return [Scan(**row) for row in await pool.fetch(_READ, None, first)]


async def unresolved(pool: asyncpg.Pool, first: int) -> list[Scan]:
    """The held and refused scans of libraries that a person has to look at, newest first."""
    ids = [row["id"] for row in await pool.fetch(_UNRESOLVED, first)]
    found = await read(pool, ids)
    return [found[id_] for id_ in ids if id_ in found]
