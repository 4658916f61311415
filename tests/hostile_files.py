"""All kinds of bad input, and the failure that a user must see of each."""

import os
import shutil
import struct
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import mutagen
from mutagen import id3

from bench.generated_library import FORMATS, generate


@dataclass(frozen=True, slots=True)
class Hostile:
    """A bad input. `message`: part of the listed failure; None: it must be processed."""

    name: str
    make: Callable[[Path, dict[str, Path]], object]
    message: str | None


def _copy(ending: str, change: Callable[[bytearray], bytes | bytearray]) -> Callable[..., None]:
    def make(path: Path, good: dict[str, Path]) -> None:
        path.write_bytes(change(bytearray(good[ending].read_bytes())))

    return make


def _flipped(content: bytearray) -> bytearray:
    for at in range(len(content) // 3, len(content), 997):
        content[at] ^= 0x55
    return content


def _giant_tag(path: Path, good: dict[str, Path]) -> None:
    """An ID3 tag of 50 MB before a good mp3."""
    size = 50_000_000
    frame = b"TXXX" + struct.pack(">I", size) + b"\0\0" + b"\0x\0" + b"y" * (size - 3)
    length = len(frame)
    synchsafe = bytes((length >> shift) & 0x7F for shift in (21, 14, 7, 0))
    path.write_bytes(b"ID3\x03\x00\x00" + synchsafe + frame + good["mp3"].read_bytes())


def _absurd_tags(path: Path, good: dict[str, Path]) -> None:
    shutil.copy(good["mp3"], path)
    file = mutagen.File(path)
    file.tags.delall("TIT2")
    file.tags.add(id3.TIT2(encoding=3, text=["A\x01b\x0bsurd " + "x" * 1_000_000]))
    file.tags.add(id3.TDRC(encoding=0, text=["99999"]))
    file.tags.add(id3.TRCK(encoding=0, text=["3/foo"]))
    file.tags.add(id3.TXXX(encoding=3, desc="NUL", text=["a\0b"]))
    file.save()


HOSTILE: tuple[Hostile, ...] = (
    Hostile("empty.mp3", lambda path, good: path.write_bytes(b""), "empty"),
    Hostile("text.mp3", lambda path, good: path.write_text("no music " * 500), "no"),
    *(
        Hostile(f"truncated.{ending}", _copy(ending, lambda c: c[: len(c) * 6 // 10]), "*")
        for ending in FORMATS
    ),
    *(Hostile(f"cut short.{ending}", _copy(ending, lambda c: c[:100]), "") for ending in FORMATS),
    *(Hostile(f"flipped.{ending}", _copy(ending, _flipped), "*") for ending in FORMATS),
    Hostile("giant tag.mp3", _giant_tag, "*"),
    Hostile("absurd tags.mp3", _absurd_tags, None),
    Hostile("fifo.flac", lambda path, good: os.mkfifo(path), "FIFO"),
    Hostile(
        "noise.flac",
        lambda path, good: path.write_bytes(os.urandom(50_000)),
        "noise.flac: is no FLAC file, or damaged",
    ),
    Hostile("dangling.mp3", lambda path, good: path.symlink_to("nowhere.mp3"), "*"),
)
"""A message `*`: the file may fail or be processed. An empty message: any failure."""


def bomb(width: int, height: int) -> bytes:
    """A small PNG that decodes to a huge image."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        check = struct.pack(">I", zlib.crc32(kind + content))
        return struct.pack(">I", len(content)) + kind + content + check

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    body = zlib.compress(bytes(1_000_000))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", body)


def make_hostile(folder: Path) -> list[Path]:
    """Make a folder with good files and every bad one; returns the good ones."""
    good_files = generate(folder / "good", 60, seed=3)
    by_format = {
        ending: next(p for p in good_files if p.suffix[1:] == ending) for ending in FORMATS
    }
    bad = folder / "bad"
    bad.mkdir()
    for hostile in HOSTILE:
        hostile.make(bad / hostile.name, by_format)
    (bad / "loop").symlink_to(folder, target_is_directory=True)
    name = os.fsencode(bad) + b"/caf\xe9 \xff.ogg"
    shutil.copy(os.fsencode(by_format["ogg"]), name)
    return good_files
