"""The items of an MP4 file's tag list. Source: Apple's QuickTime File Format, "Metadata"."""

import struct
from collections.abc import Iterator
from typing import Any

from services.extractor.read.fast.found import Beyond
from services.extractor.read.fast.id3_frames import GENRES

Tags = dict[str, Any]
"""By the atom's name; free ones as "----:mean:name"."""

_HEAD = struct.Struct(">I4sI")
_IMPLICIT, _UTF8, _INTEGER = 0, 1, 21
_TEXTS = frozenset((
    b"\xa9nam", b"\xa9alb", b"\xa9ART", b"aART", b"\xa9wrt", b"\xa9day", b"\xa9cmt", b"desc",
    b"purd", b"\xa9grp", b"\xa9gen", b"\xa9lyr", b"catg", b"keyw", b"\xa9too", b"cprt", b"soal",
    b"soaa", b"soar", b"sonm", b"soco", b"sosn", b"tvsh", b"purl", b"egid",
))  # fmt: skip
_NUMBERS = frozenset((
    b"plID", b"cnID", b"geID", b"atID", b"sfID", b"cmID", b"akID", b"tvsn", b"tves", b"tmpo",
    b"\xa9mvi", b"\xa9mvc", b"shwm", b"stik", b"hdvd", b"rtng",
))  # fmt: skip
_FLAGS = frozenset((b"cpil", b"pgap", b"pcst"))
_PAIRS = frozenset((b"trkn", b"disk"))
_NUMBER_BYTES = frozenset((1, 2, 3, 4, 8))
_CONTAINERS = frozenset((b"moov", b"udta", b"trak", b"mdia", b"meta", b"ilst", b"stbl", b"minf"))


def tag(name: bytes, content: bytes, tags: Tags) -> None:
    """Add what an item says.

    Raises:
        Beyond: it is not as its kind should be.
    """
    key = name.decode("latin-1")
    if name in _FLAGS:
        for _, told in _told(content):
            if len(told) != 1:
                raise Beyond
            tags[key] = told != b"\0"
        return
    values: list[Any]
    if name == b"----":
        key, values = _free(content)
    elif name == b"gnre":
        key, values = "\xa9gen", [_genre(told) for _, told in _told(content)]
    elif name == b"covr":
        values = [told for _, told in _told(content)]
    elif name in _PAIRS:
        values = [struct.unpack_from(">2H", told, 2) for _, told in _told(content)]
    elif name in _NUMBERS:
        values = [_number(kind, told) for kind, told in _told(content)]
    elif name in _CONTAINERS:
        raise Beyond
    else:
        kinds = (_IMPLICIT, _UTF8) if name in _TEXTS else (_UTF8,)
        values = [_text(kind, told, kinds) for kind, told in _told(content)]
    tags.setdefault(key, []).extend(values)


def _told(content: bytes, place: int = 0) -> Iterator[tuple[int, bytes]]:
    """Kind, with its version, and content of the values, which fill an item to its end."""
    whole = len(content)
    while place < whole:
        length, name, kind = _HEAD.unpack_from(content, place)
        end = place + length
        if length < 16 or name != b"data" or end > whole:
            raise Beyond
        yield kind, content[place + 16 : end]
        place = end


def _text(kind: int, told: bytes, kinds: tuple[int, ...]) -> str:
    if kind & 0xFFFFFF not in kinds:
        raise Beyond
    return told.decode()


def _number(kind: int, told: bytes) -> int:
    if kind not in {_IMPLICIT, _INTEGER} or len(told) not in _NUMBER_BYTES:
        raise Beyond
    return int.from_bytes(told, "big", signed=True)


def _genre(told: bytes) -> str:
    number = int.from_bytes(told, "big")
    if len(told) != 2 or not 1 <= number <= len(GENRES):
        raise Beyond
    return str(GENRES[number - 1])


def _free(content: bytes) -> tuple[str, list[bytes]]:
    """An item that is named by whose it is, and what."""
    mean, place = _part(content, 0, b"mean")
    name, place = _part(content, place, b"name")
    key = (b"----:" + mean + b":" + name).decode("latin-1")
    return key, [told for _, told in _told(content, place)]


def _part(content: bytes, place: int, name: bytes) -> tuple[bytes, int]:
    length, told, _ = _HEAD.unpack_from(content, place)
    end = place + length
    if length < 12 or told != name or end > len(content):
        raise Beyond
    return content[place + 12 : end], end
