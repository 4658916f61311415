"""Ratings and play counts that other programs left in a file: facts, not the user's. Pure.

Every program has its scale; here a rating is 0 to 100.
"""

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from services.extractor.tags import normalise
from services.extractor.tags.model import ImportedFact, RawTags

MOST_SOURCES = 10
MOST_PLAYS = 2**31 - 1
# Windows Media Player, MediaMonkey and others write stars as these; 0 is "not rated".
_STARS_OF_ID3 = {
    1: 20, 13: 10, 54: 30, 64: 40, 118: 50, 128: 60, 186: 70, 196: 80, 242: 90, 255: 100,
}  # fmt: skip
_STARS_OF_ASF = {1: 20, 25: 40, 50: 60, 75: 80, 99: 100}
_NAME = re.compile(r"(popm|rating|playcount|play_count|play count|rate)(?::(.*))?", re.DOTALL)


@dataclass(slots=True)
class _Told:
    rating: int | None = None
    plays: int | None = None


def is_imported(name: str) -> bool:
    """Whether a raw tag of this name is a rating or a play count."""
    return name in _FIXED or _NAME.fullmatch(name) is not None


def imported_facts(raw: RawTags) -> tuple[ImportedFact, ...]:
    """What is told, by source (an address, or a program's name), in the order of the sources."""
    found: dict[str, _Told] = {}
    for name, values in raw.items():
        if not values or not is_imported(name):
            continue
        if name in _FIXED:
            source, read = _FIXED[name]
            read(found.setdefault(source, _Told()), values[0])
            continue
        kind, of = _NAME.fullmatch(name).groups()  # type: ignore[union-attr] # asked above
        told = found.setdefault(normalise.text(of or "", 200) or "tags", _Told())
        if kind == "popm":
            _popularimeter(told, values[0])
        elif kind in {"rating", "rate"}:
            told.rating = _rating(values[0])
        else:
            told.plays = _plays(values[0])
    facts = (
        ImportedFact(source, told.rating, told.plays)
        for source, told in sorted(found.items())
        if told.rating is not None or told.plays
    )
    return tuple(facts)[:MOST_SOURCES]


def _popularimeter(told: _Told, value: str) -> None:
    """ID3's POPM: a rating of 1 to 255, 0 where there is none, and a counter."""
    rating, _, plays = value.partition("/")
    stored = int(normalise.decimal(rating, 0, 255) or 0)
    if stored:
        told.rating = _STARS_OF_ID3.get(stored, round(stored * 100 / 255))
    told.plays = _plays(plays)


def _rating(value: str) -> int | None:
    """A fraction of 1 with a point ("0.8"), stars up to 5, 10ths, percent, or a byte."""
    number = normalise.decimal(value, 0, 255)
    if number is None:
        return None
    if number <= 1 and "." in value:
        return round(number * 100)
    for most in (5, 10, 100):
        if number <= most:
            return round(number * 100 / most)
    return round(number * 100 / 255)


def _plays(value: str) -> int | None:
    number = normalise.decimal(value, 0, MOST_PLAYS)
    return None if number is None else math.floor(number)


def _fraction(told: _Told, value: str) -> None:
    number = normalise.decimal(value, 0, 1)
    told.rating = None if number is None else round(number * 100)


def _shared_rating(told: _Told, value: str) -> None:
    """Windows Media's rating: 1 to 99, 0 where there is none."""
    stored = int(normalise.decimal(value, 0, 99) or 0)
    if stored:
        told.rating = _STARS_OF_ASF.get(stored, round(stored * 100 / 99))


def _count(told: _Told, value: str) -> None:
    told.plays = _plays(value)


_FIXED: Mapping[str, tuple[str, Callable[[_Told, str], None]]] = {
    "fmps_rating": ("fmps", _fraction),
    "fmps_playcount": ("fmps", _count),
    "wm/shareduserrating": ("windows media", _shared_rating),
    "pcnt": ("tags", _count),
    "play_counter": ("tags", _count),
}
