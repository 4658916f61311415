"""Splits artist credits like "A feat. B & C" into artists and join phrases. Pure.

"feat.", ";", and "/" with spaces around it are never part of a name: they always split. "&",
"with", "vs." and the like split too, but not in names that are known to be one artist's, and not
before "The" or "His": "Nick Cave & The Bad Seeds". A comma splits in lists only ("A, B & C"): alone
it is part of "Tyler, The Creator" or "Bach, Johann Sebastian". Where the tags list the artists one
by one, or have a MusicBrainz id for each, that counts more than all of this.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache

from services.extractor.tags import normalise
from services.extractor.tags.listed_names import (
    find_listed,
    split_list,
    with_ids_of_main_artists,
)
from services.extractor.tags.model import CreditedName
from services.extractor.tags.raw_tags import TagValues, is_cacheable
from services.extractor.tags.rules import CreditRules

MOST_NAMES = 50
_DEFAULT_RULES = CreditRules()
_NO_WHOLE_NAMES = CreditRules(whole=frozenset())
_FEAT = r"(?:feat(?:uring\s|\.|\s)|ft(?:\.|\s)|w/)\s*"
_GUEST = (
    rf"\s*[(\[]\s*(?:{_FEAT}|with\s+)(?=[^()\[\]]*[)\]])"  # "(feat. B)"
    rf"|(?:\s*,|\s+[-\u2013\u2014])?\s+{_FEAT}"
)
_GUEST_JOIN = re.compile(_GUEST, re.IGNORECASE)
_CERTAIN_JOIN = re.compile(rf"{_GUEST}|\s*;\s*|\s+/\s+", re.IGNORECASE)
_LENGTH_IN_FEET = re.compile(r"(?:^|[&,;/]\s*)(?:\d{1,2}|\d+0)$")
"""A name that is a short or a round number; "112 ft. Ann" is the band 112."""
_COMMA = r",\s+(?:(?:&|and)\s+)?"
_BAND_FOLLOWS = re.compile(r"(?:the|his|her|their|los)\s", re.IGNORECASE)
_NAME_CONTINUES = re.compile(
    r"(?:the\s|(?:jr|sr|md|ph\.?d|inc|ltd|esq|ii|iii|iv)\b)", re.IGNORECASE
)
_ANY_JOIN = re.compile(
    r"\s*[,/&+]\s*|\s+(?:and|with|vs\.?|versus|presents|pres\.|x|y|und|et)\s+", re.IGNORECASE
)


def credited_artists(
    tags: TagValues, rules: CreditRules, *, credit: str, listed: str, ids: str
) -> tuple[tuple[CreditedName, ...], str]:
    """The artists that a file's tags credit, and the credit as it is shown.

    Args:
        tags: those of the file.
        rules: how credits are split.
        credit: the name of the tag that holds the whole credit.
        listed: of the tag that lists the artists one by one.
        ids: of the tag with the artists' MusicBrainz ids.
    """
    values = (tuple(tags.all(credit)), tuple(tags.all(listed)), tuple(tags.all(ids)))
    credited = _credited if is_cacheable(values) else _credited.__wrapped__
    return credited(*values, rules)


@lru_cache(maxsize=1_024)  # most tracks of an album have the same artists
def _credited(
    credit: tuple[str, ...], listed: tuple[str, ...], ids: tuple[str, ...], rules: CreditRules
) -> tuple[tuple[CreditedName, ...], str]:
    return credited_names(
        normalise.texts(credit),
        listed=normalise.texts(listed),
        ids=normalise.musicbrainz_ids(ids),
        rules=rules,
    )


def with_sort_name(
    names: tuple[CreditedName, ...], sort_name: str | None
) -> tuple[CreditedName, ...]:
    """The names with a credit's sort name, which is the artist's where there is one artist."""
    if len(names) == 1 and sort_name:
        return (names[0]._replace(sort_name=sort_name),)
    return names


def credited_names(
    values: Sequence[str],
    *,
    listed: Sequence[str] = (),
    ids: Sequence[str] = (),
    rules: CreditRules = _DEFAULT_RULES,
) -> tuple[tuple[CreditedName, ...], str]:
    """The artists of a credit, and the whole credit as it is shown.

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
        listed = split_list(listed[0], written, len(ids))
    if listed:
        names = find_listed(listed, written)
        if names is None:  # they are credited under other names
            names = [CreditedName(one, "; ") for one in listed]
            shown = written
    else:
        names = _split_values(values, len(ids), rules)
    if not names:
        return (), ""
    names = names[:MOST_NAMES]
    names[-1] = names[-1]._replace(join_phrase=names[-1].join_phrase.strip("; "))
    if ids and len(ids) < len(names):
        names = with_ids_of_main_artists(names, ids)
    elif len(ids) == len(names):
        names = [name._replace(musicbrainz_id=id_) for name, id_ in zip(names, ids, strict=True)]
    return tuple(names), shown or "".join(name.name + name.join_phrase for name in names)


def _split_values(values: Sequence[str], artists: int, rules: CreditRules) -> list[CreditedName]:
    """The names in the values.

    Where there are MusicBrainz ids, the first way of splitting that gives as many names is taken.
    """
    if artists == len(values):
        if artists == 1 and (names := _split_guests(values[0], rules)):
            return names
        return [CreditedName(value, "; ") for value in values]
    default: list[CreditedName] = []
    for split in (
        _split_by_rules,
        _split_at_certain_joins,
        _split_at_all_joins,
        _split_at_every_join,
    ):
        names = [name for value in values for name in _ended(split(value, rules))]
        default = default or names
        if not artists or len(names) == artists:
            return names
    return default


def _split_guests(credit: str, rules: CreditRules) -> list[CreditedName]:
    """The artist before "feat.", whole, and the guests one by one; [] where there are none."""
    guests = [join for join in _GUEST_JOIN.finditer(credit) if not _is_measure(credit, join)]
    if not guests:
        return []
    joins = [*_certain_joins(credit, rules), *_probable_joins(credit, rules)]
    return list(_split(credit, [join for join in joins if join.start() >= guests[0].start()]))


def _is_measure(credit: str, join: re.Match[str]) -> bool:
    """Whether "ft." stands for feet: "10 ft. Ganja Plant"."""
    is_short = join.group().strip().casefold() in {"ft", "ft."}
    return is_short and _LENGTH_IN_FEET.search(credit, 0, join.start()) is not None


@lru_cache(maxsize=4_096)
def _split_by_rules(credit: str, rules: CreditRules) -> tuple[CreditedName, ...]:
    return _split(credit, [*_certain_joins(credit, rules), *_probable_joins(credit, rules)])


def _split_at_certain_joins(credit: str, rules: CreditRules) -> tuple[CreditedName, ...]:
    return _split(credit, _certain_joins(credit, rules))


def _split_at_all_joins(credit: str, rules: CreditRules) -> tuple[CreditedName, ...]:
    certain = _certain_joins(credit, rules)
    taken = [position for join in certain for position in range(*join.span())]
    others = (join for join in _ANY_JOIN.finditer(credit) if join.start() not in taken)
    return _split(credit, [*certain, *_outside(others, _whole_names(credit, rules))])


def _split_at_every_join(credit: str, _: CreditRules) -> tuple[CreditedName, ...]:
    """The ids say that there are more artists than the lists of names allow."""
    return _split_at_all_joins(credit, _NO_WHOLE_NAMES)


Spans = Sequence[tuple[int, int]]


def _certain_joins(credit: str, rules: CreditRules) -> list[re.Match[str]]:
    joins = [join for join in _CERTAIN_JOIN.finditer(credit) if not _is_measure(credit, join)]
    return _outside(joins, _whole_names(credit, rules)) if joins else joins


def _probable_joins(credit: str, rules: CreditRules) -> list[re.Match[str]]:
    """The joins that may be parts of names, where they most likely are not."""
    pattern = _joins_pattern(rules.joins)
    if not pattern.search(credit):
        return []
    whole = _whole_names(credit, rules)
    found: list[re.Match[str]] = []
    start = 0
    for certain in [*_certain_joins(credit, rules), None]:
        end = certain.start() if certain else len(credit)
        joins = _outside(pattern.finditer(credit, start, end), whole)
        found += _likely(credit[:end], joins, commas_always="," in rules.joins)
        start = certain.end() if certain else end
    return found


def _likely(
    credit: str, joins: list[re.Match[str]], *, commas_always: bool
) -> Iterator[re.Match[str]]:
    def name_continues(join: re.Match[str]) -> bool:
        sign = join.group().strip().casefold()
        rule = _NAME_CONTINUES if sign.startswith(",") else _BAND_FOLLOWS
        may_continue = sign.startswith((",", "&", "+", "and"))
        return may_continue and rule.match(credit, join.end()) is not None

    joins = [join for join in joins if not name_continues(join)]
    signs = [join.group().strip().casefold() for join in joins]
    commas = sum(sign.startswith(",") for sign in signs)
    others = sum(not sign.startswith((",", "and")) for sign in signs)
    is_list = commas > 1 or (commas > 0 and (others > 0 or commas_always))
    # "A, B and C": where commas stand between artists, "and" does too.
    for join, sign in zip(joins, signs, strict=True):
        if is_list or not sign.startswith((",", "and")):
            yield join


@lru_cache(maxsize=16)
def _joins_pattern(joins: tuple[str, ...]) -> re.Pattern[str]:
    """The joins with white space around them; "x" in small letters only."""
    words = "|".join(["and", *(re.escape(join) for join in joins if join not in {",", "x"})])
    small_x = r"|\s+x\s+" if "x" in joins else ""
    return re.compile(rf"{_COMMA}|(?i:\s+(?:{words})\s+){small_x}")


def _whole_names(credit: str, rules: CreditRules) -> Spans:
    """Where names stand in the credit that are never split."""
    return [name.span() for name in _names_pattern(rules.whole).finditer(credit)]


@lru_cache(maxsize=16)
def _names_pattern(names: frozenset[str]) -> re.Pattern[str]:
    longest_first = sorted(names, key=lambda name: (-len(name), name))
    # "Crosby Stills and Nash" is "Crosby, Stills & Nash".
    patterns = (
        re.escape(name).replace(",", ",?").replace(r"\&", r"(?:&|\+|and)") for name in longest_first
    )
    alternatives = "|".join(patterns) or "(?!)"  # matches nothing
    return re.compile(rf"(?<!\w)(?:{alternatives})(?!\w)", re.IGNORECASE)


def _outside(joins: Iterable[re.Match[str]], names: Spans) -> list[re.Match[str]]:
    """The joins that do not overlap one of the names."""
    return [
        join
        for join in joins
        if not any(start < join.end() and join.start() < end for start, end in names)
    ]


def _split(credit: str, joins: list[re.Match[str]]) -> tuple[CreditedName, ...]:
    """One text into its names: "A (feat. B)" is A, " (feat. ", B, ")"."""
    names: list[CreditedName] = []
    start = 0
    closing = ""
    for join in [*sorted(joins, key=lambda join: join.start()), None]:
        name = credit[start : join.start() if join else len(credit)].strip()
        phrase = join.group() if join else ""
        if closing and name.endswith(closing):
            name, phrase, closing = name[:-1].rstrip(), closing + phrase, ""
        if name:
            names.append(CreditedName(name, phrase))
        if join:
            start = join.end()
            opened = phrase.lstrip()[:1]
            closing = {"(": ")", "[": "]"}.get(opened, closing)
    return tuple(names) or (CreditedName(credit),)


def _ended(names: Sequence[CreditedName]) -> list[CreditedName]:
    """The names of one of several values: ";" stands between the values."""
    last = names[-1]
    return [*names[:-1], last._replace(join_phrase=last.join_phrase + "; ")]
