"""Ends a scan: once its files are read, albums are grouped and names are counted."""

from uuid import UUID

import asyncpg

from services.api.store import scans
from services.api.store.albums.regroup import regroup
from services.api.store.spelling import count_spellings


async def end_scan(pool: asyncpg.Pool, scan: UUID | None) -> None:
    """Finish a scan whose files are all read or failed, and decide before what they changed.

    None: the files were found by no scan.
    """
    if scan is None:
        await count_spellings(pool)
    elif ended := await scans.read_through(pool, scan):
        await _end(pool, ended)


async def end_scans(pool: asyncpg.Pool) -> None:
    """The same for all scans."""
    if ended := await scans.read_through(pool):
        await _end(pool, ended)


async def _end(pool: asyncpg.Pool, ended: list[UUID]) -> None:
    await regroup(pool)
    await count_spellings(pool)
    await scans.settle(pool, ended, is_decided=True)
