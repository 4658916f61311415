"""Where home is, among keys that share their notes."""

import numpy as np
import pytest
from numpy.typing import NDArray

from services.analyzer.tonality.key import tonic_evidence

FRAMES_A_SECOND = 2.0
C, F, G, A_MINOR = {0, 4, 7}, {5, 9, 0}, {7, 11, 2}, {9, 0, 4}


def _played(*parts: tuple[set[int], int]) -> NDArray[np.float64]:
    """Chords, as (pitch classes, frames)."""
    rows = [
        [float(n in notes) for n in range(12)] for notes, frames in parts for _ in range(frames)
    ]
    return np.array(rows)


def test_home_is_the_chord_where_the_music_stays() -> None:
    chroma = _played((A_MINOR, 8), (F, 4), (C, 4), (G, 4))
    found = tonic_evidence(chroma, np.zeros_like(chroma), FRAMES_A_SECOND)
    assert found.argmax() == 12 + 9
    assert found[12 + 9] == pytest.approx(0.3 * 8 / 20)


def test_home_is_what_the_bass_begins_with() -> None:
    chroma = np.zeros((40, 12))
    bass = _played((set(), 6), ({2}, 6), ({7}, 28))  # silence, then D for 3 s, then G
    found = tonic_evidence(chroma, bass, FRAMES_A_SECOND)
    assert sorted(np.argsort(found)[-2:]) == [2, 12 + 2]


def test_nothing_speaks_for_a_home_where_nothing_sounds() -> None:
    assert not tonic_evidence(np.zeros((3, 12)), np.zeros((3, 12)), FRAMES_A_SECOND).any()
