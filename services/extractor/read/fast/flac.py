"""FLAC's metadata blocks. Source: RFC 9639, section 8."""

import struct
from collections.abc import Iterator

from services.extractor.read.fast.comments import Comments, comments
from services.extractor.read.fast.found import Beyond, Found, Image, Info
from services.extractor.read.fast.window import Window

_STREAM_INFO, _PADDING, _APPLICATION, _SEEK_TABLE, _COMMENTS, _PICTURE = 0, 1, 2, 3, 4, 6
_SKIPPED = frozenset((_PADDING, _APPLICATION, _SEEK_TABLE))
_ONCE = frozenset((_STREAM_INFO, _SEEK_TABLE, _COMMENTS))
_TAG_AT_END_BYTES = 160  # the footer of an APEv2 tag, and an ID3v1 tag after it


def read(window: Window) -> Found:
    """A FLAC file that begins with its own mark and has no other program's tag at its end."""
    if window.at(0, 4) != b"fLaC" or _has_foreign_tag(window.end(_TAG_AT_END_BYTES)):
        raise Beyond
    info: Info | None = None
    tags: Comments | None = None
    pictures: list[Image] = []
    kinds: set[int] = set()
    place = size = 0
    for kind, place, size in _blocks(window):
        if kind in kinds and kind in _ONCE:
            raise Beyond
        kinds.add(kind)
        if kind == _STREAM_INFO:
            info = _info(window.at(place, size))
        elif kind == _COMMENTS:
            tags = _comments(window.at(place, size))
        elif kind == _PICTURE:
            pictures.append(_picture(window.at(place, size)))
        elif kind not in _SKIPPED:
            raise Beyond
    if info is None:
        raise Beyond
    if info.length:
        info.bitrate = int(float(window.size - place - size) * 8 / info.length)
    return Found(info, tags, pictures)


def _blocks(window: Window) -> Iterator[tuple[int, int, int]]:
    """Kind, place and size of the blocks, which all must be there."""
    place, is_last = 4, False
    while not is_last:
        (head,) = struct.unpack(">I", window.at(place, 4))
        size, is_last = head & 0xFFFFFF, bool(head >> 31)
        place += 4
        if place + size > window.size:
            raise Beyond
        yield head >> 24 & 0x7F, place, size
        place += size


def _comments(block: bytes) -> Comments:
    told, end = comments(block, 0)
    if end != len(block):
        raise Beyond
    return told


def _has_foreign_tag(end: bytes) -> bool:
    return end[-128:-125] == b"TAG" or b"APETAGEX" in end or b"LYRICS200" in end


def _info(block: bytes) -> Info:
    if len(block) != 34:
        raise Beyond
    told = int.from_bytes(block[10:18], "big")
    rate_hz = told >> 44
    if not rate_hz:
        raise Beyond
    return Info(
        length=(told & 0xFFFFFFFFF) / float(rate_hz),
        sample_rate=rate_hz,
        channels=(told >> 41 & 7) + 1,
        bits_per_sample=(told >> 36 & 31) + 1,
    )


def _picture(block: bytes) -> Image:
    kind, length = struct.unpack_from(">II", block)
    place = 8 + length
    (length,) = struct.unpack_from(">I", block, place)
    place += 4 + length + 16
    (length,) = struct.unpack_from(">I", block, place)
    if place + 4 + length != len(block):
        raise Beyond
    return Image(kind, block[place + 4 :])
