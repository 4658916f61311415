"""Analyses generated files: each piece is played, written, analysed and removed.

The functions run in worker processes; their results are small.
"""

import math
import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import librosa
import numpy as np
from numpy.typing import NDArray
from scipy.signal import resample_poly

from bench.truth.arrangement import play
from bench.truth.pieces import Piece
from bench.truth.signals import RATE_HZ as SIGNAL_RATE_HZ
from bench.truth.signals import Signal
from bench.truth.variants import LOSSLESS, VARIANTS, write
from bench.truth.voices import RATE_HZ
from services.analyzer.worker import analyze_file
from services.vectorizer.descriptor import descriptor
from shared.contracts.analysis import PITCH_CLASSES, Analysis
from shared.gateway.vectorization import Measures
from soniquebay.demo.loudness import integrated_lufs

LENGTH_S = 40.0
LONGER_S = 60.0
MUSIC_CODECS = ("flac", "mp3", "ogg", "opus", "m4a")
"""Without WAV, which has the same samples as FLAC."""
_LIBROSA_RATE_HZ = 22_050
# Krumhansl and Kessler, "Tracing the dynamic changes in perceived tonal organization in a spatial
# representation of musical keys" (Psychological Review 89, 1982): the profiles that most use.
_MAJOR = (6.35, 2.23, 3.48, 2.33, 4.38, 4.09, 2.52, 5.19, 2.39, 3.66, 2.29, 2.88)
_MINOR = (6.33, 2.68, 3.52, 5.38, 2.60, 3.53, 2.54, 4.75, 3.98, 2.69, 3.34, 3.17)
_MEASURES = {
    "integrated": "loudness_lufs",
    "short_term_max": "loudness_short_term_max_lufs",
    "range": "loudness_range_lu",
    "true_peak": "true_peak_dbtp",
}


@dataclass(frozen=True, slots=True)
class PieceResult:
    """A piece's analyses by codec, its levels by a second measure, and the peer's answer.

    Attributes:
        peer: tempo in BPM, key and mode by librosa, or None.
    """

    piece: Piece
    by_codec: Mapping[str, Analysis]
    reference_lufs: float
    reference_dbtp: float
    peer: tuple[float, str, str] | None


@dataclass(frozen=True, slots=True)
class VariantResult:
    """A piece's analyses and vectors: of the `original`, and of each variant."""

    piece: Piece
    analyses: Mapping[str, Analysis]
    vectors: Mapping[str, NDArray[np.float32]]


def evaluate_piece(folder: Path, peer_pieces: int, piece: Piece) -> PieceResult:
    """Analyse a piece in all codecs; the peer analyses the first `peer_pieces`."""
    sound = play(piece, LENGTH_S)
    by_codec = {}
    peer = None
    for codec in MUSIC_CODECS:
        path = folder / f"{piece.seed}-{piece.number}.{codec}"
        write(path, sound, RATE_HZ)
        by_codec[codec] = _analyse(path)
        if codec == "flac" and piece.number < peer_pieces:
            peer = tempo_and_key_by_librosa(path)
        path.unlink()
    return PieceResult(
        piece, by_codec, integrated_lufs(sound, RATE_HZ), _true_peak_dbtp(sound), peer
    )


def _true_peak_dbtp(sound: NDArray[np.float64]) -> float:
    """The largest value between the samples, at 16 times the rate."""
    return 20 * math.log10(max(np.abs(resample_poly(side, 16, 1)).max() for side in sound.T))


def evaluate_variants(folder: Path, piece: Piece) -> VariantResult:
    """Analyse a piece and all its variants."""
    sound = play(piece, LONGER_S)
    base = folder / f"{piece.seed}-{piece.number}"
    base.mkdir()
    write(base / "original.flac", sound, RATE_HZ)
    for name, make in VARIANTS.items():
        make(base / f"{name}.made", sound, RATE_HZ)
    analyses = {}
    for path in sorted(base.iterdir()):
        analyses[path.stem] = _analyse(path)
        path.unlink()
    base.rmdir()
    vectors = {name: vector_of(analysis) for name, analysis in analyses.items()}
    return VariantResult(piece, analyses, vectors)


def measure_signal(folder: Path, signal_and_codec: tuple[Signal, str]) -> float | None:
    """The analysed value of a signal's field; None if the codec cannot have so many channels."""
    signal, codec = signal_and_codec
    if signal.samples.shape[1] > 2 and codec not in LOSSLESS:
        return None
    path = folder / f"{signal.name}.{codec}"
    write(path, signal.samples, SIGNAL_RATE_HZ)
    value: float = getattr(_analyse(path), _MEASURES[signal.field])
    path.unlink()
    return value


def _analyse(path: Path) -> Analysis:
    return analyze_file(os.fsencode(path))


def vector_of(analysis: Analysis) -> NDArray[np.float32]:
    """The vector of measured values by which tracks are compared, of length 1."""
    fields = {name: getattr(analysis, name) for name in Measures.__struct_fields__}
    return descriptor(Measures(**fields))


@lru_cache(maxsize=1)
def _profiles() -> list[tuple[str, str, np.ndarray]]:
    return [
        (tonic, mode, np.roll(profile, number))
        for mode, profile in (("major", _MAJOR), ("minor", _MINOR))
        for number, tonic in enumerate(PITCH_CLASSES)
    ]


def tempo_and_key_by_librosa(path: Path) -> tuple[float, str, str]:
    """The peer, as librosa's documentation shows it: BPM, tonic, mode.

    `beat_track`, and `chroma_cqt` correlated with key profiles.
    """
    sound, rate_hz = librosa.load(path, sr=_LIBROSA_RATE_HZ)
    tempo, _ = librosa.beat.beat_track(y=sound, sr=rate_hz)
    chroma = librosa.feature.chroma_cqt(y=sound, sr=rate_hz).mean(axis=1)
    fits = [np.corrcoef(chroma, profile)[0, 1] for _, _, profile in _profiles()]
    tonic, mode, _ = _profiles()[int(np.argmax(fits))]
    return float(np.atleast_1d(tempo)[0]), tonic, mode
