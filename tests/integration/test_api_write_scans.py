"""Scans: their library, their counts, and their end."""

from typing import Any
from uuid import UUID

import asyncpg
import pytest

from services.api.handlers import keep_failures
from services.api.store import scans
from services.api.store.reading.scans import Scan
from services.api.store.reading.scans import read as read_scans
from shared.contracts.errors import FailureKind
from shared.contracts.events import ScanRequested
from shared.contracts.identity import IdKind, format_id
from shared.contracts.topics import Stage
from tests.integration.api_write_items import begin_scan, found, letter
from tests.integration.conftest import StoreTracks


async def test_a_failed_scan_is_refused_with_the_message(
    pool: asyncpg.Pool, library_id: UUID
) -> None:
    async with pool.acquire() as connection:
        scan, _ = await scans.request(
            connection, library="music", root=None, folder="", mode="incremental"
        )
    event = ScanRequested(library="music", scan_id=format_id(IdKind.SCAN, scan))
    await keep_failures(pool, [letter(event, Stage.WALK, "/music does not exist")])
    refused = (await read_scans(pool, [scan]))[scan]
    assert (refused.state, refused.message) == ("refused", "/music does not exist")


@pytest.mark.parametrize("mode", ["incremental", "full"])
async def test_an_interrupted_scan_that_is_walked_again_ends_with_the_right_totals(
    pool: asyncpg.Pool, library_id: UUID, store_tracks: StoreTracks, mode: str
) -> None:
    scan = await begin_scan(pool, to_read=10, mode=mode)
    await store_tracks("1.mp3", "2.mp3", scan_id=scan)
    await keep_failures(pool, [letter(found(library_id, scan, "3.mp3"), Stage.READ)])
    passing = letter(found(library_id, scan, "4.mp3"), Stage.READ, kind=FailureKind.TRANSIENT)
    await keep_failures(pool, [passing])
    async with pool.acquire() as connection:
        await scans.begin(connection, scan)
        again = 7 if mode == "incremental" else 10
        await scans.report(
            connection, scan, seen=10, to_read=again, unchanged=0, missing=0, is_finished=True,
            message=None,
        )  # fmt: skip
    await store_tracks(*(f"{n}.mp3" for n in range(4, 10)), scan_id=scan)
    await store_tracks("2.mp3", "9.mp3", scan_id=scan)  # read again
    assert (await read_scans(pool, [scan]))[scan].state == "reading"
    await store_tracks("10.mp3", scan_id=scan)
    done = (await read_scans(pool, [scan]))[scan]
    assert (done.state, done.files_to_read, done.files_read, done.files_failed) == (
        "finished",
        10,
        9,
        1,
    )


@pytest.mark.parametrize(
    ("root", "folder", "expected"),
    [
        ("/music", "", ("music", "")),
        ("/music/", "a//b/", ("music", "a/b")),
        ("/music/jazz", "cool", ("music", "jazz/cool")),
        ("/other/music", "", ("music 2", "")),
        ("music", "", "absolute"),
        ("/", "", "contains the library"),
        ("/music", "../x", "below the root"),
    ],
)
async def test_a_root_selects_the_library_that_contains_it_or_a_new_one(
    pool: asyncpg.Pool, library_id: UUID, root: str, folder: str, expected: Any
) -> None:
    async def request() -> Scan:
        async with pool.acquire() as connection, connection.transaction():
            scan, _ = await scans.request(
                connection, library=None, root=root, folder=folder, mode="incremental"
            )
        return (await read_scans(pool, [scan]))[scan]

    if isinstance(expected, str):
        with pytest.raises(Exception, match=expected):
            await request()
        return
    scan = await request()
    assert (scan.library, scan.folder) == expected
    assert (await request()).id == scan.id, "a second request joins the running scan"
