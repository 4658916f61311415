"""Vorbis comments: FLAC, Ogg Vorbis, Opus, Speex.

Source: https://www.xiph.org/vorbis/doc/v-comment.html
"""

import base64
import binascii
import re
import struct
from collections.abc import Iterator
from typing import Any

from services.extractor.tags.model import Picture
from services.extractor.tags.raw_tags import RawTags, internal_name

_PICTURE_FIELD = "metadata_block_picture"
_OLD_PICTURE_FIELD = "coverart"
_LENGTH = struct.Struct("<I")
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
        ValueError: a name is invalid, or the block is cut off.
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
            raise ValueError("the block is cut off")
        name, sign, value = block[offset:end].partition(b"=")
        if not sign or _is_name(name) is None:
            raise ValueError("a name is invalid")
        comments.append((name.decode("ascii"), value.decode("utf-8", "replace")))
        offset = end
    return comments, offset


def raw_tags(comments: Any) -> RawTags:
    """The comments by internal name; `comments` are pairs of name and value."""
    raw: RawTags = {}
    for name, value in comments or ():
        raw.setdefault(internal_name(name), []).append(value)
    raw.pop(_PICTURE_FIELD, None)
    raw.pop(_OLD_PICTURE_FIELD, None)
    return raw


def pictures(file: Any) -> Iterator[Picture]:
    """The embedded images: FLAC's blocks, or base64 in a comment."""
    for block in getattr(file, "pictures", ()):
        yield Picture(block.type, block.data)
    for name, value in file.tags or ():
        field = name.lower()
        if field in {_PICTURE_FIELD, _OLD_PICTURE_FIELD}:
            try:
                block = base64.b64decode(value)
                # The old field holds the image alone, without its type.
                yield flac_picture(block) if field == _PICTURE_FIELD else Picture(3, block)
            except (binascii.Error, ValueError, struct.error):
                continue  # a damaged image is left out


def flac_picture(block: bytes) -> Picture:
    """A FLAC picture block: type, MIME type, description, four numbers, data.

    Source: RFC 9639, section 8.8.

    Raises:
        struct.error: the block is cut off.
    """
    kind, length = struct.unpack_from(">II", block)
    offset = 8 + length
    (length,) = struct.unpack_from(">I", block, offset)
    offset += 4 + length + 16
    (length,) = struct.unpack_from(">I", block, offset)
    return Picture(kind, block[offset + 4 : offset + 4 + length])
