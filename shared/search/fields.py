"""The fields of a search document, the same for every engine, so that all find the same. Pure.

Texts are split into words here and joined by spaces; the engines split at spaces only.
"""

import math
from collections.abc import Iterable
from typing import Any

from shared.search.port import Deletion, SearchDocument
from shared.search.tokenizer import fold, words

SCHEMA_VERSION = "v4"
"""Raise it with every change of the fields or of `tokenizer`: indexes are then built anew."""

SEARCHED = ("title", "artist", "album", "genre", "chapter", "path")
"""The fields whose words are searched."""

NAMES = ("artist", "album", "genre", "key")
"""The facets whose values are names; a filter compares the whole name."""

Item = SearchDocument | Deletion

_MOST_CHARACTERS = 20_000  # of a text; names are cut sooner, since facets show them
_MOST_CHARACTERS_OF_NAME = 300
_MOST_CHARACTERS_OF_ORDER = 1_000


def fields(item: Item) -> dict[str, Any]:
    """Return the fields to index for a document or a deletion, without empty ones.

    - those of `SEARCHED`: lists of texts, as words joined by spaces;
    - `<name>_facet` (as shown) and `<name>_whole` (as compared) for each of `NAMES`;
    - `year`, `tempo_bpm`;
    - `order`: hits of equal score are sorted by it, that is by path;
    - `alive`: false for a deleted track, whose version is kept against late events.
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
        "chapter": item.chapters,
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
    """Return a name in the form that filters compare."""
    return " ".join(fold(name[:_MOST_CHARACTERS_OF_NAME]).split())


def newest(items: Iterable[Item]) -> list[Item]:
    """Return one item a track: that of the highest version, and of equal ones the last."""
    kept: dict[str, Item] = {}
    for item in items:
        if item.track_id not in kept or kept[item.track_id].version <= item.version:
            kept[item.track_id] = item
    return list(kept.values())


def _shown(name: str) -> str:
    return _sendable(name[:_MOST_CHARACTERS_OF_NAME])


def _sendable(text: str) -> str:
    return text.encode(errors="replace").decode()  # replaces lone surrogates
