"""The bandwidth of a recording, and its cause."""

import numpy as np
import pytest
import soxr
from numpy.typing import NDArray

from tests.unit.services.analyzer.sounds import analyze, noise, sine

RATE_HZ = 44_100
Sound = NDArray[np.float32]


def _cut_off(sound: Sound, rate_hz: int, at_hz: float) -> Sound:
    """The sound without anything above a frequency, as after a lossy codec."""
    spectrum = np.fft.rfft(sound)
    spectrum[np.fft.rfftfreq(len(sound), 1 / rate_hz) > at_hz] = 0
    return np.fft.irfft(spectrum, len(sound)).astype(np.float32)


def test_sound_up_to_the_nyquist_frequency_is_natural() -> None:
    found = analyze(noise(RATE_HZ), RATE_HZ)
    assert found.bandwidth_hz == pytest.approx(22_050, rel=0.03)
    assert found.bandwidth_kind == "natural"


@pytest.mark.parametrize("at_hz", [11_000, 16_000, 19_000, 20_000])
def test_a_cliff_below_the_nyquist_frequency_is_a_lossy_codec(at_hz: float) -> None:
    found = analyze(_cut_off(noise(RATE_HZ), RATE_HZ, at_hz), RATE_HZ)
    assert found.bandwidth_hz == pytest.approx(at_hz, rel=0.03)
    assert found.bandwidth_kind == "lossy"


@pytest.mark.parametrize(
    ("from_hz", "to_hz"), [(44_100, 96_000), (48_000, 192_000), (22_050, 96_000), (16_000, 48_000)]
)
def test_an_upsampled_file_is_resampled_and_has_the_bandwidth_of_its_source(
    from_hz: int, to_hz: int
) -> None:
    found = analyze(soxr.resample(noise(from_hz), from_hz, to_hz, quality="HQ"), to_hz)
    assert found.bandwidth_kind == "resampled"
    assert found.bandwidth_hz == pytest.approx(from_hz / 2, rel=0.1)


def test_an_evenly_falling_spectrum_is_natural_and_silence_has_no_bandwidth() -> None:
    spectrum = np.fft.rfft(noise(RATE_HZ))
    frequencies = np.fft.rfftfreq(round(RATE_HZ * 12), 1 / RATE_HZ)
    soft = np.fft.irfft(spectrum * np.exp(-frequencies / 2_000), RATE_HZ * 12)
    assert analyze(soft.astype(np.float32), RATE_HZ).bandwidth_kind == "natural"
    pad = sum(sine(220 * n, 6, dbfs=-20, rate_hz=RATE_HZ) / n for n in range(1, 25))
    assert (
        analyze(np.asarray(pad), RATE_HZ).bandwidth_kind == "natural"
    )  # its partials end at 5.3 kHz
    silence = analyze(np.zeros(RATE_HZ * 3, np.float32), RATE_HZ)
    assert (silence.bandwidth_hz, silence.bandwidth_kind) == (0, "natural")
