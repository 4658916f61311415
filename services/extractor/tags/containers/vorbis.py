"""Vorbis comments: FLAC, Ogg Vorbis, Opus, Speex."""

import base64
import binascii
import struct
from collections.abc import Iterator
from typing import Any

from services.extractor.tags.containers.names import internal_name
from services.extractor.tags.model import Picture, RawTags

_PICTURE_FIELD = "metadata_block_picture"
_OLD_PICTURE_FIELD = "coverart"


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
                told = base64.b64decode(value)
                yield flac_picture(told) if field == _PICTURE_FIELD else Picture(3, told)
            except (binascii.Error, ValueError, struct.error):
                continue  # a damaged image is no image


def flac_picture(block: bytes) -> Picture:
    """A FLAC picture block: type, MIME type, description, four numbers, data.

    Source: RFC 9639, section 8.8. `struct.error` where the block is cut off.
    """
    kind, length = struct.unpack_from(">II", block)
    place = 8 + length
    (length,) = struct.unpack_from(">I", block, place)
    place += 4 + length + 16
    (length,) = struct.unpack_from(">I", block, place)
    return Picture(kind, block[place + 4 : place + 4 + length])
