"""Files that are alike at three places: none is taken for another, and each is still recognised."""

import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import asyncpg
import mutagen
import pytest
from mutagen.id3 import TIT2
from pytest_asyncio import fixture

from services.api.store.analyses.upsert import upsert_analyses
from services.api.store.corrections.apply import apply_corrections
from services.api.store.results import TrackUpserted
from shared.contracts.upserts import UpsertStatus
from shared.runtime.settings import Settings
from tests.integration.conftest import analysis_item
from tests.integration.extractor_setup import LibraryClient, running_extractor
from tests.unit.services.extractor.similar_files import encode, quiet, wave

DOOR, BELL, NONE = wave(quiet(110, 130)), wave(quiet(1_900, 2_500)), wave(quiet())
FILES = {"door.wav": DOOR, "bell.wav": BELL, "none.wav": NONE}
MP3S = {"door.mp3": 110.0, "bell.mp3": 1_900.0}
_DUPLICATES = "{ duplicates { tracks { path } } }"


@fixture
async def library(
    pool: asyncpg.Pool, database_settings: Settings, tmp_path: Path
) -> AsyncIterator[LibraryClient]:
    root = tmp_path / "music"
    root.mkdir()
    for name, content in FILES.items():
        (root / name).write_bytes(content)
    for name, hz in MP3S.items():
        (root / name).write_bytes(encode(quiet(hz), "mp3", "libmp3lame", 192_000))
    async with running_extractor(pool, database_settings) as gateway:
        yield LibraryClient(gateway, root)


async def duplicates(library: LibraryClient) -> list[set[str]]:
    found = await library.gateway.execute_document(_DUPLICATES, {})
    return [{track["path"] for track in group["tracks"]} for group in found["duplicates"]]


def retag(path: Path, title: str) -> None:
    file: Any = mutagen.File(path)
    if file.tags is None:
        file.add_tags()
    file.tags.add(TIT2(text=[title]))
    file.save()


async def ids(library: LibraryClient) -> dict[str, tuple[str, int]]:
    tracks = await library.tracks()
    return {path: (track["id"], track["contentRevision"]) for path, track in tracks.items()}


async def test_they_are_no_duplicates_and_a_copy_is_one(library: LibraryClient) -> None:
    await library.scan()
    assert await duplicates(library) == []
    for name in ("bell.wav", "bell.mp3"):
        shutil.copy(library.root / name, library.root / f"copy of {name}")
        retag(library.root / f"copy of {name}", "Another title, and a longer file")
    await library.scan()
    groups = await duplicates(library)
    assert sorted(map(sorted, groups)) == [
        ["bell.mp3", "copy of bell.mp3"], ["bell.wav", "copy of bell.wav"],
    ]  # fmt: skip
    for _ in range(2):
        again = await library.scan()
        assert (again["filesToRead"], again["filesUnchanged"]) == (0, 7)


@pytest.mark.parametrize("suffix", ["wav", "mp3"])
async def test_a_moved_and_retagged_file_stays_the_same_track(
    library: LibraryClient, suffix: str
) -> None:
    await library.scan()
    before = await ids(library)
    door = (library.root / f"door.{suffix}").rename(library.root / f"moved.{suffix}")
    retag(door, "Moved and retagged")
    retag(library.root / f"bell.{suffix}", "Retagged in place")
    await library.scan()
    after = await ids(library)
    assert after[f"moved.{suffix}"] == before[f"door.{suffix}"]
    assert after[f"bell.{suffix}"] == before[f"bell.{suffix}"]


@pytest.mark.parametrize("suffix", ["wav", "mp3"])
async def test_tracks_follow_swapped_names(library: LibraryClient, suffix: str) -> None:
    await library.scan()
    before = await ids(library)
    door, bell = (library.root / f"{name}.{suffix}" for name in ("door", "bell"))
    door.rename(library.root / "aside")
    bell.rename(door)
    (library.root / "aside").rename(bell)
    await library.scan()
    after = await ids(library)
    assert after[door.name] == before[bell.name]
    assert after[bell.name] == before[door.name]


async def test_a_file_that_replaces_one_that_is_gone_is_not_taken_for_it(
    library: LibraryClient,
) -> None:
    (library.root / "bell.wav").unlink()
    await library.scan()
    before = await ids(library)
    (library.root / "door.wav").unlink()
    (library.root / "effects").mkdir()
    (library.root / "effects" / "bell.wav").write_bytes(BELL)
    await library.scan()
    assert (await ids(library))["effects/bell.wav"][0] not in {id_ for id_, _ in before.values()}


async def test_what_changes_between_three_equal_places_is_new_content(
    library: LibraryClient,
) -> None:
    await library.scan()
    before = await ids(library)
    (library.root / "door.wav").write_bytes(BELL)
    await library.scan()
    after = await ids(library)
    assert after["door.wav"] == (before["door.wav"][0], 2)


_SAMPLED = bytes.fromhex("ab" * 16)


async def test_files_that_an_earlier_version_took_for_one_get_their_own_analyses(
    library: LibraryClient, pool: asyncpg.Pool
) -> None:
    (library.root / "music.opus").write_bytes(encode(quiet(200, 900), "opus", "libopus", 96_000))
    await library.scan()
    before = await ids(library)
    names = [f"{name}.wav" for name in ("door", "bell", "none")]
    rows = await pool.fetch("SELECT t.id, path, content_revision FROM tracks t JOIN files f"
                            " ON f.track_id = t.id")  # fmt: skip
    for row in rows:
        track = TrackUpserted(row["id"], UpsertStatus.CREATED, 1, row["content_revision"])
        (made,) = await upsert_analyses(pool, [analysis_item(track)])
        assert made.problem is None
    await apply_corrections(pool, [{"track_id": before["none.wav"][0], "tempo_bpm": 77}])
    # As an earlier version left them: one hash of three samples, and read by that version.
    await pool.execute("UPDATE files SET content_hash = $1 WHERE path = ANY($2)", _SAMPLED, names)
    await pool.execute("UPDATE files SET images_digest = 0")
    again, third = await library.scan(), await library.scan()
    assert (again["filesToRead"], third["filesToRead"]) == (6, 0)
    after = await ids(library)
    assert {path for path in before if after[path] != before[path]} == set(names)
    assert all(after[name] == (before[name][0], 2) for name in names)
    waiting = await pool.fetch(
        "SELECT path FROM tracks t JOIN files f ON f.track_id = t.id"
        " WHERE analyzed_content_revision IS DISTINCT FROM content_revision"
    )
    assert {row["path"] for row in waiting} == set(names)
    tempo = "SELECT tempo_bpm FROM tracks t JOIN files f ON f.track_id = t.id WHERE path = $1"
    assert await pool.fetchval(tempo, "none.wav") == 77
    assert await duplicates(library) == []
