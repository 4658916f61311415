"""Encodes samples into the common formats, with libsndfile, and AAC with FFmpeg's libraries."""

from pathlib import Path

import av
import numpy as np
import soundfile
from numpy.typing import NDArray

_SNDFILE = {
    "flac": ("FLAC", "PCM_16"),
    "wav": ("WAV", "PCM_16"),
    "ogg": ("OGG", "VORBIS"),
    "opus": ("OGG", "OPUS"),
    "mp3": ("MP3", "MPEG_LAYER_III"),
}
_OPUS_RATE_HZ = 48_000
_AAC_BITRATE_BPS = 192_000
_BLOCK_SIZE = 4_096


def encode(path: Path, samples: NDArray[np.float64], sample_rate_hz: int) -> None:
    """Write samples, shape (n, channels), -1..1; the file name's ending is the format."""
    ending = path.suffix[1:]
    if ending == "m4a":
        _encode_aac(path, samples.astype(np.float32), sample_rate_hz)
        return
    if ending == "opus":
        samples = _resample(samples, sample_rate_hz, _OPUS_RATE_HZ)
        sample_rate_hz = _OPUS_RATE_HZ
    form, subtype = _SNDFILE[ending]
    # In blocks: libsndfile's Vorbis encoder overflows its stack with a long piece at once.
    with soundfile.SoundFile(
        path, "w", sample_rate_hz, samples.shape[1], subtype=subtype, format=form
    ) as file:
        for start in range(0, len(samples), _BLOCK_SIZE):
            file.write(samples[start : start + _BLOCK_SIZE])


def _resample(samples: NDArray[np.float64], from_hz: int, to_hz: int) -> NDArray[np.float64]:
    """Resample in the spectrum, band-limited; exact if the piece begins and ends in silence."""
    size = round(len(samples) * to_hz / from_hz)
    spectrum = np.fft.rfft(samples, axis=0)
    bins = np.zeros((size // 2 + 1, samples.shape[1]), complex)
    kept = min(len(bins), len(spectrum))
    bins[:kept] = spectrum[:kept]
    resampled: NDArray[np.float64] = np.fft.irfft(bins, size, axis=0) * (size / len(samples))
    return resampled


def _encode_aac(path: Path, samples: NDArray[np.float32], sample_rate_hz: int) -> None:
    layout = "stereo" if samples.shape[1] == 2 else "mono"
    with av.open(str(path), "w", format="mp4") as container:
        stream = container.add_stream("aac", rate=sample_rate_hz, layout=layout)
        stream.bit_rate = _AAC_BITRATE_BPS
        for start in range(0, len(samples), _BLOCK_SIZE):
            block = np.ascontiguousarray(samples[start : start + _BLOCK_SIZE].T)
            frame = av.AudioFrame.from_ndarray(block, format="fltp", layout=layout)
            frame.sample_rate = sample_rate_hz
            frame.pts = start
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
