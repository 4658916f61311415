"""The known files of a folder: in pages by path, and as digests of ranges."""

from typing import Any
from uuid import UUID

import asyncpg

from services.api.store.files.known import known_files, known_ranges
from services.api.store.files.missing import mark_missing
from shared.contracts.range_digests import digest_of
from tests.integration.conftest import StoreTracks


async def test_known_files_of_a_folder_come_in_pages_by_path(
    pool: asyncpg.Pool, library_id: UUID, store_tracks: StoreTracks
) -> None:
    await store_tracks("a/1.mp3", "a/2.mp3", "a/b/3.mp3", "a0.mp3", "a.mp3")
    await mark_missing(pool, library_id, ["a/2.mp3"])
    seen: list[tuple[str, bool]] = []
    after = None
    while True:
        page = await known_files(pool, library_id=library_id, folder="a", after=after, first=2)
        seen += zip(page.paths, page.missing, strict=True)
        if (after := page.end_cursor) is None:
            break
    assert seen == [("a/1.mp3", False), ("a/2.mp3", True), ("a/b/3.mp3", False)]


async def test_each_range_of_known_files_has_the_digest_of_its_files(
    pool: asyncpg.Pool, library_id: UUID, store_tracks: StoreTracks
) -> None:
    names = ["a/1.mp3", "a/b/3.mp3", "a/caf\uf7e9.mp3", "a/gone.mp3", "a/夜.mp3", "z.mp3"]
    await store_tracks(*names)
    await mark_missing(pool, library_id, ["a/gone.mp3"])
    await pool.execute("UPDATE files SET mtime_ns = -5, images_digest = 7 WHERE path = 'a/1.mp3'")
    await pool.execute("UPDATE files SET images_digest = 0 WHERE path = 'a/夜.mp3'")
    arguments: dict[str, Any] = {"library_id": library_id, "files_each": 2}
    first = await known_ranges(pool, **arguments, folder="a", after=None, first=1)
    rest = await known_ranges(pool, **arguments, folder="a", after=first.end_cursor, first=2)
    paths = sorted(name for name in names if name.startswith("a/") and name != "a/gone.mp3")
    assert first.ends + rest.ends == [paths[1], paths[3]]
    assert (first.counts, rest.counts, rest.end_cursor) == ([2], [2], None)
    rows = {row["path"]: row for row in await pool.fetch("SELECT * FROM files")}
    for range_paths, digest, unknown in zip(
        (paths[:2], paths[2:]), first.digests + rest.digests,
        first.unknown_images + rest.unknown_images, strict=True,
    ):  # fmt: skip
        here = [rows[path] for path in range_paths]
        assert unknown == [n for n, row in enumerate(here) if row["images_digest"] is None]
        assert digest == digest_of(
            range_paths,
            [row["size_bytes"] for row in here],
            [row["mtime_ns"] for row in here],
            [row["images_digest"] or 0 for row in here],
        )


async def test_known_files_end_at_the_given_path(
    pool: asyncpg.Pool, library_id: UUID, store_tracks: StoreTracks
) -> None:
    await store_tracks("1.mp3", "2.mp3", "3.mp3", "4.mp3")
    arguments: dict[str, Any] = {"library_id": library_id, "folder": "", "until": "3.mp3"}
    page = await known_files(pool, **arguments, after="1.mp3", first=1)
    assert (page.paths, page.end_cursor) == (["2.mp3"], "2.mp3")
    page = await known_files(pool, **arguments, after="2.mp3", first=1)
    assert (page.paths, page.end_cursor) == (["3.mp3"], None)
