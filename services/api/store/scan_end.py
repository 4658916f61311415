"""Ends a scan: once its files are read, albums are grouped and names are counted."""

from collections.abc import Sequence
from uuid import UUID

import asyncpg

from services.api.store import scans
from services.api.store.albums.regroup import regroup
from services.api.store.spelling import count_spellings

_UNDECIDED = """
SELECT EXISTS (SELECT FROM ungrouped_titles) AS titles,
    EXISTS (SELECT FROM uncounted_spellings) AS spellings
"""


async def end_scan(pool: asyncpg.Pool, scan: UUID | None) -> None:
    """Finish a scan whose files are all read or failed, and decide before what they changed.

    While it has more files to read, that waits for the last one, since names are counted among all
    tracks. None: the files were found by no scan.
    """
    if scan is None or not await scans.is_reading(pool, scan):
        await _end(pool, [scan] if scan else [])


async def end_scans(pool: asyncpg.Pool) -> None:
    """The same for all scans."""
    if read_through := await scans.read_through(pool):
        await _end(pool, read_through)


async def decide(pool: asyncpg.Pool) -> None:
    """Group the albums and count the spellings that wait for it."""
    undecided = await pool.fetchrow(_UNDECIDED)
    if undecided["titles"]:
        await regroup(pool)
    if undecided["spellings"]:
        await count_spellings(pool)


async def _end(pool: asyncpg.Pool, ended: Sequence[UUID]) -> None:
    await decide(pool)
    if ended:
        await scans.settle(pool, ended, is_decided=True)
