"""One pass over the samples: what each later step needs is taken on the way, memory bounded."""

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
import soxr
from numpy.typing import NDArray

from services.analyzer.decoding import Audio, Samples, Undecodable, decoders, open_audio
from services.analyzer.fingerprint import FINGERPRINT_RATE_HZ
from services.analyzer.loudness import KWeighting, channel_weights
from shared.contracts.errors import InvalidInput

RATE_HZ = 22_050
FINGERPRINT_S = 120
HOPS_A_SECOND = 10
LONGEST_WHOLE_S = 600.0
"""Longer tracks are heard in slices for what needs the spectrum; loudness hears everything."""
_SLICES = 10
_BLOCK_HOPS = 50
_CLIPPED = 0.9999
_LOUDEST = 8.0
"""+18 dBFS: lossy codecs overshoot by 1 or 2 dB, damaged files by anything."""


class TooShort(InvalidInput):
    """Less than a second of sound: there is nothing to analyse."""


@dataclass
class Heard:
    """What one pass leaves.

    Attributes:
        duration_s: decoded length.
        hop_power: K-weighted power summed over channels, a value each 100 ms, shape (h,).
        hop_square: plain mean square over channels, shape (h,).
        hop_peak: largest absolute sample, shape (h,).
        clipped: samples of all channels in runs of three and more at full scale.
        samples: the length in samples. channels: how many there are.
        mono: at 22,050 Hz, float32, shape (n,): the whole, or slices of it one after another.
        fingerprint_pcm: the first 120 s at 11,025 Hz, mono, int16.
        damaged: part of the file could not be decoded.
    """

    duration_s: float = 0.0
    hop_power: NDArray[np.float64] = field(default_factory=lambda: np.zeros(0))
    hop_square: NDArray[np.float64] = field(default_factory=lambda: np.zeros(0))
    hop_peak: NDArray[np.float64] = field(default_factory=lambda: np.zeros(0))
    clipped: int = 0
    samples: int = 0
    channels: int = 1
    mono: Samples = field(default_factory=lambda: np.zeros(0, np.float32))
    fingerprint_pcm: NDArray[np.int16] = field(default_factory=lambda: np.zeros(0, np.int16))
    damaged: bool = False


def listen(path: bytes) -> Heard:
    """Decode a file once; where a decoder breaks off midway, the other one is tried.

    Raises:
        Undecodable: nothing can be decoded. TooShort: less than a second can.
    """
    best: Heard | None = None
    reason: InvalidInput | None = None
    expected_s = 0.0
    for skip in range(decoders(path)):
        try:
            audio = open_audio(path, skip=skip)
            expected_s = max(expected_s, audio.expected_s or 0.0)
            heard = listen_to(audio)
        except InvalidInput as error:
            reason = reason or error
            continue
        if best is None or heard.duration_s > best.duration_s:
            best = heard
        if not heard.damaged:
            break
    if best is None:
        raise reason or Undecodable("it cannot be decoded")
    best.damaged |= _is_short(best.duration_s, expected_s)  # one decoder knows, the other not
    if best.duration_s < 1:
        if best.damaged:
            raise Undecodable(f"it is damaged: only {best.duration_s:.2f} s can be decoded")
        raise TooShort(f"only {best.duration_s:.2f} s of sound: there is nothing to analyse")
    return best


def listen_to(audio: Audio) -> Heard:
    """Hear a file that is open; damaged where its decoder broke off.

    Raises:
        Undecodable: it gives no samples.
    """
    hop = max(1, round(audio.rate_hz / HOPS_A_SECOND))
    weighting = KWeighting(audio.rate_hz)
    mono = _Resampled(audio.rate_hz, RATE_HZ)
    printed = _Resampled(audio.rate_hz, FINGERPRINT_RATE_HZ)
    keeper = _Keeper(audio.expected_s)
    rows: list[tuple[NDArray[np.float64], ...]] = []
    heard = Heard()
    for block in _in_hops(audio, hop):
        sound = _bounded(block)
        rows.append(_hops(sound, weighting(sound), hop))
        heard.clipped += _clipped(sound, rows[-1][2])
        middle = sound.mean(axis=0, dtype=np.float32)
        at_s = heard.samples / audio.rate_hz
        keeper.add(mono(middle), at_s)
        if at_s < FINGERPRINT_S:
            printed.keep(middle)
        heard.samples += sound.shape[1]
        heard.channels = len(sound)
    if not heard.samples:
        raise Undecodable(f"it cannot be decoded: {audio.broke_off or 'it has no samples'}")
    keeper.add(mono(np.zeros(0, np.float32), last=True), heard.samples / audio.rate_hz)
    heard.duration_s = heard.samples / audio.rate_hz
    power, square, peak = (np.concatenate(column) for column in zip(*rows, strict=True))
    heard.hop_power, heard.hop_square, heard.hop_peak = power, square, peak
    heard.mono = keeper.kept()
    heard.fingerprint_pcm = printed.pcm()
    heard.damaged = audio.damaged or _is_short(heard.duration_s, audio.expected_s)
    return heard


def _is_short(duration_s: float, expected_s: float | None) -> bool:
    """Much less than the header told: the file was cut off."""
    return expected_s is not None and expected_s - duration_s > max(0.5, 0.02 * expected_s)


def _in_hops(audio: Audio, hop: int) -> Iterator[Samples]:
    """The same samples in blocks of whole hops; the last one may end within a hop."""
    size = hop * _BLOCK_HOPS
    waiting: list[Samples] = []
    count = 0
    for block in _until_it_breaks_off(audio):
        waiting.append(block)
        count += block.shape[1]
        if count >= size:
            joined = np.concatenate(waiting, axis=1)
            whole = count // size * size
            yield joined[:, :whole]
            waiting, count = [joined[:, whole:]], count - whole
    if count:
        yield np.concatenate(waiting, axis=1)


def _until_it_breaks_off(audio: Audio) -> Iterator[Samples]:
    """A decoder may fail midway, in whatever way: what came before counts."""
    try:
        yield from audio.blocks
    except Exception as error:
        audio.damaged = True
        audio.broke_off = error


def _bounded(block: Samples) -> Samples:
    """The block as it is, unless it has what is no sound: NaN, infinity, absurd levels."""
    if block.min() >= -_LOUDEST and block.max() <= _LOUDEST:
        return block
    return np.clip(np.nan_to_num(block, nan=0.0), -_LOUDEST, _LOUDEST)


def _hops(sound: Samples, weighted: Samples, hop: int) -> tuple[NDArray[np.float64], ...]:
    """K-weighted power, mean square and peak of each hop, (h,); the last one may be shorter."""
    channels, length = sound.shape
    whole = length // hop * hop
    if whole < length and whole:
        parts = (slice(0, whole), slice(whole, length))
        found = [_hops(sound[:, part], weighted[:, part], hop) for part in parts]
        return tuple(np.concatenate(column) for column in zip(*found, strict=True))
    width = hop if whole else length
    plain = sound.reshape(channels, -1, width)
    heard = weighted.reshape(channels, -1, width)
    power = np.einsum("chn,chn->ch", heard, heard).astype(np.float64) / width
    square = np.einsum("chn,chn->ch", plain, plain).astype(np.float64) / width
    peak = np.maximum(plain.max(axis=2), -plain.min(axis=2)).max(axis=0).astype(np.float64)
    return channel_weights(channels) @ power, square.mean(axis=0), peak


def _clipped(sound: Samples, peaks: NDArray[np.float64]) -> int:
    """Samples in runs of three and more at full scale, those of a run through the seam apart."""
    if peaks.max() < _CLIPPED:
        return 0
    count = 0
    for full in np.abs(sound) >= _CLIPPED:
        edges = np.flatnonzero(np.diff(full, prepend=False, append=False))
        runs = edges[1::2] - edges[::2]
        count += int(runs[runs >= 3].sum())
    return count


class _Resampled:
    """A stream at another rate."""

    def __init__(self, from_hz: int, to_hz: int) -> None:
        self._stream = soxr.ResampleStream(from_hz, to_hz, 1, dtype="float32", quality="MQ")
        self._kept: list[Samples] = []

    def __call__(self, block: Samples, *, last: bool = False) -> Samples:
        out: Samples = self._stream.resample_chunk(block, last=last)
        return out

    def keep(self, block: Samples) -> None:
        self._kept.append(self(block))

    def pcm(self) -> NDArray[np.int16]:
        self._kept.append(self(np.zeros(0, np.float32), last=True))
        sound = np.concatenate(self._kept)[: FINGERPRINT_S * FINGERPRINT_RATE_HZ]
        return (np.clip(sound, -1, 1) * 32767).astype(np.int16)


class _Keeper:
    """Keeps a bounded amount: all of a track, or evenly spaced slices of a long one."""

    def __init__(self, expected_s: float | None) -> None:
        self._period_s = max(LONGEST_WHOLE_S, expected_s or 0.0) / _SLICES
        self._slice_s = LONGEST_WHOLE_S / _SLICES
        self._kept: list[Samples] = []
        self._count = 0

    def add(self, block: Samples, at_s: float) -> None:
        """A block that begins at `at_s` of the track."""
        if at_s % self._period_s < self._slice_s and self._count < LONGEST_WHOLE_S * RATE_HZ:
            self._kept.append(block)
            self._count += len(block)

    def kept(self) -> Samples:
        return np.concatenate(self._kept) if self._kept else np.zeros(0, np.float32)
