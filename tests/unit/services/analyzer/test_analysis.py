"""Whole analyses of generated sounds: each field is in its range, and known values are found."""

from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from services.analyzer.analysis import danceability, energy
from services.analyzer.decode.audio import Audio
from services.analyzer.decode.decoders import Undecodable
from services.analyzer.decode_pass import decode_stream
from tests.unit.services.analyzer.sounds import analyze, audio_of, clicks, progression, sine

RATE_HZ = 44_100


def test_a_tone_of_440_hz_has_its_values() -> None:
    found = analyze(sine(440, 10, dbfs=-6, rate_hz=RATE_HZ), RATE_HZ)
    assert found.spectral_centroid_hz == pytest.approx(440, rel=0.02)
    assert found.spectral_rolloff_hz == pytest.approx(440, abs=15)
    assert found.zero_crossing_rate == pytest.approx(880 / 22_050, rel=0.02)
    assert found.peak_dbfs == pytest.approx(-6, abs=0.01)
    assert found.crest_db == pytest.approx(3.01, abs=0.05)
    assert found.spectral_flatness < 0.01
    assert found.brightness < 0.01
    assert found.analyzed_duration_s == pytest.approx(10)
    assert found.replaygain_track_gain_db == pytest.approx(-18 - found.loudness_lufs)


def test_silence_has_defined_values_and_no_confidence() -> None:
    found = analyze(np.zeros((2, RATE_HZ * 3), np.float32), RATE_HZ)
    assert (found.tempo_bpm, found.tempo_confidence, found.onset_rate_hz) == (0, 0, 0)
    assert (found.key, found.mode, found.key_confidence) == ("C", "major", 0)
    assert (found.loudness_lufs, found.peak_dbfs, found.crest_db) == (-70, -120, 0)
    assert (found.energy, found.danceability, found.dynamic_range_db) == (0, 0, 0)
    assert (found.silence_start_s, found.silence_end_s, found.silence_share) == (3, 0, 1)
    assert found.waveform == [0] * 1_000
    assert found.replaygain_track_gain_db == 0


def test_silence_at_both_ends_is_measured() -> None:
    quiet = np.zeros(RATE_HZ * 2, np.float32)
    found = analyze(np.concatenate([quiet, sine(440, 5, rate_hz=RATE_HZ), quiet, quiet]), RATE_HZ)
    assert found.silence_start_s == pytest.approx(2, abs=0.1)
    assert found.silence_end_s == pytest.approx(4, abs=0.1)
    assert found.silence_share == pytest.approx(6 / 11, abs=0.02)
    assert found.waveform[0] == 0
    assert found.waveform[400] == 255


def test_clipping_counts_runs_at_full_scale_and_not_the_crests_of_a_full_scale_wave() -> None:
    clean = sine(440, 4, dbfs=-0.1, rate_hz=RATE_HZ)
    assert analyze(clean, RATE_HZ).clipping_share == 0
    clipped = np.clip(sine(440, 4, dbfs=6, rate_hz=RATE_HZ), -1, 1)
    # |sin| >= 1/2 for two thirds of the time
    assert analyze(clipped, RATE_HZ).clipping_share == pytest.approx(2 / 3, abs=0.02)
    stereo = np.stack([clipped, clean])
    assert analyze(stereo, RATE_HZ).clipping_share == pytest.approx(1 / 3, abs=0.01)


def test_loud_fast_and_bright_is_more_energetic_than_quiet_slow_and_dark() -> None:
    quiet = analyze(progression(0, "minor") * np.float32(0.05), 22_050)
    loud = analyze(np.clip(progression(0, "minor") + clicks(174, 8.0), -1, 1) * 0.9, 22_050)
    assert loud.energy > quiet.energy + 0.2


def test_a_steady_pulse_is_more_danceable_than_none() -> None:
    assert analyze(clicks(120), 22_050).danceability > 0.8
    noise = np.random.default_rng(0).standard_normal(RATE_HZ * 10).astype(np.float32) * 0.1
    assert analyze(noise, RATE_HZ).danceability < 0.3


def test_the_waveform_follows_a_sound_that_has_fewer_hops_than_points() -> None:
    rising = sine(440, 1.0, rate_hz=RATE_HZ) * np.linspace(0, 1, RATE_HZ, dtype=np.float32)
    waveform = analyze(rising, RATE_HZ).waveform
    assert waveform == sorted(waveform)
    assert len(waveform) == 1_000
    assert waveform[-1] == pytest.approx(255, abs=3)


@pytest.mark.parametrize("rate_hz", [8_000, 11_025, 16_000, 22_050, 48_000, 96_000, 192_000])
def test_every_rate_gives_the_same_key_and_tempo(rate_hz: int) -> None:
    times = np.arange(rate_hz * 12) / rate_hz
    pulse = (times % 0.5 < 0.05) + 0.2
    chord = sum(np.sin(2 * np.pi * hz * times) for hz in (220.0, 261.63, 329.63))
    found = analyze((0.1 * chord * pulse).astype(np.float32), rate_hz)
    assert found.tempo_bpm == pytest.approx(120, rel=0.02)
    assert (found.key, found.mode, found.camelot) == ("A", "minor", "8A")


@settings(max_examples=25, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    kind=st.sampled_from(["noise", "sparse", "constant", "square", "broken", "tiny"]),
    duration_s=st.floats(1.0, 4.0),
    channels=st.sampled_from([1, 2, 3, 5, 6, 8]),
    rate_hz=st.sampled_from([8_000, 22_050, 44_100, 48_000]),
)
def test_for_any_samples_each_field_is_finite_and_in_its_range(
    seed: int, kind: str, duration_s: float, channels: int, rate_hz: int
) -> None:
    rng = np.random.default_rng(seed)
    sound = rng.standard_normal((channels, round(duration_s * rate_hz) + 1)).astype(np.float32)
    if kind == "sparse":
        sound *= rng.random(sound.shape) > 0.9999
    elif kind == "constant":
        sound[:] = rng.uniform(-1, 1)
    elif kind == "square":
        sound = np.sign(sound) * 50
    elif kind == "broken":
        sound[:, rng.integers(0, sound.shape[1], 50)] = rng.choice([np.nan, np.inf, -np.inf, 1e30])
    elif kind == "tiny":
        sound *= np.float32(1e-9)
    analyze(sound, rate_hz)  # `Analysis` rejects values out of range and NaN


def test_a_long_track_is_measured_whole_and_an_excerpt_is_kept() -> None:
    second = sine(440, 60, rate_hz=8_000, dbfs=-20)[None]
    audio = Audio(8_000, 3_600.0, (second for _ in range(60)))
    track = decode_stream(audio)
    assert track.duration_s == 3_600
    assert len(track.k_power) == 36_000
    assert 500 < len(track.mono) / 22_050 <= 610
    assert len(track.fingerprint_pcm) == 120 * 11_025


def test_a_file_shorter_than_its_header_states_is_damaged() -> None:
    sound = sine(440, 5, rate_hz=8_000)[None]
    assert decode_stream(audio_of(sound, 8_000, expected_s=10)).damaged
    assert not decode_stream(audio_of(sound, 8_000, expected_s=5.5)).damaged


def test_the_samples_before_a_decoder_error_are_analysed() -> None:
    def failing(blocks: int) -> Audio:
        def blocks_until_error() -> Iterator[NDArray[np.float32]]:
            for _ in range(blocks):
                yield np.ones((1, 8_000), np.float32) * 0.1
            raise RuntimeError("lost sync")

        return Audio(8_000, None, blocks_until_error())

    track = decode_stream(failing(3))
    assert (track.duration_s, track.damaged) == (3, True)
    with pytest.raises(Undecodable, match="cannot be decoded: it is damaged"):
        decode_stream(failing(0))


def test_energy_rises_with_each_of_its_parts_and_is_0_for_silence() -> None:
    base = {"loudness_lufs": -15.0, "onset_rate_hz": 2.0, "bright_share": 0.1}
    for part, more in [("loudness_lufs", -8.0), ("onset_rate_hz", 5.0), ("bright_share", 0.4)]:
        assert energy(**{**base, part: more}) > energy(**base)
    assert energy(loudness_lufs=-70, onset_rate_hz=0, bright_share=0) == 0


def test_danceability_is_highest_near_120_bpm_and_0_without_a_pulse() -> None:
    others = {"tempo_confidence": 0.8, "loudness_range_lu": 4.0}
    at_120 = danceability(tempo_bpm=120, **others)
    assert at_120 > danceability(tempo_bpm=60, **others)
    assert at_120 > danceability(tempo_bpm=190, **others)
    assert danceability(tempo_bpm=0, tempo_confidence=0, loudness_range_lu=0) == 0
