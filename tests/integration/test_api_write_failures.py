"""Failures are stored and counted; they end when the track succeeds, changes or is gone."""

from datetime import UTC, datetime
from uuid import UUID

import asyncpg

from services.api.handlers import keep_failures
from services.api.store import progress
from services.api.store.analyses.upsert import upsert_analyses
from services.api.store.failures.queries import FailureSelection, claim_failures, resolve_claimed
from services.api.store.failures.write import store_failures
from services.api.store.files.known import known_files
from services.api.store.files.missing import mark_missing
from services.api.store.reading import scans
from shared.contracts.envelope import DeadLetter, encode
from shared.contracts.errors import FailureKind
from shared.contracts.events import ScanRequested
from shared.contracts.topics import Stage
from shared.contracts.upserts import UpsertStatus
from tests.integration.api_write_items import begin_scan, extracted, found, letter
from tests.integration.conftest import StoreTracks, analysis_item, track_item


async def test_an_unreadable_file_is_counted_and_known_until_it_changes(
    pool: asyncpg.Pool, library_id: UUID, store_tracks: StoreTracks
) -> None:
    scan = await begin_scan(pool, to_read=2)
    await store_tracks("good.mp3", scan_id=scan)
    assert (await scans.read(pool, [scan]))[scan].state == "reading"
    await keep_failures(pool, [letter(found(library_id, scan, "bad.mp3"), Stage.READ, "no\0 tag")])
    done = (await scans.read(pool, [scan]))[scan]
    assert (done.state, done.files_read, done.files_failed) == ("finished", 1, 1)
    known = await known_files(pool, library_id=library_id, folder="", after=None, first=10)
    assert known.paths == ["bad.mp3", "good.mp3"]
    failure = await pool.fetchrow("SELECT message, path FROM failures")
    assert failure == ("bad.mp3: no tag", "bad.mp3")
    (repaired,) = await store_tracks("bad.mp3")
    assert repaired.status is UpsertStatus.CREATED
    assert (await progress.read(pool)).failed == 0


async def test_a_failure_is_open_until_success_new_content_or_the_loss_of_the_file(
    pool: asyncpg.Pool, library_id: UUID, store_tracks: StoreTracks
) -> None:
    async def count_open() -> int:
        return (await progress.read(pool)).failed

    (track,) = await store_tracks("a.mp3")
    failed = letter(extracted(track), Stage.ANALYZE)
    (first,) = await store_failures(pool, [failed])
    (again,) = await store_failures(pool, [failed])
    assert (await count_open(), again.id) == (1, first.id)
    assert (await progress.read(pool)).pending == 0, "a failed track is not pending"
    assert await pool.fetchval("SELECT path FROM failures") == "a.mp3"
    await upsert_analyses(pool, [analysis_item(track)])
    assert await count_open() == 0
    await store_failures(pool, [failed])
    (changed,) = await store_tracks(track_item("a.mp3", mtime_ns=7))
    assert await count_open() == 0
    await store_failures(pool, [failed])
    assert await count_open() == 0, "a failure of old content"
    await store_failures(pool, [letter(extracted(changed), Stage.ANALYZE)])
    await mark_missing(pool, library_id, ["a.mp3"])
    assert await count_open() == 0
    await store_failures(pool, [letter(extracted(changed), Stage.ANALYZE)])
    assert await count_open() == 0, "a failure of a missing file"
    await store_failures(pool, [letter(extracted(changed), Stage.INDEX)])
    assert await count_open() == 1, "a missing file must still be removed from the index"


async def test_a_malformed_record_is_stored_unchanged(pool: asyncpg.Pool) -> None:
    record = encode(ScanRequested(root="/x"), source="test", time=datetime.now(UTC))
    for topic in (record.topic, "no.such.topic"):
        garbled = type(record)(topic, b"\xff\0", b"\xfe\0{", {"h\ud800": b"\0\xff"})
        await keep_failures(pool, [DeadLetter(garbled, "x", FailureKind.BUG, "m\ud800", "", 1)])
    async with pool.acquire() as connection:
        wanted = FailureSelection(until=datetime.now(UTC), kind="bug", topic="no.such.topic")
        taken = await claim_failures(connection, wanted, first=10)
        await resolve_claimed(connection, [each.id for each in taken])
    assert [(t.record.key, t.record.value) for t in taken] == [(b"\xff\0", b"\xfe\0{")]
    assert (await progress.read(pool)).failed == 1
