"""Scans: requested, walking, reading, finished.

A scan is finished when each file that its walk found to read was read or failed. Each file counts
once (`files.read_by_scan_id`), so repeated events don't count twice.
"""

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

import asyncpg

from services.api.store.checks import InvalidValue
from services.api.store.libraries import change
from services.api.store.libraries.find import AllowedRoots, find_or_create
from shared.contracts.topics import Stage
from shared.contracts.upserts import ErrorCode

MOST_WALKS = 5
"""A scan that was cut off this often is ended with what it has."""


_JOIN_ACTIVE = """
SELECT id FROM scans
WHERE library_id = $1 AND folder = $2 AND mode = $3 AND accept_missing = $4
    AND state IN ('requested', 'walking', 'reading')
"""
_REQUEST = """
INSERT INTO scans (library_id, root, folder, mode, accept_missing) VALUES ($1, $2, $3, $4, $5)
ON CONFLICT DO NOTHING RETURNING id
"""
# A walk begins (again). It does not find what is read already, except in a full scan. It does find
# files again that failed for a transient reason, so only the unreadable ones count as read.
_BEGIN = f"""
UPDATE scans s SET
    state = 'walking', moved_at = now(), walks = walks + 1,
    files_before = CASE WHEN s.mode = 'full' THEN 0 ELSE s.files_read + (
        SELECT count(*) FROM failures f
        WHERE f.scan_id = s.id AND f.resolved_at IS NULL
            AND f.stage = '{Stage.READ}' AND f.kind = 'invalid'
    ) END
WHERE id = $1 AND state IN ('requested', 'walking', 'reading')
"""  # noqa: S608 - as above
_REPORT = """
UPDATE scans SET
    files_seen = $2, files_to_read = files_before + $3, files_unchanged = $4, files_missing = $5,
    files_held = $8, state = CASE WHEN $6 THEN 'reading' ELSE state END,
    message = coalesce($7, message), moved_at = now()
WHERE id = $1 AND state = 'walking'
"""
_REFUSE = """
UPDATE scans SET state = 'refused', message = $2, moved_at = now(), finished_at = now()
WHERE id = $1 AND state IN ('requested', 'walking', 'reading')
"""
# $1: ids, or null for all. $2: whether albums are grouped and spellings counted: who asks for the
# library after a scan gets the albums and names that its files make.
_SETTLE = f"""
WITH counted AS (
    SELECT s.id, (
        SELECT count(*) FROM failures f
        WHERE f.scan_id = s.id AND f.resolved_at IS NULL AND f.stage = '{Stage.READ}'
    ) AS failed
    FROM scans s WHERE s.state = 'reading' AND ($1::uuid[] IS NULL OR s.id = ANY($1))
)
UPDATE scans s SET
    state = CASE WHEN s.files_held > 0 THEN 'held' ELSE 'finished' END,
    files_failed = counted.failed, moved_at = now(), finished_at = now()
FROM counted
WHERE s.id = counted.id AND s.state = 'reading'
    AND s.files_read + counted.failed >= s.files_to_read
    AND ($2 OR NOT EXISTS (SELECT FROM ungrouped_titles UNION ALL SELECT FROM uncounted_spellings))
"""  # noqa: S608 - as above
_READ_THROUGH = f"""
SELECT s.id FROM scans s
WHERE s.state = 'reading' AND s.files_to_read <= s.files_read + (
    SELECT count(*) FROM failures f
    WHERE f.scan_id = s.id AND f.resolved_at IS NULL AND f.stage = '{Stage.READ}'
)
"""  # noqa: S608 - as above
_IS_READING = f"""
SELECT EXISTS (
    SELECT FROM scans WHERE id = $1 AND state IN ('requested', 'walking', 'reading')
) AND NOT EXISTS (SELECT FROM ({_READ_THROUGH}) s WHERE s.id = $1)
"""  # noqa: S608 - as above
_PRUNE = """
DELETE FROM scans WHERE id IN (
    SELECT id FROM scans WHERE finished_at < now() - $1::interval
    ORDER BY requested_at DESC, id OFFSET $2 LIMIT 100
)
"""
_GIVE_UP = """
UPDATE scans SET
    state = CASE WHEN files_held > 0 THEN 'held' ELSE 'finished' END,
    moved_at = now(), finished_at = now(),
    message = concat_ws('; ', message, $2::text)
WHERE id = ANY($1) AND state IN ('requested', 'walking', 'reading')
"""
_COUNT_READ = "UPDATE scans SET files_read = files_read + $2, moved_at = now() WHERE id = $1"
_EXISTS = "SELECT EXISTS (SELECT FROM scans WHERE id = $1)"


async def request(
    connection: asyncpg.Connection,
    *,
    library: str | None,
    root: str | None,
    folder: str,
    mode: str,
    accept_missing: bool = False,
    allowed_roots: AllowedRoots = None,
    is_separate: bool = False,
) -> tuple[UUID, bool]:
    """A new scan in state `requested` and True, or the active one of the same files and False.

    `allowed_roots` and `is_separate` are about a new root: see `find_or_create`.

    Raises:
        InvalidValue: there is no such library, or the root cannot be one.
    """
    if not library and not root:
        raise InvalidValue("name a library or the root folder of one", "root")
    place = await find_or_create(
        connection,
        library=library or None,
        root=root or None,
        folder=folder,
        allowed_roots=allowed_roots,
        is_separate=is_separate,
    )
    covered = (place.library_id, place.folder, mode, accept_missing)
    scan: UUID | None = await connection.fetchval(_JOIN_ACTIVE, *covered)
    is_new = False
    while scan is None:
        scan = await connection.fetchval(_REQUEST, covered[0], place.root, *covered[1:])
        is_new = scan is not None
        if scan is None:  # another request won
            scan = await connection.fetchval(_JOIN_ACTIVE, *covered)
    return scan, is_new


async def begin(connection: asyncpg.Connection, scan: UUID) -> None:
    """Note that a walk begins. A finished scan stays finished: the walker looks at the state.

    Raises:
        InvalidValue: there is no such scan.
    """
    await _must_exist(connection, scan)
    await connection.execute(_BEGIN, scan)


async def report(
    connection: asyncpg.Connection,
    scan: UUID,
    *,
    seen: int,
    to_read: int,
    unchanged: int,
    missing: int,
    held: int = 0,
    is_finished: bool,
    message: str | None,
) -> None:
    """Note how far a walk is, or that it is finished; the same report again changes nothing.

    Raises:
        InvalidValue: there is no such scan.
    """
    await _must_exist(connection, scan)
    await change.accept(connection, scan)
    counts = (seen, to_read, unchanged, missing)
    await connection.execute(_REPORT, scan, *counts, is_finished, message, held)
    if is_finished:
        await settle(connection, [scan])


async def refuse(connection: asyncpg.Connection, scan: UUID, message: str) -> None:
    """End a scan that cannot be done; `message` tells people why.

    A library that was made for this scan goes with it.

    Raises:
        InvalidValue: there is no such scan.
    """
    await _must_exist(connection, scan)
    await connection.execute(_REFUSE, scan, message)
    await change.forget_if_new(connection, scan)


async def count_read(connection: asyncpg.Connection, scan: UUID, files: int) -> None:
    """Count files that were read for this scan; ends it when those were the last."""
    if files:
        await connection.execute(_COUNT_READ, scan, files)
    await settle(connection, [scan])


async def read_through(pool: asyncpg.Pool) -> list[UUID]:
    """The scans whose files are all read or failed, but which are not finished yet."""
    return [row["id"] for row in await pool.fetch(_READ_THROUGH)]


async def is_reading(pool: asyncpg.Pool, scan: UUID) -> bool:
    """Whether a scan is still to find or read files."""
    found: bool = await pool.fetchval(_IS_READING, scan)
    return found


async def settle(
    connection: asyncpg.Connection | asyncpg.Pool,
    scans: Sequence[UUID] | None = None,
    *,
    is_decided: bool = False,
) -> None:
    """Finish those of the scans (None: of all) whose files are all read or failed.

    Not while albums wait to be grouped, or spellings to be counted, unless the caller has seen to
    both (`is_decided`).
    """
    await connection.execute(_SETTLE, None if scans is None else sorted(scans), is_decided)


async def give_up(connection: asyncpg.Connection, scans: Sequence[UUID], message: str) -> None:
    """End scans that are cut off again and again; `message` says what was not done."""
    await connection.execute(_GIVE_UP, sorted(scans), message)


async def _must_exist(connection: asyncpg.Connection, scan: UUID) -> None:
    if not await connection.fetchval(_EXISTS, scan):
        raise InvalidValue("there is no such scan", "scan_id", ErrorCode.NOT_FOUND)


async def prune(connection: asyncpg.Connection, *, older_than: timedelta, newest: int) -> None:
    """Delete scans that ended this long ago, but for the `newest` ones.

    A watched library has a scan for each change. The reconciler calls this again and again; a
    hundred are deleted at a time.
    """
    await connection.execute(_PRUNE, older_than, newest)
