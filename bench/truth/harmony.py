"""Scales, chords and melodies: the notes of a piece. Pure.

The progressions are common in songs. As in songs, not all of them return to the tonic; that makes
the key hard to find.
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
# Scale degrees from 0; one chord for each bar.
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
"""The share of a minor piece's dominants that have the leading note, as in songs."""


@dataclass(frozen=True, slots=True)
class Chord:
    """Semitones above the piece's tonic: the root, and all notes from the root up."""

    root: int
    notes: tuple[int, ...]


def third_of(mode: str) -> str:
    """`major` or `minor`, by the third of the mode's scale."""
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
    """A line that moves along the scale, with chord notes on strong beats."""

    def __init__(self, mode: str, random: np.random.Generator) -> None:
        self._scale = SCALES[mode]
        self._random = random
        self._degree = 7

    def note(self, sounding: Chord, *, strong: bool, ends: bool) -> int:
        """The next note, in semitones above the tonic.

        Args:
            sounding: the chord under it.
            strong: on a strong beat the note is one of the chord.
            ends: at the end of a section the note is the tonic.
        """
        step = int(self._random.choice([-2, -1, -1, 0, 1, 1, 2, 3, -3]))
        self._degree = int(np.clip(self._degree + step, 2, 14))
        if ends:
            self._degree = 7
        elif strong:
            classes = {note % 12 for note in sounding.notes}
            near = sorted(range(2, 15), key=lambda degree: abs(degree - self._degree))
            self._degree = next((d for d in near if self._pitch(d) % 12 in classes), self._degree)
        return self._pitch(self._degree)

    def _pitch(self, degree: int) -> int:
        return self._scale[degree % 7] + 12 * (degree // 7)
