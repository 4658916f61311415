"""One file's analysis, put together: runs in a worker process."""

import math
import os
import resource
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from services.analyzer import character, loudness, structure, timbre
from services.analyzer.fingerprint import fingerprint_of
from services.analyzer.listening import RATE_HZ, Heard, listen
from services.analyzer.musicnn.listener import Listener, absence
from services.analyzer.spectrum import HOP, spectrum_of
from services.analyzer.tempo import estimate_tempo, onset_envelope, onset_rate_hz
from services.analyzer.tonality import tonality_of
from shared.contracts.analysis import Analysis
from shared.contracts.keys import camelot
from shared.contracts.meaning import Meaning

_MOST_MEMORY_BYTES = 4 * 2**30
_FRAMES_A_SECOND = RATE_HZ / HOP


def prepare_worker() -> None:
    """In a new process: bound its memory, quiet the decoders, and warm up."""
    resource.setrlimit(resource.RLIMIT_AS, (_MOST_MEMORY_BYTES, _MOST_MEMORY_BYTES))
    # mpg123 writes its notes on damaged files straight to stderr; errors return as exceptions.
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
    warm_up()


def warm_up() -> None:
    """Import and set up what the first file would wait for."""
    sound = np.random.default_rng(0).standard_normal(RATE_HZ).astype(np.float32) * 0.1
    spectrum_of(sound, RATE_HZ)
    tonality_of(sound, RATE_HZ)
    heard_in(sound)


@lru_cache(maxsize=1)
def trained_listener() -> Listener | str:
    """The trained listener of this process, or why there is none."""
    return Listener.open() or str(absence())


def heard_in(sound: NDArray[np.float32]) -> dict[str, Meaning | str]:
    """The meaning of mono samples at 22,050 Hz, or why there is none: fields of `Analysis`."""
    listener = trained_listener()
    if isinstance(listener, str):
        return {"meaning_absence": listener}
    return {"meaning": listener.hear(sound, RATE_HZ)}


def describe(path: bytes) -> Analysis:
    """Decode and analyse a file on this host.

    Raises:
        InvalidInput: it cannot be decoded, or has less than a second of sound.
        TransientError: the disk or its mount failed.
    """
    return analysis_of(listen(path))


def analysis_of(heard: Heard) -> Analysis:
    """The analysis of what was heard; every field within its range, silence included."""
    level = _level(heard)
    silent = level["loudness_lufs"] <= loudness.SILENCE_LUFS
    sound = heard.mono
    spectrum = spectrum_of(sound, RATE_HZ)
    envelope = onset_envelope(spectrum.mel)
    rate = 0.0 if silent else onset_rate_hz(envelope, _FRAMES_A_SECOND)
    pulse = estimate_tempo(envelope * (not silent), _FRAMES_A_SECOND)
    tonality = tonality_of(sound * np.float32(not silent), RATE_HZ)
    mfcc_mean, mfcc_std = timbre.mfcc_summary(spectrum.mel)
    start_s, end_s, silence_share = structure.silence(heard.hop_square, heard.duration_s)
    bright = timbre.weighted_mean(spectrum.bright_share, spectrum.power)
    return Analysis(
        analyzed_duration_s=heard.duration_s,
        tempo_bpm=pulse.bpm,
        tempo_confidence=pulse.confidence,
        tempo_alternative_bpm=pulse.alternative_bpm,
        onset_rate_hz=min(100.0, rate),
        danceability=character.danceability(
            tempo_bpm=pulse.bpm, tempo_confidence=pulse.confidence,
            loudness_range_lu=level["loudness_range_lu"],
        ),
        key=tonality.key,
        mode=tonality.mode,
        key_confidence=tonality.confidence,
        camelot=camelot(tonality.key, tonality.mode),
        tuning_cents=float(np.clip(tonality.tuning_cents, -50, 50)),
        chroma_mean=np.clip(tonality.chroma, 0, 1).tolist(),
        energy=character.energy(
            loudness_lufs=level["loudness_lufs"], onset_rate_hz=rate, bright_share=bright
        ),
        brightness=float(np.clip(bright, 0, 1)),
        spectral_centroid_hz=timbre.weighted_mean(spectrum.centroid_hz, spectrum.power),
        spectral_bandwidth_hz=timbre.weighted_mean(spectrum.bandwidth_hz, spectrum.power),
        spectral_rolloff_hz=timbre.weighted_mean(spectrum.rolloff_hz, spectrum.power),
        spectral_flatness=float(
            np.clip(timbre.weighted_mean(spectrum.flatness, spectrum.power), 0, 1)
        ),
        spectral_contrast_db=spectrum.contrast_db.mean(axis=0).tolist(),
        zero_crossing_rate=timbre.zero_crossing_rate(sound),
        mfcc_mean=mfcc_mean,
        mfcc_std=mfcc_std,
        silence_start_s=start_s,
        silence_end_s=end_s,
        silence_share=float(np.clip(silence_share, 0, 1)),
        clipping_share=min(1.0, heard.clipped / max(1, heard.samples * heard.channels)),
        waveform=structure.waveform(heard.hop_peak),
        fingerprint=fingerprint_of(heard.fingerprint_pcm),
        damaged=heard.damaged,
        **level,
        **heard_in(sound * np.float32(not silent)),
    )  # fmt: skip


def _level(heard: Heard) -> dict[str, float]:
    integrated = float(np.clip(loudness.integrated_lufs(heard.hop_power), -70, 10))
    peak = 20 * math.log10(max(float(heard.hop_peak.max()), 1e-6))
    rms = 10 * math.log10(max(float(heard.hop_square.mean()), 1e-12))
    return {
        "loudness_lufs": integrated,
        "loudness_range_lu": float(np.clip(loudness.range_lu(heard.hop_power), 0, 80)),
        "peak_dbfs": peak,
        "replaygain_track_gain_db": loudness.replaygain_db(integrated),
        "dynamic_range_db": float(np.clip(loudness.dynamic_range_db(heard.hop_square), 0, 120)),
        "crest_db": float(np.clip(peak - rms, 0, 120)),
    }
