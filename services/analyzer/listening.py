"""One pass over the samples: what each later step needs is taken on the way, memory bounded."""

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from services.analyzer.bandwidth import Bandwidth, Kind
from services.analyzer.decoding import Audio, Samples, Undecodable, decoders, open_audio
from services.analyzer.fingerprint import FINGERPRINT_RATE_HZ
from services.analyzer.keeping import FINGERPRINT_S, RATE_HZ, Keeper, Resampled
from services.analyzer.loudness import KWeighting, channel_weights
from services.analyzer.true_peak import TruePeak
from shared.contracts.errors import InvalidInput

HOPS_A_SECOND = 10
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
        true_peak: largest absolute value between and at the samples, 1 is full scale.
        dc_offset: the mean of the channel whose mean is farthest from 0.
        side_share: power of what the channels' mean lacks, of all power: 0 is mono.
        bandwidth_hz, bandwidth_kind: as `Bandwidth.found` tells.
        mono: at 22,050 Hz, float32, shape (n,): the whole, or slices of it one after another.
        starts_s: of each slice where it begins in `mono`, and where in the track.
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
    true_peak: float = 0.0
    dc_offset: float = 0.0
    side_share: float = 0.0
    bandwidth_hz: float = 0.0
    bandwidth_kind: Kind = "natural"
    starts_s: list[tuple[float, float]] = field(default_factory=lambda: [(0.0, 0.0)])
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
    mono = Resampled(audio.rate_hz, RATE_HZ)
    printed = Resampled(audio.rate_hz, FINGERPRINT_RATE_HZ)
    keeper = Keeper(audio.expected_s)
    true_peak, bandwidth, balance = TruePeak(), Bandwidth(audio.rate_hz), _Balance()
    rows: list[tuple[NDArray[np.float64], ...]] = []
    heard = Heard()
    for block in _in_hops(audio, hop):
        sound = _bounded(block)
        rows.append(_hops(sound, weighting(sound), hop))
        _, square, peaks = rows[-1]
        heard.clipped += _clipped(sound, peaks)
        true_peak.hear(sound, peaks, hop)
        bandwidth.hear(sound, peaks, hop)
        middle = _middle(sound)
        balance.hear(sound, middle, square, hop)
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
    heard.true_peak = true_peak.value
    heard.bandwidth_hz, heard.bandwidth_kind = bandwidth.found()
    heard.dc_offset, heard.side_share = balance.found(heard.samples)
    heard.mono, heard.starts_s = keeper.kept(), keeper.starts_s
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


def _middle(sound: Samples) -> Samples:
    """The mean of the channels, (n,)."""
    if len(sound) == 1:
        only: Samples = sound[0]
        return only
    if len(sound) == 2:  # far quicker than a mean over the short axis
        middle: Samples = (sound[0] + sound[1]) * np.float32(0.5)
        return middle
    return np.asarray(sound.mean(axis=0, dtype=np.float32))


class _Balance:
    """Sums over a stream that tell its offset and how far its channels differ."""

    def __init__(self) -> None:
        self._sums: NDArray[np.float64] | float = 0.0
        self._power = self._middle_power = 0.0

    def hear(self, sound: Samples, middle: Samples, square: NDArray[np.float64], hop: int) -> None:
        """A block, its channels' mean, and the mean square of each of its hops."""
        self._sums = self._sums + sound.sum(axis=1).astype(np.float64)
        widths = np.full(len(square), float(hop))
        widths[-1] = sound.shape[1] - hop * (len(square) - 1)
        self._power += float(square @ widths)
        self._middle_power += float(middle @ middle)

    def found(self, samples: int) -> tuple[float, float]:
        """The offset, -1..1, and the side's share of the power, 0..1, of so many samples."""
        means = np.atleast_1d(self._sums) / max(1, samples)
        offset = float(means[np.argmax(np.abs(means))])
        side = 1 - self._middle_power / self._power if self._power > 0 else 0.0
        return float(np.clip(offset, -1, 1)), float(np.clip(side, 0, 1))


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
