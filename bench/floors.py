"""What the services are compared with: floors (the least that any program must do), and peers."""

import itertools
import os
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import cache
from pathlib import Path

import av
import librosa
import mutagen
import numpy as np
from av.filter import Graph

from services.analyzer.analysis import meaning_fields
from services.analyzer.decode.decoders import open_audio
from services.analyzer.decode.excerpt import RATE_HZ
from services.analyzer.decode_pass import decode_file
from services.analyzer.worker import analyze_file
from services.extractor.paths import is_audio
from services.extractor.read.file_reader import read_file
from services.extractor.scan.ignore_rules import IgnoreRules
from services.extractor.scan.walk import Walk
from soniquebay.demo.encoding import encode

_LONG_RATE_HZ, _LONG_S = 44_100, 240


def is_music(path: Path) -> bool:
    """Whether a scan would read it."""
    return path.is_file() and is_audio(path.name)


def list_files(root: Path) -> int:
    """The floor of a scan: list every entry, and get its size and time; the number of files."""
    count = 0
    folders = [os.fspath(root)]
    while folders:
        with os.scandir(folders.pop()) as entries:
            for entry in entries:
                if entry.is_dir():
                    folders.append(entry.path)
                else:
                    entry.stat()
                    count += 1
    return count


def walk(root: Path) -> int:
    """Our walk: with ignore rules, in the order of the paths; the number of files."""
    return sum(1 for _ in Walk(os.fspath(root), rules=IgnoreRules()).files())


def read_with_mutagen(paths: Sequence[Path]) -> None:
    """The floor of reading: mutagen alone, in one process, its result thrown away."""
    for path in paths:
        mutagen.File(path)


def read(paths: Sequence[Path]) -> None:
    """Our reading: tags mapped to fields, covers extracted."""
    for path in paths:
        read_file(os.fsencode(path))


def decode(paths: Sequence[Path]) -> None:
    """The floor of an analysis: decode every sample with the same decoder, and throw it away."""
    for path in paths:
        for _ in open_audio(os.fsencode(path)).blocks:
            pass


def decode_to_mono(paths: Sequence[Path]) -> None:
    """Decode to mono at 22,050 Hz, as analysers need it: PyAV's filter graph, frame by frame."""
    for path in paths:
        with av.open(os.fspath(path)) as container:
            graph = Graph()
            sink = graph.add("abuffersink")
            form = f"sample_fmts=flt:channel_layouts=mono:sample_rates={RATE_HZ}"
            converter = graph.add("aformat", form)
            source = graph.add_abuffer(template=container.streams.audio[0])
            graph.link_nodes(source, converter, sink).configure()
            for frame in itertools.chain(container.decode(audio=0), [None]):
                graph.push(frame)
                with suppress(av.BlockingIOError, av.EOFError):
                    while True:
                        graph.pull()


def analyse(paths: Sequence[Path]) -> None:
    """Our analysis, all fields."""
    for path in paths:
        analyze_file(os.fsencode(path))


def long_tracks(folder: Path, pieces: Sequence[Path]) -> list[Path]:
    """Encode four minutes of these pieces, one after another, in each of five formats."""
    blocks: list[np.ndarray] = []
    for piece in itertools.cycle(sorted(pieces)):
        audio = open_audio(os.fsencode(piece))
        if audio.rate_hz == _LONG_RATE_HZ:
            blocks += [np.broadcast_to(block, (2, block.shape[1])) for block in audio.blocks]
        if sum(block.shape[1] for block in blocks) >= _LONG_S * _LONG_RATE_HZ:
            break
    sound = np.concatenate(blocks, axis=1)[:, : _LONG_S * _LONG_RATE_HZ].T.astype(np.float64)
    tracks = [folder / f"long.{ending}" for ending in ("mp3", "flac", "m4a", "opus", "ogg")]
    for track in tracks:
        encode(track, np.clip(sound, -1, 1), _LONG_RATE_HZ)
    return tracks


@cache
def _mono(path: Path) -> np.ndarray:
    return decode_file(os.fsencode(path)).mono


def run_model(paths: Sequence[Path]) -> None:
    """The trained model alone; each path is decoded once and kept."""
    for path in paths:
        meaning_fields(_mono(path))


def analyse_with_librosa(paths: Sequence[Path]) -> None:
    """The peer: librosa's documented calls for the same subjects, one after the other.

    Tempo and beats, onsets, chroma (for the key), tuning, MFCC, spectral summaries, level; no
    loudness after BS.1770, no fingerprint and no trained model, which it has no calls for.
    """
    for path in paths:
        sound, rate_hz = librosa.load(path, sr=RATE_HZ)
        librosa.beat.beat_track(y=sound, sr=rate_hz)
        librosa.onset.onset_detect(y=sound, sr=rate_hz)
        librosa.estimate_tuning(y=sound, sr=rate_hz)
        subjects: Sequence[Callable[..., np.ndarray]] = (
            librosa.feature.chroma_cqt,
            librosa.feature.mfcc,
            librosa.feature.spectral_centroid,
            librosa.feature.spectral_bandwidth,
            librosa.feature.spectral_rolloff,
            librosa.feature.spectral_contrast,
        )
        for feature in subjects:
            feature(y=sound, sr=rate_hz)
        librosa.feature.spectral_flatness(y=sound)
        librosa.feature.rms(y=sound)
        librosa.feature.zero_crossing_rate(sound)
