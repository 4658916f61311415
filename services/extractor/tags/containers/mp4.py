"""MP4 (m4a, m4b, mp4): iTunes' atoms and free-form items."""

from collections.abc import Iterator
from typing import Any

from services.extractor.tags.model import Picture
from services.extractor.tags.raw_tags import RawTags, internal_name

ATOMS = {
    "\xa9nam": "title",
    "sonm": "titlesort",
    "\xa9ART": "artist",
    "soar": "artistsort",
    "aART": "albumartist",
    "soaa": "albumartistsort",
    "\xa9alb": "album",
    "\xa9gen": "genre",
    "\xa9wrt": "composer",
    "\xa9day": "date",
    "\xa9cmt": "comment",
    "\xa9lyr": "lyrics",
    "\xa9grp": "grouping",
    "\xa9too": "encodedby",
    "\xa9dir": "director",
    "\xa9wrk": "work",
    "\xa9mvn": "movement",
    "cprt": "copyright",
    "soal": "albumsort",
    "soco": "composersort",
    "sosn": "showsort",
    "tvsh": "show",
    "purl": "podcasturl",
    "desc": "description",
    "ldes": "longdescription",
    "catg": "category",
    "keyw": "keyword",
}
NUMBERS = {
    "tmpo": "bpm",
    "\xa9mvi": "movementnumber",
    "\xa9mvc": "movementtotal",
    "stik": "itunesmediatype",
    "rtng": "itunesadvisory",
    "shwm": "showmovement",
    "hdvd": "hdvideo",
    "tvsn": "tvseason",
    "tves": "tvepisode",
}
FLAGS = {"cpil": "compilation", "pcst": "podcast", "pgap": "gapless"}
PAIRS = {"trkn": "tracknumber", "disk": "discnumber"}
_FREE = "----:"
_COVER = "covr"


def raw_tags(tags: Any) -> RawTags:
    """The atoms by internal name; `tags` is mutagen's mapping of atoms, or None."""
    raw: RawTags = {}
    for atom, values in (tags or {}).items():
        if atom in ATOMS:
            raw.setdefault(ATOMS[atom], []).extend(map(str, values))
        elif atom.startswith(_FREE):
            # The owner does not matter. aacgain ends its names with NUL.
            name = internal_name(atom.removeprefix(_FREE).partition(":")[2].rstrip("\0"))
            texts = (bytes(value).decode("utf-8", "replace") for value in values)
            raw.setdefault(name, []).extend(texts)
        elif atom in PAIRS:
            # 0 means that there is no number.
            raw[PAIRS[atom]] = [f"{number or ''}/{total or ''}" for number, total in values]
        elif atom in NUMBERS:
            raw[NUMBERS[atom]] = [str(value) for value in values if value or atom == "stik"]
        elif atom in FLAGS:
            raw.setdefault(FLAGS[atom], []).append("1" if values else "0")
        elif atom != _COVER and isinstance(values, list):
            raw.setdefault(internal_name(atom), []).extend(_texts(values))
    return raw


def _texts(values: list[Any]) -> Iterator[str]:
    """The values of an atom without a row in the tables above; binary ones are left out."""
    return (str(value) for value in values if isinstance(value, str | int))


def pictures(file: Any) -> Iterator[Picture]:
    """The embedded images: the first is the front."""
    for cover in (file.tags or {}).get(_COVER, ()):
        yield Picture(3, bytes(cover))
