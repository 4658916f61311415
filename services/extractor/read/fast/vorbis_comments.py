"""Vorbis comments.

Source: https://www.xiph.org/vorbis/doc/v-comment.html
"""

import re
from struct import Struct

from services.extractor.read.fast.parsed_file import Unsupported

_LENGTH = Struct("<I")
# ASCII from 0x20 to 0x7D without "=": the characters that the specification allows in a name.
_is_name = re.compile(rb"[ -<>-}]+").fullmatch
Comments = list[tuple[str, str]]
"""Pairs of name and value, in the file's order; a name may come several times."""


def parse_comments(block: bytes, offset: int) -> tuple[Comments, int]:
    """The comments of a block, and the offset after them.

    Args:
        block: the bytes that hold them.
        offset: where they begin, with the length of the vendor's name.

    Raises:
        Unsupported: a name is invalid, or the block is cut off.
        struct.error: likewise, within a length.
    """
    comments: Comments = []
    block_end = len(block)
    (length,) = _LENGTH.unpack_from(block, offset)
    offset += 4 + length  # the vendor's name: nobody asks for it
    (count,) = _LENGTH.unpack_from(block, offset)
    offset += 4
    for _ in range(count):
        (length,) = _LENGTH.unpack_from(block, offset)
        offset += 4
        end = offset + length
        if end > block_end:
            raise Unsupported
        name, sign, value = block[offset:end].partition(b"=")
        if not sign or _is_name(name) is None:
            raise Unsupported
        comments.append((name.decode("ascii"), value.decode("utf-8", "replace")))
        offset = end
    return comments, offset
