"""APEv2 tags whose texts are no UTF-8, which mutagen refuses together with their file.

Source of the layout: https://wiki.hydrogenaud.io/index.php?title=APEv2_specification
"""

import os
import struct
from typing import BinaryIO

from services.extractor.tags.containers.ape import NO_UTF8

_MARKER = b"APETAGEX"
_FOOTER = struct.Struct("<8s4I8x")
_ITEM = struct.Struct("<2I")
_SEARCHED_BYTES = 32 + 128 + 32  # the footer, an ID3v1 tag after it, and some room
_LARGEST_BYTES = 64 * 2**20
_IS_HEADER = 1 << 29
_KIND_BITS = 6


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


def with_utf8_texts(file: BinaryIO) -> BinaryIO | None:
    """The file with one character (`ape.NO_UTF8`) for each byte of a text that is no UTF-8.

    Returns:
        None where there is no such text, or the tag is damaged otherwise.
    """
    found = _items(file)
    if found is None:
        return None
    start, block = found
    repaired = bytearray(block)
    offset = 0
    while offset + _ITEM.size < len(block):
        size, flags = _ITEM.unpack_from(block, offset)
        begin = block.find(b"\0", offset + _ITEM.size) + 1
        offset = begin + size
        if not begin or offset > len(block):
            return None
        if not flags & _KIND_BITS:
            repaired[begin:offset] = _utf8(block[begin:offset])
    if repaired == block:
        return None
    file.seek(0)
    return _Overlaid(file, start, bytes(repaired))  # type: ignore[return-value] # all that mutagen needs


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


def _utf8(text: bytes) -> bytes:
    try:
        text.decode()
    except UnicodeDecodeError:
        # Each byte that is no UTF-8 becomes a lone surrogate, and that one byte again.
        escaped = text.decode("utf-8", "surrogateescape")
        return "".join(NO_UTF8 if "\udc80" <= one <= "\udcff" else one for one in escaped).encode()
    return text
