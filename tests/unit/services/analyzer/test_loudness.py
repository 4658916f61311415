"""Loudness compared with the known values of the standards' test signals."""

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.signal import lfilter

from services.analyzer.decode.audio import default_layout
from services.analyzer.decode_pass import DecodedTrack, decode_stream
from services.analyzer.loudness.ebu_r128 import integrated_lufs, loudness_range_lu, replaygain_db
from services.analyzer.loudness.k_weighting import KWeighting, channel_weights, filter_sections
from services.analyzer.loudness.levels import clipped_samples, hop_mean_squares, hop_peaks
from tests.unit.services.analyzer.sounds import audio_of, sine


def _decoded(*parts: tuple[float, float], channels: int = 2, rate_hz: int = 48_000) -> DecodedTrack:
    """1 kHz sines, as (dBFS, seconds), one after the other."""
    sound = np.concatenate(
        [sine(1_000, seconds, dbfs=dbfs, rate_hz=rate_hz) for dbfs, seconds in parts]
    )
    return decode_stream(audio_of(np.tile(sound, (channels, 1)), rate_hz))


@pytest.mark.parametrize("rate_hz", [8_000, 22_050, 44_100, 48_000, 96_000, 192_000])
def test_a_full_scale_sine_of_997_hz_in_one_channel_has_minus_3_01_lkfs(rate_hz: int) -> None:
    track = decode_stream(audio_of(sine(997, 5, rate_hz=rate_hz)[None], rate_hz))
    assert integrated_lufs(track.k_power) == pytest.approx(-3.01, abs=0.05)


@pytest.mark.parametrize(
    ("parts", "lufs"),
    [
        # EBU Tech 3341, tests 1 to 5
        ([(-23, 20)], -23.0),
        ([(-33, 20)], -33.0),
        ([(-36, 10), (-23, 60), (-36, 10)], -23.0),
        ([(-72, 10), (-36, 10), (-23, 60), (-36, 10), (-72, 10)], -23.0),
        ([(-26, 20), (-20, 20.1), (-26, 20)], -23.0),
    ],
    ids=["-23", "-33", "relative gate", "both gates", "three levels"],
)
def test_ebu_tech_3341_signals_have_their_loudness(
    parts: list[tuple[float, float]], lufs: float
) -> None:
    assert integrated_lufs(_decoded(*parts).k_power) == pytest.approx(lufs, abs=0.1)


@pytest.mark.parametrize(
    ("parts", "lu"),
    [
        # EBU Tech 3342, tests 1 to 4
        ([(-20, 20), (-30, 20)], 10),
        ([(-20, 20), (-15, 20)], 5),
        ([(-40, 20), (-20, 20)], 20),
        ([(-50, 20), (-35, 20), (-20, 20), (-35, 20), (-50, 20)], 15),
    ],
)
def test_ebu_tech_3342_signals_have_their_range(
    parts: list[tuple[float, float]], lu: float
) -> None:
    assert loudness_range_lu(_decoded(*parts).k_power) == pytest.approx(lu, abs=1)


def test_surround_channels_weigh_more_and_the_lfe_channel_nothing() -> None:
    expected = [1, 1, 1, 0, 1.41, 1.41]
    assert channel_weights(default_layout(6)).tolist() == pytest.approx(expected)
    assert channel_weights(default_layout(2)).tolist() == [1, 1]


@pytest.mark.parametrize("cuts", [[4_400], [44_100, 88_200], [100 * 44, 100 * 441, 100 * 500]])
def test_the_size_of_blocks_does_not_change_the_power(cuts: list[int]) -> None:
    sound = _noise(2, 100_000)
    whole = _weighted(KWeighting(44_100, 50), sound, 50)
    weighting = KWeighting(44_100, 50)
    parts = [_weighted(weighting, block, 50) for block in np.split(sound, cuts, axis=1)]
    np.testing.assert_allclose(np.concatenate(parts), whole, rtol=1e-4)


@pytest.mark.parametrize("rate_hz", [8_000, 11_030, 44_100, 44_111, 192_000])
@pytest.mark.parametrize("offset", [0.0, 0.03])
def test_the_power_is_that_of_the_standards_two_filters(rate_hz: int, offset: float) -> None:
    hop = round(rate_hz / 10)
    sound = _noise(2, hop * 12 + hop // 3) * np.float32(0.1) + np.float32(offset)
    expected = _filtered(sound, rate_hz) ** 2
    power = _weighted(KWeighting(rate_hz, hop), sound, hop)
    assert len(power) == 13
    for number, found in enumerate(power):
        mean = expected[:, number * hop : (number + 1) * hop].mean(axis=1).sum()
        assert 10 * np.log10(found / mean) == pytest.approx(
            0, abs=1
        )  # a hop may end within a block
    # An offset at the start makes the filters ring for a tenth of a second.
    mean = expected[:, hop : 12 * hop].mean(axis=1).sum()
    assert 10 * np.log10(power[1:12].mean() / mean) == pytest.approx(0, abs=0.01)


@pytest.mark.parametrize("rate_hz", [11_025, 44_100, 48_000, 96_000])
@pytest.mark.parametrize("tone_hz", [40, 100, 440, 2_000, 4_410, 5_000])
def test_tones_have_the_power_of_the_filters_output(rate_hz: int, tone_hz: int) -> None:
    hop = round(rate_hz / 10)
    sound = sine(tone_hz, 4, dbfs=-6, rate_hz=rate_hz)[None]
    steady = _filtered(sound, rate_hz)[:, 10 * hop : 40 * hop] ** 2
    power = _weighted(KWeighting(rate_hz, hop), sound, hop)[10:40]
    assert 10 * np.log10(power.mean() / steady.mean()) == pytest.approx(0, abs=0.05)


@pytest.mark.parametrize("offset", [0.01, 0.2, 0.9])
def test_a_dc_offset_alone_is_silent(offset: float) -> None:
    track = decode_stream(audio_of(np.full((2, 480_000), offset, np.float32), 48_000))
    assert integrated_lufs(track.k_power[20:]) == -70  # its sudden start is not silent


def _weighted(weighting: KWeighting, sound: NDArray[np.float32], hop: int) -> NDArray[np.float64]:
    return weighting(sound, hop_mean_squares(sound, hop))


def _filtered(sound: NDArray[np.float32], rate_hz: int) -> NDArray[np.float64]:
    """The standard's recursion, sample by sample, in double precision."""
    filtered = sound.astype(np.float64)
    for section in filter_sections(rate_hz):
        filtered = lfilter(section[:3], section[3:], filtered)
    return filtered


@pytest.mark.parametrize("hop", [10, 64, 1_000])
def test_runs_of_three_and_more_samples_at_full_scale_are_clipped(hop: int) -> None:
    sound = np.zeros((2, 640), np.float32)
    sound[0, 5:9] = 1.0  # 4
    sound[0, 100:102] = -1.0  # two are no run
    sound[1, 57:67] = 1.0  # 10, through the end of a hop
    sound[1, 70:73] = (1.0, -1.0, 1.0)  # 3
    assert clipped_samples(sound, hop_peaks(sound, hop), hop) == 17
    assert clipped_samples(sound * np.float32(0.9), hop_peaks(sound, hop) * 0.9, hop) == 0


def test_silence_is_minus_70_lufs_and_gets_no_gain() -> None:
    silence = decode_stream(audio_of(np.zeros((2, 96_000), np.float32), 48_000))
    assert integrated_lufs(silence.k_power) == -70
    assert loudness_range_lu(silence.k_power) == 0
    assert replaygain_db(-70) == 0
    assert replaygain_db(-10) == -8


def _noise(channels: int, length: int) -> NDArray[np.float32]:
    rng = np.random.default_rng(1)
    return rng.standard_normal((channels, length)).astype(np.float32) * np.float32(0.1)
