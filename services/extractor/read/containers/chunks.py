"""The chunks of RIFF (WAV, RF64, BW64) and IFF (AIFF), as files have them rather than headers.

A size of the sound that a writer could not know (a pipe: 0 or the largest number) means the rest
of the file. Chunks, and tags without a chunk, behind the form's own end are found too.
"""

import struct
from collections.abc import Sequence
from contextlib import suppress
from io import BytesIO
from typing import NamedTuple

from mutagen import MutagenError
from mutagen.id3 import ID3

from services.extractor.read.file_bytes import FileBytes
from services.extractor.read.id3_versions import load_with_id3
from services.extractor.tags.containers import id3
from services.extractor.tags.model import Picture
from services.extractor.tags.raw_tags import RawTags

WAVE_FORMS = frozenset((b"RIFF", b"RIFX", b"RF64", b"BW64"))
_MOST_CHUNKS = 10_000
_MOST_TEXT_BYTES = 1_000_000
_MOST_ID3_BYTES = 2**27
_WIDE = 0xFFFFFFFF
"""RF64's sign in a size of 32 bits: the true one stands in the chunk `ds64`."""


class Malformed(MutagenError):
    """The container lacks what it cannot be read without; the message says what."""


class Chunk(NamedTuple):
    """A chunk: its name, and where its content lies in the file."""

    name: bytes
    start: int
    size: int


def chunks_of(file: FileBytes, start: int, order: str, sound: bytes) -> list[Chunk]:
    """The chunks of the form that begins at an offset, up to the file's end.

    Args:
        file: the bytes of it.
        start: of the form, whose header has 12 bytes.
        order: of bytes in numbers, "<" or ">".
        sound: the name of the chunk that holds the sound.
    """
    found: list[Chunk] = []
    wide: dict[bytes, int] = {}
    offset = start + 12
    for _ in range(_MOST_CHUNKS):
        header = file.read(offset, 8)
        if len(header) < 8:
            break
        if header[:3] == b"ID3" and max(header[3:5]) < 0xFF and header[3] < 5:
            found.append(Chunk(b"ID3 ", offset, min(file.size - offset, _MOST_ID3_BYTES)))
            break
        name, size = struct.unpack(f"{order}4sI", header)
        if size == _WIDE:
            size = wide.get(name, size)
        left = file.size - offset - 8
        if name == sound and (
            size > left or (size == 0 and not _is_header(file, offset + 8, order))
        ):
            size = left
        elif (
            name == sound and left - size > _WIDE and not _is_header(file, offset + 8 + size, order)
        ):
            size += (left - size) // 2**32 * 2**32  # RIFF of more than 4 GB: the size wrapped
        if not name.isascii() or not name.strip(b"\0 "):
            break
        found.append(Chunk(name, offset + 8, min(size, left)))
        if name == b"ds64":
            wide = _wide_sizes(file.read(offset + 8, min(size, 4_096)))
        offset += 8 + size
        # A byte of padding follows an odd size; some writers leave it out.
        if size % 2 and not (_is_header(file, offset, order) and file.read(offset, 1) != b"\0"):
            offset += 1
    return found


def _is_header(file: FileBytes, offset: int, order: str) -> bool:
    """Whether something like a chunk's header stands at an offset, with a size that fits."""
    header = file.read(offset, 8)
    if len(header) < 8:
        return False
    name, size = struct.unpack(f"{order}4sI", header)
    is_name = name.isascii() and name.decode().isprintable()
    return bool(is_name and offset + 8 + size <= file.size + 1)


def _wide_sizes(block: bytes) -> dict[bytes, int]:
    """The sizes of 64 bits by chunk. Source: EBU Tech 3306, ITU-R BS.2088."""
    if len(block) < 16:
        return {}
    sizes = {b"data": int.from_bytes(block[8:16], "little")}
    for offset in range(28, len(block) - 11, 12):
        name, size = struct.unpack_from("<4sQ", block, offset)
        sizes[name] = size
    return sizes


def first(chunks: Sequence[Chunk], name: bytes) -> Chunk | None:
    """The first chunk of a name; None where there is none."""
    return next((chunk for chunk in chunks if chunk.name == name), None)


def id3_tags(file: FileBytes, chunks: Sequence[Chunk]) -> tuple[RawTags, list[Picture]]:
    """The tags and images of the ID3 chunks; the first chunk wins, a damaged one is passed over."""
    raw: RawTags = {}
    images: list[Picture] = []
    for chunk in chunks:
        if chunk.name.lower() != b"id3 " or chunk.size > _MOST_ID3_BYTES:
            continue
        content = file.read(chunk.start, chunk.size)
        with suppress(MutagenError, ValueError, LookupError, struct.error, OverflowError):
            tags = load_with_id3(ID3, BytesIO(content))
            raw = {**id3.raw_tags(tags), **raw}
            images += id3.pictures(_Tagged(tags))
    return raw, images


class _Tagged(NamedTuple):
    tags: ID3


def form_of(file: FileBytes, chunks: Sequence[Chunk], kind: bytes, order: str) -> BytesIO:
    """A form of the short chunks alone, in which the texts of a damaged one can be read."""
    body = b""
    for name, start, size in chunks:
        if size <= _MOST_TEXT_BYTES and name not in {b"data", b"SSND"}:
            body += (
                struct.pack(f"{order}4sI", name, size) + file.read(start, size) + bytes(size % 2)
            )
    return BytesIO(b"FORM" + struct.pack(f"{order}I", 4 + len(body)) + kind + body)
