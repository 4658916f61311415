"""Key, tuning, key changes, the evidence for a tonic, and roughness."""

import numpy as np
import pytest
from numpy.typing import NDArray

from services.analyzer.tonality.key import estimate_tonality, tonic_evidence
from shared.contracts.analysis import PITCH_CLASSES
from shared.contracts.keys import camelot, open_key
from tests.unit.services.analyzer.sounds import RATE_HZ, analyze, chord, progression, sine


@pytest.mark.parametrize("mode", ["major", "minor"])
@pytest.mark.parametrize("tonic", range(12), ids=PITCH_CLASSES)
def test_a_cadence_is_in_its_key(tonic: int, mode: str) -> None:
    found = estimate_tonality(progression(tonic, mode), RATE_HZ)
    assert (found.key, found.mode) == (PITCH_CLASSES[tonic], mode)
    assert found.confidence > 0.1


@pytest.mark.parametrize("cents", [-40, -20, -5, 0, 5, 20, 40])
def test_the_tuning_is_estimated_and_does_not_change_the_key(cents: float) -> None:
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


def test_key_changes_follow_a_modulation_and_there_are_none_without() -> None:
    main, other = np.tile(progression(0, "major"), 5), np.tile(progression(3, "minor"), 5)
    found = analyze(np.concatenate([main, other])).key_changes
    assert [(change.key, change.mode) for change in found] == [("C", "major"), ("D#", "minor")]
    assert [change.time_s for change in found] == [0, pytest.approx(40, abs=6)]
    only = analyze(main)
    assert [(change.key, change.time_s) for change in only.key_changes] == [("C", 0)]
    assert (only.second_key, only.second_mode) != (only.key, only.mode)


def test_open_key_is_the_same_wheel_as_camelot() -> None:
    wheel = {
        (key, mode): open_key(key, mode) for key in PITCH_CLASSES for mode in ("major", "minor")
    }
    assert len(set(wheel.values())) == 24
    assert (wheel["C", "major"], wheel["A", "minor"], wheel["G", "major"]) == ("1d", "1m", "2d")
    assert (camelot("F", "major"), wheel["F", "major"]) == ("7B", "12d")


def test_a_cluster_is_rougher_than_a_fifth() -> None:
    smooth = analyze(chord((60, 67), 6)).roughness
    rough = analyze(chord((60, 61, 62), 6)).roughness
    assert rough > smooth + 0.1
    assert analyze(sine(440, 4, dbfs=-6)).roughness < 0.05


FRAME_RATE_HZ = 2.0
C, F, G, A_MINOR = {0, 4, 7}, {5, 9, 0}, {7, 11, 2}, {9, 0, 4}


def _chords(*parts: tuple[set[int], int]) -> NDArray[np.float64]:
    """Chroma of chords, given as (pitch classes, frames)."""
    rows = [
        [float(n in notes) for n in range(12)] for notes, frames in parts for _ in range(frames)
    ]
    return np.array(rows)


def test_the_tonic_is_the_root_of_the_triad_that_sounds_longest() -> None:
    chroma = _chords((A_MINOR, 8), (F, 4), (C, 4), (G, 4))
    found = tonic_evidence(chroma, np.zeros_like(chroma), FRAME_RATE_HZ)
    assert found.argmax() == 12 + 9
    assert found[12 + 9] == pytest.approx(0.3 * 8 / 20)


def test_the_tonic_is_the_note_that_the_bass_begins_with() -> None:
    chroma = np.zeros((40, 12))
    bass = _chords((set(), 6), ({2}, 6), ({7}, 28))  # silence, then D for 3 s, then G
    found = tonic_evidence(chroma, bass, FRAME_RATE_HZ)
    assert sorted(np.argsort(found)[-2:]) == [2, 12 + 2]


def test_silence_gives_no_evidence_for_a_tonic() -> None:
    assert not tonic_evidence(np.zeros((3, 12)), np.zeros((3, 12)), FRAME_RATE_HZ).any()
