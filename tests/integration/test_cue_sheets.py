"""An album in one file and its cue sheet, through extractor, gateway and database."""

import os
import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import asyncpg
import numpy as np
import pytest
import soundfile
from pytest_asyncio import fixture

from services.extractor.cue.parts import part_hash
from services.extractor.read.content_hash import SEGMENT_BYTES, content_hash
from shared.runtime.settings import Settings
from tests.integration.extractor_setup import LibraryClient, running_extractor

RATE_HZ = 8_000
RATE_OF_LARGE_HZ = 352_800
LENGTH_S = 12
_TRACKS = """
query ($missing: Boolean) {
  tracks(first: 100, sort: CREATED, filter: {isMissing: $missing}) {
    edges { node {
      id path title artists trackNumber trackTotal durationS contentRevision cueProblem isMissing
      part { number startS endS cueSheet } album { title artistCredit trackCount year }
      genres { name } chapters { title startS endS }
    } }
  }
}
"""
_STATUS = "{ status { tracks files missing } }"
SHEET = """\
REM GENRE "Chanson"
REM DATE 1998
PERFORMER "Ann"
TITLE "Whole"
FILE "album.wav" WAVE
  TRACK 01 AUDIO
    TITLE "One"
    INDEX 01 00:00:00
  TRACK 02 AUDIO
    TITLE "Two"
    PERFORMER "Ben"
    INDEX 00 00:03:50
    INDEX 01 00:04:00
  TRACK 03 AUDIO
    TITLE "Three"
    INDEX 01 00:08:00
"""


def write_album(path: Path, seed: int = 0, rate_hz: int = RATE_HZ) -> Path:
    """A file of noise that belongs to a cue sheet."""
    path.parent.mkdir(parents=True, exist_ok=True)
    noise = np.random.default_rng(seed).standard_normal(rate_hz * LENGTH_S) * 0.1
    soundfile.write(path, noise, rate_hz)
    return path


class CueLibrary(LibraryClient):
    """A library whose tracks are asked for with their parts."""

    async def entries(self, *, missing: bool | None = False) -> list[dict[str, Any]]:
        """All tracks, by path and part."""
        found = await self.gateway.execute_document(_TRACKS, {"missing": missing})
        nodes = [edge["node"] for edge in found["tracks"]["edges"]]
        return sorted(
            nodes, key=lambda node: (node["path"], (node["part"] or {"number": 0})["number"])
        )

    async def titles(self) -> list[str]:
        """The titles of all tracks that are listed."""
        return [track["title"] for track in await self.entries()]

    async def status(self) -> dict[str, int]:
        """How many tracks there are, in how many files, and how many are missing."""
        found = await self.gateway.execute_document(_STATUS, {})
        status: dict[str, int] = found["status"]
        return status


@fixture
async def library(pool: asyncpg.Pool, tmp_path: Path) -> AsyncIterator[CueLibrary]:
    root = tmp_path / "music"
    root.mkdir()
    async with running_extractor(pool, Settings(data_dir=tmp_path / "data")) as gateway:
        yield CueLibrary(gateway, root)


async def test_a_cue_sheet_makes_tracks_of_a_file(library: CueLibrary) -> None:
    write_album(library.root / "A/album.flac")
    (library.root / "A/album.cue").write_text(SHEET)
    scan = await library.scan()
    assert (scan["filesSeen"], scan["filesRead"], scan["state"]) == (1, 1, "FINISHED")
    one, two, three = await library.entries()
    assert [each["path"] for each in (one, two, three)] == ["A/album.flac"] * 3
    assert [each["title"] for each in (one, two, three)] == ["One", "Two", "Three"]
    assert [each["artists"] for each in (one, two, three)] == [["Ann"], ["Ben"], ["Ann"]]
    assert [each["trackNumber"] for each in (one, two, three)] == [1, 2, 3]
    assert [each["durationS"] for each in (one, two, three)] == [4, 4, 4]
    assert two["part"] == {"number": 2, "startS": 4, "endS": 8, "cueSheet": "album.cue"}
    assert three["part"]["endS"] is None
    album = {"title": "Whole", "artistCredit": "Ann", "trackCount": 3, "year": 1998}
    assert one["album"] == two["album"] == album
    assert [genre["name"] for genre in one["genres"]] == ["Chanson"]
    assert await library.status() == {"tracks": 3, "files": 1, "missing": 0}


async def test_later_scans_read_nothing(library: CueLibrary) -> None:
    write_album(library.root / "A/album.flac")
    (library.root / "A/album.cue").write_text(SHEET)
    (library.root / "A/cover.jpg").write_bytes(b"\xff\xd8\xff")
    write_album(library.root / "B/single.flac", 1)
    await library.scan()
    for _ in range(2):
        scan = await library.scan()
        assert (scan["filesToRead"], scan["filesUnchanged"]) == (0, 2)


async def test_the_ids_survive_a_cue_sheet_that_comes_goes_and_returns(
    library: CueLibrary,
) -> None:
    write_album(library.root / "A/album.flac")
    await library.scan()
    (whole,) = await library.entries()
    sheet = library.root / "A/album.cue"

    sheet.write_text(SHEET)
    assert (await library.scan())["filesRead"] == 1
    parts = await library.entries()
    assert [part["title"] for part in parts] == ["One", "Two", "Three"]
    assert whole["id"] not in {part["id"] for part in parts}
    # The whole does not stand beside its parts, and nobody misses it.
    assert await library.entries(missing=None) == parts
    assert await library.status() == {"tracks": 3, "files": 1, "missing": 0}

    sheet.unlink()
    assert (await library.scan())["filesRead"] == 1
    assert [track["id"] for track in await library.entries(missing=None)] == [whole["id"]]
    assert await library.status() == {"tracks": 1, "files": 1, "missing": 0}

    sheet.write_text(SHEET)
    await library.scan()
    assert [part["id"] for part in await library.entries()] == [part["id"] for part in parts]
    assert {part["contentRevision"] for part in await library.entries()} == {1}


async def test_another_title_is_a_retag_and_another_time_is_another_content(
    library: CueLibrary,
) -> None:
    write_album(library.root / "A/album.flac")
    sheet = library.root / "A/album.cue"
    sheet.write_text(SHEET)
    await library.scan()
    before = await library.entries()

    sheet.write_text(SHEET.replace('"Two"', '"Deux"'))
    await library.scan()
    after = await library.entries()
    assert [track["title"] for track in after] == ["One", "Deux", "Three"]
    assert [track["id"] for track in after] == [track["id"] for track in before]
    assert [track["contentRevision"] for track in after] == [1, 1, 1]

    sheet.write_text(SHEET.replace("00:08:00", "00:09:00"))
    await library.scan()
    after = await library.entries()
    assert [track["id"] for track in after] == [track["id"] for track in before]
    assert [track["contentRevision"] for track in after] == [1, 2, 2]


async def test_tracks_follow_their_ranges_when_one_is_taken_out_or_put_in(
    library: CueLibrary,
) -> None:
    write_album(library.root / "A/album.flac")
    sheet = library.root / "A/album.cue"
    sheet.write_text(SHEET)
    await library.scan()
    _, two, three = await library.entries()

    put_in = SHEET.replace("TRACK 03", "TRACK 04").replace(
        "  TRACK 02", '  TRACK 02 AUDIO\n    TITLE "New"\n    INDEX 01 00:02:00\n  TRACK 03'
    )
    sheet.write_text(put_in)
    await library.scan()
    after = {track["title"]: track for track in await library.entries()}
    assert list(after) == ["One", "New", "Two", "Three"]
    assert (after["Two"]["id"], after["Three"]["id"]) == (two["id"], three["id"])
    assert after["Three"]["contentRevision"] == 1

    sheet.write_text(SHEET)
    await library.scan()
    again = {track["title"]: track["id"] for track in await library.entries()}
    assert again["Two"] == two["id"]
    assert again["Three"] == three["id"]
    assert len(again) == 3
    assert await library.status() == {"tracks": 3, "files": 1, "missing": 0}


async def test_all_parts_move_with_their_file(library: CueLibrary) -> None:
    write_album(library.root / "A/album.flac")
    (library.root / "A/album.cue").write_text(SHEET)
    await library.scan()
    before = await library.entries()
    (library.root / "A").rename(library.root / "B")
    await library.scan()
    after = await library.entries()
    assert [track["path"] for track in after] == ["B/album.flac"] * 3
    assert [track["id"] for track in after] == [track["id"] for track in before]
    assert [track["contentRevision"] for track in after] == [1, 1, 1]


async def test_all_parts_are_missing_with_their_file_and_return(library: CueLibrary) -> None:
    path = write_album(library.root / "A/album.flac")
    write_album(library.root / "B/other.flac", 1)
    (library.root / "A/album.cue").write_text(SHEET)
    await library.scan()
    before = await library.entries()
    away = library.root.parent / "away.flac"
    path.rename(away)
    scan = await library.scan()
    assert scan["filesMissing"] == 1
    await library.until_missing("A/album.flac")
    assert await library.titles() == ["other"]
    assert await library.status() == {"tracks": 1, "files": 1, "missing": 3}
    away.rename(path)
    await library.scan()
    assert [track["id"] for track in await library.entries()] == [track["id"] for track in before]


async def test_parts_of_a_sound_that_is_hashed_in_segments_have_hashes_and_follow_them(
    library: CueLibrary, pool: asyncpg.Pool
) -> None:
    path = write_album(library.root / "A/album.wav", rate_hz=RATE_OF_LARGE_HZ)
    assert path.stat().st_size > SEGMENT_BYTES
    (library.root / "A/album.cue").write_text(SHEET)
    scan = await library.scan()
    assert (scan["filesRead"], scan["filesFailed"]) == (1, 0)
    with path.open("rb") as file:
        whole = content_hash(file.fileno(), path.stat().st_size)
    ranges = [(0.0, 4.0), (4.0, 8.0), (8.0, None)]
    rows = await pool.fetch("SELECT encode(content_hash, 'hex') AS h FROM files ORDER BY part")
    assert [row["h"] for row in rows] == [part_hash(whole, *range_s) for range_s in ranges]
    before = {track["id"] for track in await library.entries()}

    # A copy is another file: its parts are duplicates.
    shutil.copytree(library.root / "A", library.root / "B")
    await library.scan()
    assert await library.status() == {"tracks": 6, "files": 2, "missing": 0}
    found = await library.gateway.execute_document("{ duplicates { tracks { title } } }", {})
    assert len(found["duplicates"]) == 3
    shutil.rmtree(library.root / "B")
    await library.scan()
    await library.until_missing("B/album.wav")

    # Another file took its place: the tracks follow the sound.
    (library.root / "A").rename(library.root / "C")
    write_album(path, 1, RATE_OF_LARGE_HZ)
    await library.scan()
    entries = await library.entries()
    assert {track["id"] for track in entries if track["path"] == "C/album.wav"} == before
    assert {track["contentRevision"] for track in entries} == {1}


async def test_copies_of_a_file_are_duplicates_part_by_part(library: CueLibrary) -> None:
    for folder in ("A", "B"):
        write_album(library.root / folder / "album.flac")
        (library.root / folder / "album.cue").write_text(SHEET)
    await library.scan()
    found = await library.gateway.execute_document("{ duplicates { tracks { title } } }", {})
    groups = [[track["title"] for track in group["tracks"]] for group in found["duplicates"]]
    assert sorted(groups) == [["One", "One"], ["Three", "Three"], ["Two", "Two"]]
    assert await library.status() == {"tracks": 6, "files": 2, "missing": 0}


@pytest.mark.parametrize(
    ("sheet", "problem"),
    [
        (
            SHEET.replace("00:08:00", "00:12:10"),
            "track 3 begins at 0:12.13, but the file ends at 0:12.00",
        ),
        (
            SHEET.replace("00:04:00", "00:04"),
            "line 13: INDEX has no time",
        ),
        (SHEET.replace("00:08:00", "00:03:00"), "track 3 does not begin after the one before it"),
        ("garbage", "it names no tracks"),
    ],
)
async def test_a_sheet_that_does_not_fit_leaves_the_file_whole_and_says_why(
    library: CueLibrary, sheet: str, problem: str
) -> None:
    write_album(library.root / "A/album.flac")
    (library.root / "A/album.cue").write_text(sheet)
    scan = await library.scan()
    assert (scan["filesRead"], scan["filesFailed"]) == (1, 0)
    (whole,) = await library.entries()
    assert whole["part"] is None
    assert whole["cueProblem"].startswith("album.cue: " + problem)
    # Once it is mended, the problem is gone.
    (library.root / "A/album.cue").write_text(SHEET)
    await library.scan()
    assert {track["cueProblem"] for track in await library.entries()} == {None}


async def test_a_file_that_becomes_unreadable_keeps_its_parts(library: CueLibrary) -> None:
    path = write_album(library.root / "A/album.flac")
    (library.root / "A/album.cue").write_text(SHEET)
    await library.scan()
    before = await library.entries()
    content = path.read_bytes()
    path.write_bytes(b"no music")
    assert (await library.scan())["filesFailed"] == 1
    assert (await library.scan())["filesToRead"] == 0
    assert [track["id"] for track in await library.entries()] == [track["id"] for track in before]
    path.write_bytes(content)
    os.utime(path)
    await library.scan()
    assert [track["id"] for track in await library.entries()] == [track["id"] for track in before]
    assert await library.failures() == {}
