"""Analyses, vectors, failures, scans: what a track passes through, and how it is counted."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import asyncpg
import numpy as np
import pytest

from services.api.handlers import keep_failures, note_indexed
from services.api.store import (
    analyses,
    covers,
    failures,
    files,
    generation,
    progress,
    scans,
    stretches,
    vectors,
)
from services.api.store.outcomes import ProblemCode, Status, TrackUpserted
from shared.contracts.envelope import DeadLetter, encode
from shared.contracts.errors import FailureKind
from shared.contracts.events import Event, FileFound, ScanRequested, TrackExtracted, TrackIndexed
from shared.contracts.identity import IdKind, format_id
from shared.contracts.stretches import digest_of
from shared.contracts.topics import Stage
from tests.integration.conftest import StoreTracks, analysis_item, track_item

AUDIO = {"space": "AUDIO", "model": "m", "version": "1", "dimensions": 4}
TEXT = {"space": "TEXT", "model": "m", "version": "1", "dimensions": 3}


def track_of(result: TrackUpserted) -> str:
    assert result.id is not None
    return format_id(IdKind.TRACK, result.id)


def vector(track: TrackUpserted, wanted: dict[str, Any], **changes: Any) -> dict[str, Any]:
    values = np.ones(wanted["dimensions"], np.float32)
    return {
        "track_id": track_of(track),
        "content_revision": track.content_revision,
        "space": wanted,
        "values": values / np.linalg.norm(values),
        **changes,
    }


def letter(
    event: Event, stage: Stage, message: str = "broken", kind: FailureKind = FailureKind.INVALID
) -> DeadLetter:
    record = encode(event, source="test", time=datetime.now(UTC))
    return DeadLetter(record, stage, kind, message, "", 1)


def found(library_id: UUID, scan: UUID, path: str) -> FileFound:
    return FileFound(
        library_id=format_id(IdKind.LIBRARY, library_id),
        scan_id=format_id(IdKind.SCAN, scan),
        path=path,
        size_bytes=1_000,
        mtime_ns=1_700_000_000_000_000_000,
    )


def extracted(track: TrackUpserted) -> TrackExtracted:
    return TrackExtracted(
        track_id=track_of(track),
        change="created",
        content_revision=track.content_revision,
        revision=track.revision,
    )


async def begin_scan(pool: asyncpg.Pool, to_read: int, mode: str = "incremental") -> UUID:
    async with pool.acquire() as connection:
        scan, _ = await scans.request(connection, library="music", root=None, folder="", mode=mode)
        await scans.begin(connection, scan)
        await scans.report(
            connection, scan, seen=to_read, to_read=to_read, unchanged=0, missing=0,
            is_finished=True, message=None,
        )  # fmt: skip
    return scan


async def register_both(pool: asyncpg.Pool) -> None:
    await vectors.register(pool, [vectors.check_space(AUDIO), vectors.check_space(TEXT)])


async def test_an_equal_analysis_changes_nothing_and_a_different_one_is_a_revision(
    pool: asyncpg.Pool, store_tracks: StoreTracks
) -> None:
    (track,) = await store_tracks("a.mp3")
    statuses = [
        ((await analyses.store(pool, [item]))[0].status, await pool.fetchval(
            "SELECT revision FROM tracks"
        ))
        for item in (
            analysis_item(track),
            analysis_item(track),
            analysis_item(track, tempo_bpm=121.0),
        )
    ]  # fmt: skip
    assert statuses == [(Status.CREATED, 2), (Status.UNCHANGED, 2), (Status.UPDATED, 3)]


@pytest.mark.parametrize(
    ("change", "code", "field"),
    [
        ({"content_revision": 1}, ProblemCode.STALE, "contentRevision"),
        ({"content_revision": 3}, ProblemCode.INVALID, "contentRevision"),
        ({"track_id": "trk_" + "0" * 32}, ProblemCode.NOT_FOUND, "trackId"),
        ({"tempo_bpm": float("nan")}, ProblemCode.INVALID, "tempoBpm"),
        ({"waveform": [1]}, ProblemCode.INVALID, "waveform"),
        ({"key": "H"}, ProblemCode.INVALID, "key"),
        ({"analyzer_version": "0"}, ProblemCode.CONFLICT, "analyzerVersion"),
    ],
)
async def test_an_analysis_that_cannot_be_is_refused_alone(
    pool: asyncpg.Pool,
    store_tracks: StoreTracks,
    change: dict[str, Any],
    code: ProblemCode,
    field: str,
) -> None:
    await store_tracks("a.mp3", "b.mp3")
    track, other = await store_tracks(track_item("a.mp3", size_bytes=2), "b.mp3")
    bad, good = await analyses.store(pool, [analysis_item(track, **change), analysis_item(other)])
    assert bad.problem is not None
    assert (bad.problem.code, bad.problem.field, good.status) == (code, field, Status.CREATED)


async def test_a_track_is_vectorized_once_all_current_spaces_have_its_content(
    pool: asyncpg.Pool, store_tracks: StoreTracks
) -> None:
    async def vectorized() -> int:
        return (await progress.read(pool)).vectorized

    await register_both(pool)
    (track,) = await store_tracks("a.mp3")
    await analyses.store(pool, [analysis_item(track)])
    seen = []
    for item in (vector(track, AUDIO), vector(track, TEXT), vector(track, TEXT)):
        (result,) = await vectors.store(pool, [item])
        seen.append((result.status, await vectorized()))
    await analyses.store(pool, [analysis_item(track, tempo_bpm=99.0)])
    await vectors.store(pool, [vector(track, TEXT)])
    assert seen == [(Status.CREATED, 0), (Status.CREATED, 1), (Status.UNCHANGED, 1)]
    assert await vectorized() == 0, "a new analysis asks for new vectors in all spaces"


async def test_a_new_space_makes_tracks_wait_and_the_old_one_back_does_not(
    pool: asyncpg.Pool, store_tracks: StoreTracks
) -> None:
    await register_both(pool)
    (track,) = await store_tracks("a.mp3")
    await analyses.store(pool, [analysis_item(track)])
    await vectors.store(pool, [vector(track, AUDIO), vector(track, TEXT)])
    newer = TEXT | {"version": "2", "dimensions": 5}
    seen: list[object] = [(await progress.read(pool)).vectorized]
    for space in (newer, newer, TEXT):
        changed = await vectors.register(pool, [vectors.check_space(space)])
        seen.append((changed, (await progress.read(pool)).vectorized))
    assert seen == [1, (True, 0), (False, 0), (True, 1)]
    names = await pool.fetch("SELECT indexname FROM pg_indexes WHERE indexdef LIKE '%hnsw%'")
    assert len(names) >= 3


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"values": np.ones(4, np.float32)}, "values"),
        ({"values": np.full(4, np.nan, np.float32)}, "values"),
        ({"values": np.ones(3, np.float32)}, "values"),
        ({"space": AUDIO | {"version": "9"}}, "space"),
        ({"space": AUDIO | {"dimensions": 9_999}}, "dimensions"),
    ],
)
async def test_a_vector_that_does_not_fit_the_current_space_is_refused(
    pool: asyncpg.Pool, store_tracks: StoreTracks, change: dict[str, Any], field: str
) -> None:
    await register_both(pool)
    (track,) = await store_tracks("a.mp3")
    bad, good = await vectors.store(pool, [vector(track, AUDIO, **change), vector(track, TEXT)])
    assert bad.problem is not None
    assert (bad.problem.field, good.status) == (field, Status.CREATED)


async def test_indexed_counts_until_the_track_changes_or_the_index_is_another_one(
    pool: asyncpg.Pool, store_tracks: StoreTracks
) -> None:
    await register_both(pool)
    (track,) = await store_tracks("a.mp3")
    (track,) = await analyses.store(pool, [analysis_item(track)])
    await vectors.store(pool, [vector(track, AUDIO), vector(track, TEXT)])
    event = TrackIndexed(track_id=track_of(track), revision=track.revision)
    await note_indexed(pool, [event, TrackIndexed(track_id=track_of(track), revision=1)])
    through = await progress.read(pool)
    assert (through.indexed, through.pending) == (1, 0)
    assert [await generation.register(pool, g) for g in ("g1", "g1", "g2")] == [True, False, True]
    assert (await progress.read(pool)).pending == 1


async def test_an_unreadable_file_is_counted_listed_and_known_until_it_changes(
    pool: asyncpg.Pool, library_id: UUID, store_tracks: StoreTracks
) -> None:
    scan = await begin_scan(pool, to_read=2)
    await store_tracks("good.mp3", scan_id=scan)
    assert (await scans.read(pool, [scan]))[scan].state == "reading"
    await keep_failures(pool, [letter(found(library_id, scan, "bad.mp3"), Stage.READ, "no\0 tag")])
    done = (await scans.read(pool, [scan]))[scan]
    assert (done.state, done.files_read, done.files_failed) == ("finished", 1, 1)
    known = await files.known(pool, library_id=library_id, folder="", after=None, first=10)
    assert known.paths == ["bad.mp3", "good.mp3"]
    failure = await pool.fetchrow("SELECT message, path FROM failures")
    assert failure == ("bad.mp3: no tag", "bad.mp3")
    (mended,) = await store_tracks("bad.mp3")
    assert mended.status is Status.CREATED
    assert (await progress.read(pool)).failed == 0


async def test_a_failure_is_open_until_success_new_content_or_the_end_of_the_file(
    pool: asyncpg.Pool, library_id: UUID, store_tracks: StoreTracks
) -> None:
    async def opened() -> int:
        return (await progress.read(pool)).failed

    (track,) = await store_tracks("a.mp3")
    failed = letter(extracted(track), Stage.ANALYZE)
    (first,) = await failures.store(pool, [failed])
    (again,) = await failures.store(pool, [failed])
    assert (await opened(), again.id) == (1, first.id)
    assert (await progress.read(pool)).pending == 0, "a failed track is not waited for"
    assert await pool.fetchval("SELECT path FROM failures") == "a.mp3"
    await analyses.store(pool, [analysis_item(track)])
    assert await opened() == 0
    await failures.store(pool, [failed])
    (changed,) = await store_tracks(track_item("a.mp3", mtime_ns=7))
    assert await opened() == 0
    await failures.store(pool, [failed])
    assert await opened() == 0, "of a content that is gone"
    await failures.store(pool, [letter(extracted(changed), Stage.ANALYZE)])
    await files.mark_missing(pool, library_id, ["a.mp3"])
    assert await opened() == 0
    await failures.store(pool, [letter(extracted(changed), Stage.ANALYZE)])
    assert await opened() == 0, "of a file that is known to be gone"
    await failures.store(pool, [letter(extracted(changed), Stage.INDEX)])
    assert await opened() == 1, "but that it is gone has to be told to the index"


async def test_a_record_that_makes_no_sense_is_kept_as_it_is(pool: asyncpg.Pool) -> None:
    record = encode(ScanRequested(root="/x"), source="test", time=datetime.now(UTC))
    for topic in (record.topic, "no.such.topic"):
        garbled = type(record)(topic, b"\xff\0", b"\xfe\0{", {"h\ud800": b"\0\xff"})
        await keep_failures(pool, [DeadLetter(garbled, "x", FailureKind.BUG, "m\ud800", "", 1)])
    async with pool.acquire() as connection:
        wanted = failures.Wanted(until=datetime.now(UTC), kind="bug", topic="no.such.topic")
        taken = await failures.take(connection, wanted, first=10)
    assert [(t.record.key, t.record.value) for t in taken] == [(b"\xff\0", b"\xfe\0{")]
    assert (await progress.read(pool)).failed == 1


async def test_a_scan_that_cannot_be_done_is_refused_with_the_message(
    pool: asyncpg.Pool, library_id: UUID
) -> None:
    async with pool.acquire() as connection:
        scan, _ = await scans.request(
            connection, library="music", root=None, folder="", mode="incremental"
        )
    event = ScanRequested(library="music", scan_id=format_id(IdKind.SCAN, scan))
    await keep_failures(pool, [letter(event, Stage.WALK, "/music does not exist")])
    refused = (await scans.read(pool, [scan]))[scan]
    assert (refused.state, refused.message) == ("refused", "/music does not exist")


@pytest.mark.parametrize("mode", ["incremental", "full"])
async def test_a_scan_that_was_cut_and_walked_again_ends_with_the_right_totals(
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
    await store_tracks("2.mp3", "9.mp3", scan_id=scan)  # told again
    assert (await scans.read(pool, [scan]))[scan].state == "reading"
    await store_tracks("10.mp3", scan_id=scan)
    done = (await scans.read(pool, [scan]))[scan]
    assert (done.state, done.files_to_read, done.files_read, done.files_failed) == (
        "finished",
        10,
        9,
        1,
    )


async def test_known_files_of_a_folder_come_in_portions_by_path(
    pool: asyncpg.Pool, library_id: UUID, store_tracks: StoreTracks
) -> None:
    await store_tracks("a/1.mp3", "a/2.mp3", "a/b/3.mp3", "a0.mp3", "a.mp3")
    await files.mark_missing(pool, library_id, ["a/2.mp3"])
    seen: list[tuple[str, bool]] = []
    after = None
    while True:
        portion = await files.known(pool, library_id=library_id, folder="a", after=after, first=2)
        seen += zip(portion.paths, portion.missing, strict=True)
        if (after := portion.end_cursor) is None:
            break
    assert seen == [("a/1.mp3", False), ("a/2.mp3", True), ("a/b/3.mp3", False)]


async def test_stretches_of_known_files_have_the_digest_of_the_files_in_them(
    pool: asyncpg.Pool, library_id: UUID, store_tracks: StoreTracks
) -> None:
    names = ["a/1.mp3", "a/b/3.mp3", "a/caf\uf7e9.mp3", "a/gone.mp3", "a/夜.mp3", "z.mp3"]
    await store_tracks(*names)
    await files.mark_missing(pool, library_id, ["a/gone.mp3"])
    await pool.execute("UPDATE files SET mtime_ns = -5, images_digest = 7 WHERE path = 'a/1.mp3'")
    await pool.execute("UPDATE files SET images_digest = 0 WHERE path = 'a/夜.mp3'")
    told: dict[str, Any] = {"library_id": library_id, "files_each": 2}
    first = await stretches.known(pool, **told, folder="a", after=None, first=1)
    rest = await stretches.known(pool, **told, folder="a", after=first.end_cursor, first=2)
    paths = sorted(name for name in names if name.startswith("a/") and name != "a/gone.mp3")
    assert first.ends + rest.ends == [paths[1], paths[3]]
    assert (first.counts, rest.counts, rest.end_cursor) == ([2], [2], None)
    rows = {row["path"]: row for row in await pool.fetch("SELECT * FROM files")}
    for stretch, digest, unknown in zip(
        (paths[:2], paths[2:]), first.digests + rest.digests,
        first.unknown_images + rest.unknown_images, strict=True,
    ):  # fmt: skip
        here = [rows[path] for path in stretch]
        assert unknown == [n for n, row in enumerate(here) if row["images_digest"] is None]
        assert digest == digest_of(
            stretch,
            [row["size_bytes"] for row in here],
            [row["mtime_ns"] for row in here],
            [row["images_digest"] or 0 for row in here],
        )


async def test_known_files_end_with_the_path_that_is_told(
    pool: asyncpg.Pool, library_id: UUID, store_tracks: StoreTracks
) -> None:
    await store_tracks("1.mp3", "2.mp3", "3.mp3", "4.mp3")
    told: dict[str, Any] = {"library_id": library_id, "folder": "", "until": "3.mp3"}
    page = await files.known(pool, **told, after="1.mp3", first=1)
    assert (page.paths, page.end_cursor) == (["2.mp3"], "2.mp3")
    page = await files.known(pool, **told, after="2.mp3", first=1)
    assert (page.paths, page.end_cursor) == (["3.mp3"], None)


async def test_a_cover_is_stored_once(pool: asyncpg.Pool) -> None:
    sha = b"\1" * 32
    for _ in range(2):
        await covers.store(pool, sha256=sha, mime_type="image/png", content=b"png")
    assert await covers.missing(pool, [sha, b"\2" * 32]) == {b"\2" * 32}
    assert await covers.content(pool, sha) == covers.CoverContent("image/png", b"png")


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
async def test_a_root_means_the_library_it_is_in_or_a_new_one(
    pool: asyncpg.Pool, library_id: UUID, root: str, folder: str, expected: Any
) -> None:
    async def request() -> scans.Scan:
        async with pool.acquire() as connection, connection.transaction():
            scan, _ = await scans.request(
                connection, library=None, root=root, folder=folder, mode="incremental"
            )
        return (await scans.read(pool, [scan]))[scan]

    if isinstance(expected, str):
        with pytest.raises(Exception, match=expected):
            await request()
        return
    scan = await request()
    assert (scan.library, scan.folder) == expected
    assert (await request()).id == scan.id, "the one at work is joined"
