"""The pieces and the truth about them; the same seed gives the same pieces. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from bench.truth.grooves import PERCUSSION, STYLES, Style
from bench.truth.harmony import MODES, third_of
from shared.contracts.analysis import PITCH_CLASSES

SLOWEST_BPM, FASTEST_BPM = 60.0, 200.0
# How many of each 20 pieces are in a group.
_GROUPS: tuple[tuple[str, int], ...] = (
    ("straight", 7), ("swing", 3), ("3/4", 3), ("6/8", 3), ("rubato", 1), ("tempo change", 1),
    ("percussion", 2),
)  # fmt: skip
_METERS = {"straight": {"4/4"}, "swing": {"swing"}, "3/4": {"3/4"}, "6/8": {"6/8", "12/8"}}
_MODAL_EVERY = 7
_MOST_DETUNED_CENTS = 50.0


@dataclass(frozen=True, slots=True)
class Piece:
    """A piece and the truth about it.

    Attributes:
        number: of the piece; with the seed it decides every note.
        group: its kind of time.
        style: its instruments and patterns.
        tempo_bpm: of the beat. Rubato: the median of its beats' tempi; a tempo change: of its first
            two thirds.
        second_bpm: of the rest, where the tempo changes.
        key: the tonic, sharps only, None for percussion.
        mode: of the scale: major, minor or one of `MODES`.
        detuned_cents: how far all of it is from A4 = 440 Hz.
    """

    number: int
    seed: int
    group: str
    style: Style
    tempo_bpm: float
    key: str | None
    mode: str
    second_bpm: float | None = None
    detuned_cents: float = 0.0

    @property
    def third(self) -> str:
        """`major` or `minor`: the mode that an analysis should find."""
        return third_of(self.mode)

    @property
    def is_modal(self) -> bool:
        """Neither major nor minor."""
        return self.mode in MODES


def pieces(count: int, seed: int) -> list[Piece]:
    """So many pieces; the tempos of a group are spread evenly over the range of its styles."""
    random = np.random.default_rng(seed)
    groups = [name for name, share in _GROUPS for _ in range(share)]
    order = [
        groups[n * 7 % len(groups)] for n in range(count)
    ]  # so that the first few are a mixture
    keys = _keys(sum(group != "percussion" for group in order), random)
    seen: dict[str, int] = {}
    chosen = []
    for number, group in enumerate(order):
        index = seen[group] = seen.get(group, -1) + 1
        # Multiples of the golden ratio spread any number of tempos evenly (Weyl).
        share = (index * 0.618034 + float(random.random()) * 0.1) % 1
        style, tempo_bpm = _style_at(group, share, random)
        key, mode, cents = (None, "major", 0.0) if group == "percussion" else next(keys)
        change = float(random.choice([0.7, 0.8, 1.2, 1.35])) if group == "tempo change" else None
        second = tempo_bpm * change if change else None
        chosen.append(
            Piece(number, seed, group, style, tempo_bpm, key, mode, second, cents)
        )  # fmt: skip
    return chosen


def _style_at(group: str, share: float, random: np.random.Generator) -> tuple[Style, float]:
    """A style, and a tempo at `share` (0..1) of the group's range, on a logarithmic scale."""
    if group == "percussion":
        styles = PERCUSSION
    else:
        meters = _METERS.get(group, {"4/4", "3/4", "6/8"})
        styles = tuple(style for style in STYLES if style.meter in meters)
    slowest = max(SLOWEST_BPM, min(style.slowest_bpm for style in styles))
    fastest = min(FASTEST_BPM, max(style.fastest_bpm for style in styles))
    tempo_bpm = float(slowest * (fastest / slowest) ** share)
    fitting = [s for s in styles if s.slowest_bpm <= tempo_bpm <= s.fastest_bpm]
    return fitting[int(random.integers(len(fitting)))], round(tempo_bpm, 2)


def _keys(count: int, random: np.random.Generator) -> Iterator[tuple[str, str, float]]:
    """All 24 keys in turn; every seventh piece is modal instead, and half of all are detuned."""
    for number in range(count):
        place = number * 11 % 24
        tonic, mode = PITCH_CLASSES[place % 12], ("major", "minor")[place // 12]
        if number % _MODAL_EVERY == _MODAL_EVERY - 1:
            mode = MODES[number // _MODAL_EVERY % len(MODES)]
        cents = float(random.uniform(-_MOST_DETUNED_CENTS, _MOST_DETUNED_CENTS))
        yield tonic, mode, round(cents, 1) if random.random() < 0.5 else 0.0
