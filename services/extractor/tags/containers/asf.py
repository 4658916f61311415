"""ASF (wma)."""

import struct
from collections.abc import Iterator
from typing import Any

from services.extractor.tags.model import Picture
from services.extractor.tags.raw_tags import RawTags, internal_name

ATTRIBUTES = {
    "title": "title",
    "author": "artist",
    "description": "comment",
    "wm/titlesortorder": "titlesort",
    "wm/artistsortorder": "artistsort",
    "wm/albumartist": "albumartist",
    "wm/albumartistsortorder": "albumartistsort",
    "wm/albumsortorder": "albumsort",
    "wm/composersortorder": "composersort",
    "wm/albumtitle": "album",
    "wm/genre": "genre",
    "wm/composer": "composer",
    "wm/writer": "lyricist",
    "wm/conductor": "conductor",
    "wm/modifiedby": "remixer",
    "wm/producer": "producer",
    "wm/arranger": "arranger",
    "wm/engineer": "engineer",
    "wm/mixer": "mixer",
    "wm/djmixer": "djmixer",
    "wm/director": "director",
    "wm/tracknumber": "tracknumber",
    "wm/partofset": "discnumber",
    "wm/setsubtitle": "discsubtitle",
    "wm/year": "date",
    "wm/originalreleasetime": "originaldate",
    "wm/originalreleaseyear": "originalyear",
    "wm/isrc": "isrc",
    "wm/beatsperminute": "bpm",
    "wm/language": "language",
    "wm/lyrics": "lyrics",
    "wm/iscompilation": "compilation",
    "wm/publisher": "label",
    "wm/catalogno": "catalognumber",
    "wm/barcode": "barcode",
    "wm/media": "media",
    "wm/artists": "artists",
    "wm/albumartists": "albumartists",
    "wm/mood": "mood",
    "wm/initialkey": "key",
    "wm/contentgroupdescription": "grouping",
    "wm/work": "work",
    "wm/subtitle": "subtitle",
    "wm/script": "script",
    "wm/encodedby": "encodedby",
    "wm/encodingsettings": "encodersettings",
    "wm/originalartist": "originalartist",
    "wm/originalalbumtitle": "originalalbum",
    "wm/originalfilename": "originalfilename",
    "wm/authorurl": "website",
    "wm/lyrics_synchronised": "syncedlyrics",
}
_PICTURE = "WM/Picture"


def raw_tags(tags: Any) -> RawTags:
    """The attributes by internal name; `tags` are pairs of name and attribute, or None."""
    raw: RawTags = {}
    for name, value in tags or ():
        if name == _PICTURE:
            continue
        lower = name.lower().replace("musicbrainz/", "musicbrainz ")
        known = ATTRIBUTES.get(lower) or internal_name(lower)
        if not isinstance(value.value, bytes):
            raw.setdefault(known, []).append(str(value.value))
    return raw


def pictures(file: Any) -> Iterator[Picture]:
    """The embedded images."""
    for name, value in file.tags or ():
        if name == _PICTURE:
            try:
                yield asf_picture(bytes(value.value))
            except (struct.error, ValueError):
                continue  # a damaged image is left out


def asf_picture(block: bytes) -> Picture:
    """A WM/Picture: type, size, MIME type and description in UTF-16 ending with NUL, data.

    Source: Microsoft's WM_PICTURE structure.

    Raises:
        struct.error, ValueError: the block is cut off.
    """
    kind, size = struct.unpack_from("<BI", block)
    offset = 5
    for _ in range(2):
        while block[offset : offset + 2] != b"\0\0":
            offset += 2
            if offset >= len(block):
                raise ValueError("the picture is cut off")
        offset += 2
    return Picture(kind, block[offset : offset + size])
