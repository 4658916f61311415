"""Keys of chord progressions in all of them, and tuning."""

import numpy as np
import pytest

from services.analyzer.tonality.key import estimate_tonality
from shared.contracts.analysis import PITCH_CLASSES
from tests.unit.services.analyzer.sounds import RATE_HZ, chord, progression, sine


@pytest.mark.parametrize("mode", ["major", "minor"])
@pytest.mark.parametrize("tonic", range(12), ids=PITCH_CLASSES)
def test_a_cadence_is_in_its_key(tonic: int, mode: str) -> None:
    found = estimate_tonality(progression(tonic, mode), RATE_HZ)
    assert (found.key, found.mode) == (PITCH_CLASSES[tonic], mode)
    assert found.confidence > 0.1


@pytest.mark.parametrize("cents", [-40, -20, -5, 0, 5, 20, 40])
def test_tuning_is_found_and_does_not_change_the_key(cents: float) -> None:
    found = estimate_tonality(progression(2, "major", cents=cents), RATE_HZ)
    assert found.tuning_cents == pytest.approx(cents, abs=3)
    assert (found.key, found.mode) == ("D", "major")


@pytest.mark.parametrize(("notes", "classes"), [((57, 61, 64), "A C# E"), ((50, 53, 57), "D F A")])
def test_the_notes_of_a_triad_are_its_strongest_pitch_classes(
    notes: tuple[int, ...], classes: str
) -> None:
    chroma = estimate_tonality(chord(notes, 3.0), RATE_HZ).chroma
    strongest = sorted(np.argsort(chroma)[-3:])
    assert [PITCH_CLASSES[n] for n in strongest] == sorted(classes.split(), key=PITCH_CLASSES.index)


def test_a_tone_of_440_hz_is_an_a_in_tune() -> None:
    found = estimate_tonality(sine(440, 3), RATE_HZ)
    assert PITCH_CLASSES[int(np.argmax(found.chroma))] == "A"
    assert found.tuning_cents == pytest.approx(0, abs=1)


def test_silence_is_c_major_with_confidence_0() -> None:
    found = estimate_tonality(np.zeros(RATE_HZ * 2, np.float32), RATE_HZ)
    assert (found.key, found.mode, found.confidence, found.tuning_cents) == ("C", "major", 0, 0)
