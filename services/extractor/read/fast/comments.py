"""Vorbis comments.

Source: https://www.xiph.org/vorbis/doc/v-comment.html
"""

import re
from struct import Struct

from services.extractor.read.fast.found import Beyond

_LENGTH = Struct("<I")
_NAME = re.compile(rb"[ -<>-}]+").fullmatch
Comments = list[tuple[str, str]]


def comments(block: bytes, place: int) -> tuple[Comments, int]:
    """The comments of a block that begins at a place, and where it ends.

    Raises:
        Beyond: a name is none, or the block is cut off.
    """
    found: Comments = []
    whole = len(block)
    (length,) = _LENGTH.unpack_from(block, place)
    place += 4 + length  # whose program wrote it is not asked for
    (count,) = _LENGTH.unpack_from(block, place)
    place += 4
    for _ in range(count):
        (length,) = _LENGTH.unpack_from(block, place)
        place += 4
        end = place + length
        if end > whole:
            raise Beyond
        name, sign, value = block[place:end].partition(b"=")
        if not sign or _NAME(name) is None:
            raise Beyond
        found.append((name.decode("ascii"), value.decode("utf-8", "replace")))
        place = end
    return found, place
