"""A search document as every engine indexes it: one form, so that all find the same. Pure.

Words are cut here and joined by spaces; the engines cut at spaces only.
"""

import math
from collections.abc import Iterable
from typing import Any

from shared.search.port import Deletion, SearchDocument
from shared.search.tokenizer import fold, words

SCHEMA_VERSION = "v3"
"""Raised with every change of the fields or their analysis: indexes are then built anew."""

SEARCHED = ("title", "artist", "album", "genre", "path")
"""The fields whose words are searched."""

NAMES = ("artist", "album", "genre", "key")
"""The facets whose values are names; they are filtered by as a whole, too."""

Item = SearchDocument | Deletion

_MOST_CHARACTERS = 20_000  # of a text; a name is cut sooner, since facets show it
_MOST_CHARACTERS_OF_NAME = 300
_MOST_CHARACTERS_OF_ORDER = 1_000


def fields(item: Item) -> dict[str, Any]:
    """What is indexed of a document, or of a deleted one, field by field; empty ones left out.

    The fields: those of `SEARCHED` (lists of words, joined), `<name>_facet` as shown and
    `<name>_whole` as compared for each of `NAMES`, `year`, `tempo_bpm`, `order` (what comes first
    where scores are equal: the path), and `alive`: what is left of a deleted track keeps its
    version against late events.
    """
    if isinstance(item, Deletion):
        return {"alive": False}
    names = {
        "artist": list(dict.fromkeys(item.artists)),
        "album": [item.album or ""],
        "genre": list(dict.fromkeys(item.genres)),
        "key": [item.key or ""],
    }
    searched = {
        "title": [item.title],
        "artist": [*names["artist"], item.album_artist or ""],
        "album": names["album"],
        "genre": names["genre"],
        "path": [item.path],
    }
    made: dict[str, Any] = {
        name: [" ".join(words(text[:_MOST_CHARACTERS])) for text in texts if text]
        for name, texts in searched.items()
    }
    for name, values in names.items():
        made[f"{name}_facet"] = [_shown(value) for value in values if value]
        made[f"{name}_whole"] = [whole(value) for value in values if value]
    if item.year is not None:
        made["year"] = item.year
    if item.tempo_bpm is not None and math.isfinite(item.tempo_bpm):
        made["tempo_bpm"] = float(item.tempo_bpm)
    path = _sendable(item.path[:_MOST_CHARACTERS_OF_ORDER])
    kept = {name: value for name, value in made.items() if value != []}
    return {**kept, "order": f"{path}\0{item.track_id}", "alive": True}


def whole(name: str) -> str:
    """A name in the form that filters compare."""
    return " ".join(fold(name[:_MOST_CHARACTERS_OF_NAME]).split())


def newest(items: Iterable[Item]) -> list[Item]:
    """One item a track: the one of the highest version, of equal ones the last."""
    kept: dict[str, Item] = {}
    for item in items:
        if item.track_id not in kept or kept[item.track_id].version <= item.version:
            kept[item.track_id] = item
    return list(kept.values())


def _shown(name: str) -> str:
    return _sendable(name[:_MOST_CHARACTERS_OF_NAME])


def _sendable(text: str) -> str:
    return text.encode(errors="replace").decode()  # lone surrogates
