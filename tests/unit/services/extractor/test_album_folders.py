"""Discs and artists' names in the folders of a path."""

import pytest

from services.extractor.paths import album_folder, disc_of, is_named_after, without_disc


@pytest.mark.parametrize(
    ("path", "folder"),
    [
        ("Artist/Album/01.flac", "Artist/Album"),
        ("Artist/Album/CD1/01.flac", "Artist/Album"),
        ("Artist/Album/Disc 2 - Live/01.flac", "Artist/Album"),
        ("Artist/Album/disk_03/01.flac", "Artist/Album"),
        ("Artist/Album/Side B/01.flac", "Artist/Album"),
        ("Artist/Album/Digital Media 01/01.flac", "Artist/Album"),
        ("Artist/Album/Vinyl 01/01.flac", "Artist/Album"),
        ("Artist/Album/SACD 1/01.flac", "Artist/Album"),
        ("Artist/Album/Disc One/01.flac", "Artist/Album"),
        ("Artist/Album/[CD 1]/01.flac", "Artist/Album"),
        ("Artist/Album/Bonus Disc/01.flac", "Artist/Album"),
        ("Artist/Vinyl/01.flac", "Artist/Vinyl"),
        ("Artist/Tape Heads/01.flac", "Artist/Tape Heads"),
        ("Artist/Discovery/01.flac", "Artist/Discovery"),
        ("Artist/CDs/01.flac", "Artist/CDs"),
        ("Artist/Album (Disc 2)/01.flac", "Artist/Album"),
        ("Album [CD1]/01.flac", "Album"),
        ("Artist/(CD1)/01.flac", "Artist/(CD1)"),
        ("CD1/01.flac", "CD1"),
        ("01.flac", ""),
    ],
)
def test_an_albums_folder_is_above_those_of_its_discs(path: str, folder: str) -> None:
    assert album_folder(path) == folder


@pytest.mark.parametrize(
    ("title", "expected"),
    [
        ("The Wall", ("The Wall", None, None)),
        ("The Wall (Disc 2)", ("The Wall", "2", None)),
        ("The Wall [CD 1 of 2]", ("The Wall", "1", "2")),
        ("The Wall, disk 2/2", ("The Wall", "2", "2")),
        ("The Wall - CD02", ("The Wall", "02", None)),
        ("The Wall CD 2", ("The Wall CD 2", None, None)),
        ("The Wall (Disc One)", ("The Wall", "1", None)),
        ("The Wall (disc 1: Left)", ("The Wall", "1", None)),
        ("The Wall (CD II of IV)", ("The Wall", "2", "4")),
        ("The Wall CD1", ("The Wall", "1", None)),
        ("The Wall, Disc 2: Moon", ("The Wall", "2", None)),
        ("The Wall - Disc Two - Moon", ("The Wall", "2", None)),
        ("The Wall (Bonus Disc)", ("The Wall", "2", None)),
        ("The Wall (CD Mix)", ("The Wall (CD Mix)", None, None)),
        ("Compact Disc2", ("Compact Disc2", None, None)),
        ("Abc, CD Version", ("Abc, CD Version", None, None)),
        ("(Disc 1)", ("(Disc 1)", None, None)),
        ("Live (Disco 2)", ("Live (Disco 2)", None, None)),
        ("Compact-CD1", ("Compact-CD1", None, None)),
    ],
)
def test_a_disc_at_the_end_is_not_part_of_a_title(
    title: str, expected: tuple[str, str | None, str | None]
) -> None:
    assert without_disc(title) == expected


@pytest.mark.parametrize(
    ("path", "disc"),
    [
        ("a/CD1/1.flac", 1),
        ("a/Disc 02 - Live/1.flac", 2),
        ("a/b [CD3]/1.flac", 3),
        ("CD4/1.flac", 4),
        ("a/Disc Two/1.flac", 2),
        ("a/Digital Media 03/1.flac", 3),
        ("a/Side A/1.flac", None),
        ("a/b/CD1.flac", None),
        ("1.flac", None),
    ],
)
def test_a_folder_name_gives_the_disc_number(path: str, disc: int | None) -> None:
    assert disc_of(path) == disc


@pytest.mark.parametrize(
    ("folder", "artist", "expected"),
    [
        ("Rock/ACDC", "AC/DC", True),
        ("Beatles, The", "The Beatles", True),
        ("björk", "Björk", True),
        ("Rock", "Björk", False),
        ("", "Björk", False),
    ],
)
def test_a_folder_belongs_to_an_artist_by_its_name(
    folder: str, artist: str, expected: bool
) -> None:
    assert is_named_after(folder, artist) == expected


@pytest.mark.parametrize(
    "title", [" " * 1_000 + "x", "a: disc 1:" + " " * 980 + ")", ", disc 1: " * 100 + "("]
)
def test_no_title_takes_long(title: str) -> None:
    name, _, _ = without_disc(title)
    assert title.startswith(name)
