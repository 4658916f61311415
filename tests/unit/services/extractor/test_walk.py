"""Walks over real folders, including links, special files and invalid names."""

import os
import socket
from pathlib import Path

import pytest

from services.extractor.covers.images import images_digest
from services.extractor.scan.ignore_rules import IgnoreRules, is_seen
from services.extractor.scan.walk import Walk
from shared.contracts.errors import InvalidInput
from shared.contracts.identity import encode_path


def make(root: Path, *names: str) -> None:
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x")


def walked(root: Path, folder: str = "", *patterns: str) -> list[str]:
    walk = Walk(str(root), folder, IgnoreRules.from_settings(patterns))
    found = [file.path for file in walk.files()]
    assert walk.notes.problems == []
    return found


def test_music_is_found_in_path_order(tmp_path: Path) -> None:
    names = ["a/x.flac", "a b/x.mp3", "a.ogg", "a/b/y.OPUS", "a-b/x.m4a", "é/x.wav", "Z.wv"]
    make(tmp_path, *names, "a/cover.jpg", "notes.txt", "flac")
    assert walked(tmp_path) == sorted(names)


def test_hidden_system_and_ignored_files_are_skipped(tmp_path: Path) -> None:
    make(tmp_path, "a.mp3", ".hidden.mp3", ".git/a.mp3", "@eaDir/a.mp3", "$RECYCLE.BIN/a.mp3")
    make(tmp_path, "lost+found/a.mp3", "demos/a.mp3", "b/raw/x.mp3", "b/raw/keep.mp3", "c/x.mp3")
    (tmp_path / ".soniqueignore").write_text("# mine\n!\n[z-a]\ndemos/\n")
    (tmp_path / "b" / ".soniqueignore").write_text("raw/*\n!raw/keep.mp3\n")
    assert walked(tmp_path, "", "c") == ["a.mp3", "b/raw/keep.mp3"]
    assert walked(tmp_path, "b") == ["b/raw/keep.mp3"]
    assert walked(tmp_path, "demos") == []
    rules = IgnoreRules.from_settings(["c"])
    for path, seen in [("a.mp3", True), ("demos/a.mp3", False), ("c/x.mp3", False), ("z", False)]:
        assert is_seen(str(tmp_path), path, rules) == seen


@pytest.mark.parametrize(
    "folder",
    [
        "@eaDir", "@Recycle", "@Recently-Snapshot", "#recycle", "#snapshot", "$RECYCLE.BIN",
        "System Volume Information", "Network Trash Folder", "lost+found", "__MACOSX",
        ".AppleDouble", "@Snapshot", "RECYCLER", "FOUND.000", "Temporary Items",
    ],
)  # fmt: skip
def test_folders_of_devices_and_systems_are_passed_over(folder: str, tmp_path: Path) -> None:
    make(tmp_path, "a.mp3", f"{folder}/b.mp3", f"A/{folder.upper()}/X/c.mp3", "Recycled/d.mp3")
    assert walked(tmp_path) == ["Recycled/d.mp3", "a.mp3"]


def test_a_folder_reached_by_several_links_is_walked_once(tmp_path: Path) -> None:
    root, outside = tmp_path / "root", tmp_path / "outside"
    make(root, "a/x.mp3")
    make(outside, "y.mp3", "deep/z.mp3")
    (root / "a" / "up").symlink_to(root)
    (root / "self").symlink_to(root / "self")
    (root / "b").symlink_to(outside)
    (root / "c").symlink_to(outside)
    (outside / "back").symlink_to(root)
    (outside / "again").symlink_to(outside)
    (root / "link.mp3").symlink_to(root / "a" / "x.mp3")
    (root / "nowhere.mp3").symlink_to(root / "gone.mp3")
    expected = ["a/x.mp3", "b/deep/z.mp3", "b/y.mp3", "link.mp3", "nowhere.mp3"]
    assert walked(root) == expected


def test_special_files_are_listed_without_being_opened(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.flac")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(tmp_path / "b.flac"))
    make(tmp_path, "c.flac/d.flac")
    assert walked(tmp_path) == ["a.flac", "b.flac", "c.flac/d.flac"]


def test_names_with_any_bytes_are_found_in_order(tmp_path: Path) -> None:
    names = [b"caf\xe9.mp3", "café.mp3".encode(), b"\xff\xfe/x.mp3", "\uf7e9.mp3".encode()]
    for name in names:
        make(tmp_path, os.fsdecode(name))
    assert walked(tmp_path) == sorted(map(encode_path, names))


def test_a_folder_that_vanishes_during_the_walk_is_reported_and_others_are_walked(
    tmp_path: Path,
) -> None:
    make(tmp_path, "a/x.mp3", "b/x.mp3", "c/x.mp3")
    walk = Walk(str(tmp_path))
    files = walk.files()
    assert next(files).path == "a/x.mp3"
    (tmp_path / "b" / "x.mp3").unlink()
    (tmp_path / "b").rmdir()
    assert [file.path for file in files] == ["c/x.mp3"]
    assert [str(problem) for problem in walk.notes.problems] == ["b: No such file or directory"]


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("gone", "gone does not exist"),
        ("file", "file is not a folder"),
        ("x" * 300, "cannot be read: File name too long"),
    ],
)
def test_an_unreadable_root_is_refused_by_name(tmp_path: Path, name: str, message: str) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(InvalidInput, match=message):
        Walk(str(tmp_path / name)).check_root()


def test_a_relative_root_is_refused_and_an_empty_one_reported(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="music is not an absolute path"):
        Walk("music").check_root()
    walk = Walk(str(tmp_path))
    walk.check_root()
    assert walk.is_root_empty


def test_the_files_of_a_folder_come_in_runs_between_its_subfolders(tmp_path: Path) -> None:
    make(tmp_path, "a/1.mp3", "a/2.mp3", "a/b/3.mp3", "a/b.mp3", "a/c.mp3", "a/d/cover.jpg")
    runs = list(Walk(str(tmp_path)).runs())
    assert [[path for path, _, _ in run.files] for run in runs] == [
        ["a/1.mp3", "a/2.mp3", "a/b.mp3"],
        ["a/b/3.mp3"],
        ["a/c.mp3"],
    ]


def test_the_images_digest_covers_the_folder_and_the_one_above(tmp_path: Path) -> None:
    make(tmp_path, "a/b/1.mp3", "a/b/cover.jpg", "a/c/2.mp3", "d/artist.png", "d/e/3.mp3", "f.mp3")
    first = {file.path: file.images_digest for file in Walk(str(tmp_path)).files()}
    without = images_digest(())
    have_images = [path for path, digest in first.items() if digest != without]
    assert have_images == ["a/b/1.mp3", "d/e/3.mp3"]
    (tmp_path / "d" / "artist.png").write_bytes(b"xx")
    second = {file.path: file.images_digest for file in Walk(str(tmp_path)).files()}
    assert {path for path in first if first[path] != second[path]} == {"d/e/3.mp3"}
    below = [file.images_digest for file in Walk(str(tmp_path), "d/e").files()]
    assert below == [second["d/e/3.mp3"]]


def test_an_empty_folder_differs_from_one_without_music(tmp_path: Path) -> None:
    make(tmp_path, "a/notes.txt", "b/.hidden")
    (tmp_path / "c").mkdir()
    walk = Walk(str(tmp_path))
    assert list(walk.files()) == []
    assert walk.notes.empty_folders == {"c"}
