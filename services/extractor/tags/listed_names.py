"""The artists that tags list one by one, found in the credit. Pure."""

import re
from collections.abc import Iterable, Sequence

from services.extractor.tags.model import CreditedName

_TYPOGRAPHIC = str.maketrans(
    "\u2018\u2019\u02bc\u0060\u00b4\u201c\u201d\u2010\u2011\u2212", "'''''\"\"---"
)
"""Apostrophes, quotes and hyphens that one program writes and another does not."""
_is_guest_join = re.compile(
    r"\W*(?:feat(?:uring|\.)?|ft\.?|w/)\W*|\s*[(\[]\s*with\s+", re.IGNORECASE
).fullmatch


def split_list(listed: str, credit: str, ids: int) -> list[str]:
    """The names in one text: parted by ";", or by "/" where the credit or the ids agree.

    Args:
        listed: the text.
        credit: the whole credit; '' where there is none.
        ids: how many MusicBrainz ids there are.
    """
    names = [part.strip() for part in listed.split(";") if part.strip()]
    parts = joined_parts(listed, credit)
    if len(names) == 1 and len(parts) > 1 and parts != [listed]:
        is_credited = credit != listed and find_listed(parts, credit) is not None
        if len(parts) == ids or (is_credited and ids != 1):
            return parts
    return names


def joined_parts(listed: str, credit: str = "", whole: Iterable[str] = ()) -> list[str]:
    """The names that "/" parts, except where the credit, or a known name, has the "/" itself.

    "Ann/AC/DC" is Ann and AC/DC where the credit is "Ann feat. AC/DC".

    Args:
        listed: the text.
        credit: the credit of the same artists; it says nothing where it is the same list.
        whole: names that are never split, in lower case.
    """
    folded = listed.casefold()
    known = {name.replace(" / ", "/") for name in whole if "/" in name}
    spans = [
        found.span()
        for name in known
        if name in folded
        for found in re.finditer(rf"(?<!\w){re.escape(name)}(?!\w)", folded)
    ]
    parts, start = [], 0
    for at in (*(found.start() for found in re.finditer("/", listed)), len(listed)):
        if not any(begin < at < end for begin, end in spans):
            parts.append(listed[start:at].strip())
            start = at + 1
    return _as_credited([part for part in parts if part], "" if listed in credit else credit)


def _as_credited(parts: list[str], credit: str) -> list[str]:
    """The parts, of which those that are one name in the credit are joined again."""
    names: list[str] = []
    while parts:
        for count in range(len(parts), 0, -1):
            name = "/".join(parts[:count])
            if count == 1 or name.casefold() in credit.casefold():
                names.append(name)
                parts = parts[count:]
                break
    return names


def with_ids_of_main_artists(
    names: Sequence[CreditedName], ids: Sequence[str]
) -> list[CreditedName]:
    """The names; those before "feat." with the ids, where there are as many.

    beets 1.6 writes no ids of guests.
    """
    main = next(
        (count for count, name in enumerate(names, 1) if _is_guest_join(name.join_phrase)), 0
    )
    if main != len(ids):
        return list(names)
    with_ids = [name._replace(musicbrainz_id=id_) for name, id_ in zip(names, ids, strict=False)]
    return [*with_ids, *names[main:]]


def find_listed(listed: Sequence[str], credit: str) -> list[CreditedName] | None:
    """The listed names with the join phrases of the credit; None where it has other names."""
    folded = credit.casefold().translate(_TYPOGRAPHIC)
    if len(folded) != len(credit):  # as of "ß": positions would not be the credit's
        return None
    spans: list[tuple[int, int]] = []
    end = 0
    for name in listed:
        start = folded.find(name.casefold().translate(_TYPOGRAPHIC), end)
        if start < 0 or (not spans and start > 0):
            return None
        end = start + len(name)
        spans.append((start, end))
    next_starts = [start for start, _ in spans[1:]] + [len(credit)]
    return [
        CreditedName(credit[start:end], credit[end:next_start])
        for (start, end), next_start in zip(spans, next_starts, strict=True)
    ]
