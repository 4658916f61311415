"""The extractor with a real gateway and database: files in a folder become rows."""

import asyncio
import hashlib
import os
from collections.abc import AsyncIterator, Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import asyncpg
import mutagen
import numpy as np
import pytest
import soundfile
from PIL import Image
from pytest_asyncio import fixture

from shared.bus.in_process import InProcessBus
from shared.contracts.events import FileFound
from shared.runtime.settings import Settings
from tests.integration.extractor_setup import LibraryClient, running_extractor

_IMAGE = BytesIO()
Image.new("RGB", (8, 8), "teal").save(_IMAGE, "JPEG")
JPEG = _IMAGE.getvalue()


@fixture
async def library(
    pool: asyncpg.Pool, database_settings: Settings, tmp_path: Path
) -> AsyncIterator[LibraryClient]:
    root = tmp_path / "music"
    root.mkdir()
    async with running_extractor(pool, database_settings) as gateway:
        yield LibraryClient(gateway, root)


@pytest.fixture
def make_track(tmp_path: Path) -> Callable[..., Path]:
    tone = np.zeros(4_410, dtype=np.float32)
    soundfile.write(tmp_path / "tone.flac", tone, 44_100)
    whole = (tmp_path / "tone.flac").read_bytes()

    def make(name: str | bytes, **tags: Any) -> Path:
        path = tmp_path / "music" / os.fsdecode(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(whole)
        file = mutagen.File(path)
        file.update(tags)
        file.save()
        return path

    return make


async def test_a_folder_becomes_a_library_and_a_second_scan_reads_nothing(
    library: LibraryClient, make_track: Callable[..., Path]
) -> None:
    for disc in (1, 2):
        for number in (1, 2, 3):
            make_track(
                f"Björk/Post/CD{disc}/{number}.flac", title=f"{disc}-{number}", album="Post",
                artist="Björk feat. Tricky" if number == 2 else "Björk", genre=["Pop", "Trip Hop"],
                tracknumber=f"{number}/3", discnumber=f"{disc}/2", date="1995",
            )  # fmt: skip
    (library.root / "Björk/Post/cover.jpg").write_bytes(JPEG)
    make_track(b"caf\xe9.flac", title="Bytes")
    scan = await library.scan()
    assert (scan["state"], scan["message"]) == ("FINISHED", None)
    assert [scan[f"files{name}"] for name in ("Seen", "ToRead", "Read", "Failed")] == [7, 7, 7, 0]
    first = await library.tracks()
    track = first["Björk/Post/CD2/2.flac"]
    assert track["artists"] == ["Björk", "Tricky"]
    assert track["artistCredit"] == "Björk feat. Tricky"
    assert [genre["name"] for genre in track["genres"]] == ["Pop", "Trip Hop"]
    assert track["album"]["discTotal"] == 2
    assert track["album"]["cover"]["sha256"] == hashlib.sha256(JPEG).hexdigest()
    assert [credit["artist"]["name"] for credit in track["album"]["artists"]] == ["Björk"]
    assert first["caf\uf7e9.flac"]["title"] == "Bytes"

    again = await library.scan()
    assert (again["filesToRead"], again["filesUnchanged"]) == (0, 7)
    assert await library.tracks() == first

    make_track("Björk/Post/CD1/1.flac", title="Army of Me", album="Post", artist="Björk")
    retagged = await library.scan()
    assert (retagged["filesToRead"], retagged["filesUnchanged"]) == (1, 6)
    second = await library.tracks()
    assert {path for path in first if first[path] != second[path]} == {"Björk/Post/CD1/1.flac"}
    assert second["Björk/Post/CD1/1.flac"]["id"] == first["Björk/Post/CD1/1.flac"]["id"]
    everything = await library.scan(mode="FULL")
    assert everything["filesRead"] == 7
    assert await library.tracks() == second


async def test_files_that_an_earlier_version_read_are_read_once_more(
    library: LibraryClient, make_track: Callable[..., Path], pool: asyncpg.Pool
) -> None:
    for number in (1, 2):
        make_track(f"a/{number}.flac", title=str(number))
    await library.scan()
    first = await library.tracks()
    # The digest of a folder without images in a version without `READER_VERSION`.
    await pool.execute("UPDATE files SET images_digest = 0")
    again, third = await library.scan(), await library.scan()
    assert (again["filesToRead"], again["filesUnchanged"]) == (2, 0)
    assert (third["filesToRead"], third["filesUnchanged"]) == (0, 2)
    assert await library.tracks() == first


async def test_bad_files_are_listed_and_all_others_are_read(
    library: LibraryClient, make_track: Callable[..., Path]
) -> None:
    make_track("good.flac", title="Good")
    (library.root / "empty.flac").write_bytes(b"")
    (library.root / "text.mp3").write_text("Dear diary, " * 500)
    os.mkfifo(library.root / "pipe.flac")
    (library.root / "loop").symlink_to(library.root)
    scan = await library.scan()
    assert [scan[f"files{name}"] for name in ("Seen", "Read", "Failed")] == [4, 1, 3]
    assert await library.failures() == {
        "empty.flac": ("INVALID", "empty.flac: is empty"),
        "text.mp3": ("INVALID", "text.mp3: is no MP3 file: no MPEG frame was found in it"),
        "pipe.flac": ("INVALID", "pipe.flac: is a FIFO, not a regular file"),
    }
    again = await library.scan()
    assert (again["filesToRead"], again["filesUnchanged"]) == (0, 4)
    make_track("empty.flac", title="Mended")
    await library.scan()
    assert set(await library.failures()) == {"text.mp3", "pipe.flac"}
    assert set(await library.tracks()) == {"good.flac", "empty.flac"}


async def test_a_removed_file_is_missing_and_returns_as_the_same_track(
    library: LibraryClient, make_track: Callable[..., Path]
) -> None:
    kept = make_track("a/1.flac", title="1")
    make_track("b/2.flac", title="2")
    await library.scan()
    before = await library.tracks()
    temporary = library.root.parent / "temporary"
    kept.rename(temporary)
    assert (await library.scan())["filesMissing"] == 1
    await library.until_missing("a/1.flac")
    temporary.rename(kept)
    assert (await library.scan("a"))["filesRead"] == 1
    after = await library.tracks()
    assert after["a/1.flac"]["id"] == before["a/1.flac"]["id"]
    assert after["a/1.flac"]["contentRevision"] == before["a/1.flac"]["contentRevision"]


async def test_an_empty_or_missing_root_marks_nothing_missing(
    library: LibraryClient, make_track: Callable[..., Path]
) -> None:
    make_track("1.flac", title="1")
    await library.scan()
    temporary = library.root.rename(library.root.parent / "temporary")
    gone = await library.scan()
    assert gone["state"] == "REFUSED"
    assert f"{library.root} does not exist: nothing was marked missing" in gone["message"]
    assert await library.unresolved() == ["REFUSED"]
    library.root.mkdir()
    empty = await library.scan(mode="FULL")
    assert (empty["state"], empty["filesMissing"], empty["filesHeld"]) == ("HELD", 0, 1)
    assert f"{library.root} is empty, but 1 files are known in it" in empty["message"]
    assert "--accept-missing" in empty["message"]
    assert await library.unresolved() == ["HELD"], (
        "a later scan of the same files has the last word"
    )
    assert set(await library.tracks()) == {"1.flac"}
    library.root.rmdir()
    temporary.rename(library.root)
    assert (await library.scan())["filesUnchanged"] == 1
    assert await library.unresolved() == []
    (library.root / "1.flac").unlink()
    accepted = await library.scan(accept=True)
    assert (accepted["state"], accepted["filesMissing"]) == ("FINISHED", 1)
    await library.until_missing("1.flac")


async def test_two_scans_at_once_end_with_each_file_read(
    library: LibraryClient, make_track: Callable[..., Path]
) -> None:
    for number in range(60):
        make_track(f"{number}.flac", title=str(number), artist=f"Artist {number % 7}")
    scans = await asyncio.gather(library.scan(), library.scan(), library.scan(mode="FULL"))
    assert scans[0]["id"] == scans[1]["id"] != scans[2]["id"]
    assert [scan["state"] for scan in scans] == ["FINISHED"] * 3
    assert len(await library.tracks()) == 60
    assert await library.failures() == {}


async def test_a_library_is_read_by_its_own_rules_and_a_mistake_in_them_refuses_the_scan(
    library: LibraryClient, make_track: Callable[..., Path]
) -> None:
    make_track("One.flac", title="One", artist="Zeal & Ardor", genre="Blues;Metal")
    rules = library.root / ".soniquebay.toml"
    rules.write_text("[credits]\nnames = 'Zeal & Ardor'")
    refused = await library.scan()
    assert refused["state"] == "REFUSED"
    assert f"{rules}: credits.names: " in refused["message"]
    assert "nothing was scanned" in refused["message"]
    rules.write_text("[credits]\nnames = ['Zeal & Ardor']\n[genres.rename]\nBlues = 'The Blues'")
    assert (await library.scan())["filesRead"] == 1
    (track,) = (await library.tracks()).values()
    assert track["artists"] == ["Zeal & Ardor"]
    assert {genre["name"] for genre in track["genres"]} == {"The Blues", "Metal"}


async def test_a_mistake_in_the_rules_is_a_transient_failure_of_the_files(
    pool: asyncpg.Pool, database_settings: Settings, tmp_path: Path, make_track: Callable[..., Path]
) -> None:
    bus = InProcessBus()
    async with running_extractor(pool, database_settings, bus) as gateway:
        library = LibraryClient(gateway, tmp_path / "music")
        make_track("One.flac", title="One")
        scan = await library.scan()
        (shown,) = (await gateway.execute_document("{ libraries { id } }", {}))["libraries"]
        (library.root / ".soniquebay.toml").write_text("credits")
        found = FileFound(
            library_id=shown["id"], scan_id=scan["id"], path="One.flac", size_bytes=1, mtime_ns=1
        )
        await bus.publish([found])
        async with asyncio.timeout(20):
            while not await library.failures():  # noqa: ASYNC110 - it is polled
                await asyncio.sleep(0.05)
        kind, message = (await library.failures())["One.flac"]
        assert kind == "TRANSIENT"
        assert ".soniquebay.toml is no TOML" in message
