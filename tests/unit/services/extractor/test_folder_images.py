"""Which images in a folder are its cover, and what is said of those that are none."""

from pathlib import Path

import pytest

from services.extractor.covers.images import (
    embedded_cover,
    folder_images,
    folder_images_state,
    images_digest,
)
from services.extractor.scan.ignore_rules import IgnoreRules
from services.extractor.scan.walk import Walk
from services.extractor.tags.model import Picture
from services.extractor.watch.changed_folders import changed_folders

_HEAD = b"\xff\xd8\xff\xe0"


def make(root: Path, *names: str) -> None:
    """Write images that hold their own names."""
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(_HEAD + name.encode())


def cover(root: Path) -> str | None:
    image = folder_images(str(root), "").cover
    return image.content[len(_HEAD) :].decode() if image else None


@pytest.mark.parametrize(
    "name",
    [
        "cover.jfif", "cover.jpe", "FRONT.JPEG", "Cover Homogenic.jpg", "cover - homogenic.png",
        "Homogenic cover.jpg", "Homogenic - Front.jpg", "front_cover.jpg", "Cover (front).jpg",
        "Cover Back in Black.jpg", "AlbumArt_{1F2E}_Large.jpg", "folder 2.jpg", "Scans/Front.jpg",
        "scans/cover.png", "Artwork/Homogenic front.jpg", "Covers/folder.jpg",
        "Booklet/Front.jpg",
    ],
)  # fmt: skip
def test_a_cover_is_found_by_its_name(name: str, tmp_path: Path) -> None:
    make(tmp_path, name, "photo.jpg", "Scans/back.jpg", "x/cover.jpg")
    assert cover(tmp_path) == name


@pytest.mark.parametrize(
    "name",
    [
        "back cover.jpg", "Cover back.jpg", "cover (inside).jpg", "Cover-Booklet.jpg",
        "covered.jpg", "frontier.jpg", "my band.jpg", "._Cover Homogenic.jpg", ".cover x.jpg",
        "Photos/cover.jpg", "Scans/1.jpg", "AlbumArtSmall.jpg",
    ],
)  # fmt: skip
def test_other_images_are_no_cover(name: str, tmp_path: Path) -> None:
    make(tmp_path, name)
    assert cover(tmp_path) is None


def test_plainer_names_win(tmp_path: Path) -> None:
    ranked = ["cover.jpg", "folder.jpg", "front.png", "Cover Homogenic.jpg", "Homogenic front.jpg",
              "Scans/cover.jpg", "Scans/front.jpg"]  # fmt: skip
    make(tmp_path, *ranked)
    for name in ranked:
        assert cover(tmp_path) == name
        (tmp_path / name).unlink()


def test_a_folder_of_scans_with_music_is_an_album(tmp_path: Path) -> None:
    make(tmp_path, "Covers/cover.jpg", "Covers/1.mp3")
    assert cover(tmp_path) is None


def test_scans_show_no_artist(tmp_path: Path) -> None:
    make(tmp_path, "Scans/cover.jpg")
    assert folder_images(str(tmp_path), "").artist_folder is None


def test_what_is_no_picture_says_so_though_another_one_is_taken(tmp_path: Path) -> None:
    make(tmp_path, "folder.jpg")
    (tmp_path / "cover.jpg").write_bytes(b"<html>")
    (tmp_path / "cover.tif").write_bytes(b"II*\0")
    images = folder_images(str(tmp_path), "")
    assert cover(tmp_path) == "folder.jpg"
    assert images.problem == "cover.jpg is no JPEG, PNG, GIF, BMP, WebP or AVIF image"
    (tmp_path / "cover.jpg").unlink()
    problem = folder_images(str(tmp_path), "").problem
    assert problem == "cover.tif is no JPEG, PNG, GIF, BMP, WebP or AVIF image"


def test_a_front_cover_that_is_no_picture_says_so_though_another_one_is_taken() -> None:
    image, problem = embedded_cover([Picture(4, _HEAD + b"back"), Picture(3, b"http://a/b.jpg")])
    assert image is not None
    assert image.content == _HEAD + b"back"
    assert problem == "the embedded image is no JPEG, PNG, GIF, BMP, WebP or AVIF image"


def test_a_walk_and_a_look_at_the_folder_agree(tmp_path: Path) -> None:
    """Else every scan would read the files again."""
    names = ("A/1.mp3", "A/Cover x.jpg", "A/._Cover x.jpg", "A/Scans/Front.jpg", "A/scans/2.jpg",
             "B/1.mp3", "B/Scans/Front.jpg", "C/1.mp3", "C/Art/cover.jpg",
             "C/Art/1.mp3")  # fmt: skip
    make(tmp_path, *names)
    walk = Walk(str(tmp_path), rules=IgnoreRules.from_settings(["Scans/"]))
    digests = {file.path: file.images_digest for file in walk.files()}
    assert digests["C/1.mp3"] == images_digest(())
    assert len({digests[path] for path in ("A/1.mp3", "B/1.mp3", "C/1.mp3")}) == 3
    for folder in "AB":
        alone = Walk(str(tmp_path), folder)
        assert {file.images_digest for file in alone.files()} == {digests[f"{folder}/1.mp3"]}
        assert folder_images(str(tmp_path), folder).state == folder_images_state(
            str(tmp_path), folder
        )
    before = folder_images_state(str(tmp_path), "B")
    make(tmp_path, "B/Scans/cover.jpg")
    assert folder_images_state(str(tmp_path), "B") != before


def test_a_change_among_scans_scans_the_folder_around_them(tmp_path: Path) -> None:
    make(tmp_path, "A/X/Scans/Front.jpg")
    for path in ("A/X/Scans/Front.jpg", "A/X/Scans"):
        changed = changed_folders(str(tmp_path), [str(tmp_path / path)])
        assert changed.folders == {"A/X"}
