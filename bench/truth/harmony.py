"""Scales, chords and melodies: what notes a piece has. Pure.

Progressions are common ones of songs. Not all come home to the tonic, as songs don't: that is what
makes a key hard to tell.
"""

from dataclasses import dataclass

import numpy as np

SCALES: dict[str, tuple[int, ...]] = {
    "major": (0, 2, 4, 5, 7, 9, 11),
    "minor": (0, 2, 3, 5, 7, 8, 10),
    "dorian": (0, 2, 3, 5, 7, 9, 10),
    "phrygian": (0, 1, 3, 5, 7, 8, 10),
    "lydian": (0, 2, 4, 6, 7, 9, 11),
    "mixolydian": (0, 2, 4, 5, 7, 9, 10),
}
MODES = ("dorian", "phrygian", "lydian", "mixolydian")
# Scale degrees from 0; a chord a bar.
PROGRESSIONS: dict[str, tuple[tuple[int, ...], ...]] = {
    "major": (
        (0, 3, 4, 0), (0, 4, 5, 3), (0, 5, 3, 4), (0, 3, 0, 4), (1, 4, 0, 0), (0, 2, 3, 4),
        (5, 3, 0, 4), (0, 3, 1, 4), (0, 0, 3, 3, 0, 0, 4, 0), (3, 4, 0, 5),
    ),
    "minor": (
        (0, 5, 2, 6), (0, 3, 4, 0), (0, 6, 5, 6), (0, 3, 0, 4), (0, 5, 3, 4), (0, 0, 5, 4),
        (0, 6, 5, 4), (0, 3, 6, 2), (0, 2, 6, 3), (1, 4, 0, 0),
    ),
    "dorian": ((0, 3, 0, 3), (0, 1, 0, 3), (0, 6, 3, 0)),
    "phrygian": ((0, 1, 0, 1), (0, 1, 6, 0), (0, 5, 1, 0)),
    "lydian": ((0, 1, 0, 1), (0, 4, 1, 0), (0, 1, 6, 0)),
    "mixolydian": ((0, 6, 3, 0), (0, 3, 6, 3), (0, 6, 0, 4)),
}  # fmt: skip
_RAISES_SEVENTH = 0.7
"""How often a minor piece's dominant has its leading note: not always, in songs."""


@dataclass(frozen=True, slots=True)
class Chord:
    """Semitones above the piece's tonic: the root, and all notes from the root up."""

    root: int
    notes: tuple[int, ...]


def third_of(mode: str) -> str:
    """`major` or `minor`: what a listener who knows no other modes calls it."""
    return "minor" if SCALES[mode][2] == 3 else "major"


def chord(mode: str, degree: int, *, kind: str, random: np.random.Generator) -> Chord:
    """The chord on a degree of a scale.

    Args:
        mode: of the scale.
        degree: from 0.
        kind: `triad`, `seventh` or `power` (no third).
        random: decides whether a minor piece's dominant is made major.
    """
    scale = SCALES[mode]
    steps = {"triad": (0, 2, 4), "seventh": (0, 2, 4, 6), "power": (0, 4)}[kind]
    notes = [scale[(degree + s) % 7] + 12 * ((degree + s) // 7) for s in steps]
    if mode == "minor" and degree == 4 and kind != "power" and random.random() < _RAISES_SEVENTH:
        notes[1] += 1
    return Chord(notes[0], tuple(notes))


class Melody:
    """A line that walks the scale, stands on chord notes where it counts, and ends phrases."""

    def __init__(self, mode: str, random: np.random.Generator) -> None:
        self._scale = SCALES[mode]
        self._random = random
        self._at = 7

    def note(self, sounding: Chord, *, strong: bool, ends: bool) -> int:
        """The next note, in semitones above the tonic.

        Args:
            sounding: the chord under it.
            strong: it falls on a strong place: a note of the chord.
            ends: it ends the piece's section: the tonic.
        """
        step = int(self._random.choice([-2, -1, -1, 0, 1, 1, 2, 3, -3]))
        self._at = int(np.clip(self._at + step, 2, 14))
        if ends:
            self._at = 7
        elif strong:
            classes = {note % 12 for note in sounding.notes}
            near = sorted(range(2, 15), key=lambda degree: abs(degree - self._at))
            self._at = next((d for d in near if self._pitch(d) % 12 in classes), self._at)
        return self._pitch(self._at)

    def _pitch(self, degree: int) -> int:
        return self._scale[degree % 7] + 12 * (degree // 7)
