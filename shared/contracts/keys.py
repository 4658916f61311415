"""Musical keys: their spelling, and their place on the Camelot and Open Key wheels. Pure."""

import re

from shared.contracts.analysis import PITCH_CLASSES

_MAJOR_CAMELOT_OF_C = 8
_FLATS = {"Db": "C#", "Eb": "D#", "Gb": "F#", "Ab": "G#", "Bb": "A#"}
_NATURALS = {"Cb": "B", "Fb": "E", "B#": "C", "E#": "F"}
_NAMED = re.compile(
    r"([A-Ga-g])(?:([#♯b♭]?)|[\s-]*(sharp|flat))[\s-]*(major|minor|maj|min|m|dur|moll)?",
    re.IGNORECASE,
)
_ON_WHEEL = re.compile(r"0?([1-9]|1[0-2])\s?([ABDM])", re.IGNORECASE)
_PARTS = re.compile(r"\s*(?:[/|;,()]|\s-\s)\s*")


def camelot(key: str, mode: str) -> str:
    """The place on the Camelot wheel: neighbours are a fifth apart, A minor is 8A, C major 8B."""
    tonic = PITCH_CLASSES.index(key)
    relative = tonic if mode == "major" else (tonic + 3) % 12
    number = (_MAJOR_CAMELOT_OF_C - 1 + relative * 7) % 12 + 1
    return f"{number}{'B' if mode == 'major' else 'A'}"


def open_key(key: str, mode: str) -> str:
    """The place in Open Key: C major is 1d, A minor 1m, a fifth up is the next number."""
    number = (int(camelot(key, mode)[:-1]) - _MAJOR_CAMELOT_OF_C) % 12 + 1
    return f"{number}{'d' if mode == 'major' else 'm'}"


def tonic(text: str) -> str | None:
    """A tonic as analyses spell it, with sharps only: `Bb` is `A#`; None of any other text."""
    name = text.strip().replace("♯", "#").replace("♭", "b")
    name = name[:1].upper() + name[1:]
    name = _FLATS.get(name) or _NATURALS.get(name) or name
    return name if name in PITCH_CLASSES else None


def parse_key(text: str) -> tuple[str, str] | None:
    """Tonic and mode of a key in any notation, else None.

    `A minor`, `Am`, `a-moll`, `Bb`, `F sharp major`; Camelot's `8A`; Open Key's `1m`; or several
    of one key: `8A - Am`.
    """
    text = text.strip()
    if len(parts := [part for part in _PARTS.split(text) if part]) > 1:
        found = {key for part in parts if (key := _parse_one(part)) is not None}
        return found.pop() if len(found) == 1 else None
    return _parse_one(text)


def _parse_one(text: str) -> tuple[str, str] | None:
    if on_wheel := _ON_WHEEL.fullmatch(text):
        return _KEYS_ON_WHEELS[on_wheel[1] + on_wheel[2].upper()]
    found = _NAMED.fullmatch(text)
    if found is None:
        return None
    accidental = found[2] or {"sharp": "#", "flat": "b"}.get((found[3] or "").lower(), "")
    name_ = tonic(found[1] + accidental)
    if name_ is None:
        return None
    word = found[4] or "major"
    is_minor = word == "m" or word.lower() in {"minor", "min", "moll"}
    return name_, "minor" if is_minor else "major"


_KEYS_ON_WHEELS = {
    place(name, mode).upper(): (name, mode)
    for place in (camelot, open_key)
    for name in PITCH_CLASSES
    for mode in ("major", "minor")
}
"""Tonic and mode by Camelot's and Open Key's codes, which differ in their letters."""
