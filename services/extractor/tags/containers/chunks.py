"""Texts in chunks, besides an ID3 tag: WAV's LIST INFO, AIFF's text chunks."""

import os
import struct
from collections.abc import Iterator
from typing import BinaryIO

from services.extractor.tags.raw_tags import RawTags

MOST_CHUNKS = 10_000
_MOST_TEXT_BYTES = 1_000_000
INFO = {
    b"INAM": "title",
    b"IART": "artist",
    b"IAAR": "albumartist",
    b"IPRD": "album",
    b"ICMT": "comment",
    b"ICRD": "date",
    b"IGNR": "genre",
    b"ITRK": "tracknumber",
    b"IPRT": "tracknumber",
    b"IFRM": "totaltracks",
    b"ICNT": "releasecountry",
    b"ICOP": "copyright",
    b"IENG": "engineer",
    b"ILNG": "language",
    b"IMUS": "composer",
    b"IWRI": "writer",
    b"IPRO": "producer",
    b"IPUB": "label",
    b"IMED": "media",
    b"ISTR": "performer",
    b"IBPM": "bpm",
    b"IENC": "encodedby",
    b"ITCH": "encodedby",
    b"ISFT": "encodersettings",
}
AIFF = {b"NAME": "title", b"AUTH": "artist", b"(c) ": "copyright", b"ANNO": "comment"}


def info(file: BinaryIO) -> RawTags:
    """The texts of a WAV's LIST INFO chunks; unknown ones by their own name, in lower case.

    Source: Microsoft's "Multimedia Programming Interface and Data Specifications 1.0".
    """
    raw: RawTags = {}
    for name, size in _chunks(file, "<"):
        if name != b"LIST" or not 4 <= size <= _MOST_TEXT_BYTES or file.read(4) != b"INFO":
            continue
        block = file.read(size - 4)
        offset = 0
        while offset + 8 <= len(block):
            key, length = struct.unpack_from("<4sI", block, offset)
            known = INFO.get(key) or key.decode("latin-1").strip().lower()
            _add_text(raw, known, block[offset + 8 : offset + 8 + length])
            offset += 8 + length + length % 2
    return raw


def texts(file: BinaryIO) -> RawTags:
    """The texts of an AIFF's own chunks. Source: Apple's AIFF 1.3, "Text Chunks"."""
    raw: RawTags = {}
    for name, size in _chunks(file, ">"):
        if name in AIFF and size <= _MOST_TEXT_BYTES:
            _add_text(raw, AIFF[name], file.read(size))
    return raw


def _chunks(file: BinaryIO, order: str) -> Iterator[tuple[bytes, int]]:
    """Name and size of a file's chunks; the file's position is at the content of each."""
    end = file.seek(0, os.SEEK_END)
    offset = 12  # after the form's own name, size and kind
    for _ in range(MOST_CHUNKS):
        if offset + 8 > end:
            return
        file.seek(offset)
        name, size = struct.unpack(f"{order}4sI", file.read(8))
        yield name, size
        offset += 8 + size + size % 2  # a byte of padding after an odd size


def _add_text(raw: RawTags, name: str, written: bytes) -> None:
    content = written.partition(b"\0")[0]  # what follows the terminator is left over
    try:
        value = content.decode()
    except UnicodeDecodeError:
        value = content.decode("cp1252", "replace")
    if value.strip():
        raw.setdefault(name, []).append(value)
