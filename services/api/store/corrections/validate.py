"""An item of `correctTracks`, checked. Pure."""

import struct
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from services.api.identity import fold
from services.api.store import checks
from services.api.store.checks import Item, Unfit
from services.api.store.results import Problem
from shared.contracts.identity import IdKind
from shared.contracts.keys import camelot, tonic

SLOWEST_BPM, FASTEST_BPM = 20, 400
MOST_WORDS = 20
"""Genres, or moods, of a track."""
_WORD_LIMIT = 200


@dataclass(frozen=True, slots=True)
class CorrectionRow:
    """What an item says: fields that it leaves out are not in `told`, None takes one back."""

    track_id: UUID
    told: dict[str, Any]


def correction_row(item: Item) -> CorrectionRow | Problem:
    """Check an item of `correctTracks`; what is wrong with it is told."""
    try:
        told: dict[str, Any] = {}
        track_id = checks.identifier(item, "track_id", IdKind.TRACK)
        if "tempo_bpm" in item:
            told["tempo_bpm"] = _tempo(item)
        if "key" in item or "mode" in item:
            told |= _key(item)
        for name in ("genres", "moods"):
            if name in item:
                told[name] = _words(item, name)
    except Unfit as unfit:
        return unfit.problem
    return CorrectionRow(track_id, told)


def _tempo(item: Item) -> float | None:
    """As the database gives it back: with 24 bits."""
    told = checks.optional_number(item, "tempo_bpm", SLOWEST_BPM, FASTEST_BPM)
    return None if told is None else float(struct.unpack("f", struct.pack("f", told))[0])


def _key(item: Item) -> dict[str, Any]:
    key, mode = (checks.optional_text(item, name, 20) for name in ("key", "mode"))
    if key is None and mode is None:
        return dict.fromkeys(("key", "mode", "camelot"))
    if key is None or mode is None:
        given, lacking = ("mode", "key") if key is None else ("key", "mode")
        raise Unfit(f"`{given}` needs a `{lacking}` with it", lacking)
    name = tonic(key)
    if name is None:
        raise Unfit(f"{key!r} is no tonic: C, C#, D, ... B, flats too", "key")
    if mode not in {"major", "minor"}:
        raise Unfit(f"{mode!r} is no mode: major or minor", "mode")
    return {"key": name, "mode": mode, "camelot": camelot(name, mode)}


def _words(item: Item, name: str) -> list[str] | None:
    given = item[name]
    if given is None:
        return None
    if not given:
        raise Unfit("name at least one; null takes the correction back", name)
    if len(given) > MOST_WORDS:
        raise Unfit(f"more than {MOST_WORDS} are too many", name)
    words: dict[str, str] = {}
    for each in given:
        word = " ".join(checks.text({name: each}, name, _WORD_LIMIT).split())
        if not fold(word):
            raise Unfit("one of them is empty", name)
        words.setdefault(fold(word), word)
    return list(words.values())
