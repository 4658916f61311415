"""FLAC's metadata blocks. Source: RFC 9639, section 8."""

import struct
from collections.abc import Iterator

from services.extractor.read.fast.parsed_file import (
    ParsedFile,
    PictureBlock,
    StreamInfo,
    Unsupported,
)
from services.extractor.read.file_bytes import FileBytes
from services.extractor.read.sound.flac_frames import last_frame
from services.extractor.tags.containers.vorbis import Comments, parse_comments

_STREAM_INFO, _PADDING, _APPLICATION, _SEEK_TABLE, _COMMENTS, _PICTURE = 0, 1, 2, 3, 4, 6
_SKIPPED = frozenset((_PADDING, _APPLICATION, _SEEK_TABLE))
_ONCE = frozenset((_STREAM_INFO, _SEEK_TABLE, _COMMENTS))
_CUT_S = 0.5
_TAG_AT_END_BYTES = 160  # the footer of an APEv2 tag, and an ID3v1 tag after it


def parse(file: FileBytes) -> ParsedFile:
    """A FLAC file that begins with its own marker and has no other tag at its end."""
    if file.read_exactly(0, 4) != b"fLaC" or _has_foreign_tag(file.read_tail(_TAG_AT_END_BYTES)):
        raise Unsupported
    info: StreamInfo | None = None
    tags: Comments | None = None
    pictures: list[PictureBlock] = []
    seen: set[int] = set()
    offset = size = 0
    for kind, offset, size in _blocks(file):
        if kind in seen and kind in _ONCE:
            raise Unsupported
        seen.add(kind)
        if kind == _STREAM_INFO:
            info = _stream_info(file.read_exactly(offset, size))
        elif kind == _COMMENTS:
            tags = _comments(file.read_exactly(offset, size))
        elif kind == _PICTURE:
            pictures.append(_picture(file.read_exactly(offset, size)))
        elif kind not in _SKIPPED:
            raise Unsupported
    if info is None:
        raise Unsupported
    if info.length:
        # A stream that does not know its length (0) has no bitrate either.
        info.bitrate = int(float(file.size - offset - size) * 8 / info.length)
    info.is_guess = not info.length or _is_cut(file, offset + size, info)
    return ParsedFile(info, tags, pictures)


def _is_cut(file: FileBytes, start: int, info: StreamInfo) -> bool:
    """Whether the last frame, if it is at hand, is not the one that the header leads to expect."""
    (block_size,) = struct.unpack_from(">H", file.head, 10)
    samples = last_frame(file, start, file.size, block_size, is_near=True)
    return samples is not None and info.length - samples[1] / (info.sample_rate or 1) > _CUT_S


def _blocks(file: FileBytes) -> Iterator[tuple[int, int, int]]:
    """Kind, offset and size of the blocks' contents, which all must be in the file."""
    offset, is_last = 4, False
    while not is_last:
        (header,) = struct.unpack(">I", file.read_exactly(offset, 4))
        size, is_last = header & 0xFFFFFF, bool(header >> 31)
        offset += 4
        if offset + size > file.size:
            raise Unsupported
        yield header >> 24 & 0x7F, offset, size
        offset += size


def _comments(block: bytes) -> Comments:
    comments, end = parse_comments(block, 0)
    if end != len(block):
        raise Unsupported
    return comments


def _has_foreign_tag(tail: bytes) -> bool:
    return tail[-128:-125] == b"TAG" or b"APETAGEX" in tail or b"LYRICS200" in tail


def _stream_info(block: bytes) -> StreamInfo:
    if len(block) != 34:
        raise Unsupported
    # Section 8.2: 20 bits sample rate, 3 channels - 1, 5 bits per sample - 1, 36 samples.
    fields = int.from_bytes(block[10:18], "big")
    rate_hz = fields >> 44
    if not rate_hz:
        raise Unsupported
    return StreamInfo(
        length=(fields & 0xFFFFFFFFF) / float(rate_hz),
        sample_rate=rate_hz,
        channels=(fields >> 41 & 7) + 1,
        bits_per_sample=(fields >> 36 & 31) + 1,
    )


def _picture(block: bytes) -> PictureBlock:
    """Section 8.8: type, MIME type, description, four numbers, data."""
    kind, length = struct.unpack_from(">II", block)
    offset = 8 + length
    (length,) = struct.unpack_from(">I", block, offset)
    offset += 4 + length + 16
    (length,) = struct.unpack_from(">I", block, offset)
    if offset + 4 + length != len(block):
        raise Unsupported
    return PictureBlock(kind, block[offset + 4 :])
