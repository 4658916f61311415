"""Channels, DC offset, fades and section boundaries."""

import numpy as np
import pytest

from tests.unit.services.analyzer.sounds import analyze, clicks, noise, progression

RATE_HZ = 44_100


def test_stereo_width_and_mono_in_stereo() -> None:
    left, right = noise(RATE_HZ, 3), np.roll(noise(RATE_HZ, 3), 999)
    for sound, width, same in (
        (np.stack([left, left]), 0, True),
        (np.stack([left, right]), 0.5, False),
        (np.stack([left, -left]), 1, False),
        (left, 0, False),
    ):
        found = analyze(sound, RATE_HZ)
        assert found.stereo_width == pytest.approx(width, abs=0.01)
        assert found.is_mono_in_stereo is same


def test_the_dc_offset_is_that_of_the_channel_with_the_largest_one() -> None:
    sound = np.stack([noise(RATE_HZ, 3), noise(RATE_HZ, 3) - np.float32(0.05)])
    assert analyze(sound, RATE_HZ).dc_offset == pytest.approx(-0.05, abs=0.002)
    assert analyze(noise(RATE_HZ, 3), RATE_HZ).dc_offset == pytest.approx(0, abs=0.002)


def test_fades_are_measured_and_sudden_starts_and_ends_are_not_fades() -> None:
    sound = noise(RATE_HZ, 60)
    rising = np.clip(np.arange(len(sound)) / (8 * RATE_HZ), 0.001, 1)
    falling = np.clip(np.arange(len(sound))[::-1] / (12 * RATE_HZ), 0.001, 1)
    faded = analyze((sound * rising**2 * falling**2).astype(np.float32), RATE_HZ)
    # A fade ends 6 dB below the usual level: at .71 of the length of a quadratic fade.
    assert faded.fade_in_s == pytest.approx(8 * 0.71, abs=1)
    assert faded.fade_out_s == pytest.approx(12 * 0.71, abs=1.5)
    plain = analyze(sound, RATE_HZ)
    assert (plain.fade_in_s, plain.fade_out_s) == (0, 0)
    decaying = np.concatenate([sound, np.exp(-np.arange(RATE_HZ) / 9_000) * sound[:RATE_HZ]])
    assert (
        analyze(decaying.astype(np.float32), RATE_HZ).fade_out_s == 0
    )  # a last note that rings out


def test_sections_begin_where_the_music_changes() -> None:
    rate_hz = 22_050
    one, other = clicks(120, 30), progression(2, "minor")
    other = np.tile(other, 4)[: 30 * rate_hz]
    found = analyze(np.concatenate([one, other, one]), rate_hz).section_boundaries_s
    assert found == [pytest.approx(30, abs=1.5), pytest.approx(60, abs=1.5)]
    assert analyze(other, rate_hz).section_boundaries_s == []
