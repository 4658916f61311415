"""rekordbox's XML export ("File > Export Collection in xml format").

Source: https://cdn.rekordbox.com/files/20200410160904/xml_format_list.pdf
"""

import re
from collections.abc import Iterator
from typing import NamedTuple

from shared.gateway.facts import add_cues, add_grid, add_tempo, cue, grid_marker
from shared.gateway.inputs import BeatGridMarkerInput, CueInput, ImportedFactInput
from soniquebay.dj_collections.elements import Element
from soniquebay.dj_collections.locations import path_of_url

ROOT = "DJ_PLAYLISTS"
SOURCE = "rekordbox"
_KINDS = {"0": "CUE", "1": "FADE_IN", "2": "FADE_OUT", "3": "LOAD", "4": "LOOP"}
_NUMBER = re.compile(r"-?\d{1,9}(?:[.,]\d{1,12})?")
_HIGHEST_RATING = 255
_LONGEST_KEY = 100


class CollectionTrack(NamedTuple):
    """A file of a collection: the paths that it may have, and what the program says of it."""

    paths: tuple[str, ...]
    fact: ImportedFactInput


def track(element: Element) -> CollectionTrack | None:
    """The track of an element; None where it is none, or in a playlist."""
    attributes = element.attributes
    if element.name != "TRACK" or not attributes.get("Location"):
        return None
    fact = ImportedFactInput(source=SOURCE, rating=percent(attributes.get("Rating")))
    fact.play_count = int(number(attributes.get("PlayCount")) or 0) or None
    fact.key = attributes.get("Tonality", "").strip()[:_LONGEST_KEY] or None
    add_tempo(fact, number(attributes.get("AverageBpm")) or 0)
    add_grid(fact, _markers(element))
    add_cues(fact, (_cue(each) for each in element.children if each.name == "POSITION_MARK"))
    return CollectionTrack((path_of_url(attributes["Location"]),), fact)


def number(text: str | None) -> float | None:
    """A decimal number, or None."""
    found = _NUMBER.fullmatch((text or "").strip())
    return float(found[0].replace(",", ".")) if found else None


def percent(text: str | None) -> int | None:
    """A rating of 0 to 255 as 0 to 100; None where there is none, which is 0."""
    stars = number(text)
    return round(stars * 100 / _HIGHEST_RATING) if stars and 0 < stars <= _HIGHEST_RATING else None


def _markers(element: Element) -> Iterator[BeatGridMarkerInput]:
    for each in element.children:
        if each.name != "TEMPO":
            continue
        start_s, tempo_bpm = (number(each.attributes.get(name)) for name in ("Inizio", "Bpm"))
        beat = int(number(each.attributes.get("Battito")) or 0)
        if start_s is not None and tempo_bpm and 0 < tempo_bpm <= 1_000:
            yield grid_marker(start_s, tempo_bpm, beat_in_bar=beat if 1 <= beat <= 64 else None)


def _cue(element: Element) -> CueInput | None:
    attributes = element.attributes
    start_s, end_s = (number(attributes.get(name)) for name in ("Start", "End"))
    kind = _KINDS.get(attributes.get("Type", ""))
    if start_s is None or kind is None:
        return None
    index = int(number(attributes.get("Num")) or 0)
    return cue(
        "MEMORY_CUE" if kind == "CUE" and index < 0 else kind,
        start_s,
        end_s=end_s if end_s is not None and end_s > start_s else None,
        index=index,
        name=attributes.get("Name", ""),
        color=_color(attributes),
    )


def _color(attributes: dict[str, str]) -> str | None:
    parts = [number(attributes.get(name)) for name in ("Red", "Green", "Blue")]
    levels = [int(part) for part in parts if part is not None and 0 <= part <= 255]
    return f"#{bytes(levels).hex()}" if len(levels) == len(parts) else None
