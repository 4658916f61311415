"""One file's analysis, put together: runs in a worker process."""

import math
import os
import resource
from collections.abc import Sequence
from functools import lru_cache, partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from services.analyzer import character, loudness, sections, structure, timbre
from services.analyzer.beats import bars_of, beat_frames
from services.analyzer.fingerprint import fingerprint_of
from services.analyzer.keeping import RATE_HZ
from services.analyzer.listening import Heard, listen
from services.analyzer.musicnn.listener import Listener, absence
from services.analyzer.spectrum import FRAME, HOP, Spectrum, spectrum_of
from services.analyzer.tempo import estimate_tempo, onset_envelope, onset_rate_hz
from services.analyzer.tonality import tonality_of
from shared.contracts.analysis import (
    MOST_BEATS,
    MOST_HEARD_S,
    MOST_KEY_CHANGES,
    MOST_SECTIONS,
    Analysis,
    KeyChange,
)
from shared.contracts.keys import camelot, open_key
from shared.contracts.meaning import Meaning

_MOST_MEMORY_BYTES = 4 * 2**30
_KEPT_BYTES = 28 * 2**20
_FRAMES_A_SECOND = RATE_HZ / HOP
_ONSET_S = 0.75 * FRAME / RATE_HZ
"""A frame begins so long before the onset that it is the first one to notice (measured)."""
_SAME = 1e-4
"""Two channels are one if their difference has no more than this share of the power."""
Fields = dict[str, Any]
"""Some of the fields of `Analysis`: it checks their types and ranges."""


def prepare_worker() -> None:
    """In a new process: bound its memory, quiet the decoders, and warm up."""
    resource.setrlimit(resource.RLIMIT_AS, (_MOST_MEMORY_BYTES, _MOST_MEMORY_BYTES))
    # mpg123 writes its notes on damaged files straight to stderr; errors return as exceptions.
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
    warm_up()


def warm_up() -> None:
    """Import and set up what the first file would wait for."""
    # glibc keeps freed memory up to twice the largest block (below 32 MB) that was ever freed, and
    # gives back the rest: each step's arrays would be fetched from the system page by page, again
    # and again, until the first long track is done.
    np.empty(_KEPT_BYTES, np.uint8)
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


def describe(path: bytes, heard_s: float = MOST_HEARD_S) -> Analysis:
    """Decode and analyse a file on this host.

    What needs the spectrum hears `heard_s` seconds of a longer track, in ten slices.

    Raises:
        InvalidInput: it cannot be decoded, or has less than a second of sound.
        TransientError: the disk or its mount failed.
    """
    return analysis_of(listen(path, heard_s))


def analysis_of(heard: Heard) -> Analysis:
    """The analysis of what was heard; every field within its range, silence included."""
    level = _level(heard)
    silent = level["loudness_lufs"] <= loudness.SILENCE_LUFS
    sound = np.zeros_like(heard.mono) if silent else heard.mono
    spectrum = spectrum_of(heard.mono, RATE_HZ)
    mel = np.zeros_like(spectrum.mel) if silent else spectrum.mel
    levels = timbre.level_db(spectrum.mel)
    rhythm = _rhythm(mel, levels, level["loudness_range_lu"], heard)
    bright = float(np.clip(timbre.weighted_mean(spectrum.bright_share, spectrum.power), 0, 1))
    fields = {
        **level,
        **rhythm,
        **_tonality(sound, heard),
        **_timbre(spectrum, levels, heard.mono),
        **_structure(heard),
        "energy": character.energy(
            loudness_lufs=level["loudness_lufs"],
            onset_rate_hz=rhythm["onset_rate_hz"],
            bright_share=bright,
        ),
        "brightness": bright,
        "section_boundaries_s": []
        if silent
        else _times(sections.boundaries_s(levels, _FRAMES_A_SECOND, MOST_SECTIONS), heard),
        **heard_in(sound),
    }
    return Analysis(**fields)


def _times(kept_s: Sequence[float] | NDArray[np.float64], heard: Heard) -> list[float]:
    """Seconds of the track, of seconds of what is kept of it."""
    kept, track = np.asarray(heard.starts_s).T
    moments = np.asarray(kept_s, np.float64)
    slices = np.searchsorted(kept, moments, side="right") - 1
    found = moments - kept[slices] + track[slices]
    times: list[float] = np.clip(found, 0, heard.duration_s).round(3).tolist()
    return times


def _rhythm(
    mel: NDArray[np.float32], level_db: NDArray[np.float32], range_lu: float, heard: Heard
) -> Fields:
    envelope = onset_envelope(mel)
    pulse = estimate_tempo(envelope, _FRAMES_A_SECOND)
    beats = beat_frames(envelope, pulse.bpm, _FRAMES_A_SECOND)[:MOST_BEATS]
    bars = bars_of(level_db, beats)
    return {
        "tempo_bpm": pulse.bpm,
        "tempo_confidence": pulse.confidence,
        "tempo_alternative_bpm": pulse.alternative_bpm,
        "tempo_stability": pulse.stability,
        "beat_times_s": _times(beats / _FRAMES_A_SECOND + _ONSET_S, heard),
        "beats_per_bar": bars.beats,
        "first_downbeat": bars.first,
        "downbeat_confidence": bars.confidence,
        "onset_rate_hz": min(100.0, onset_rate_hz(envelope, _FRAMES_A_SECOND)),
        "danceability": character.danceability(
            tempo_bpm=pulse.bpm, tempo_confidence=pulse.confidence, loudness_range_lu=range_lu
        ),
    }


def _tonality(sound: NDArray[np.float32], heard: Heard) -> Fields:
    found = tonality_of(sound, RATE_HZ)
    times = _times([change[0] for change in found.changes], heard)
    changes = [
        KeyChange(time_s=time, key=key, mode=mode)
        for time, (_, key, mode) in zip(times, found.changes, strict=True)
    ]
    return {
        "key": found.key,
        "mode": found.mode,
        "key_confidence": found.confidence,
        "camelot": camelot(found.key, found.mode),
        "open_key": open_key(found.key, found.mode),
        "second_key": found.second[0],
        "second_mode": found.second[1],
        "key_changes": changes[:MOST_KEY_CHANGES],
        "tuning_cents": float(np.clip(found.tuning_cents, -50, 50)),
        "chroma_mean": np.clip(found.chroma, 0, 1).tolist(),
        "roughness": found.roughness,
    }


def _timbre(spectrum: Spectrum, levels: NDArray[np.float32], sound: NDArray[np.float32]) -> Fields:
    mfcc_mean, mfcc_std = timbre.mfcc_summary(levels)
    mean = partial(timbre.weighted_mean, power=spectrum.power)
    return {
        "spectral_centroid_hz": mean(spectrum.centroid_hz),
        "spectral_bandwidth_hz": mean(spectrum.bandwidth_hz),
        "spectral_rolloff_hz": mean(spectrum.rolloff_hz),
        "spectral_flatness": float(np.clip(mean(spectrum.flatness), 0, 1)),
        "spectral_contrast_db": spectrum.contrast_db.mean(axis=0).tolist(),
        "zero_crossing_rate": timbre.zero_crossing_rate(sound),
        "mfcc_mean": mfcc_mean,
        "mfcc_std": mfcc_std,
    }


def _structure(heard: Heard) -> Fields:
    start_s, end_s, silence_share = structure.silence(heard.hop_square, heard.duration_s)
    fade_in_s, fade_out_s = structure.fades_s(heard.hop_square)
    return {
        "analyzed_duration_s": heard.duration_s,
        "heard_s": min(heard.duration_s, len(heard.mono) / RATE_HZ),
        "silence_start_s": start_s,
        "silence_end_s": end_s,
        "silence_share": float(np.clip(silence_share, 0, 1)),
        "fade_in_s": fade_in_s,
        "fade_out_s": fade_out_s,
        "clipping_share": min(1.0, heard.clipped / max(1, heard.samples * heard.channels)),
        "dc_offset": heard.dc_offset,
        "stereo_width": heard.side_share,
        "is_mono_in_stereo": heard.channels == 2 and heard.side_share < _SAME,
        "bandwidth_hz": heard.bandwidth_hz,
        "bandwidth_kind": heard.bandwidth_kind,
        "waveform": structure.waveform(heard.hop_peak),
        "fingerprint": fingerprint_of(heard.fingerprint_pcm),
        "damaged": heard.damaged,
    }


def _level(heard: Heard) -> Fields:
    integrated = float(np.clip(loudness.integrated_lufs(heard.hop_power), -70, 10))
    peak = 20 * math.log10(max(float(heard.hop_peak.max()), 1e-6))
    rms = 10 * math.log10(max(float(heard.hop_square.mean()), 1e-12))
    return {
        "loudness_lufs": integrated,
        "loudness_range_lu": float(np.clip(loudness.range_lu(heard.hop_power), 0, 80)),
        "loudness_short_term_max_lufs": min(10.0, loudness.short_term_max_lufs(heard.hop_power)),
        "loudness_histogram": loudness.histogram(heard.hop_power),
        "true_peak_dbtp": 20 * math.log10(max(heard.true_peak, 1e-6)),
        "peak_dbfs": peak,
        "replaygain_track_gain_db": loudness.replaygain_db(integrated),
        "dynamic_range_db": float(np.clip(loudness.dynamic_range_db(heard.hop_square), 0, 120)),
        "crest_db": float(np.clip(peak - rms, 0, 120)),
    }
