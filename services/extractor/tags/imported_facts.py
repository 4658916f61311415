"""What other programs say of a track: ratings, play counts, and DJ software's data. Pure.

They are facts about the file, not the user's own: they are kept by their source. Each program has
its own scale of ratings; here a rating is 0 to 100.
"""

import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache

from services.extractor.tags import normalise
from services.extractor.tags.dj_software import mixed_in_key, serato, traktor
from services.extractor.tags.dj_software.payloads import TEXTS, TRAKTOR, payloads
from services.extractor.tags.encoded_texts import JSON
from services.extractor.tags.raw_tags import OBJECT, RawTags
from shared.gateway.inputs import ImportedFactInput

_MOST_SOURCES = 10
_LONGEST_CACHED = 200  # letters of a name: no file may fill the memory
_MOST_PLAYS = 2**31 - 1
# How Windows Media Player, MediaMonkey and others write stars; 0 is "not rated".
_PERCENT_OF_POPM = {
    1: 20, 13: 10, 54: 30, 64: 40, 118: 50, 128: 60, 186: 70, 196: 80, 242: 90, 255: 100,
}  # fmt: skip
_PERCENT_OF_ASF = {1: 20, 25: 40, 50: 60, 75: 80, 99: 100}
_FACT_NAME = re.compile(r"(popm|rating|playcount|play_count|play count|rate)(?::(.*))?", re.DOTALL)
_ENERGIES = {"energylevel": mixed_in_key.SOURCE, "energy": "tags"}
"""Sources of the tags that hold an energy in plain text: the first name is Mixed In Key's own."""
_EMPTY = ImportedFactInput(source="")
_READERS = {
    serato.SOURCE: serato.add, traktor.SOURCE: traktor.add, mixed_in_key.SOURCE: mixed_in_key.add,
}  # fmt: skip


class _Facts(dict[str, ImportedFactInput]):
    """Facts by source."""

    def __missing__(self, source: str) -> ImportedFactInput:
        self[source] = ImportedFactInput(source=source)
        return self[source]


def imported_facts(raw: RawTags, names: Iterable[str]) -> tuple[ImportedFactInput, ...]:
    """The facts, ordered by source: an address, or a program's name.

    Args:
        raw: the tags.
        names: of those that have no field.
    """
    names = list(filter(may_be_fact, names))
    # Tags with a field of their own in which Mixed In Key writes, too.
    if (texts := raw.get("comment")) and any("Energy " in text for text in texts):
        names.append("comment")
    if (texts := raw.get("key")) and any(text.startswith(JSON) for text in texts):
        names.append("key")
    if not names:
        return ()
    facts = _Facts()
    for payload in payloads(raw, names):
        _READERS[payload.program](payload.name, payload.content, facts[payload.program])
    for name in names:
        if raw[name]:
            _read_text(facts, name, raw[name])
    imported = (fact for _, fact in sorted(facts.items()) if _says_something(fact))
    return tuple(imported)[:_MOST_SOURCES]


def may_be_fact(name: str) -> bool:
    """Whether a tag of this name may hold a fact: the values decide."""
    return _is_known(name) if len(name) <= _LONGEST_CACHED else _is_known.__wrapped__(name)


@lru_cache(maxsize=1_024)  # the same names come in file after file
def _is_known(name: str) -> bool:
    return name in TEXTS or name in _ENERGIES or _is_fact(name)


def _is_fact(name: str) -> bool:
    return (
        name.startswith(OBJECT)
        or name == TRAKTOR
        or name in _FIXED_NAMES
        or _FACT_NAME.fullmatch(name) is not None
    )


def _says_something(fact: ImportedFactInput) -> bool:
    fields = (name for name in fact.__struct_fields__ if name not in {"source", "play_count"})
    return bool(fact.play_count) or any(
        getattr(fact, name) != getattr(_EMPTY, name) for name in fields
    )


def _read_text(facts: _Facts, name: str, values: Sequence[str]) -> None:
    if name in _FIXED_NAMES:
        source, read = _FIXED_NAMES[name]
        read(facts[source], values[0])
    elif name in _ENERGIES:
        if (level := mixed_in_key.energy(values[0])) is not None:
            facts[_ENERGIES[name]].energy = level
    elif name == "comment":
        for level in filter(None, map(mixed_in_key.energy_in_comment, values)):
            fact = facts[mixed_in_key.SOURCE]
            fact.energy = fact.energy or level
    elif match := _FACT_NAME.fullmatch(name):
        kind, owner = match.groups()
        fact = facts[normalise.text(owner or "", 200) or "tags"]
        if kind == "popm":
            _read_popularimeter(fact, values[0])
        elif kind in {"rating", "rate"}:
            fact.rating = _rating(values[0])
        else:
            fact.play_count = _plays(values[0])


def is_imported(name: str, values: Sequence[str]) -> bool:
    """Whether a tag is a fact, not one of the other tags."""
    if name in _ENERGIES:
        text = values[0] if values else ""
        return text.startswith(JSON) or mixed_in_key.energy(text) is not None
    return may_be_fact(name) and _is_fact(name)


def _read_popularimeter(fact: ImportedFactInput, value: str) -> None:
    """ID3's POPM: a rating of 1 to 255, 0 where there is none, and a counter."""
    rating, _, plays = value.partition("/")
    stored = int(normalise.decimal(rating, 0, 255) or 0)
    if stored:
        fact.rating = _PERCENT_OF_POPM.get(stored, round(stored * 100 / 255))
    fact.play_count = _plays(plays)


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


def _read_fraction(fact: ImportedFactInput, value: str) -> None:
    number = normalise.decimal(value, 0, 1)
    fact.rating = None if number is None else round(number * 100)


def _read_windows_media_rating(fact: ImportedFactInput, value: str) -> None:
    """1 to 99, 0 where there is none."""
    stored = int(normalise.decimal(value, 0, 99) or 0)
    if stored:
        fact.rating = _PERCENT_OF_ASF.get(stored, round(stored * 100 / 99))


def _read_count(fact: ImportedFactInput, value: str) -> None:
    fact.play_count = _plays(value)


_FIXED_NAMES: Mapping[str, tuple[str, Callable[[ImportedFactInput, str], None]]] = {
    "fmps_rating": ("fmps", _read_fraction),
    "fmps_playcount": ("fmps", _read_count),
    "wm/shareduserrating": ("windows media", _read_windows_media_rating),
    "pcnt": ("tags", _read_count),
    "play_counter": ("tags", _read_count),
}
