"""What is scanned when something changes: rules, without events."""

import os
from pathlib import Path

import pytest

from services.extractor.watch.mounts import network_mount
from services.extractor.watch.settling import MOST_FOLDERS, Settling
from services.extractor.watch.touched import MOST_GONE, touched

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
def test_folders_on_a_network_or_with_one_below_them_are_known(
    root: str, expected: str | None
) -> None:
    assert network_mount(root, MOUNTS) == expected


def test_the_mounts_of_this_system_can_be_read(tmp_path: Path) -> None:
    assert network_mount(str(tmp_path), "nonsense\n1 2 3\n") is None
    network_mount(str(tmp_path))


def test_a_folder_is_due_when_it_is_at_rest_or_changed_for_too_long() -> None:
    settling = Settling(quiet_s=2, longest_s=10)
    settling.note("a", 0)
    settling.note("b", 1)
    assert settling.due(1.9) == []
    assert settling.due(2) == ["a"]
    for moment in range(1, 11):
        settling.note("b", moment)
        assert settling.due(moment) == []
    assert settling.due(11) == ["b"]
    assert settling.due(100) == []


def test_folders_within_others_are_not_told_apart_and_many_are_the_whole_library() -> None:
    settling = Settling(quiet_s=2)
    for folder in ("a/b", "a", "a b", "c/d"):
        settling.note(folder, 0)
    assert settling.due(5) == ["a", "a b", "c/d"]
    for number in range(MOST_FOLDERS + 1):
        settling.note(str(number), 10 + number / 1_000)
    assert settling.due(13) == [""]
    settling.note("", 20)
    settling.note("a", 21)
    assert settling.due(22.5) == []
    assert settling.due(23) == [""]


def touch(root: Path, *names: str) -> list[str]:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).touch()
    return [str(root / name) for name in names]


def test_music_images_lyrics_and_rules_concern_their_folder_and_nothing_else_does(
    tmp_path: Path,
) -> None:
    names = ("a/1.flac", "b/cover.JPG", "c/1.lrc", "d/.soniqueignore", ".soniquebay.toml")
    assert touched(str(tmp_path), touch(tmp_path, *names)).folders == {"a", "b", "c", "d", ""}
    others = ("a/notes.txt", "a/1.flac.part", ".trash/1.flac", "a/.1.flac.Xy", "@eaDir/1.mp3")
    assert touched(f"{tmp_path}/", touch(tmp_path, *others)) == touched("/", [])


def test_a_folder_concerns_itself_and_one_that_is_gone_the_whole_library(tmp_path: Path) -> None:
    touch(tmp_path, "a/b/1.flac")
    here = str(tmp_path)
    assert touched(here, [f"{here}/a/b"]).folders == {"a/b"}
    assert touched(here, [f"{here}/gone/1.flac"]).folders == {""}
    told = touched(here, [f"{here}/a/Vol. 2", f"{here}/a/1.tmp"])
    assert (told.folders, told.unknown) == (set(), {"a/Vol. 2", "a/1.tmp"})


def test_many_files_that_are_gone_concern_the_whole_library(tmp_path: Path) -> None:
    touch(tmp_path, "a/1.flac")
    paths = [f"{tmp_path}/a/gone {number}.flac" for number in range(MOST_GONE + 1)]
    assert touched(str(tmp_path), paths[1:]).folders == {"a"}
    assert touched(str(tmp_path), paths).folders == {"a", ""}


def test_names_that_are_no_utf_8_are_kept(tmp_path: Path) -> None:
    folder = os.fsencode(tmp_path) + b"/J\xf3ga"
    os.mkdir(folder)  # noqa: PTH102 - bytes
    assert touched(str(tmp_path), [os.fsdecode(folder)]).folders == {"J\uf7f3ga"}
