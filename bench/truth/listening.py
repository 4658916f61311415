"""What the product says of the generated files: each piece is made, written, analysed, removed.

Runs in worker processes; what comes back is small.
"""

import math
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.signal import resample_poly

from bench.truth import peers
from bench.truth.arranging import play
from bench.truth.pieces import Piece
from bench.truth.signals import RATE_HZ as SIGNAL_RATE_HZ
from bench.truth.signals import Signal
from bench.truth.variants import LOSSLESS, VARIANTS, write
from bench.truth.voices import RATE_HZ
from services.analyzer.worker import analyze_file
from services.vectorizer.descriptor import descriptor
from shared.contracts.analysis import Analysis
from shared.gateway.vectorization import Measures
from soniquebay.demo.loudness import integrated_lufs

LENGTH_S = 40.0
LONGER_S = 60.0
MUSIC_CODECS = ("flac", "mp3", "ogg", "opus", "m4a")
"""WAV has FLAC's very samples."""
_MEASURES = {
    "integrated": "loudness_lufs",
    "short_term_max": "loudness_short_term_max_lufs",
    "range": "loudness_range_lu",
    "true_peak": "true_peak_dbtp",
}


@dataclass(frozen=True, slots=True)
class Heard:
    """A piece's analyses by codec; what a second measure says of its level; the peer's answer."""

    piece: Piece
    by_codec: Mapping[str, Analysis]
    reference_lufs: float
    reference_dbtp: float
    peer: tuple[float, str, str] | None


@dataclass(frozen=True, slots=True)
class Moved:
    """A piece's analysis and vector, as it is (`original`) and in each variant."""

    piece: Piece
    analyses: Mapping[str, Analysis]
    vectors: Mapping[str, NDArray[np.float32]]


def hear(folder: Path, asked: int, piece: Piece) -> Heard:
    """Make a piece in `folder`, and analyse it in all codecs; the peer hears the first ones."""
    sound = play(piece, LENGTH_S)
    found = {}
    peer = None
    for codec in MUSIC_CODECS:
        path = folder / f"{piece.seed}-{piece.number}.{codec}"
        write(path, sound, RATE_HZ)
        found[codec] = _analysed(path)
        if codec == "flac" and piece.number < asked:
            peer = peers.tempo_and_key(path)
        path.unlink()
    return Heard(piece, found, integrated_lufs(sound, RATE_HZ), _true_peak_dbtp(sound), peer)


def _true_peak_dbtp(sound: NDArray[np.float64]) -> float:
    """The largest value between the samples, at 16 times the rate."""
    return 20 * math.log10(max(np.abs(resample_poly(side, 16, 1)).max() for side in sound.T))


def move(folder: Path, piece: Piece) -> Moved:
    """Make a piece in `folder`, and analyse it as it is and in all variants."""
    sound = play(piece, LONGER_S)
    base = folder / f"{piece.seed}-{piece.number}"
    base.mkdir()
    write(base / "original.flac", sound, RATE_HZ)
    for name, make in VARIANTS.items():
        make(base / f"{name}.made", sound, RATE_HZ)
    analyses = {}
    for path in sorted(base.iterdir()):
        analyses[path.stem] = _analysed(path)
        path.unlink()
    base.rmdir()
    vectors = {name: vector_of(analysis) for name, analysis in analyses.items()}
    return Moved(piece, analyses, vectors)


def measure(folder: Path, what: tuple[Signal, str]) -> float | None:
    """What is measured of a signal in a codec; None where it can't be written or is no field."""
    signal, codec = what
    if signal.samples.shape[1] > 2 and codec not in LOSSLESS:
        return None
    path = folder / f"{signal.name}.{codec}"
    write(path, signal.samples, SIGNAL_RATE_HZ)
    found: float = getattr(_analysed(path), _MEASURES[signal.field])
    path.unlink()
    return found


def _analysed(path: Path) -> Analysis:
    return analyze_file(os.fsencode(path))


def vector_of(analysis: Analysis) -> NDArray[np.float32]:
    """The vector by which tracks are compared, of unit length."""
    fields = {name: getattr(analysis, name) for name in Measures.__struct_fields__}
    return descriptor(Measures(**fields))
