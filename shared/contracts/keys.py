"""Musical keys: their spelling, and their place on the Camelot and Open Key wheels. Pure."""

import re

from shared.contracts.analysis import PITCH_CLASSES

_MAJOR_CAMELOT_OF_C = 8
_FLATS = {"Db": "C#", "Eb": "D#", "Gb": "F#", "Ab": "G#", "Bb": "A#"}
_NATURALS = {"Cb": "B", "Fb": "E", "B#": "C", "E#": "F"}
_NAMED = re.compile(r"([A-Ga-g])([#♯b♭]?)\s*(major|minor|maj|min|m|dur|moll)?", re.IGNORECASE)


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
    """Tonic and mode of `A minor`, `Am`, `Bb`, `F# major` or a Camelot code, else None."""
    text = text.strip()
    for name in PITCH_CLASSES:
        for mode in ("major", "minor"):
            if text.upper() == camelot(name, mode):
                return name, mode
    found = _NAMED.fullmatch(text)
    name_ = tonic(found[1] + found[2]) if found else None
    if found is None or name_ is None:
        return None
    word = found[3] or "major"
    is_minor = word == "m" or word.lower() in {"minor", "min", "moll"}
    return name_, "minor" if is_minor else "major"
