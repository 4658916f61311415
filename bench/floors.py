"""What everything is compared with: floors that no one can go below, and naive peers."""

import os
from collections.abc import Callable, Sequence
from pathlib import Path

import librosa
import mutagen
import numpy as np

from services.analyzer.decoding import open_audio
from services.analyzer.description import describe
from services.extractor.formats import is_audio
from services.extractor.ignoring import Ignoring
from services.extractor.reading import read_file
from services.extractor.walk import Walk

_PEER_RATE_HZ = 22_050


def is_music(path: Path) -> bool:
    """Whether the scan would take it."""
    return path.is_file() and is_audio(path.name)


def look(root: Path) -> int:
    """The floor of a scan: every entry listed and its size and time asked for."""
    seen = 0
    folders = [os.fspath(root)]
    while folders:
        with os.scandir(folders.pop()) as entries:
            for entry in entries:
                if entry.is_dir():
                    folders.append(entry.path)
                else:
                    entry.stat()
                    seen += 1
    return seen


def walk(root: Path) -> int:
    """Our walk: rules applied, in the order of the paths."""
    return sum(1 for _ in Walk(os.fspath(root), ignoring=Ignoring()).files())


def read_with_mutagen(paths: Sequence[Path]) -> None:
    """The floor of reading: mutagen alone, in one process, its answer thrown away."""
    for path in paths:
        mutagen.File(path)


def read(paths: Sequence[Path]) -> None:
    """Our reading: tags understood, covers taken out."""
    for path in paths:
        read_file(os.fsencode(path))


def decode(paths: Sequence[Path]) -> None:
    """The floor of an analysis: every sample decoded by the same decoder, and thrown away."""
    for path in paths:
        for _ in open_audio(os.fsencode(path)).blocks:
            pass


def analyse(paths: Sequence[Path]) -> None:
    """Our analysis, all fields."""
    for path in paths:
        describe(os.fsencode(path))


def analyse_with_librosa(paths: Sequence[Path]) -> None:
    """The naive peer: librosa's documented calls for the same subjects, one after the other.

    Tempo, chroma (for the key), MFCC, spectral summaries, level; no loudness after BS.1770, no
    fingerprint, which it has no calls for.
    """
    for path in paths:
        sound, rate_hz = librosa.load(path, sr=_PEER_RATE_HZ)
        librosa.beat.beat_track(y=sound, sr=rate_hz)
        subjects: Sequence[Callable[..., np.ndarray]] = (
            librosa.feature.chroma_cqt,
            librosa.feature.mfcc,
            librosa.feature.spectral_centroid,
            librosa.feature.spectral_rolloff,
            librosa.feature.spectral_contrast,
        )
        for subject in subjects:
            subject(y=sound, sr=rate_hz)
        librosa.feature.rms(y=sound)
        librosa.feature.zero_crossing_rate(sound)
