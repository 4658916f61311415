"""Bandwidth, channels, offset, fades, sections, keys over time, roughness."""

import numpy as np
import pytest
import soxr
from numpy.typing import NDArray

from services.analyzer.analysis import analysis_of
from services.analyzer.decode_pass import decode_stream
from shared.contracts.analysis import PITCH_CLASSES, Analysis
from shared.contracts.keys import camelot, open_key
from tests.unit.services.analyzer.sounds import audio_of, chord, clicks, progression, sine

RATE_HZ = 44_100
Sound = NDArray[np.float32]


def _analysis(sound: Sound, rate_hz: int = RATE_HZ) -> Analysis:
    return analysis_of(decode_stream(audio_of(np.atleast_2d(sound), rate_hz)))


def _noise(rate_hz: int, duration_s: float = 12.0) -> Sound:
    rng = np.random.default_rng(2)
    return (0.1 * rng.standard_normal(round(rate_hz * duration_s))).astype(np.float32)


def _cut_off(sound: Sound, rate_hz: int, at_hz: float) -> Sound:
    """As a codec does: nothing is left above."""
    spectrum = np.fft.rfft(sound)
    spectrum[np.fft.rfftfreq(len(sound), 1 / rate_hz) > at_hz] = 0
    return np.fft.irfft(spectrum, len(sound)).astype(np.float32)


def test_sound_up_to_half_the_rate_is_limited_by_nothing() -> None:
    found = _analysis(_noise(RATE_HZ))
    assert found.bandwidth_hz == pytest.approx(22_050, rel=0.03)
    assert found.bandwidth_kind == "natural"


@pytest.mark.parametrize("at_hz", [11_000, 16_000, 19_000, 20_000])
def test_a_cliff_below_is_a_lossy_codec_s(at_hz: float) -> None:
    found = _analysis(_cut_off(_noise(RATE_HZ), RATE_HZ, at_hz))
    assert found.bandwidth_hz == pytest.approx(at_hz, rel=0.03)
    assert found.bandwidth_kind == "lossy"


@pytest.mark.parametrize(
    ("from_hz", "to_hz"), [(44_100, 96_000), (48_000, 192_000), (22_050, 96_000), (16_000, 48_000)]
)
def test_an_upsampled_file_is_told_and_its_real_bandwidth(from_hz: int, to_hz: int) -> None:
    found = _analysis(soxr.resample(_noise(from_hz), from_hz, to_hz, quality="HQ"), to_hz)
    assert found.bandwidth_kind == "resampled"
    assert found.bandwidth_hz == pytest.approx(from_hz / 2, rel=0.1)


def test_music_that_falls_off_evenly_is_natural_and_silence_has_no_bandwidth() -> None:
    spectrum = np.fft.rfft(_noise(RATE_HZ))
    frequencies = np.fft.rfftfreq(round(RATE_HZ * 12), 1 / RATE_HZ)
    soft = np.fft.irfft(spectrum * np.exp(-frequencies / 2_000), RATE_HZ * 12)
    assert _analysis(soft.astype(np.float32)).bandwidth_kind == "natural"
    pad = sum(sine(220 * n, 6, dbfs=-20, rate_hz=RATE_HZ) / n for n in range(1, 25))
    assert _analysis(np.asarray(pad)).bandwidth_kind == "natural"  # its partials end at 5.3 kHz
    silence = _analysis(np.zeros(RATE_HZ * 3, np.float32))
    assert (silence.bandwidth_hz, silence.bandwidth_kind) == (0, "natural")


def test_two_channels_that_are_one_are_told_from_two_and_from_mono() -> None:
    left, right = _noise(RATE_HZ, 3), np.roll(_noise(RATE_HZ, 3), 999)
    for sound, width, same in (
        (np.stack([left, left]), 0, True),
        (np.stack([left, right]), 0.5, False),
        (np.stack([left, -left]), 1, False),
        (left, 0, False),
    ):
        found = _analysis(sound)
        assert found.stereo_width == pytest.approx(width, abs=0.01)
        assert found.is_mono_in_stereo is same


def test_an_offset_is_that_of_the_channel_that_has_most() -> None:
    sound = np.stack([_noise(RATE_HZ, 3), _noise(RATE_HZ, 3) - np.float32(0.05)])
    assert _analysis(sound).dc_offset == pytest.approx(-0.05, abs=0.002)
    assert _analysis(_noise(RATE_HZ, 3)).dc_offset == pytest.approx(0, abs=0.002)


def test_fades_are_measured_and_sudden_starts_and_ends_are_none() -> None:
    sound = _noise(RATE_HZ, 60)
    rising = np.clip(np.arange(len(sound)) / (8 * RATE_HZ), 0.001, 1)
    falling = np.clip(np.arange(len(sound))[::-1] / (12 * RATE_HZ), 0.001, 1)
    faded = _analysis((sound * rising**2 * falling**2).astype(np.float32))
    # Up to 6 dB below what is usual: .71 of the length of a quadratic fade.
    assert faded.fade_in_s == pytest.approx(8 * 0.71, abs=1)
    assert faded.fade_out_s == pytest.approx(12 * 0.71, abs=1.5)
    plain = _analysis(sound)
    assert (plain.fade_in_s, plain.fade_out_s) == (0, 0)
    dying = np.concatenate([sound, np.exp(-np.arange(RATE_HZ) / 9_000) * sound[:RATE_HZ]])
    assert _analysis(dying.astype(np.float32)).fade_out_s == 0  # a last note that rings out


def test_sections_begin_where_something_else_is_played() -> None:
    rate_hz = 22_050
    one, other = clicks(120, 30), progression(2, "minor")
    other = np.tile(other, 4)[: 30 * rate_hz]
    found = _analysis(np.concatenate([one, other, one]), rate_hz).section_boundaries_s
    assert found == [pytest.approx(30, abs=1.5), pytest.approx(60, abs=1.5)]
    assert _analysis(other, rate_hz).section_boundaries_s == []


def test_the_keys_over_time_follow_a_modulation_and_stay_where_there_is_none() -> None:
    rate_hz = 22_050
    home, away = np.tile(progression(0, "major"), 5), np.tile(progression(3, "minor"), 5)
    found = _analysis(np.concatenate([home, away]), rate_hz).key_changes
    assert [(change.key, change.mode) for change in found] == [("C", "major"), ("D#", "minor")]
    assert [change.time_s for change in found] == [0, pytest.approx(40, abs=6)]
    only = _analysis(home, rate_hz)
    assert [(change.key, change.time_s) for change in only.key_changes] == [("C", 0)]
    assert (only.second_key, only.second_mode) != (only.key, only.mode)


def test_open_key_is_the_same_wheel_as_camelot_s() -> None:
    wheel = {
        (key, mode): open_key(key, mode) for key in PITCH_CLASSES for mode in ("major", "minor")
    }
    assert len(set(wheel.values())) == 24
    assert (wheel["C", "major"], wheel["A", "minor"], wheel["G", "major"]) == ("1d", "1m", "2d")
    assert (camelot("F", "major"), wheel["F", "major"]) == ("7B", "12d")


def test_a_cluster_is_rougher_than_a_fifth() -> None:
    rate_hz = 22_050
    smooth = _analysis(chord((60, 67), 6), rate_hz).roughness
    rough = _analysis(chord((60, 61, 62), 6), rate_hz).roughness
    assert rough > smooth + 0.1
    assert _analysis(sine(440, 4, dbfs=-6), rate_hz).roughness < 0.05
