"""Covers: images in a file's folder, images embedded in it, and what happens when they change."""

import hashlib
import io
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import asyncpg
import mutagen.flac
import pytest
from PIL import Image
from pytest_asyncio import fixture

from shared.runtime.settings import Settings
from tests.hostile_files import bomb
from tests.integration.extractor_setup import LibraryClient, running_extractor
from tests.integration.tagged_noise import write

_COVERS = """
{ tracks(first: 50) { edges { node {
  path coverProblem cover { sha256 url(size: 300) } album { cover { sha256 } }
} } } }
"""
_ARTISTS = "{ artists(first: 50) { edges { node { name image { sha256 } } } } }"
TAGS = {"album": "X", "artist": "A"}


def jpeg(colour: int, size: int = 8) -> bytes:
    made = io.BytesIO()
    Image.new("RGB", (size, size), (colour, 0, 0)).save(made, "JPEG")
    return made.getvalue()


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def embed(path: Path, content: bytes | None) -> None:
    file = mutagen.flac.FLAC(path)
    file.clear_pictures()
    if content is not None:
        picture = mutagen.flac.Picture()
        picture.type, picture.data = 3, content
        file.add_picture(picture)
    file.save()


@fixture
async def library(
    pool: asyncpg.Pool, database_settings: Settings, tmp_path: Path
) -> AsyncIterator[LibraryClient]:
    root = tmp_path / "music"
    for number in (1, 2):
        write(root / f"A/X/{number}.flac", number, TAGS)
    async with running_extractor(pool, database_settings) as gateway:
        yield LibraryClient(gateway, root)


async def cover_hashes(library: LibraryClient) -> dict[str, tuple[str | None, str | None]]:
    """The cover hashes of each track and of its album, by path."""
    found = await library.gateway.execute_document(_COVERS, {})
    nodes = [edge["node"] for edge in found["tracks"]["edges"]]
    covers = {node["path"]: (node["cover"], (node["album"] or {}).get("cover")) for node in nodes}
    return {
        path: tuple(cover and cover["sha256"] for cover in both)  # type: ignore[misc] # two
        for path, both in covers.items()
    }


async def test_an_image_in_the_folder_takes_precedence_over_an_embedded_one(
    library: LibraryClient,
) -> None:
    embedded, in_folder = jpeg(1), jpeg(2)
    folder = library.root / "A/X"
    embed(folder / "1.flac", embedded)
    await library.scan()
    one, two = "A/X/1.flac", "A/X/2.flac"
    assert await cover_hashes(library) == dict.fromkeys(
        (one, two), (sha256(embedded), sha256(embedded))
    )
    (folder / "Cover.JPEG").write_bytes(in_folder)
    await library.scan()
    assert await cover_hashes(library) == dict.fromkeys(
        (one, two), (sha256(in_folder), sha256(in_folder))
    )
    (folder / "Cover.JPEG").unlink()
    await library.scan()
    assert await cover_hashes(library) == dict.fromkeys(
        (one, two), (sha256(embedded), sha256(embedded))
    )
    embed(folder / "1.flac", None)
    await library.scan()
    assert await cover_hashes(library) == dict.fromkeys((one, two), (None, None))


CHANGES: dict[str, tuple[Callable[[Path], object], bytes | None]] = {
    "added": (lambda folder: (folder / "front.png").write_bytes(jpeg(2)), jpeg(2)),
    "changed": (lambda folder: (folder / "folder.jpg").write_bytes(jpeg(3, 90)), jpeg(3, 90)),
    "a better name": (lambda folder: (folder / "COVER.jpg").write_bytes(jpeg(4)), jpeg(4)),
    "renamed": (lambda folder: (folder / "folder.jpg").rename(folder / "x.jpg"), None),
    "removed": (lambda folder: (folder / "folder.jpg").unlink(), None),
}


@pytest.mark.parametrize("place", ["A/X", "A/X/CD1"])
async def test_a_change_of_images_alone_is_noticed_and_nothing_else_is_read(
    library: LibraryClient, place: str
) -> None:
    (library.root / "A/X").rename(library.root / "A/Y")
    (library.root / place).parent.mkdir(parents=True, exist_ok=True)
    (library.root / "A/Y").rename(library.root / place)
    write(library.root / "B/1.flac", 3, {"album": "Y"})
    for change, expected in CHANGES.values():
        for image in (library.root / "A/X").glob("*.*g"):
            image.unlink()
        if change is not CHANGES["added"][0]:
            (library.root / "A/X/folder.jpg").write_bytes(jpeg(1))
        await library.scan()
        change(library.root / "A/X")
        scan = await library.scan()
        assert (scan["filesRead"], scan["filesUnchanged"]) == (2, 1)
        covers = await cover_hashes(library)
        wanted = expected and sha256(expected)
        assert covers.pop("B/1.flac") == (None, None)
        assert set(covers.values()) == {(wanted, wanted)}
        again = await library.scan()
        assert (again["filesRead"], again["filesUnchanged"]) == (0, 3)
        folder = await library.scan(folder=place)
        assert (folder["filesRead"], folder["filesUnchanged"]) == (0, 2)


async def test_an_artists_image_follows_the_image_file_in_the_artists_folder(
    library: LibraryClient,
) -> None:
    write(library.root / "A/Y/1.flac", 3, {"album": "Y", "artist": "A"})
    write(library.root / "V/1.flac", 4, {"album": "V", "artist": "A", "albumartist": "B & C"})
    (library.root / "V/artist.jpg").write_bytes(jpeg(9))
    for name, content in (
        ("A/folder.jpg", jpeg(1)), ("A/Artist.JPG", jpeg(2)), ("A/Artist.JPG", jpeg(3, 90)),
        ("A/Artist.JPG", None), ("A/folder.jpg", None), ("A/X/artist.jpg", jpeg(4)),
    ):  # fmt: skip
        if content is None:
            (library.root / name).unlink()
        else:
            (library.root / name).write_bytes(content)
        await library.scan()
        found = await library.gateway.execute_document(_ARTISTS, {})
        nodes = [edge["node"] for edge in found["artists"]["edges"]]
        images = {node["name"]: node["image"] and node["image"]["sha256"] for node in nodes}
        expected = jpeg(1) if (name, content) == ("A/Artist.JPG", None) else content
        assert images == {"A": expected and sha256(expected), "B": None, "C": None}, name


async def test_each_disc_can_have_its_own_cover(library: LibraryClient) -> None:
    for disc in (1, 2):
        write(library.root / f"D/CD{disc}/1.flac", disc + 5, {"album": "D"})
        (library.root / f"D/CD{disc}/cover.jpg").write_bytes(jpeg(disc))
    await library.scan()
    covers = await cover_hashes(library)
    first = covers["D/CD1/1.flac"]
    assert first[0] == sha256(jpeg(1))
    assert covers["D/CD2/1.flac"] == (sha256(jpeg(2)), first[1])
    assert first[1] in {sha256(jpeg(1)), sha256(jpeg(2))}


HEAD = b"\xff\xd8\xff\xe0"


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (HEAD + bytes(40_000_000), "has more than 20,000,000 bytes"),
        (HEAD + b"no picture", "is no JPEG, PNG, GIF, BMP, WebP or AVIF image, or broken"),
        (b"<svg/>", "is no JPEG, PNG, GIF, BMP, WebP or AVIF image"),
        (bomb(65_535, 65_535), "it has 65,535 x 65,535 pixels; at most 36,000,000 are taken"),
    ],
    ids=["40 MB", "broken", "no image", "bomb"],
)
async def test_an_unusable_image_is_reported_and_the_next_one_is_used(
    library: LibraryClient, pool: asyncpg.Pool, content: bytes, says: str
) -> None:
    folder = library.root / "A/X"
    (folder / "cover.jpg").write_bytes(content)
    good = jpeg(7)
    embed(folder / "1.flac", good)
    if len(content) < 2**24:  # a FLAC picture cannot be larger
        embed(folder / "2.flac", content)
    scan = await library.scan()
    assert (scan["state"], scan["filesRead"], scan["filesFailed"]) == ("FINISHED", 2, 0)
    assert set((await cover_hashes(library)).values()) == {(sha256(good), sha256(good))}
    found = await library.gateway.execute_document(_COVERS, {})
    for edge in found["tracks"]["edges"]:
        assert says in edge["node"]["coverProblem"]
    assert await pool.fetchval("SELECT count(*) FROM covers") == 1
    again: Any = await library.scan()
    assert (again["filesRead"], again["filesUnchanged"]) == (0, 2)
