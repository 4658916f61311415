"""The tags without a field: ratings and play counts of other programs, and all others. Pure.

Ratings and play counts are facts about the file, not the user's own: they are kept by their source.
Each program has its own scale; here a rating is 0 to 100. All other tags are kept as they are,
within limits.
"""

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from services.extractor.tags import normalise
from services.extractor.tags.encoded_texts import readable
from services.extractor.tags.model import ImportedFact
from services.extractor.tags.raw_tags import RawTags

MOST_NAMES = 64
MOST_VALUES = 16
NAME_LIMIT = 100
VALUE_LIMIT = 1_000
TOTAL_LIMIT = 16_000
"""Characters of names and values together."""
_MOST_SOURCES = 10
_MOST_PLAYS = 2**31 - 1

_NAMES = """\
title titlesort artist artists artistsort album albumsort albumartist albumartists albumartistsort
composer composersort lyricist writer conductor performer arranger remixer producer engineer mixer
djmixer director tracknumber totaltracks discnumber totaldiscs discsubtitle
date year releasedate originaldate originalyear genre isrc bpm comment language lyrics syncedlyrics
compilation releasetype label catalognumber barcode releasecountry media musicbrainz_recordingid
musicbrainz_trackid musicbrainz_albumid musicbrainz_artistid musicbrainz_albumartistid
musicbrainz_releasegroupid replaygain_track_gain replaygain_track_peak replaygain_album_gain
replaygain_album_peak r128_track_gain r128_album_gain work movement movementnumber movementtotal
mood grouping copyright key podcast itunesmediatype"""
FIELDS = frozenset(_NAMES.split())
"""Internal names of the tags that become a field."""
LEFT_OUT = frozenset(("acoustid_fingerprint",))
"""Long, and our own analysis has it too."""
# How Windows Media Player, MediaMonkey and others write stars; 0 is "not rated".
_PERCENT_OF_POPM = {
    1: 20, 13: 10, 54: 30, 64: 40, 118: 50, 128: 60, 186: 70, 196: 80, 242: 90, 255: 100,
}  # fmt: skip
_PERCENT_OF_ASF = {1: 20, 25: 40, 50: 60, 75: 80, 99: 100}
_FACT_NAME = re.compile(r"(popm|rating|playcount|play_count|play count|rate)(?::(.*))?", re.DOTALL)


SINGLE_FIELDS = frozenset(
    (
        "title", "titlesort", "album", "albumsort", "discsubtitle", "comment", "work", "grouping",
        "copyright", "language", "label", "catalognumber", "barcode", "media", "releasetype",
        "releasecountry",
    )
)  # fmt: skip
"""Fields that hold one value."""
NUMBERS = frozenset(("tracknumber", "discnumber"))


def further_values(raw: RawTags) -> RawTags:
    """What the fields of one value do not hold: further values, and numbers that are words."""
    further: RawTags = {}
    for name, values in raw.items():
        if len(values) > 1 and name in SINGLE_FIELDS:
            first, *others = normalise.texts(values, normalise.COMMENT_LIMIT) or [""]
            # ID3v1 repeats the beginnings of texts.
            if rest := [value for value in others if not first.startswith(value)]:
                further[name] = rest
        elif name in NUMBERS and not all(map(normalise.is_plain_number, values)):
            further[name] = values  # "B2": the number says the order, not how it is written
    return further


def other_tags(raw: RawTags, further: RawTags) -> dict[str, list[str]]:
    """Values by internal name, in the order of the names, within the limits above.

    Args:
        raw: tags, of which those of fields are passed over.
        further: values of fields.
    """
    kept: dict[str, list[str]] = {}
    total = 0
    raw = {name: raw[name] for name in raw.keys() - FIELDS - LEFT_OUT} | further
    for name in sorted(raw):
        if _is_imported(name):
            continue
        clean = normalise.text(name, NAME_LIMIT)
        texts = filter(None, map(readable, raw[name][:MOST_VALUES]))
        values = list(filter(None, (normalise.lines(text, VALUE_LIMIT) for text in texts)))
        size = len(clean) + sum(map(len, values))
        if not clean or not values or total + size > TOTAL_LIMIT:
            continue
        total += size
        kept.setdefault(clean, values)
        if len(kept) == MOST_NAMES:
            break
    return kept


@dataclass(slots=True)
class _Fact:
    rating: int | None = None
    plays: int | None = None


def imported_facts(raw: RawTags) -> tuple[ImportedFact, ...]:
    """Ratings and play counts, ordered by source: an address, or a program's name."""
    facts: dict[str, _Fact] = {}
    for name, values in raw.items():
        if not values:
            continue
        if name in _FIXED_NAMES:
            source, read = _FIXED_NAMES[name]
            read(facts.setdefault(source, _Fact()), values[0])
        elif match := _FACT_NAME.fullmatch(name):
            kind, owner = match.groups()
            fact = facts.setdefault(normalise.text(owner or "", 200) or "tags", _Fact())
            if kind == "popm":
                _read_popularimeter(fact, values[0])
            elif kind in {"rating", "rate"}:
                fact.rating = _rating(values[0])
            else:
                fact.plays = _plays(values[0])
    imported = (
        ImportedFact(source, fact.rating, fact.plays)
        for source, fact in sorted(facts.items())
        if fact.rating is not None or fact.plays
    )
    return tuple(imported)[:_MOST_SOURCES]


def _is_imported(name: str) -> bool:
    return name in _FIXED_NAMES or _FACT_NAME.fullmatch(name) is not None


def _read_popularimeter(fact: _Fact, value: str) -> None:
    """ID3's POPM: a rating of 1 to 255, 0 where there is none, and a counter."""
    rating, _, plays = value.partition("/")
    stored = int(normalise.decimal(rating, 0, 255) or 0)
    if stored:
        fact.rating = _PERCENT_OF_POPM.get(stored, round(stored * 100 / 255))
    fact.plays = _plays(plays)


def _rating(value: str) -> int | None:
    """A fraction of 1 with a point ("0.8"), stars up to 5, tenths, percent, or a byte."""
    number = normalise.decimal(value, 0, 255)
    if number is None:
        return None
    if number <= 1 and "." in value:
        return round(number * 100)
    for highest in (5, 10, 100):
        if number <= highest:
            return round(number * 100 / highest)
    return round(number * 100 / 255)


def _plays(value: str) -> int | None:
    number = normalise.decimal(value, 0, _MOST_PLAYS)
    return None if number is None else math.floor(number)


def _read_fraction(fact: _Fact, value: str) -> None:
    number = normalise.decimal(value, 0, 1)
    fact.rating = None if number is None else round(number * 100)


def _read_windows_media_rating(fact: _Fact, value: str) -> None:
    """1 to 99, 0 where there is none."""
    stored = int(normalise.decimal(value, 0, 99) or 0)
    if stored:
        fact.rating = _PERCENT_OF_ASF.get(stored, round(stored * 100 / 99))


def _read_count(fact: _Fact, value: str) -> None:
    fact.plays = _plays(value)


_FIXED_NAMES: Mapping[str, tuple[str, Callable[[_Fact, str], None]]] = {
    "fmps_rating": ("fmps", _read_fraction),
    "fmps_playcount": ("fmps", _read_count),
    "wm/shareduserrating": ("windows media", _read_windows_media_rating),
    "pcnt": ("tags", _read_count),
    "play_counter": ("tags", _read_count),
}
