"""The content hash: a cheap hash of a file's sound, by which a moved file is found again.

It covers three blocks and the length of the part that holds the sound, without the tags: a file
that was moved, renamed or retagged keeps its hash. Nothing is decoded, and 12 KB are read.
"""

import struct
from collections.abc import Iterator
from hashlib import blake2b
from typing import NamedTuple

from services.extractor.read.containers.chunks import WAVE_FORMS, chunks_of
from services.extractor.read.file_bytes import FileBytes

_BLOCK_BYTES = 4_096
_DIGEST_BYTES = 16
_MOST_PARTS = 10_000
"""Chunks, atoms, pages or blocks that are gone through; a file with more is hashed as a whole."""
_OGG_WINDOW_BYTES = 2**17
"""Two Ogg pages of the largest size: a page begins in it."""
_OGG_NEAR_BYTES = 2**14
"""Most pages that are searched begin within this distance."""
_LONGEST_OGG_HEADER_BYTES = 27 + 255
_ASF_DATA = bytes.fromhex("3626b2758e66cf11a6d900aa0062ce6c")
_ASF = bytes.fromhex("3026b2758e66cf11a6d900aa0062ce6c")


class _Part(NamedTuple):
    """A part of the file, in bytes from its beginning."""

    start: int
    end: int


def content_hash(descriptor: int, size_bytes: int) -> str | None:
    """The content hash of an open file: 32 hex digits; None where it has no sound to read.

    Two files of one hash hold the same sound, whatever their tags. The same music encoded
    differently has another hash.
    """
    try:
        file = FileBytes(descriptor, size_bytes)
    except OSError:
        return None
    return hash_content(file)


def hash_content(file: FileBytes) -> str | None:
    """The same of a file whose ends have been read."""
    try:
        start = after_id3v2(file)
        if file.read(start, 4) == b"OggS":
            return _hash_ogg(file, start)
        part = _sound(file, start)
        length = part.end - part.start
        if length <= 0:
            return None
        return _digest(length, [file.read(offset, _BLOCK_BYTES) for offset in _block_offsets(part)])
    except (OSError, struct.error, ValueError):
        return None


def _block_offsets(part: _Part) -> list[int]:
    """Where the first, the middle and the last block begin."""
    last = max(part.start, part.end - _BLOCK_BYTES)
    return sorted({part.start, (part.start + last) // 2, last})


def _digest(length: int, blocks: list[bytes]) -> str:
    digest = blake2b(length.to_bytes(8, "big"), digest_size=_DIGEST_BYTES)
    for block in blocks:
        digest.update(block)
    return digest.hexdigest()


def after_id3v2(file: FileBytes) -> int:
    """Where a file begins after its ID3v2 tags, of which there may be several."""
    start = 0
    for _ in range(5):
        header = file.read(start, 10)
        if len(header) < 10 or header[:3] != b"ID3" or max(header[6:]) > 127:
            break
        size = header[6] << 21 | header[7] << 14 | header[8] << 7 | header[9]
        start += 10 + size + (10 if header[5] & 0x10 else 0)  # with a footer
    return start


def _sound(file: FileBytes, start: int) -> _Part:
    """The part that holds the sound, by what the file begins with."""
    header = file.read(start, 16)
    part: _Part | None = None
    if header[:4] == b"fLaC":
        part = _Part(after_flac_blocks(file, start + 4), before_tags(file))
    elif header[:4] in WAVE_FORMS:
        order = ">" if header[:4] == b"RIFX" else "<"
        part = _largest(_chunks(file, start, order, b"data"), b"data")
    elif header[:4] == b"FORM":
        part = _largest(_chunks(file, start, ">", b"SSND"), b"SSND")
    elif header[:4] == b"FRM8":
        part = _largest(_dsdiff_chunks(file, start + 16), b"DSD ", b"DST ")
    elif header[:4] == b"DSD ":
        part = _largest(_dsf_chunks(file, start), b"data")
    elif header == _ASF:
        part = _largest(_asf_objects(file, start), _ASF_DATA)
    elif header[4:8] == b"ftyp":
        part = _largest(_atoms(file, start), b"mdat")
    return part or _Part(start, before_tags(file))


def _largest(parts: Iterator[tuple[bytes, _Part]], *names: bytes) -> _Part | None:
    found = [part for name, part in parts if name in names]
    return max(found, key=lambda part: part.end - part.start, default=None)


def after_flac_blocks(file: FileBytes, offset: int) -> int:
    """Where FLAC's frames begin, from the offset of its first block."""
    for _ in range(_MOST_PARTS):
        (header,) = struct.unpack(">I", file.read(offset, 4))
        offset += 4 + (header & 0xFFFFFF)
        if header >> 31:  # the last block before the frames
            break
    return offset


def _chunks(file: FileBytes, start: int, order: str, sound: bytes) -> Iterator[tuple[bytes, _Part]]:
    """The chunks of a WAV or AIFF, as long as they are in the file."""
    for name, begin, size in chunks_of(file, start, order, sound):
        yield name, _Part(begin, begin + size)


def _dsdiff_chunks(file: FileBytes, offset: int) -> Iterator[tuple[bytes, _Part]]:
    """DSDIFF's chunks: a name, a wide size, the content, and a byte after an odd size."""
    for _ in range(_MOST_PARTS):
        header = file.read(offset, 12)
        if len(header) < 12:
            return
        name, size = struct.unpack(">4sQ", header)
        start = offset + 12
        yield name, _Part(start, min(start + size, file.size))
        offset = start + size + size % 2


def _dsf_chunks(file: FileBytes, offset: int) -> Iterator[tuple[bytes, _Part]]:
    """DSF's chunks, whose sizes count the header too."""
    for _ in range(_MOST_PARTS):
        header = file.read(offset, 12)
        if len(header) < 12:
            return
        name, size = struct.unpack("<4sQ", header)
        yield name, _Part(offset + 12, min(offset + size, file.size))
        offset += max(size, 12)


def _asf_objects(file: FileBytes, offset: int) -> Iterator[tuple[bytes, _Part]]:
    """ASF's objects: a GUID, and a size that counts the header too."""
    for _ in range(_MOST_PARTS):
        header = file.read(offset, 24)
        if len(header) < 24:
            return
        name, size = struct.unpack("<16sQ", header)
        yield name, _Part(offset + 24, min(offset + size, file.size))
        offset += max(size, 24)


def _atoms(file: FileBytes, offset: int) -> Iterator[tuple[bytes, _Part]]:
    """MP4's atoms: size 1 says that a wide size follows, size 0 that the file's rest is meant."""
    for _ in range(_MOST_PARTS):
        header = file.read(offset, 16)
        if len(header) < 8:
            return
        size, name = struct.unpack(">I4s", header[:8])
        start = offset + 8
        if size == 1 and len(header) == 16:
            (size,) = struct.unpack(">Q", header[8:])
            start += 8
        end = offset + size if size else file.size
        yield name, _Part(start, min(end, file.size))
        offset = max(end, start)


def before_tags(file: FileBytes) -> int:
    """The end of the file without the tags behind the sound: ID3v1, APEv2, Lyrics3."""
    end = file.size
    for _ in range(5):
        tail = file.read(max(0, end - 160), min(160, end))
        if tail[-128:-125] == b"TAG":
            end -= 128
        elif tail[-32:-24] == b"APETAGEX":
            size, flags = struct.unpack("<I4xI", tail[-20:-8])
            end -= size + (32 if flags >> 31 else 0)  # the size leaves the header out
        elif tail[-9:] == b"LYRICS200" and tail[-15:-9].isdigit():
            end -= int(tail[-15:-9]) + 15
        else:
            break
    return max(end, 0)


def _hash_ogg(file: FileBytes, start: int) -> str | None:
    """The hash of the contents of three pages.

    The pages' numbers and checksums are left out: they change when the tags grow by a page.
    """
    begin = _first_ogg_page_of_sound(file, start)
    length = file.size - begin
    if length <= 0:
        return None
    blocks = [
        _ogg_page(file.read(begin, _OGG_NEAR_BYTES), 0),
        _ogg_page_after(file, begin + length // 2),
        _last_ogg_page(file, begin),
    ]
    return _digest(length, blocks)


def _ogg_page_after(file: FileBytes, offset: int) -> bytes:
    """The first page that begins within two pages after an offset; nearly always it is near."""
    near = file.read(offset, _OGG_NEAR_BYTES)
    found = near.find(b"OggS")
    if 0 <= found <= _OGG_NEAR_BYTES - _LONGEST_OGG_HEADER_BYTES - _BLOCK_BYTES:
        return _ogg_page(near, found)
    window = file.read(offset, _OGG_WINDOW_BYTES)
    return _ogg_page(window, window.find(b"OggS"))


def _last_ogg_page(file: FileBytes, begin: int) -> bytes:
    """The last page, if it begins within two pages before the end; nearly always it is near."""
    for length in (_OGG_NEAR_BYTES, _OGG_WINDOW_BYTES):
        window = file.read(max(begin, file.size - length), length)
        found = window.rfind(b"OggS")
        if found >= 0:
            break
    return _ogg_page(window, found)


def _first_ogg_page_of_sound(file: FileBytes, offset: int) -> int:
    """The first page on which a sample is complete: those before it hold headers and tags.

    Their granule position is 0, or -1 where no packet ends on them.
    """
    for _ in range(_MOST_PARTS):
        header = file.read(offset, _LONGEST_OGG_HEADER_BYTES)
        if header[:4] != b"OggS" or len(header) < 27:
            break
        if header[6:14] not in {b"\0" * 8, b"\xff" * 8}:
            return offset
        segments = header[26]
        offset += 27 + segments + sum(header[27 : 27 + segments])
    return file.size


def _ogg_page(window: bytes, offset: int) -> bytes:
    """A page's granule position, and its content up to a block; b"" where no page is there."""
    if offset < 0 or len(window) < offset + 27:
        return b""
    segments = window[offset + 26]
    begin = offset + 27 + segments
    length = sum(window[offset + 27 : begin])
    return window[offset + 6 : offset + 14] + window[begin : begin + min(length, _BLOCK_BYTES)]
