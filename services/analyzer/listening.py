"""One pass over the samples: what each later step needs is taken on the way, memory bounded."""

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from services.analyzer.audio import Audio, Samples, portion_of
from services.analyzer.bandwidth import Bandwidth, Kind
from services.analyzer.decoding import Undecodable, opened_by_each
from services.analyzer.k_weighting import KWeighting
from services.analyzer.keeping import RATE_HZ, Keeper, Resampled
from services.analyzer.levels import Balance, bounded, clipped_in, middle_of, squares_of
from services.analyzer.true_peak import TruePeak
from shared.contracts.analysis import MOST_HEARD_S
from shared.contracts.errors import InvalidInput

HOPS_A_SECOND = 10


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


def listen(path: bytes, heard_s: float = MOST_HEARD_S) -> Heard:
    """Decode a file once; where a decoder breaks off midway, the other one is tried.

    Of a track beyond `heard_s` seconds so much is kept as `mono`, in slices.

    Raises:
        Undecodable: nothing can be decoded. TooShort: less than a second can.
    """
    best: Heard | None = None
    reason: InvalidInput | None = None
    expected_s = 0.0
    for audio in opened_by_each(path):
        expected_s = max(expected_s, audio.expected_s or 0.0)
        try:
            heard = listen_to(audio, heard_s)
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


def listen_to(audio: Audio, heard_s: float = MOST_HEARD_S) -> Heard:
    """Hear a file that is open; damaged where its decoder broke off.

    Raises:
        Undecodable: it gives no samples.
    """
    hop = max(1, round(audio.rate_hz / HOPS_A_SECOND))
    weighting = KWeighting(audio.rate_hz, hop)
    mono = Resampled(audio.rate_hz, RATE_HZ)
    keeper = Keeper(audio.expected_s, heard_s)
    true_peak, bandwidth, balance = TruePeak(), Bandwidth(audio.rate_hz), Balance()
    rows: list[tuple[NDArray[np.float64], ...]] = []
    heard = Heard()
    for block in _in_hops(audio):
        sound, by_channel = bounded(block, hop)
        squares, peaks = squares_of(sound, hop), by_channel.max(axis=0).astype(np.float64)
        square = squares.mean(axis=0)
        rows.append((weighting(sound, squares), square, peaks))
        heard.clipped += clipped_in(sound, by_channel, hop)
        true_peak.hear(sound, peaks, hop)
        bandwidth.hear(sound, peaks, hop)
        middle = middle_of(sound)
        balance.hear(sound, middle, square, hop)
        at_s = heard.samples / audio.rate_hz
        keeper.add(mono(middle), at_s)
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
    heard.fingerprint_pcm = keeper.beginning()
    heard.damaged = audio.damaged or _is_short(heard.duration_s, audio.expected_s)
    return heard


def _is_short(duration_s: float, expected_s: float | None) -> bool:
    """Much less than the header told: the file was cut off."""
    return expected_s is not None and expected_s - duration_s > max(0.5, 0.02 * expected_s)


def _in_hops(audio: Audio) -> Iterator[Samples]:
    """The same samples in blocks of whole hops; the last one may end within a hop."""
    size = portion_of(audio.rate_hz)
    waiting: list[Samples] = []
    count = 0
    for block in _until_it_breaks_off(audio):
        if not count and block.shape[1] == size:  # as decoders give them
            yield block
            continue
        waiting.append(block)
        count += block.shape[1]
        if count >= size:
            joined = np.concatenate(waiting, axis=1)
            whole = count // size * size
            yield joined[:, :whole]
            waiting, count = [joined[:, whole:]] if count > whole else [], count - whole
    if count:
        yield np.concatenate(waiting, axis=1)


def _until_it_breaks_off(audio: Audio) -> Iterator[Samples]:
    """A decoder may fail midway, in whatever way: what came before counts."""
    try:
        yield from audio.blocks
    except Exception as error:
        audio.damaged = True
        audio.broke_off = error
