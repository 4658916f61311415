"""Splits credits like "A feat. B & C" into artists, keeping what is written between them. Pure.

What is never part of a name always splits: "feat.", ";", and "/" with spaces around it. "&",
"with", "vs." and the like split too, but not in names that are known to be one artist's, and not
before "The" or "His": "Nick Cave & The Bad Seeds". A comma splits in lists only ("A, B & C"): alone
it is part of "Tyler, The Creator" or "Bach, Johann Sebastian". What the tags list one by one, and
how many MusicBrainz ids they have, counts more than all of this.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from services.extractor.tags.model import CreditedName
from services.extractor.tags.names import JOINS, WHOLE_NAMES

MOST_NAMES = 50
_CERTAIN = re.compile(
    r"\s*[(\[]\s*(?:feat(?:uring|\.)?|ft\.?|with)\s+(?=[^()\[\]]*[)\]])"  # "(feat. B)"
    r"|\s+(?:feat(?:uring|\.)?|ft\.?)\s+"
    r"|\s*;\s*"
    r"|\s+/\s+",
    re.IGNORECASE,
)
_COMMA = r",\s+(?:(?:&|and)\s+)?"
_BAND_FOLLOWS = re.compile(r"(?:the|his|her|their|los)\s", re.IGNORECASE)
_NAME_GOES_ON = re.compile(r"(?:the\s|(?:jr|sr|md|ph\.?d|inc|ltd|esq|ii|iii|iv)\b)", re.IGNORECASE)
_EVERY_JOIN = re.compile(
    r"\s*[,/&+]\s*|\s+(?:and|with|vs\.?|versus|presents|pres\.|x|y|und|et)\s+", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class CreditRules:
    """How credits are split.

    Attributes:
        whole: names that are never split, in any case of letters.
        joins: words and signs that stand between artists, beside those that always do; with ","
            among them a comma splits always, without it in lists only.
    """

    whole: frozenset[str] = WHOLE_NAMES
    joins: tuple[str, ...] = JOINS

    @classmethod
    def with_names(cls, names: Iterable[str], joins: Sequence[str]) -> "CreditRules":
        """The rules with these joins, and with further names that are never split."""
        return cls(WHOLE_NAMES.union(name.casefold() for name in names), tuple(joins))


DEFAULT_RULES = CreditRules()


def credited_names(
    values: Sequence[str],
    *,
    listed: Sequence[str] = (),
    ids: Sequence[str] = (),
    rules: CreditRules = DEFAULT_RULES,
) -> tuple[tuple[CreditedName, ...], str]:
    """The artists of a credit and the whole credit as it is shown.

    Args:
        values: the credit as tagged: usually one text, or one a name.
        listed: the names one by one, where the tags have them (Picard's `artists`).
        ids: MusicBrainz ids, one an artist: their number says how many artists there are.
        rules: how to split where neither says it.

    Returns:
        The names in order, and the credit; (), '' where there is none.
    """
    shown = ""
    written = values[0] if len(values) == 1 else ""
    if len(listed) == 1:
        listed = [part.strip() for part in listed[0].split(";") if part.strip()]
    if listed:
        names = _located(listed, written)
        if names is None:  # listed under other names than credited
            names = [CreditedName(one, "; ") for one in listed]
            shown = written
    else:
        names = _named(values, len(ids), rules)
    if not names:
        return (), ""
    names = names[:MOST_NAMES]
    names[-1] = replace(names[-1], join_phrase=names[-1].join_phrase.strip("; "))
    if len(ids) == len(names):
        names = [replace(name, musicbrainz_id=id_) for name, id_ in zip(names, ids, strict=True)]
    return tuple(names), shown or "".join(name.name + name.join_phrase for name in names)


def _named(values: Sequence[str], artists: int, rules: CreditRules) -> list[CreditedName]:
    """The names in the values: as many as there are MusicBrainz ids, where that can be had."""
    if artists == len(values):
        return [CreditedName(value, "; ") for value in values]
    default: list[CreditedName] = []
    for split in (_by_rules, _by_what_is_certain, _by_everything):
        names = [name for value in values for name in _ended(split(value, rules))]
        default = default or names
        if not artists or len(names) == artists:
            return names
    return default


@lru_cache(maxsize=4_096)
def _by_rules(credit: str, rules: CreditRules) -> tuple[CreditedName, ...]:
    return _split(credit, [*_certain(credit, rules), *_probable(credit, rules)])


def _by_what_is_certain(credit: str, rules: CreditRules) -> tuple[CreditedName, ...]:
    return _split(credit, _certain(credit, rules))


def _by_everything(credit: str, rules: CreditRules) -> tuple[CreditedName, ...]:
    certain = _certain(credit, rules)
    taken = [place for found in certain for place in range(*found.span())]
    joins = (found for found in _EVERY_JOIN.finditer(credit) if found.start() not in taken)
    return _split(credit, [*certain, *_outside(joins, _whole(credit, rules))])


Spans = Sequence[tuple[int, int]]


def _certain(credit: str, rules: CreditRules) -> list[re.Match[str]]:
    found = list(_CERTAIN.finditer(credit))
    return _outside(found, _whole(credit, rules)) if found else found


def _probable(credit: str, rules: CreditRules) -> list[re.Match[str]]:
    """The joins that may be parts of names, where they most likely are not."""
    pattern = _pattern(rules.joins)
    if not pattern.search(credit):
        return []
    whole = _whole(credit, rules)
    found: list[re.Match[str]] = []
    start = 0
    for end in [*_certain(credit, rules), None]:
        segment = end.start() if end else len(credit)
        joins = _outside(pattern.finditer(credit, start, segment), whole)
        found += _likely(credit[:segment], joins, commas_always="," in rules.joins)
        start = end.end() if end else segment
    return found


def _likely(
    credit: str, joins: list[re.Match[str]], *, commas_always: bool
) -> Iterator[re.Match[str]]:
    def goes_on(found: re.Match[str]) -> bool:
        join = found.group().strip().casefold()
        rule = _NAME_GOES_ON if join.startswith(",") else _BAND_FOLLOWS
        is_guarded = join.startswith((",", "&", "+", "and"))
        return is_guarded and rule.match(credit, found.end()) is not None

    joins = [found for found in joins if not goes_on(found)]
    told = [found.group().strip().casefold() for found in joins]
    commas = sum(join.startswith(",") for join in told)
    others = sum(not join.startswith((",", "and")) for join in told)
    is_list = commas > 1 or (commas > 0 and (others > 0 or commas_always))
    # "A, B and C": where commas stand between artists, "and" does too.
    for found, join in zip(joins, told, strict=True):
        if is_list or not join.startswith((",", "and")):
            yield found


@lru_cache(maxsize=16)
def _pattern(joins: tuple[str, ...]) -> re.Pattern[str]:
    """The joins with white space around them; "x" in small letters only."""
    words = "|".join(["and", *(re.escape(join) for join in joins if join not in {",", "x"})])
    small = r"|\s+x\s+" if "x" in joins else ""
    return re.compile(rf"{_COMMA}|(?i:\s+(?:{words})\s+){small}")


def _whole(credit: str, rules: CreditRules) -> Spans:
    """Where in the credit names stand that are never split."""
    return [found.span() for found in _names_pattern(rules.whole).finditer(credit)]


@lru_cache(maxsize=16)
def _names_pattern(names: frozenset[str]) -> re.Pattern[str]:
    longest_first = sorted(names, key=lambda name: (-len(name), name))
    written = "|".join(re.escape(name) for name in longest_first) or "(?!)"
    return re.compile(rf"(?<!\w)(?:{written})(?!\w)", re.IGNORECASE)


def _outside(joins: Iterable[re.Match[str]], whole: Spans) -> list[re.Match[str]]:
    return [
        found
        for found in joins
        if not any(start < found.end() and found.start() < end for start, end in whole)
    ]


def _split(credit: str, joins: list[re.Match[str]]) -> tuple[CreditedName, ...]:
    """One text in its names: "A (feat. B)" is A, " (feat. ", B, ")"."""
    names: list[CreditedName] = []
    start = 0
    closing = ""
    for found in [*sorted(joins, key=lambda join: join.start()), None]:
        name = credit[start : found.start() if found else len(credit)].strip()
        phrase = found.group() if found else ""
        if closing and name.endswith(closing):
            name, phrase, closing = name[:-1].rstrip(), closing + phrase, ""
        if name:
            names.append(CreditedName(name, phrase))
        if found:
            start = found.end()
            opened = phrase.lstrip()[:1]
            closing = {"(": ")", "[": "]"}.get(opened, closing)
    return tuple(names) or (CreditedName(credit),)


def _ended(names: Sequence[CreditedName]) -> list[CreditedName]:
    """The names of one of several values: a ";" stands between the values."""
    last = names[-1]
    return [*names[:-1], replace(last, join_phrase=last.join_phrase + "; ")]


def _located(listed: Sequence[str], credit: str) -> list[CreditedName] | None:
    """The listed names with what the credit has between them; None where they are not in it."""
    folded = credit.casefold()
    if len(folded) != len(credit):
        return None
    places: list[tuple[int, int]] = []
    end = 0
    for name in listed:
        start = folded.find(name.casefold(), end)
        if start < 0 or (not places and start > 0):
            return None
        end = start + len(name)
        places.append((start, end))
    starts = [start for start, _ in places[1:]] + [len(credit)]
    return [
        CreditedName(credit[here:stop], credit[stop:following])
        for (here, stop), following in zip(places, starts, strict=True)
    ]
