"""APEv2 (Monkey's Audio, WavPack, Musepack)."""

from collections.abc import Iterator
from typing import Any

from services.extractor.tags.model import Picture
from services.extractor.tags.raw_tags import RawTags, internal_name

NO_UTF8 = "\x1a"
"""Stands for a byte that is no UTF-8, in the place of that byte: ASCII's "substitute"."""
_TEXT = 0
_FRONT = 3
_OTHER = 0


def raw_tags(tags: Any) -> RawTags:
    """The items by internal name; `tags` is mutagen's mapping of items, or None."""
    raw: RawTags = {}
    for key, value in (tags or {}).items():
        if value.kind == _TEXT:
            name = internal_name(key)
            # APEv2 has one item for the date, called "Year", in any precision. FFmpeg and others
            # write "Date" besides: the mapping takes the more precise one.
            raw.setdefault("date" if name == "year" else name, []).extend(
                text.replace(NO_UTF8, "\ufffd") for text in value
            )
    return raw


def pictures(file: Any) -> Iterator[Picture]:
    """The embedded images. An item holds a file name, NUL, and the image."""
    for key, value in (file.tags or {}).items():
        if key.lower().startswith("cover art") and value.kind != _TEXT:
            kind = _FRONT if "front" in key.lower() else _OTHER
            yield Picture(kind, bytes(value.value).partition(b"\0")[2])
