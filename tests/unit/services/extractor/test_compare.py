"""What a scan makes of what is there and what was known."""

from typing import Any

import pytest

from services.extractor.scan.compare import KnownFile, compare, outside_of
from services.extractor.scan.deletion_guard import Guard, Listing, judge
from services.extractor.scan.walk import WalkedFile
from services.extractor.tags.album_folders import (
    album_folder,
    disc_of,
    is_named_after,
    without_disc,
)


@pytest.mark.parametrize(
    ("walked", "known", "found", "missing"),
    [
        ([("a", 1, 1)], [], ["a"], []),
        ([("a", 1, 1)], [("a", 1, 1, False)], [], []),
        ([("a", 2, 1)], [("a", 1, 1, False)], ["a"], []),
        ([("a", 1, 2)], [("a", 1, 1, False)], ["a"], []),
        ([("a", 1, 1)], [("a", 1, 1, True)], ["a"], []),
        ([], [("a", 1, 1, False)], [], ["a"]),
        ([], [("a", 1, 1, True)], [], []),
    ],
)
def test_new_changed_and_returned_files_are_read_and_lost_ones_missing(
    walked: list[tuple[str, int, int]],
    known: list[tuple[str, int, int, bool]],
    found: list[str],
    missing: list[str],
) -> None:
    files = [WalkedFile(*one) for one in walked]
    compared = compare(files, [KnownFile(*one) for one in known], reads_all=False)
    assert [file.path for file in compared.found] == found
    assert compared.missing == missing
    assert compared.unchanged == len(walked) - len(found)


def test_a_full_scan_reads_everything() -> None:
    same = compare([WalkedFile("a", 1, 1)], [KnownFile("a", 1, 1, False)], reads_all=True)
    assert [file.path for file in same.found] == ["a"]


def test_what_could_not_be_looked_at_is_not_missing() -> None:
    missing = ["a/b/c.flac", "a/bc.flac", "d.flac"]
    assert outside_of(missing, {"a/b"}) == ["a/bc.flac", "d.flac"]
    assert outside_of(missing, {""}) == []
    assert outside_of(missing, set()) == missing


NAMES = [f"a/{number}.mp3" for number in range(100)]


@pytest.mark.parametrize(
    ("known", "seen", "missing", "changes", "held"),
    [
        (100, 100, 0, {}, 0),
        (100, 50, 50, {}, 0),
        (100, 49, 51, {}, 51),
        (49, 1, 48, {}, 0),
        (1, 0, 1, {}, 1),
        (1, 0, 1, {"is_root_empty": True}, 1),
        (12, 0, 12, {"is_whole": False}, 0),
        (50, 0, 50, {"is_whole": False}, 50),
        (100, 100, 100, {}, 0),
        (100, 40, 60, {"empty_folders": ["a"]}, 60),
        (200, 140, 60, {"empty_folders": ["a"]}, 60),
        (200, 140, 60, {"empty_folders": ["b"]}, 0),
        (200, 151, 49, {"empty_folders": ["a"]}, 0),
        (200, 200, 60, {"empty_folders": ["a"]}, 0),
    ],
)
def test_a_removal_that_looks_like_an_accident_waits_for_a_person(
    known: int, seen: int, missing: int, changes: dict[str, Any], held: int
) -> None:
    told = {"place": "/music", "is_whole": True, "is_root_empty": False, "empty_folders": []}
    listing = Listing(known=known, seen=seen, missing=NAMES[:missing], **{**told, **changes})
    verdict = judge(listing, Guard(share=0.5, least=50))
    assert (verdict.held, len(verdict.gone)) == (held, missing - held)
    assert (verdict.message is None) == (held == 0)
    assert verdict.message is None or ("/music" in verdict.message)


@pytest.mark.parametrize(
    ("path", "folder"),
    [
        ("Artist/Album/01.flac", "Artist/Album"),
        ("Artist/Album/CD1/01.flac", "Artist/Album"),
        ("Artist/Album/Disc 2 - Live/01.flac", "Artist/Album"),
        ("Artist/Album/disk_03/01.flac", "Artist/Album"),
        ("Artist/Album/Side B/01.flac", "Artist/Album"),
        ("Artist/Discovery/01.flac", "Artist/Discovery"),
        ("Artist/CDs/01.flac", "Artist/CDs"),
        ("Artist/Album (Disc 2)/01.flac", "Artist/Album"),
        ("Album [CD1]/01.flac", "Album"),
        ("Artist/(CD1)/01.flac", "Artist/(CD1)"),
        ("CD1/01.flac", "CD1"),
        ("01.flac", ""),
    ],
)
def test_the_folder_of_an_album_is_above_its_discs(path: str, folder: str) -> None:
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
        ("a/Side A/1.flac", None),
        ("a/b/CD1.flac", None),
        ("1.flac", None),
    ],
)
def test_a_folder_tells_the_disc(path: str, disc: int | None) -> None:
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
def test_a_folder_is_an_artists_by_its_name(folder: str, artist: str, expected: bool) -> None:
    assert is_named_after(folder, artist) == expected
