"""What an album is, from what its tracks say of it: each field as most of them have it. Pure."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from services.api.identity import fold, year_of
from shared.contracts.credits import VARIOUS_ARTISTS

FIELDS = (
    "title", "sort_key", "release_date", "original_date", "release_type", "label",
    "catalogue_number", "barcode", "country", "media", "musicbrainz_release_group_id",
)  # fmt: skip
"""Columns of albums that are decided one by one."""


@dataclass(frozen=True, slots=True)
class Said:
    """What some tracks of an album say.

    Attributes:
        facts: columns of `albums`, `credits` (artist's id, as credited, join phrase) and
            `is_artist_told`: whether the artist is tagged, or guessed from the track.
        tracks: how many say it.
    """

    facts: Mapping[str, Any]
    tracks: int


@dataclass(frozen=True, slots=True)
class Decided:
    """What the album is. `credits` is None for various artists, whose record is elsewhere."""

    columns: dict[str, Any]
    credits: list[list[str]] | None


def decide(said: Sequence[Said]) -> Decided:
    """The album's fields; equal whatever the order of `said`, which is not empty.

    Of values that equally many say the smallest counts. Where no album artist is tagged, it is
    the artist of more than half of the tracks that have one, or there are various artists.
    """
    columns = {name: _most_said(said, name) for name in FIELDS}
    columns["year"] = year_of(columns["release_date"])
    columns["is_compilation"] = any(one.facts["is_compilation"] for one in said)
    told = [one for one in said if one.facts["is_artist_told"]]
    counted = told or said
    columns["owner_key"] = _most_said(counted, "owner_key") or ""
    key = _most_said(counted, "artist_key") or ""
    agreeing = [one for one in counted if one.facts["artist_key"] == key]
    named = [one for one in counted if one.facts["artist_key"]]
    if not told and named and 2 * _tracks(agreeing) <= _tracks(named):
        columns |= {
            "artist_credit": VARIOUS_ARTISTS,
            "artist_key": fold(VARIOUS_ARTISTS),
            "is_compilation": True,
        }
        return Decided(columns, None)
    credit = _most_said(agreeing, "artist_credit") or ""
    written = [one for one in agreeing if one.facts["artist_credit"] == credit]
    chosen = max(written, key=lambda one: (one.tracks, repr(one.facts["credits"])))
    columns |= {"artist_credit": credit, "artist_key": key}
    return Decided(columns, [list(credit) for credit in chosen.facts["credits"]])


def _tracks(said: Iterable[Said]) -> int:
    return sum(one.tracks for one in said)


def _most_said(said: Sequence[Said], name: str) -> Any:
    """The value that most tracks have, of those that have one."""
    if len(said) == 1:  # as of most albums
        return said[0].facts.get(name) or None
    counts: Counter[Any] = Counter()
    for one in said:
        if one.facts.get(name) not in {None, ""}:
            counts[one.facts[name]] += one.tracks
    if not counts:
        return None
    most = max(counts.values())
    return min(value for value, count in counts.items() if count == most)
