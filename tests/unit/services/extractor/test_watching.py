"""The folders to scan after changes: the rules, without file events."""

import os
from pathlib import Path

import pytest

from services.extractor.watch.changed_folders import (
    MAX_FOLDERS,
    MAX_GONE_FILES,
    ChangedFolders,
    Debounce,
    changed_folders,
)
from services.extractor.watch.mounts import network_mount

MOUNTS = """\
22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw
30 22 0:40 / /srv/music rw - nfs4 nas:/music rw
31 30 8:2 / /srv/music/local rw - ext4 /dev/sdb1 rw
32 22 0:41 / /home/me/My\\040Music rw - cifs //nas/music rw
33 22 0:42 / /mnt/pool rw - fuse.mergerfs a:b rw
34 22 0:43 / /home/you/music/far rw - fuse.sshfs nas:/ rw
"""


@pytest.mark.parametrize(
    ("root", "expected"),
    [
        ("/srv/music/rock", "nfs4 at /srv/music"),
        ("/srv/music", "nfs4 at /srv/music"),
        ("/srv/music/local", None),
        ("/srv/musical", None),
        ("/home/me/My Music", "cifs at /home/me/My Music"),
        ("/mnt/pool/music", None),
        ("/home/you/music", "fuse.sshfs at /home/you/music/far"),
        ("/", "fuse.sshfs at /home/you/music/far"),
    ],
)
def test_folders_on_or_above_a_network_mount_are_recognised(
    root: str, expected: str | None
) -> None:
    assert network_mount(root, MOUNTS) == expected


def test_the_mounts_of_this_system_can_be_read(tmp_path: Path) -> None:
    assert network_mount(str(tmp_path), "nonsense\n1 2 3\n") is None
    network_mount(str(tmp_path))


def test_a_folder_is_due_when_it_is_quiet_or_changed_for_too_long() -> None:
    debounce = Debounce(quiet_s=2, max_wait_s=10)
    debounce.add("a", 0)
    debounce.add("b", 1)
    assert debounce.take_due(1.9) == []
    assert debounce.take_due(2) == ["a"]
    for moment in range(1, 11):
        debounce.add("b", moment)
        assert debounce.take_due(moment) == []
    assert debounce.take_due(11) == ["b"]
    assert debounce.take_due(100) == []


def test_nested_folders_are_merged_and_too_many_are_the_whole_library() -> None:
    debounce = Debounce(quiet_s=2)
    for folder in ("a/b", "a", "a b", "c/d"):
        debounce.add(folder, 0)
    assert debounce.take_due(5) == ["a", "a b", "c/d"]
    for number in range(MAX_FOLDERS + 1):
        debounce.add(str(number), 10 + number / 1_000)
    assert debounce.take_due(13) == [""]
    debounce.add("", 20)
    debounce.add("a", 21)
    assert debounce.take_due(22.5) == []
    assert debounce.take_due(23) == [""]


def touch(root: Path, *names: str) -> list[str]:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).touch()
    return [str(root / name) for name in names]


def test_music_images_lyrics_and_rules_change_their_folder_and_other_files_do_not(
    tmp_path: Path,
) -> None:
    names = ("a/1.flac", "b/cover.JPG", "c/1.lrc", "d/.soniqueignore", ".soniquebay.toml")
    changed = changed_folders(str(tmp_path), touch(tmp_path, *names))
    assert changed.folders == {"a", "b", "c", "d", ""}
    others = ("a/notes.txt", "a/1.flac.part", ".trash/1.flac", "a/.1.flac.Xy", "@eaDir/1.mp3")
    assert changed_folders(f"{tmp_path}/", touch(tmp_path, *others)) == ChangedFolders()


def test_a_changed_folder_is_scanned_and_a_deleted_one_scans_the_whole_library(
    tmp_path: Path,
) -> None:
    touch(tmp_path, "a/b/1.flac")
    here = str(tmp_path)
    assert changed_folders(here, [f"{here}/a/b"]).folders == {"a/b"}
    assert changed_folders(here, [f"{here}/gone/1.flac"]).folders == {""}
    changed = changed_folders(here, [f"{here}/a/Vol. 2", f"{here}/a/1.tmp"])
    assert (changed.folders, changed.unknown) == (set(), {"a/Vol. 2", "a/1.tmp"})


def test_many_deleted_files_scan_the_whole_library(tmp_path: Path) -> None:
    touch(tmp_path, "a/1.flac")
    paths = [f"{tmp_path}/a/gone {number}.flac" for number in range(MAX_GONE_FILES + 1)]
    assert changed_folders(str(tmp_path), paths[1:]).folders == {"a"}
    assert changed_folders(str(tmp_path), paths).folders == {"a", ""}


def test_names_in_invalid_utf8_are_kept(tmp_path: Path) -> None:
    folder = os.fsencode(tmp_path) + b"/J\xf3ga"
    os.mkdir(folder)  # noqa: PTH102 - bytes
    assert changed_folders(str(tmp_path), [os.fsdecode(folder)]).folders == {"J\uf7f3ga"}
