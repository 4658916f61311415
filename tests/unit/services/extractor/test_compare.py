"""What a scan makes of what is there and what was known."""

import pytest

from services.extractor.compare import KnownFile, compare, outside_of, removal_guard
from services.extractor.places import album_folder, is_named_after
from services.extractor.walk import WalkedFile


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


@pytest.mark.parametrize(
    ("missing", "known", "empty", "confirmed", "is_guarded"),
    [
        (0, 0, True, False, False),
        (1, 1, True, False, True),
        (1, 1, True, True, True),
        (20, 20, False, False, False),
        (21, 30, False, False, True),
        (21, 30, False, True, False),
        (21, 42, False, False, False),
    ],
)
def test_a_removal_that_looks_like_an_accident_waits_for_a_person(
    missing: int, known: int, empty: bool, confirmed: bool, is_guarded: bool
) -> None:
    message = removal_guard(
        missing=missing, known=known, is_root_empty=empty, is_confirmed=confirmed
    )
    assert (message is not None) == is_guarded


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
        ("CD1/01.flac", "CD1"),
        ("01.flac", ""),
    ],
)
def test_the_folder_of_an_album_is_above_its_discs(path: str, folder: str) -> None:
    assert album_folder(path) == folder


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
