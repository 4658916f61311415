"""Values that programs encode: base64, and bytes that are no text. Pure.

Serato keeps its cue points and grids in text tags of FLAC and MP4, as base64 of an envelope:
"application/octet-stream", two NULs, "Serato <name>", NUL, payload. Mixed In Key's tags are base64
of JSON.
"""

import base64
import binascii
import json
import re
from collections.abc import Sequence

from services.extractor.tags import normalise

ENVELOPE = base64.b64encode(b"application/octet-stream")[:32].decode()
"""What base64 of Serato's tags begins with."""
JSON = "eyJ"
"""What base64 of a JSON object begins with."""
_SHORTEST_ENCODED = 32
_SHORTEST_BLOB = 100
"""Shorter ones may be ids or hashes that somebody wants to see."""
_LONGEST_JSON = 10_000
_is_base64 = re.compile(r"[A-Za-z0-9+/_-]+={0,2}").fullmatch
_is_hexadecimal = re.compile(r"[0-9A-Fa-f]+").fullmatch
_MIXED_IN_KEY = ("key", "energyLevel", "energy")


def readable(value: str) -> str | None:
    """The text that a person can read: the value itself, what it encodes, or None."""
    if value.isprintable():
        if len(value) < _SHORTEST_ENCODED or " " in value[:_SHORTEST_ENCODED]:
            return value
    elif _is_binary(value):
        return None
    if value.startswith(ENVELOPE):
        return None
    if value.startswith(JSON) and (decoded := decode_base64(value[:_LONGEST_JSON])) is not None:
        return _mixed_in_key(decoded, value)
    return None if _is_blob(value) else value


def key_text(values: Sequence[str]) -> str | None:
    """The first of the values that a person can read, as "Am" or "8A"; those of Serato are not."""
    texts = (text for value in normalise.texts(values) if (text := readable(value)))
    return normalise.first(list(texts), 100)


def decode_base64(value: str) -> bytes | None:
    """The bytes of a text in base64, in lines or in one; None where it is none.

    Serato leaves the padding out, or the last letter, which holds bits of a byte that is 0.
    """
    compact = "".join(value.split()).rstrip("=").replace("-", "+").replace("_", "/")
    if len(compact) % 4 == 1:
        compact += "A"
    try:
        return base64.b64decode(compact + "=" * (-len(compact) % 4), validate=True)
    except (binascii.Error, ValueError):
        return None


def _mixed_in_key(decoded: bytes, value: str) -> str | None:
    try:
        document = json.loads(decoded)
    except (ValueError, RecursionError):
        return value
    if not isinstance(document, dict):
        return value
    for name in _MIXED_IN_KEY:
        found = document.get(name)
        if isinstance(found, str | int | float) and not isinstance(found, bool):
            return str(found)
    return None  # cue points: a list of objects


def _is_blob(value: str) -> bool:
    """Whether it is base64 of bytes that are no text."""
    if len(value) < _SHORTEST_BLOB or " " in value:
        return False
    compact = "".join(value.split())
    if _is_base64(compact) is None or _is_hexadecimal(compact) is not None:
        return False
    decoded = decode_base64(compact) or b""
    try:
        return _is_binary(decoded.decode())
    except UnicodeDecodeError:
        return True


def _is_binary(value: str) -> bool:
    """Whether more than an eighth of it are control characters and bytes that are no UTF-8."""
    odd = sum(
        character == "\ufffd" or (character < " " and character not in "\t\n\r")
        for character in value[:1_000]
    )
    return odd * 8 > len(value[:1_000])
