"""Covers: what lies beside a file, what is in it, and what becomes of them when they change."""

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
from tests.integration.extractor_ground import World, running
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
async def world(
    pool: asyncpg.Pool, database_settings: Settings, tmp_path: Path
) -> AsyncIterator[World]:
    root = tmp_path / "music"
    for number in (1, 2):
        write(root / f"A/X/{number}.flac", number, TAGS)
    async with running(pool, database_settings) as gateway:
        yield World(gateway, root)


async def shown(world: World) -> dict[str, tuple[str | None, str | None]]:
    """The covers of each track and of its album, by path."""
    found = await world.gateway.execute_document(_COVERS, {})
    nodes = [edge["node"] for edge in found["tracks"]["edges"]]
    covers = {node["path"]: (node["cover"], (node["album"] or {}).get("cover")) for node in nodes}
    return {
        path: tuple(cover and cover["sha256"] for cover in both)  # type: ignore[misc] # two
        for path, both in covers.items()
    }


async def test_what_lies_beside_a_file_is_shown_before_what_is_in_it(world: World) -> None:
    inside, beside = jpeg(1), jpeg(2)
    folder = world.root / "A/X"
    embed(folder / "1.flac", inside)
    await world.scan()
    one, two = "A/X/1.flac", "A/X/2.flac"
    assert await shown(world) == dict.fromkeys((one, two), (sha256(inside), sha256(inside)))
    (folder / "Cover.JPEG").write_bytes(beside)
    await world.scan()
    assert await shown(world) == dict.fromkeys((one, two), (sha256(beside), sha256(beside)))
    (folder / "Cover.JPEG").unlink()
    await world.scan()
    assert await shown(world) == dict.fromkeys((one, two), (sha256(inside), sha256(inside)))
    embed(folder / "1.flac", None)
    await world.scan()
    assert await shown(world) == dict.fromkeys((one, two), (None, None))


CHANGES: dict[str, tuple[Callable[[Path], object], bytes | None]] = {
    "added": (lambda folder: (folder / "front.png").write_bytes(jpeg(2)), jpeg(2)),
    "changed": (lambda folder: (folder / "folder.jpg").write_bytes(jpeg(3, 90)), jpeg(3, 90)),
    "a better name": (lambda folder: (folder / "COVER.jpg").write_bytes(jpeg(4)), jpeg(4)),
    "renamed": (lambda folder: (folder / "folder.jpg").rename(folder / "x.jpg"), None),
    "removed": (lambda folder: (folder / "folder.jpg").unlink(), None),
}


@pytest.mark.parametrize("place", ["A/X", "A/X/CD1"])
async def test_images_that_change_alone_are_noticed_and_nothing_else_is_read(
    world: World, place: str
) -> None:
    (world.root / "A/X").rename(world.root / "A/Y")
    (world.root / place).parent.mkdir(parents=True, exist_ok=True)
    (world.root / "A/Y").rename(world.root / place)
    write(world.root / "B/1.flac", 3, {"album": "Y"})
    for change, expected in CHANGES.values():
        for image in (world.root / "A/X").glob("*.*g"):
            image.unlink()
        if change is not CHANGES["added"][0]:
            (world.root / "A/X/folder.jpg").write_bytes(jpeg(1))
        await world.scan()
        change(world.root / "A/X")
        scan = await world.scan()
        assert (scan["filesRead"], scan["filesUnchanged"]) == (2, 1)
        covers = await shown(world)
        wanted = expected and sha256(expected)
        assert covers.pop("B/1.flac") == (None, None)
        assert set(covers.values()) == {(wanted, wanted)}
        again = await world.scan()
        assert (again["filesRead"], again["filesUnchanged"]) == (0, 3)
        folder = await world.scan(folder=place)
        assert (folder["filesRead"], folder["filesUnchanged"]) == (0, 2)


async def test_an_artists_image_comes_changes_and_goes_with_the_file_near_the_albums(
    world: World,
) -> None:
    write(world.root / "A/Y/1.flac", 3, {"album": "Y", "artist": "A"})
    write(world.root / "V/1.flac", 4, {"album": "V", "artist": "A", "albumartist": "B & C"})
    (world.root / "V/artist.jpg").write_bytes(jpeg(9))
    for name, content in (
        ("A/folder.jpg", jpeg(1)), ("A/Artist.JPG", jpeg(2)), ("A/Artist.JPG", jpeg(3, 90)),
        ("A/Artist.JPG", None), ("A/folder.jpg", None), ("A/X/artist.jpg", jpeg(4)),
    ):  # fmt: skip
        if content is None:
            (world.root / name).unlink()
        else:
            (world.root / name).write_bytes(content)
        await world.scan()
        found = await world.gateway.execute_document(_ARTISTS, {})
        nodes = [edge["node"] for edge in found["artists"]["edges"]]
        images = {node["name"]: node["image"] and node["image"]["sha256"] for node in nodes}
        expected = jpeg(1) if (name, content) == ("A/Artist.JPG", None) else content
        assert images == {"A": expected and sha256(expected), "B": None, "C": None}, name


async def test_each_disc_may_have_its_cover(world: World) -> None:
    for disc in (1, 2):
        write(world.root / f"D/CD{disc}/1.flac", disc + 5, {"album": "D"})
        (world.root / f"D/CD{disc}/cover.jpg").write_bytes(jpeg(disc))
    await world.scan()
    covers = await shown(world)
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
async def test_an_image_that_cannot_be_shown_harms_nothing_and_is_named(
    world: World, pool: asyncpg.Pool, content: bytes, says: str
) -> None:
    folder = world.root / "A/X"
    (folder / "cover.jpg").write_bytes(content)
    good = jpeg(7)
    embed(folder / "1.flac", good)
    if len(content) < 2**24:  # more does not fit into a FLAC's picture
        embed(folder / "2.flac", content)
    scan = await world.scan()
    assert (scan["state"], scan["filesRead"], scan["filesFailed"]) == ("FINISHED", 2, 0)
    assert set((await shown(world)).values()) == {(sha256(good), sha256(good))}
    found = await world.gateway.execute_document(_COVERS, {})
    for edge in found["tracks"]["edges"]:
        assert says in edge["node"]["coverProblem"]
    assert await pool.fetchval("SELECT count(*) FROM covers") == 1
    again: Any = await world.scan()
    assert (again["filesRead"], again["filesUnchanged"]) == (0, 2)
