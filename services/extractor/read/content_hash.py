"""A file's content by a cheap hash of its sound, so that it is known again wherever it lies.

Three blocks and the length of the part that holds the sound are hashed, tags apart: a file that
was moved, renamed or retagged has the hash it had. Nothing is decoded, and 12 KB are read.
"""

import os
import struct
from collections.abc import Iterator
from hashlib import blake2b
from typing import NamedTuple

from services.extractor.read.ends import Ends, read_ends

_BLOCK = 4_096
_DIGEST_BYTES = 16
_MOST_PARTS = 10_000
"""Chunks, atoms, pages or blocks that are gone through; what has more is hashed as a whole."""
_WINDOW = 2**17
"""Two Ogg pages: one begins in it."""
_NEAR = 2**14
"""Where most pages that are looked for begin."""
_LONGEST_HEAD = 27 + 255
_ASF_DATA = bytes.fromhex("3626b2758e66cf11a6d900aa0062ce6c")
_ASF = bytes.fromhex("3026b2758e66cf11a6d900aa0062ce6c")


class _Part(NamedTuple):
    """Where the sound is, in bytes from the file's beginning."""

    start: int
    end: int


def content_hash(descriptor: int, size_bytes: int, ends: Ends | None = None) -> str | None:
    """The hash of an open file's sound: 32 hex digits; None where it has none or cannot be read.

    Two files of one hash hold the same sound, whatever their tags; the same music encoded
    differently has another one. `ends`: of the file, where somebody has read them.
    """
    try:
        file = _File(descriptor, size_bytes, ends or read_ends(descriptor, size_bytes))
        start = _after_id3(file)
        if file.at(start, 4) == b"OggS":
            return _hash_of_ogg(file, start)
        part = _sound(file, start)
        length = part.end - part.start
        if length <= 0:
            return None
        return _digest(length, [file.at(place, _BLOCK) for place in _places(part)])
    except (OSError, struct.error, ValueError):
        return None


class _File:
    """Reads anywhere; beyond the end there is nothing."""

    def __init__(self, descriptor: int, size_bytes: int, ends: Ends) -> None:
        self._descriptor = descriptor
        self.size = size_bytes
        self._ends = ends

    def at(self, place: int, length: int) -> bytes:
        if not 0 <= place < self.size:
            return b""
        told = self._ends.at(place, place + length)
        return os.pread(self._descriptor, length, place) if told is None else told


def _places(part: _Part) -> list[int]:
    """Where blocks begin: first, middle, last."""
    last = max(part.start, part.end - _BLOCK)
    return sorted({part.start, (part.start + last) // 2, last})


def _digest(length: int, blocks: list[bytes]) -> str:
    told = blake2b(length.to_bytes(8, "big"), digest_size=_DIGEST_BYTES)
    for block in blocks:
        told.update(block)
    return told.hexdigest()


def _after_id3(file: _File) -> int:
    """Where a file begins behind ID3v2 tags (there may be several)."""
    start = 0
    for _ in range(5):
        head = file.at(start, 10)
        if len(head) < 10 or head[:3] != b"ID3" or max(head[6:]) > 127:
            break
        size = head[6] << 21 | head[7] << 14 | head[8] << 7 | head[9]
        start += 10 + size + (10 if head[5] & 0x10 else 0)
    return start


def _sound(file: _File, start: int) -> _Part:
    """The part that holds the sound, by what the file begins with."""
    head = file.at(start, 16)
    found: _Part | None = None
    if head[:4] == b"fLaC":
        found = _Part(_after_flac_blocks(file, start + 4), _before_tags(file))
    elif head[:4] in {b"RIFF", b"RF64", b"RIFX"}:
        found = _largest(_chunks(file, start + 12, "<" if head[3] != ord("X") else ">"), b"data")
    elif head[:4] == b"FORM":
        found = _largest(_chunks(file, start + 12, ">"), b"SSND")
    elif head[:4] == b"FRM8":
        found = _largest(_chunks(file, start + 16, ">", wide=True), b"DSD ", b"DST ")
    elif head[:4] == b"DSD ":
        found = _largest(_dsf_chunks(file, start), b"data")
    elif head == _ASF:
        found = _largest(_asf_objects(file, start), _ASF_DATA)
    elif head[4:8] == b"ftyp":
        found = _largest(_atoms(file, start), b"mdat")
    return found or _Part(start, _before_tags(file))


def _largest(parts: Iterator[tuple[bytes, _Part]], *names: bytes) -> _Part | None:
    found = [part for name, part in parts if name in names]
    return max(found, key=lambda part: part.end - part.start, default=None)


def _after_flac_blocks(file: _File, place: int) -> int:
    for _ in range(_MOST_PARTS):
        (head,) = struct.unpack(">I", file.at(place, 4))
        place += 4 + (head & 0xFFFFFF)
        if head >> 31:
            break
    return place


def _chunks(
    file: _File, place: int, order: str, *, wide: bool = False
) -> Iterator[tuple[bytes, _Part]]:
    head = struct.Struct(f"{order}4s{'Q' if wide else 'I'}")
    for _ in range(_MOST_PARTS):
        told = file.at(place, head.size)
        if len(told) < head.size:
            return
        name, size = head.unpack(told)
        start = place + head.size
        yield name, _Part(start, min(start + size, file.size))
        place = start + size + size % 2


def _dsf_chunks(file: _File, place: int) -> Iterator[tuple[bytes, _Part]]:
    for _ in range(_MOST_PARTS):
        told = file.at(place, 12)
        if len(told) < 12:
            return
        name, size = struct.unpack("<4sQ", told)
        yield name, _Part(place + 12, min(place + size, file.size))
        place += max(size, 12)


def _asf_objects(file: _File, place: int) -> Iterator[tuple[bytes, _Part]]:
    for _ in range(_MOST_PARTS):
        told = file.at(place, 24)
        if len(told) < 24:
            return
        name, size = struct.unpack("<16sQ", told)
        yield name, _Part(place + 24, min(place + size, file.size))
        place += max(size, 24)


def _atoms(file: _File, place: int) -> Iterator[tuple[bytes, _Part]]:
    for _ in range(_MOST_PARTS):
        told = file.at(place, 16)
        if len(told) < 8:
            return
        size, name = struct.unpack(">I4s", told[:8])
        start = place + 8
        if size == 1 and len(told) == 16:
            (size,) = struct.unpack(">Q", told[8:])
            start += 8
        end = place + size if size else file.size
        yield name, _Part(start, min(end, file.size))
        place = max(end, start)


def _before_tags(file: _File) -> int:
    """Where a file ends before the tags that lie behind the sound: ID3v1, APEv2, Lyrics3."""
    end = file.size
    for _ in range(5):
        tail = file.at(max(0, end - 160), min(160, end))
        if tail[-128:-125] == b"TAG":
            end -= 128
        elif tail[-32:-24] == b"APETAGEX":
            size, flags = struct.unpack("<I4xI", tail[-20:-8])
            end -= size + (32 if flags >> 31 else 0)
        elif tail[-9:] == b"LYRICS200" and tail[-15:-9].isdigit():
            end -= int(tail[-15:-9]) + 15
        else:
            break
    return max(end, 0)


def _hash_of_ogg(file: _File, start: int) -> str | None:
    """Of Ogg the pages' contents: their numbers and sums change when tags grow by a page."""
    begin = _first_sound_page(file, start)
    length = file.size - begin
    if length <= 0:
        return None
    middle = begin + length // 2
    blocks = [_page(file.at(begin, _NEAR), 0), _page_after(file, middle), _last_page(file, begin)]
    return _digest(length, blocks)


def _page_after(file: _File, place: int) -> bytes:
    """The first page that begins within two pages behind a place; nearly always it is near."""
    near = file.at(place, _NEAR)
    found = near.find(b"OggS")
    if 0 <= found <= _NEAR - _LONGEST_HEAD - _BLOCK:
        return _page(near, found)
    window = file.at(place, _WINDOW)
    return _page(window, window.find(b"OggS"))


def _last_page(file: _File, begin: int) -> bytes:
    """The last page, if it begins within two pages before the end; nearly always it is near."""
    for length in (_NEAR, _WINDOW):
        window = file.at(max(begin, file.size - length), length)
        found = window.rfind(b"OggS")
        if found >= 0:
            break
    return _page(window, found)


def _first_sound_page(file: _File, place: int) -> int:
    """The first page on which a sample is complete: those before it hold headers and tags."""
    for _ in range(_MOST_PARTS):
        head = file.at(place, _LONGEST_HEAD)
        if head[:4] != b"OggS" or len(head) < 27:
            break
        if head[6:14] not in {b"\0" * 8, b"\xff" * 8}:
            return place
        segments = head[26]
        place += 27 + segments + sum(head[27 : 27 + segments])
    return file.size


def _page(window: bytes, place: int) -> bytes:
    """A page's content, up to a block, and the position that it tells."""
    if place < 0 or len(window) < place + 27:
        return b""
    segments = window[place + 26]
    begin = place + 27 + segments
    length = sum(window[place + 27 : begin])
    return window[place + 6 : place + 14] + window[begin : begin + min(length, _BLOCK)]
