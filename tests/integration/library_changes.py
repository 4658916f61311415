"""Changes that people and machines make to a library's files."""

import os
import shutil
import time
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import mutagen

from tests.integration import tagged_noise

Change = Callable[[Path], object]
FILES = ("a/One.flac", "a/Two.flac", "b/Three.flac", "b/Four.flac")
"""The files that each library begins with."""


def sound_of(root: Path, path: str) -> int:
    """The number of a path's sound; it differs between libraries."""
    return zlib.crc32(os.fsencode(str(root / path)))


def write(path: Path, sound: int, **tags: str) -> None:
    """Write a music file. The same number gives the same sound."""
    tagged_noise.write(path, sound, {"album": "Album", "artist": "Somebody", **tags})


def retag(path: Path, **tags: str) -> None:
    """Change some tags and keep the others."""
    file: Any = mutagen.File(path, easy=True)
    file.update(tags)
    file.save()


def move(path: str, to: str) -> Change:
    def change(root: Path) -> None:
        (root / to).parent.mkdir(parents=True, exist_ok=True)
        (root / path).rename(root / to)

    return change


def both(*changes: Change) -> Change:
    def change(root: Path) -> None:
        for each in changes:
            each(root)

    return change


def swap(root: Path) -> None:
    one, two = root / FILES[0], root / FILES[1]
    one.rename(root / "stash")
    two.rename(one)
    (root / "stash").rename(two)


def better_copy(root: Path) -> None:
    (root / FILES[0]).unlink()
    write(root / "a" / "One.ogg", 1, tracknumber="1")


def stash(root: Path) -> Path:
    return root.with_name(root.name + " stash")


def unmount(root: Path) -> None:
    root.rename(stash(root))
    root.mkdir()


def mount(root: Path) -> None:
    root.rmdir()
    stash(root).rename(root)


def put_aside(*paths: str) -> Change:
    def change(root: Path) -> None:
        for path in paths:
            place = stash(root) / path
            place.parent.mkdir(parents=True, exist_ok=True)
            (root / path).rename(place)

    return change


def put_back(root: Path) -> None:
    for place in [path for path in stash(root).rglob("*") if path.is_file()]:
        place.rename(root / place.relative_to(stash(root)))


def rewrite(path: str, *, keep_time: bool) -> Change:
    """Replace the content by a longer one, with the old modification time or a new one."""

    def change(root: Path) -> None:
        status = (root / path).stat()
        write(root / path, 17, comment="x" * 5_000)
        if keep_time:
            os.utime(root / path, ns=(status.st_atime_ns, status.st_mtime_ns))

    return change


def touch(path: str, year: int) -> Change:
    moment = time.mktime((year, 1, 1, 0, 0, 0, 0, 0, 0))
    return lambda root: os.utime(root / path, (moment, moment))


def overwrite_unnoticed(root: Path) -> None:
    """Change one byte, but neither size nor modification time."""
    path = root / FILES[0]
    status, content = path.stat(), bytearray(path.read_bytes())
    content[-1_000] ^= 0xFF
    path.write_bytes(content)
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))


def linked_root(root: Path) -> None:
    """Make the root a link, before the first scan."""
    root.rename(root.with_name(root.name + " disk 1"))
    root.symlink_to(root.with_name(root.name + " disk 1"))


def other_disk(root: Path) -> None:
    root.with_name(root.name + " disk 1").rename(root.with_name(root.name + " disk 2"))
    root.unlink()
    root.symlink_to(root.with_name(root.name + " disk 2"))


def linked_folder(root: Path) -> None:
    (root / "b").rename(stash(root))
    (root / "b").symlink_to(stash(root))


def shorten(path: str) -> Change:
    """Cut a file in half, as while it is still being copied."""

    def change(root: Path) -> None:
        shutil.copy2(root / path, stash(root))
        content = (root / path).read_bytes()
        (root / path).write_bytes(content[: len(content) // 2])

    return change


def corrupt(root: Path) -> None:
    shutil.copy2(root / FILES[0], stash(root))
    (root / FILES[0]).write_bytes(b"no music " * 100)


def repair(root: Path) -> None:
    stash(root).rename(root / FILES[0])


def lock(root: Path) -> None:
    (root / "b").chmod(0)


def unlock(root: Path) -> None:
    (root / "b").chmod(0o755)


def many_files(root: Path) -> None:
    for name in ("5", "6", "7", "8"):
        for folder in ("c", "d"):
            write(root / folder / f"{name}.flac", sound_of(root, folder + name))
