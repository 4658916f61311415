"""Opaque ids and file paths, as they appear in events, in GraphQL and on the command line.

An id is the prefix of its kind and 32 hex digits: `trk_0f8e...`. It is the same string everywhere.
A path is the file's name below its library's root, with `/` between folders.
"""

import os
import re
import uuid
from enum import StrEnum
from functools import lru_cache

# Bytes that are no UTF-8 are kept as private-use characters U+F700+byte (0x80..0xFF).
_ESCAPE_BASE = 0xF700
_ESCAPED = range(_ESCAPE_BASE + 0x80, _ESCAPE_BASE + 0x100)
_UNUSUAL = re.compile("[\udc80-\udcff\uf780-\uf7ff]")


class IdKind(StrEnum):
    """The kinds of things that have an id; the value is the id's prefix."""

    LIBRARY = "lib"
    SCAN = "scn"
    TRACK = "trk"
    ARTIST = "art"
    ALBUM = "alb"
    GENRE = "gen"
    FAILURE = "flr"


def format_id(kind: IdKind, value: uuid.UUID) -> str:
    """The id of a thing as it is shown and sent: `trk_` and 32 hex digits."""
    return f"{kind.value}_{value.hex}"


@lru_cache(maxsize=1_024)  # a batch names the same artists and albums over and over
def parse_id(text: str) -> tuple[IdKind, uuid.UUID]:
    """The kind and UUID of an id.

    Raises:
        ValueError: it is not an id; the message says so.
    """
    prefix, _, digits = text.partition("_")
    try:
        return IdKind(prefix), uuid.UUID(hex=digits)
    except ValueError:
        raise ValueError(
            f"{text!r} is not an id of this library (like trk_ and 32 hex digits)"
        ) from None


def encode_path(path: bytes) -> str:
    """A file's name as text that is valid Unicode everywhere and turns back into the same bytes.

    UTF-8 names stay as they are. Each byte that is not UTF-8 becomes U+F780..U+F7FF. Where a name
    itself contains such characters, their bytes are escaped too, so that decoding is unambiguous.
    """
    text = path.decode("utf-8", "surrogateescape")
    if text.isascii() or _UNUSUAL.search(text) is None:
        return text
    return "".join(_escape_character(character) for character in text)


def _escape_character(character: str) -> str:
    code = ord(character)
    if 0xDC80 <= code <= 0xDCFF:
        return chr(code - 0xDC00 + _ESCAPE_BASE)
    if code in _ESCAPED:
        return "".join(chr(byte + _ESCAPE_BASE) for byte in character.encode())
    return character


def decode_path(path: str) -> bytes:
    """The bytes of a name that `encode_path` made, as the operating system has it."""
    if path.isascii() or _UNUSUAL.search(path) is None:
        return path.encode()
    return b"".join(
        bytes([ord(character) - _ESCAPE_BASE]) if ord(character) in _ESCAPED else character.encode()
        for character in path
    )


def display_path(path: str) -> str:
    r"""The name for people: escaped bytes shown as `\xNN`."""
    return "".join(
        f"\\x{ord(character) - _ESCAPE_BASE:02x}" if ord(character) in _ESCAPED else character
        for character in path
    )


def local_path(root: str, path: str) -> bytes:
    """Where a file is on this host: the library's root as mounted here, and the path below it."""
    below = decode_path(path)
    return below if below.startswith(b"/") else _inside(root) + below


@lru_cache(maxsize=64)
def _inside(root: str) -> bytes:
    return os.path.join(os.fsencode(root), b"")  # noqa: PTH118 - names are bytes
