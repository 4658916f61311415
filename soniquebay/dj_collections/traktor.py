"""Traktor's collection.nml, as versions 3 and 4 write it.

Source: https://github.com/wolkenarchitekt/traktor-nml-utils, and the cue types of Traktor's manual.
"""

from shared.contracts.analysis import PITCH_CLASSES
from shared.gateway.facts import add_cues, add_grid, add_tempo, cue, grid_marker
from shared.gateway.inputs import CueInput, ImportedFactInput
from soniquebay.dj_collections.elements import Element
from soniquebay.dj_collections.locations import path_of_parts
from soniquebay.dj_collections.rekordbox import CollectionTrack, number, percent

ROOT = "NML"
SOURCE = "traktor"
_KINDS = {"0": "CUE", "1": "FADE_IN", "2": "FADE_OUT", "3": "LOAD", "5": "LOOP"}
_GRID = "4"
_NAMELESS = "n.n."
_LONGEST_KEY = 100


def track(element: Element) -> CollectionTrack | None:
    """The track of an element; None where it is none, or in a playlist."""
    location = element.child("LOCATION")
    if element.name != "ENTRY" or location is None or not location.attributes.get("FILE"):
        return None
    info, place = _attributes(element, "INFO"), location.attributes
    fact = ImportedFactInput(source=SOURCE, rating=percent(info.get("RANKING")))
    fact.play_count = int(number(info.get("PLAYCOUNT")) or 0) or None
    fact.key = info.get("KEY", "").strip()[:_LONGEST_KEY] or _key(element)
    tempo_bpm = number(_attributes(element, "TEMPO").get("BPM")) or 0
    add_tempo(fact, tempo_bpm)
    marks = [each for each in element.children if each.name == "CUE_V2"]
    _add_grid(fact, marks, tempo_bpm)
    add_cues(fact, map(_cue, marks))
    paths = path_of_parts(place.get("VOLUME", ""), place.get("DIR", ""), place["FILE"])
    return CollectionTrack(paths, fact)


def _attributes(element: Element, name: str) -> dict[str, str]:
    child = element.child(name)
    return child.attributes if child is not None else {}


def _key(element: Element) -> str | None:
    """The key that Traktor measured: 0 to 11 are C to B major, 12 to 23 C to B minor."""
    value = number(_attributes(element, "MUSICAL_KEY").get("VALUE"))
    if value is None or not 0 <= value < 2 * len(PITCH_CLASSES):
        return None
    is_minor, tonic = divmod(int(value), len(PITCH_CLASSES))
    return PITCH_CLASSES[tonic] + "m" * is_minor


def _add_grid(fact: ImportedFactInput, marks: list[Element], tempo_bpm: float) -> None:
    markers = []
    for each in marks:
        if each.attributes.get("TYPE") == _GRID:
            start_ms = number(each.attributes.get("START"))
            tempo = number(_attributes(each, "GRID").get("BPM")) or tempo_bpm
            if start_ms is not None and 0 < tempo <= 1_000:
                markers.append(grid_marker(start_ms / 1_000, tempo))
    add_grid(fact, sorted(markers, key=lambda marker: marker.start_s))


def _cue(element: Element) -> CueInput | None:
    attributes = element.attributes
    kind, start_ms = _KINDS.get(attributes.get("TYPE", "")), number(attributes.get("START"))
    if kind is None or start_ms is None:
        return None
    length_ms = number(attributes.get("LEN")) or 0
    name = attributes.get("NAME", "")
    index = number(attributes.get("HOTCUE"))
    return cue(
        kind,
        start_ms / 1_000,
        end_s=(start_ms + length_ms) / 1_000 if length_ms > 0 else None,
        index=None if index is None else int(index),
        name="" if name == _NAMELESS else name,
    )
