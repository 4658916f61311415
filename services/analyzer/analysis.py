"""The analysis of one file, composed of all subjects; runs in a worker process."""

import math
from collections.abc import Sequence
from functools import lru_cache, partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from services.analyzer import structure
from services.analyzer.acoustid.fingerprint import fingerprint_of
from services.analyzer.decode.excerpt import RATE_HZ
from services.analyzer.decode_pass import DecodedTrack
from services.analyzer.loudness import ebu_r128
from services.analyzer.musicnn.tagger import Tagger, absence_reason
from services.analyzer.rhythm.beats import estimate_bars, track_beats
from services.analyzer.rhythm.onsets import onset_rate_hz, onset_strength
from services.analyzer.rhythm.tempo import estimate_tempo
from services.analyzer.spectrum.features import (
    FRAME,
    HOP,
    Spectrum,
    amplitude_weighted_mean,
    spectrum_of,
    zero_crossing_rate,
)
from services.analyzer.spectrum.mel import mel_db, mfcc_statistics
from services.analyzer.tonality.key import estimate_tonality
from shared.contracts.analysis import (
    MOST_BEATS,
    MOST_KEY_CHANGES,
    MOST_SECTIONS,
    Analysis,
    KeyChange,
)
from shared.contracts.keys import camelot, open_key
from shared.contracts.meaning import Meaning

_RETAINED_BYTES = 28 * 2**20
_FRAME_RATE_HZ = RATE_HZ / HOP
_ONSET_DELAY_S = 0.75 * FRAME / RATE_HZ
"""The first frame that shows an onset begins this long before it (measured)."""
_MONO_SIDE_SHARE = 1e-4
"""Two channels are equal if their difference has no more than this share of the power."""
Fields = dict[str, Any]
"""Some of the fields of `Analysis`, which checks their types and ranges."""


def warm_up() -> None:
    """Import and set up everything that the first file would otherwise wait for."""
    # glibc's malloc keeps freed memory only up to twice the largest block (below 32 MB) that was
    # ever freed, and returns the rest to the system. Without this block, the system would supply
    # each step's arrays anew, page by page, until the first long track is done.
    np.empty(_RETAINED_BYTES, np.uint8)
    noise = np.random.default_rng(0).standard_normal(RATE_HZ).astype(np.float32) * 0.1
    spectrum_of(noise, RATE_HZ)
    estimate_tonality(noise, RATE_HZ)
    meaning_fields(noise)


def analysis_of(track: DecodedTrack) -> Analysis:
    """The analysis of a decoded track; every field is within its range, for silence too."""
    loudness = _loudness_fields(track)
    is_silent = loudness["loudness_lufs"] <= ebu_r128.SILENCE_LUFS
    # What is below the absolute gate is noise: it has no tempo, key or meaning.
    samples = np.zeros_like(track.mono) if is_silent else track.mono
    spectrum = spectrum_of(track.mono, RATE_HZ)
    mel = np.zeros_like(spectrum.mel) if is_silent else spectrum.mel
    mel_level_db = mel_db(spectrum.mel)
    rhythm = _rhythm_fields(mel, mel_level_db, loudness["loudness_range_lu"], track)
    bright_share = amplitude_weighted_mean(spectrum.bright_share, spectrum.power)
    bright_share = float(np.clip(bright_share, 0, 1))
    boundaries_s = (
        [] if is_silent
        else structure.section_boundaries_s(mel_level_db, _FRAME_RATE_HZ, MOST_SECTIONS)
    )  # fmt: skip
    return Analysis(
        **loudness,
        **rhythm,
        **_tonality_fields(samples, track),
        **_timbre_fields(spectrum, mel_level_db, track.mono),
        **_structure_fields(track),
        **meaning_fields(samples),
        brightness=bright_share,
        energy=energy(
            loudness_lufs=loudness["loudness_lufs"],
            onset_rate_hz=rhythm["onset_rate_hz"],
            bright_share=bright_share,
        ),
        section_boundaries_s=_track_times_s(boundaries_s, track),
    )


def _track_times_s(
    excerpt_times_s: Sequence[float] | NDArray[np.float64], track: DecodedTrack
) -> list[float]:
    """Seconds within the track, from seconds within its excerpt."""
    excerpt_starts_s, track_starts_s = np.asarray(track.slice_starts_s).T
    times_s = np.asarray(excerpt_times_s, np.float64)
    slices = np.searchsorted(excerpt_starts_s, times_s, side="right") - 1
    track_times_s = times_s - excerpt_starts_s[slices] + track_starts_s[slices]
    rounded: list[float] = np.clip(track_times_s, 0, track.duration_s).round(3).tolist()
    return rounded


def _loudness_fields(track: DecodedTrack) -> Fields:
    integrated = float(np.clip(ebu_r128.integrated_lufs(track.k_power), -70, 10))
    max_short_term = ebu_r128.max_short_term_lufs(track.k_power)
    dynamic_range = ebu_r128.dynamic_range_db(track.mean_square)
    peak = 20 * math.log10(max(float(track.peak.max()), 1e-6))
    histogram, histogram_lufs = ebu_r128.momentary_histogram(track.k_power)
    rms = 10 * math.log10(max(float(track.mean_square.mean()), 1e-12))
    return {
        "loudness_lufs": integrated,
        "loudness_range_lu": float(np.clip(ebu_r128.loudness_range_lu(track.k_power), 0, 80)),
        "loudness_short_term_max_lufs": min(10.0, max_short_term),
        "loudness_histogram": histogram,
        "loudness_histogram_lufs": histogram_lufs,
        "true_peak_dbtp": 20 * math.log10(max(track.true_peak, 1e-6)),
        "peak_dbfs": peak,
        "replaygain_track_gain_db": ebu_r128.replaygain_db(integrated),
        "dynamic_range_db": float(np.clip(dynamic_range, 0, 120)),
        "crest_db": float(np.clip(peak - rms, 0, 120)),
    }


def _rhythm_fields(
    mel: NDArray[np.float32],
    mel_level_db: NDArray[np.float32],
    loudness_range_lu: float,
    track: DecodedTrack,
) -> Fields:
    envelope = onset_strength(mel)
    tempo = estimate_tempo(envelope, _FRAME_RATE_HZ)
    beats = track_beats(envelope, tempo.bpm, _FRAME_RATE_HZ)[:MOST_BEATS]
    bars = estimate_bars(mel_level_db, beats)
    return {
        "tempo_bpm": tempo.bpm,
        "tempo_confidence": tempo.confidence,
        "tempo_alternative_bpm": tempo.alternative_bpm,
        "tempo_stability": tempo.stability,
        "beat_times_s": _track_times_s(beats / _FRAME_RATE_HZ + _ONSET_DELAY_S, track),
        "beats_per_bar": bars.beats,
        "first_downbeat": bars.first_downbeat,
        "downbeat_confidence": bars.confidence,
        "onset_rate_hz": min(100.0, onset_rate_hz(envelope, _FRAME_RATE_HZ)),
        "danceability": danceability(
            tempo_bpm=tempo.bpm,
            tempo_confidence=tempo.confidence,
            loudness_range_lu=loudness_range_lu,
        ),
    }


def _tonality_fields(samples: NDArray[np.float32], track: DecodedTrack) -> Fields:
    tonality = estimate_tonality(samples, RATE_HZ)
    times_s = _track_times_s([change[0] for change in tonality.changes], track)
    changes = [
        KeyChange(time_s=time_s, key=key, mode=mode)
        for time_s, (_, key, mode) in zip(times_s, tonality.changes, strict=True)
    ]
    return {
        "key": tonality.key,
        "mode": tonality.mode,
        "key_confidence": tonality.confidence,
        "camelot": camelot(tonality.key, tonality.mode),
        "open_key": open_key(tonality.key, tonality.mode),
        "second_key": tonality.second[0],
        "second_mode": tonality.second[1],
        "key_changes": changes[:MOST_KEY_CHANGES],
        "tuning_cents": float(np.clip(tonality.tuning_cents, -50, 50)),
        "chroma_mean": np.clip(tonality.chroma, 0, 1).tolist(),
        "roughness": tonality.roughness,
    }


def _timbre_fields(
    spectrum: Spectrum, mel_level_db: NDArray[np.float32], samples: NDArray[np.float32]
) -> Fields:
    mfcc_mean, mfcc_std = mfcc_statistics(mel_level_db)
    mean = partial(amplitude_weighted_mean, power=spectrum.power)
    return {
        "spectral_centroid_hz": mean(spectrum.centroid_hz),
        "spectral_bandwidth_hz": mean(spectrum.bandwidth_hz),
        "spectral_rolloff_hz": mean(spectrum.rolloff_hz),
        "spectral_flatness": float(np.clip(mean(spectrum.flatness), 0, 1)),
        "spectral_contrast_db": spectrum.contrast_db.mean(axis=0).tolist(),
        "zero_crossing_rate": zero_crossing_rate(samples),
        "mfcc_mean": mfcc_mean,
        "mfcc_std": mfcc_std,
    }


def _structure_fields(track: DecodedTrack) -> Fields:
    start_s, end_s, silence_share = structure.silence(track.mean_square, track.duration_s)
    fade_in_s, fade_out_s = structure.fades_s(track.mean_square)
    return {
        "analyzed_duration_s": track.duration_s,
        "heard_s": min(track.duration_s, len(track.mono) / RATE_HZ),
        "silence_start_s": start_s,
        "silence_end_s": end_s,
        "silence_share": float(np.clip(silence_share, 0, 1)),
        "fade_in_s": fade_in_s,
        "fade_out_s": fade_out_s,
        "clipping_share": min(1.0, track.clipped / max(1, track.samples * track.channels)),
        "dc_offset": track.dc_offset,
        "stereo_width": track.side_share,
        "is_mono_in_stereo": track.channels == 2 and track.side_share < _MONO_SIDE_SHARE,
        "bandwidth_hz": track.bandwidth_hz,
        "bandwidth_kind": track.bandwidth_kind,
        "waveform": structure.waveform(track.peak),
        "fingerprint": fingerprint_of(track.fingerprint_pcm),
        "damaged": track.damaged,
    }


@lru_cache(maxsize=1)
def _tagger() -> Tagger | str:
    """The trained model of this process, or why there is none."""
    return Tagger.open() or str(absence_reason())


def meaning_fields(samples: NDArray[np.float32]) -> dict[str, Meaning | str]:
    """The trained model's output for mono samples at 22,050 Hz, or why there is no model."""
    tagger = _tagger()
    if isinstance(tagger, str):
        return {"meaning_absence": tagger}
    return {"meaning": tagger.tag(samples, RATE_HZ)}


def energy(*, loudness_lufs: float, onset_rate_hz: float, bright_share: float) -> float:
    """Energy, 0..1, our own formula: loud, busy and bright is energetic; silence is 0.

    It orders tracks sensibly and is not a perceptual scale. It needs no trained model, so every
    library has it, beside the model's `Meaning.energy`.
    """
    if loudness_lufs <= -70:
        return 0.0
    loud = _logistic(loudness_lufs, middle=-15.0, width=4.0)
    busy = _logistic(onset_rate_hz, middle=3.0, width=1.5)
    bright = _logistic(math.sqrt(max(bright_share, 0.0)), middle=0.35, width=0.12)
    return 0.5 * loud + 0.3 * busy + 0.2 * bright


def danceability(*, tempo_bpm: float, tempo_confidence: float, loudness_range_lu: float) -> float:
    """Danceability, 0..1, our own formula: a clear, steady pulse near 120 BPM; no pulse is 0."""
    if tempo_bpm <= 0:
        return 0.0
    octaves = math.log2(tempo_bpm / 120.0)
    fitting = math.exp(-0.5 * (octaves / 0.45) ** 2)
    steady = 1.0 - _logistic(loudness_range_lu, middle=14.0, width=3.0)
    return min(1.0, tempo_confidence * 1.4) * (0.3 + 0.5 * fitting + 0.2 * steady)


def _logistic(value: float, *, middle: float, width: float) -> float:
    """The logistic function: 0.5 at the middle, 0.73 one width above."""
    return 1.0 / (1.0 + math.exp(-max(-30.0, min(30.0, (value - middle) / width))))
