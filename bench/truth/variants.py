"""Variants of a sound: other codecs and bit rates, noise, other levels, a part of it."""

from collections.abc import Callable
from pathlib import Path

import av
import numpy as np
import soundfile
import soxr
from numpy.typing import NDArray

from soniquebay.demo.encoding import encode

Samples = NDArray[np.float64]
CODECS = ("wav", "flac", "mp3", "ogg", "opus", "m4a")
"""All formats of `encode`: PCM, FLAC, MP3, Vorbis, Opus, AAC."""
LOSSLESS = ("wav", "flac")
_OPUS_RATE_HZ = 48_000
_NOISE_DB = -25.0
_CUT_S = 30.0
_BLOCK_SIZE = 4_096


def write(path: Path, samples: Samples, rate_hz: int) -> None:
    """Write in the format of the name's ending; more than two channels in lossless formats only."""
    if samples.shape[1] > 2:
        soundfile.write(path, samples, rate_hz, subtype="PCM_16")
    else:
        encode(path, samples, rate_hz)


def _at_bit_rate(path: Path, samples: Samples, rate_hz: int, codec: str, bps: int) -> None:
    """Write with a constant bit rate, by FFmpeg's libraries."""
    if codec == "libopus":
        samples = soxr.resample(samples, rate_hz, _OPUS_RATE_HZ)
        rate_hz = _OPUS_RATE_HZ
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=rate_hz, layout="stereo")
        assert isinstance(stream, av.AudioStream)
        stream.bit_rate = bps
        form = stream.codec_context.format.name
        resampler = av.AudioResampler(format=form, layout="stereo", rate=rate_hz)
        for start in range(0, len(samples), _BLOCK_SIZE):
            block = np.ascontiguousarray(samples[start : start + _BLOCK_SIZE].T, np.float32)
            frame = av.AudioFrame.from_ndarray(block, format="fltp", layout="stereo")
            frame.sample_rate, frame.pts = rate_hz, start
            for converted in resampler.resample(frame):
                container.mux(stream.encode(converted))
        container.mux(stream.encode(None))


def _mp3(path: Path, samples: Samples, rate_hz: int) -> None:
    _at_bit_rate(path.with_suffix(".mp3"), samples, rate_hz, "libmp3lame", 128_000)


def _opus(path: Path, samples: Samples, rate_hz: int) -> None:
    _at_bit_rate(path.with_suffix(".opus"), samples, rate_hz, "libopus", 96_000)


def _noisy(path: Path, samples: Samples, rate_hz: int) -> None:
    noise = np.random.default_rng(len(samples)).standard_normal(samples.shape)
    level = np.sqrt((samples**2).mean()) * 10 ** (_NOISE_DB / 20)
    _lossless(path, samples + level * noise, rate_hz)


def _louder(path: Path, samples: Samples, rate_hz: int) -> None:
    _lossless(path, samples * 10 ** (6 / 20), rate_hz)


def _softer(path: Path, samples: Samples, rate_hz: int) -> None:
    _lossless(path, samples * 10 ** (-6 / 20), rate_hz)


def _cut(path: Path, samples: Samples, rate_hz: int) -> None:
    length = min(len(samples), round(_CUT_S * rate_hz))
    start = (len(samples) - length) // 2
    _lossless(path, samples[start : start + length], rate_hz)


def _lossless(path: Path, samples: Samples, rate_hz: int) -> None:
    """Write in floating point, so that the file does not clip a sound that was made louder."""
    soundfile.write(path.with_suffix(".wav"), samples, rate_hz, subtype="FLOAT")


VARIANTS: dict[str, Callable[[Path, Samples, int], None]] = {
    "mp3 128": _mp3,
    "Opus 96": _opus,
    "noise -25 dB": _noisy,
    "+6 dB": _louder,
    "-6 dB": _softer,
    "30 s of it": _cut,
}
"""Each function writes a variant to `path` with an ending of its own."""
GAINS_DB = {"+6 dB": 6.0, "-6 dB": -6.0}
