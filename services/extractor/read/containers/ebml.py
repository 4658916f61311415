"""EBML's elements: an id, a size, and content, or more elements. Source: RFC 8794."""

import struct
from collections.abc import Iterator

from services.extractor.read.containers.chunks import Malformed
from services.extractor.read.file_bytes import FileBytes


def read_number(content: bytes, offset: int, *, keeps_marker: bool) -> tuple[int, int]:
    """A number whose leading zeros say how long it is, and the offset after it; -1 for unknown."""
    first = content[offset]
    length = 9 - first.bit_length()
    if length > 8 or offset + length > len(content):
        raise Malformed("it is cut off or damaged")
    value = int.from_bytes(content[offset : offset + length], "big")
    if not keeps_marker:
        value &= (1 << 7 * length) - 1
        if value == (1 << 7 * length) - 1:
            value = -1
    return value, offset + length


def read_header(file: FileBytes, offset: int) -> tuple[int, int, int]:
    """An element's id, the offset of its content, and its size; -1 for unknown."""
    head = file.read(offset, 12)
    if len(head) < 2 or not head[0]:
        raise Malformed("it is cut off or damaged")
    kind, at = read_number(head, 0, keeps_marker=True)
    size, at = read_number(head + b"\0", at, keeps_marker=False)
    return kind, offset + at, size


def elements(content: bytes) -> Iterator[tuple[int, bytes]]:
    """Id and content of the elements that fill a block; those behind damage are left out."""
    offset, end = 0, len(content)
    while offset < end:
        try:
            kind, at = read_number(content, offset, keeps_marker=True)
            size, at = read_number(content, at, keeps_marker=False)
        except (Malformed, IndexError):
            return
        if size < 0 or at + size > end:
            return
        yield kind, content[at : at + size]
        offset = at + size


def first_of_each(content: bytes) -> dict[int, bytes]:
    """The first element of each id."""
    found: dict[int, bytes] = {}
    for kind, value in elements(content):
        found.setdefault(kind, value)
    return found


def float_of(content: bytes) -> float:
    """The content as a floating-point number; 0 where it is none."""
    if len(content) in {4, 8}:
        (value,) = struct.unpack(">f" if len(content) == 4 else ">d", content)
        return float(value)
    return 0.0


def integer_of(content: bytes, default: int = 0) -> int:
    """The content as an unsigned number."""
    return int.from_bytes(content, "big") if content else default


def text_of(content: bytes) -> str:
    """The content as a text, which ends at its first NUL."""
    return content.partition(b"\0")[0].decode("utf-8", "replace")
