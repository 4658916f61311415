"""Splits credits like "A feat. B" into artists, keeping what is written between them. Pure.

Only what is never part of a name splits: "feat.", ";", and "/" with spaces around it. "&" and
"," do not (Simon & Garfunkel; Tyler, The Creator), unless the tags list the artists themselves.
"""

import re
from collections.abc import Sequence
from dataclasses import replace

from services.extractor.tags import CreditedName

_SPLIT = re.compile(
    r"\s*[(\[]\s*(?:feat(?:uring|\.)?|ft\.?)\s+(?=[^()\[\]]*[)\]])"  # "(feat. B)"
    r"|\s+(?:feat(?:uring|\.)?|ft\.?)\s+"
    r"|\s*;\s*"
    r"|\s+/\s+",
    re.IGNORECASE,
)
MOST_NAMES = 50
EXCEPTIONS = frozenset(("ac / dc", "ac;dc", "n / a", "above / below", "love / hate"))
"""Names that look like several, in lower case."""


def credited_names(
    values: Sequence[str], *, listed: Sequence[str] = (), ids: Sequence[str] = ()
) -> tuple[tuple[CreditedName, ...], str]:
    """The artists of a credit and the whole credit as it is shown.

    Args:
        values: the credit as tagged: usually one text, or one a name.
        listed: the names one by one, where the tags have them (Picard's `artists`).
        ids: MusicBrainz ids, one an artist: their number says how many artists there are.

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
    elif len(values) == 1 and len(ids) == 1:
        names = [CreditedName(values[0])]
    else:
        names = [name for value in values for name in _ended(_split(value))]
    if not names:
        return (), ""
    names = names[:MOST_NAMES]
    names[-1] = replace(names[-1], join_phrase=names[-1].join_phrase.strip("; "))
    if len(ids) == len(names):
        names = [replace(name, musicbrainz_id=id_) for name, id_ in zip(names, ids, strict=True)]
    return tuple(names), shown or "".join(name.name + name.join_phrase for name in names)


def _split(credit: str) -> list[CreditedName]:
    """One text in its names: "A (feat. B)" is A, " (feat. ", B, ")"."""
    if credit.casefold() in EXCEPTIONS:
        return [CreditedName(credit)]
    names: list[CreditedName] = []
    start = 0
    closing = ""
    for found in [*_SPLIT.finditer(credit), None]:
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
    return names or [CreditedName(credit)]


def _ended(names: list[CreditedName]) -> list[CreditedName]:
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
