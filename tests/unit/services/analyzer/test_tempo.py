"""Tempo of click trains, and none of sounds without a pulse."""

import numpy as np
import pytest
from numpy.typing import NDArray

from services.analyzer.rhythm.onsets import onset_rate_hz, onset_strength
from services.analyzer.rhythm.tempo import Tempo, estimate_tempo
from services.analyzer.spectrum.features import HOP, spectrum_of
from tests.unit.services.analyzer.sounds import RATE_HZ, clicks, sine

FRAME_RATE_HZ = RATE_HZ / HOP


def _tempo(sound: NDArray[np.float32]) -> Tempo:
    return estimate_tempo(onset_strength(spectrum_of(sound, RATE_HZ).mel), FRAME_RATE_HZ)


@pytest.mark.parametrize("noise", [0.0, 0.02], ids=["clean", "in noise"])
@pytest.mark.parametrize(
    "bpm", [60, 66, 72.5, 80, 90, 100, 110, 120, 133.3, 145, 160, 174, 188, 200]
)
def test_a_click_train_has_its_tempo_within_two_percent(bpm: float, noise: float) -> None:
    tempo = _tempo(clicks(bpm, noise=noise))
    assert tempo.bpm == pytest.approx(bpm, rel=0.02)
    assert tempo.confidence > 0.3
    assert tempo.alternative_bpm in (pytest.approx(tempo.bpm / 2), pytest.approx(tempo.bpm * 2))


@pytest.mark.parametrize("bpm", [60, 120, 200])
def test_each_click_is_an_onset(bpm: float) -> None:
    envelope = onset_strength(spectrum_of(clicks(bpm), RATE_HZ).mel)
    assert onset_rate_hz(envelope, FRAME_RATE_HZ) == pytest.approx(bpm / 60, rel=0.05)


@pytest.mark.parametrize(
    "sound",
    [np.zeros(RATE_HZ * 10, np.float32), clicks(120, 1.0)],
    ids=["silence", "a second"],
)
def test_without_a_pulse_tempo_and_confidence_are_0(
    sound: NDArray[np.float32],
) -> None:
    assert _tempo(sound) == Tempo(0.0, 0.0, 0.0, 0.0)


def test_noise_and_a_steady_tone_have_little_confidence() -> None:
    noise = np.random.default_rng(5).standard_normal(RATE_HZ * 30).astype(np.float32)
    assert _tempo(noise * np.float32(0.1)).confidence < 0.15
    assert _tempo(sine(440, 20, dbfs=-6)).confidence < 0.15


def test_of_several_tempi_the_longest_one_is_found() -> None:
    sound = np.concatenate([clicks(90, 40.0), clicks(124, 20.0)])
    assert _tempo(sound).bpm == pytest.approx(90, rel=0.02)


def test_triplets_do_not_become_the_beat() -> None:
    eighths = clicks(210, 30.0) * np.float32(0.3)
    assert _tempo(clicks(70, 30.0) + eighths).bpm == pytest.approx(70, rel=0.02)
