"""Texts that mutagen drops, or refuses the file for: of another encoding, or in repeated items.

Those of another encoding are replaced by others of the same length, so that nothing moves.

Sources of the layouts: https://wiki.hydrogenaud.io/index.php?title=APEv2_specification,
https://id3.org/id3v2.4.0-structure, and Microsoft's "ASF Specification", sections 3.10 and 3.11.
"""

import os
import re
import struct
from collections.abc import Iterator
from typing import BinaryIO

from services.extractor.tags.containers.ape import NO_UTF8

_MARKER = b"APETAGEX"
_FOOTER = struct.Struct("<8s4I8x")
_ITEM = struct.Struct("<2I")
_SEARCHED_BYTES = 32 + 128 + 32  # the footer, an ID3v1 tag after it, and some room
_LARGEST_BYTES = 64 * 2**20
_IS_HEADER = 1 << 29
_KIND_BITS = 6
_V23, _V24 = 3, 4
_UTF8 = 3
_LANGUAGE_BYTES = 3
_MOST_CHUNKS = 1_000
_FARTHEST = 2**62
_LONE_SURROGATE = re.compile("[\ud800-\udfff]")
_DESCRIPTION = bytes.fromhex("3326b2758e66cf11a6d900aa0062ce6c")
_MORE_DESCRIPTIONS = bytes.fromhex("40a4d0d207e3d21197f000a0c95ea850")
_OBJECTS_START = 30  # of the objects in ASF's header
_TEXT = 0


class _Overlaid:
    """A file in which some bytes are replaced by as many others."""

    def __init__(self, file: BinaryIO, start: int, content: bytes) -> None:
        self._file, self._start, self._content = file, start, content

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        return self._file.tell()

    def read(self, size: int = -1) -> bytes:
        offset = self._file.tell()
        read = self._file.read(size)
        begin = max(offset, self._start)
        end = min(offset + len(read), self._start + len(self._content))
        if begin >= end:
            return read
        inside = self._content[begin - self._start : end - self._start]
        return read[: begin - offset] + inside + read[end - offset :]


def ape_with_utf8_texts(file: BinaryIO) -> BinaryIO | None:
    """The file with one character (`ape.NO_UTF8`) for each byte of a text that is no UTF-8.

    Returns:
        None where there is no such text, or the tag is damaged otherwise.
    """
    found = _items(file)
    if found is None:
        return None
    start, block = found
    repaired = bytearray(block)
    for _, begin, end in _ape_texts(block):
        repaired[begin:end] = _utf8(block[begin:end])
    return _overlaid(file, start, block, repaired)


def ape_repeated_texts(file: BinaryIO) -> dict[str, list[str]]:
    """The texts of keys that several items have, as lofty writes lists: mutagen keeps the last."""
    found = _items(file)
    if found is None:
        return {}
    items: dict[bytes, list[bytes]] = {}
    for key, begin, end in _ape_texts(found[1]):
        items.setdefault(key.lower(), []).append(found[1][begin:end])
    return {
        key.decode("latin-1"): b"\0".join(values).decode("utf-8", "replace").split("\0")
        for key, values in items.items()
        if len(values) > 1
    }


def _ape_texts(block: bytes) -> Iterator[tuple[bytes, int, int]]:
    """Key, and begin and end of the value, of the items that are texts."""
    offset = 0
    while offset + _ITEM.size < len(block):
        size, flags = _ITEM.unpack_from(block, offset)
        begin = block.find(b"\0", offset + _ITEM.size) + 1
        key, offset = block[offset + _ITEM.size : begin - 1], begin + size
        if not begin or offset > len(block):
            return
        if not flags & _KIND_BITS:
            yield key, begin, offset


def _items(file: BinaryIO) -> tuple[int, bytes] | None:
    """Offset and bytes of the items of the tag at the file's end or beginning."""
    end = file.seek(0, os.SEEK_END)
    tail_start = max(0, end - _SEARCHED_BYTES)
    file.seek(tail_start)
    position = file.read().rfind(_MARKER)
    offset = tail_start + position if position >= 0 else 0
    file.seek(offset)
    header = file.read(_FOOTER.size)
    if len(header) < _FOOTER.size or not header.startswith(_MARKER):
        return None
    _, _, size, _, flags = _FOOTER.unpack(header)
    size -= _FOOTER.size  # that of the items and the footer
    start = offset + _FOOTER.size if flags & _IS_HEADER else offset - size
    if start < 0 or not 0 < size <= min(_LARGEST_BYTES, end):
        return None
    file.seek(start)
    block = file.read(size)
    return (start, block) if len(block) == size else None


def id3_with_utf8_texts(file: BinaryIO) -> BinaryIO | None:
    """The file with `ape.NO_UTF8` for each byte of an ID3 text that should be UTF-8 and is not.

    Returns:
        None where there is no such text, or no plain ID3v2.3 or 2.4 tag in its place.
    """
    start = _id3_start(file)
    file.seek(start)
    header = file.read(10)
    if len(header) < 10 or header[:3] != b"ID3" or header[3] not in {_V23, _V24} or header[5]:
        return None
    size = _synchsafe(header[6:])
    if size > _LARGEST_BYTES:
        return None
    block = file.read(size)
    texts = [(begin, end, _utf8(block[begin:end])) for begin, end in _id3_texts(block, header[3])]
    wrong = [(begin, end, text) for begin, end, text in texts if text != block[begin:end]]
    if not wrong:  # nearly always: a tag with large images is not copied
        return None
    repaired = bytearray(block)
    for begin, end, text in wrong:
        repaired[begin:end] = text
    return _overlaid(file, start + 10, block, repaired)


def _id3_start(file: BinaryIO) -> int:
    """Where the tag is: DSF points to it, DSDIFF has a chunk for it, others begin with it."""
    file.seek(0)
    head = file.read(28)
    if head.startswith(b"DSD ") and len(head) == 28:
        return min(int.from_bytes(head[20:], "little"), _FARTHEST)
    if head[:4] != b"FRM8":
        return 0
    offset = 16
    for _ in range(_MOST_CHUNKS):
        file.seek(min(offset, _FARTHEST))
        chunk = file.read(12)
        if len(chunk) < 12 or chunk[:4] == b"ID3 ":
            return offset + 12
        size = int.from_bytes(chunk[4:], "big")
        offset += 12 + size + size % 2
    return 0


def _id3_texts(block: bytes, version: int) -> Iterator[tuple[int, int]]:
    """Begin and end of the texts of a tag that are in UTF-8."""
    offset = 0
    while offset + 10 < len(block) and block[offset]:
        name, written = block[offset : offset + 4], block[offset + 4 : offset + 8]
        size = _synchsafe(written) if version == _V24 else int.from_bytes(written, "big")
        begin, offset = offset + 11, offset + 10 + size
        if not size or offset > len(block):
            return
        if block[begin - 1] == _UTF8:
            if name in {b"COMM", b"USLT"}:
                yield begin + _LANGUAGE_BYTES, offset
            elif name[:1] == b"T":
                yield begin, offset


def _synchsafe(written: bytes) -> int:
    return written[0] << 21 | written[1] << 14 | written[2] << 7 | written[3]


def asf_with_utf16_texts(file: BinaryIO) -> BinaryIO | None:
    """The file with U+FFFD for each half of a character in its texts; None where all are whole."""
    file.seek(0)
    header = file.read(_OBJECTS_START)
    (size,) = struct.unpack_from("<Q", header, 16)
    block = file.read(min(size, _LARGEST_BYTES))
    repaired = bytearray(block)
    for begin, end in _asf_texts(block):
        text = block[begin:end].decode("utf-16-le", "surrogatepass")
        repaired[begin:end] = _LONE_SURROGATE.sub("\ufffd", text).encode("utf-16-le")
    return _overlaid(file, _OBJECTS_START, block, repaired)


def _asf_texts(block: bytes) -> Iterator[tuple[int, int]]:
    """Begin and end of the texts of both kinds of descriptions."""
    offset = 0
    while offset + 24 <= len(block):
        kind = block[offset : offset + 16]
        (size,) = struct.unpack_from("<Q", block, offset + 16)
        at, offset = offset + 24, offset + max(size, 24)
        if kind == _DESCRIPTION:
            lengths = struct.unpack_from("<5H", block, at)
            at += 10
            for length in lengths:
                yield at, at + length // 2 * 2
                at += length
        elif kind == _MORE_DESCRIPTIONS:
            (count,) = struct.unpack_from("<H", block, at)
            at += 2
            for _ in range(count):
                (length,) = struct.unpack_from("<H", block, at)
                yield at + 2, at + 2 + length // 2 * 2
                at += 2 + length
                value_kind, length = struct.unpack_from("<2H", block, at)
                if value_kind == _TEXT:
                    yield at + 4, at + 4 + length // 2 * 2
                at += 4 + length


def _overlaid(file: BinaryIO, start: int, block: bytes, repaired: bytearray) -> BinaryIO | None:
    """The file with another block at an offset; None where it is the same."""
    if repaired == block:
        return None
    file.seek(0)
    return _Overlaid(file, start, bytes(repaired))  # type: ignore[return-value] # all that mutagen needs


def _utf8(text: bytes) -> bytes:
    try:
        text.decode()
    except UnicodeDecodeError:
        # Each byte that is no UTF-8 becomes a lone surrogate, and that one byte again.
        escaped = text.decode("utf-8", "surrogateescape")
        return "".join(NO_UTF8 if "\udc80" <= one <= "\udcff" else one for one in escaped).encode()
    return text
