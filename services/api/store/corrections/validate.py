"""Validates an item of `correctTracks`. Pure."""

import struct
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from services.api.identity import fold, genre_key
from services.api.store import checks
from services.api.store.checks import InvalidValue, Item
from services.api.store.results import Problem
from shared.contracts.identity import IdKind
from shared.contracts.keys import camelot, tonic

SLOWEST_BPM, FASTEST_BPM = 20, 400
MOST_WORDS = 20
"""Genres, or moods, of a track."""
_WORD_LIMIT = 200


@dataclass(frozen=True, slots=True)
class CorrectionRow:
    """A validated item. `values` lacks the fields that it leaves out; None withdraws one."""

    track_id: UUID
    values: dict[str, Any]


def correction_row(item: Item) -> CorrectionRow | Problem:
    """The row of an item, or what is wrong with it."""
    try:
        values: dict[str, Any] = {}
        track_id = checks.identifier(item, "track_id", IdKind.TRACK)
        if "tempo_bpm" in item:
            values["tempo_bpm"] = _tempo(item)
        if "key" in item or "mode" in item:
            values |= _key(item)
        for name in ("genres", "moods"):
            if name in item:
                values[name] = _words(item, name)
    except InvalidValue as invalid:
        return invalid.problem
    return CorrectionRow(track_id, values)


def _tempo(item: Item) -> float | None:
    """Rounded to 24 bits, as the database stores it, so that equal values compare equal."""
    tempo = checks.optional_number(item, "tempo_bpm", SLOWEST_BPM, FASTEST_BPM)
    return None if tempo is None else float(struct.unpack("f", struct.pack("f", tempo))[0])


def _key(item: Item) -> dict[str, Any]:
    key, mode = (checks.optional_text(item, name, 20) for name in ("key", "mode"))
    if key is None and mode is None:
        return dict.fromkeys(("key", "mode", "camelot"))
    if key is None or mode is None:
        present, missing = ("mode", "key") if key is None else ("key", "mode")
        raise InvalidValue(f"`{present}` needs a `{missing}` with it", missing)
    name = tonic(key)
    if name is None:
        raise InvalidValue(f"{key!r} is no tonic: C, C#, D, ... B, flats too", "key")
    if mode not in {"major", "minor"}:
        raise InvalidValue(f"{mode!r} is no mode: major or minor", "mode")
    return {"key": name, "mode": mode, "camelot": camelot(name, mode)}


def _words(item: Item, name: str) -> list[str] | None:
    texts = item[name]
    if texts is None:
        return None
    if not texts:
        raise InvalidValue("name at least one; null takes the correction back", name)
    if len(texts) > MOST_WORDS:
        raise InvalidValue(f"more than {MOST_WORDS} are too many", name)
    key = genre_key if name == "genres" else fold
    words: dict[str, str] = {}
    for text in texts:
        word = " ".join(checks.text({name: text}, name, _WORD_LIMIT).split())
        if not fold(word):
            raise InvalidValue("one of them is empty", name)
        words.setdefault(key(word), word)
    return list(words.values())
