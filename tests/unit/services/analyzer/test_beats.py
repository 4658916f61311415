"""Beats and downbeats."""

import numpy as np
import pytest

from shared.contracts.analysis import MOST_BEATS
from tests.unit.services.analyzer.sounds import RATE_HZ, analyze, clicks, sine


@pytest.mark.parametrize("bpm", [75, 100, 128, 171])
def test_beats_are_where_the_clicks_are(bpm: float) -> None:
    found = np.asarray(analyze(clicks(bpm, 30)).beat_times_s)
    truth = np.arange(0.1, 29.9, 60 / bpm)
    errors = np.abs(found[:, None] - truth).min(axis=1)
    assert len(found) == pytest.approx(len(truth), abs=1)
    assert errors.max() < 0.05


@pytest.mark.parametrize(("beats", "first"), [(3, 0), (4, 2), (4, 1)])
def test_downbeats_are_where_the_bass_changes(beats: int, first: int) -> None:
    sound = clicks(110, 40) * np.float32(0.5)
    for number, start in enumerate(np.arange(0.1, 39, 60 / 110)):
        if number % beats == first:
            note = sine(82.4 * 2 ** ((number // beats % 5) / 12), 0.4, dbfs=-6)
            at = round(start * RATE_HZ)
            sound[at : at + len(note)] += note[: len(sound) - at]
    found = analyze(np.clip(sound, -1, 1))
    assert (found.beats_per_bar, found.first_downbeat) == (beats, first)
    assert found.downbeat_confidence > 0.4


def test_equal_clicks_have_unsure_bars_and_silence_has_none() -> None:
    assert analyze(clicks(120, 30)).downbeat_confidence < 0.3
    silence = analyze(np.zeros(RATE_HZ * 20, np.float32))
    assert (silence.beat_times_s, silence.beats_per_bar, silence.first_downbeat) == ([], 0, 0)
    assert (silence.downbeat_confidence, silence.tempo_stability) == (0, 0)


def test_a_steady_tempo_is_more_stable_than_a_changing_one() -> None:
    changing = np.concatenate([clicks(bpm, 20) for bpm in (80, 97, 113, 140)])
    assert analyze(clicks(120, 60)).tempo_stability == 1
    assert analyze(changing).tempo_stability < 0.6


def test_beats_of_a_long_track_are_those_of_its_excerpt() -> None:
    minute = clicks(120, 60)
    found = analyze(np.tile(minute, 25), expected_s=1_500)
    times = np.asarray(found.beat_times_s)
    assert len(times) <= MOST_BEATS
    assert len(times) == pytest.approx(1_200, abs=30)
    # On the clicks, also after gaps in the excerpt; the resampler and the frames lag a little.
    phases = (times - 0.1) % 0.5
    assert np.mean(np.minimum(phases, 0.5 - phases) < 0.07) > 0.95
    assert times.max() > 1_350
