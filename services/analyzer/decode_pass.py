"""The decode pass: one pass over a file's samples that measures all levels and keeps the excerpt.

Memory is bounded: each block of 10 s is measured and dropped. A hop is 100 ms, and h counts hops.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from services.analyzer.decode.audio import Audio, Samples, block_size
from services.analyzer.decode.decoders import (
    Undecodable,
    open_with_each_decoder,
    read_content,
    reason_of,
)
from services.analyzer.decode.excerpt import RATE_HZ, Excerpt, Resampler
from services.analyzer.decode.file_range import WHOLE_FILE, FileRange
from services.analyzer.loudness.k_weighting import KWeighting
from services.analyzer.loudness.levels import (
    StereoBalance,
    clipped_samples,
    downmix,
    hop_mean_squares,
    limit,
)
from services.analyzer.loudness.true_peak import TruePeak
from services.analyzer.spectrum.bandwidth import Bandwidth, BandwidthKind
from shared.contracts.analysis import MOST_HEARD_S
from shared.contracts.errors import InvalidInput

_HOPS_PER_SECOND = 10


class TooShort(InvalidInput):
    """The file has less than a second of audio: there is nothing to analyse."""


@dataclass
class DecodedTrack:
    """The result of the decode pass.

    Attributes:
        duration_s: decoded duration.
        k_power: K-weighted power of each hop, summed over channels, (h,).
        mean_square: unweighted mean square of each hop, mean over channels, (h,).
        peak: largest absolute sample of each hop, (h,).
        clipped: number of samples of all channels in runs of three and more at full scale.
        samples: duration in samples, at the rate of the blocks.
        channels: number of channels.
        true_peak: true peak, 1 is full scale.
        dc_offset: mean of the samples of the channel whose mean is farthest from 0, -1..1.
        side_share: share of the power that is missing in the downmix, 0..1; 0 is mono.
        bandwidth_hz: bandwidth by `Bandwidth.result`.
        bandwidth_kind: what limits the bandwidth.
        mono: the excerpt, 22,050 Hz, float32, (n,).
        slice_starts_s: for each slice of the excerpt its start within it and within the track.
        fingerprint_pcm: the first 120 s, mono, 11,025 Hz, int16.
        damaged: part of the file could not be decoded.
    """

    duration_s: float = 0.0
    k_power: NDArray[np.float64] = field(default_factory=lambda: np.zeros(0))
    mean_square: NDArray[np.float64] = field(default_factory=lambda: np.zeros(0))
    peak: NDArray[np.float64] = field(default_factory=lambda: np.zeros(0))
    clipped: int = 0
    samples: int = 0
    channels: int = 1
    true_peak: float = 0.0
    dc_offset: float = 0.0
    side_share: float = 0.0
    bandwidth_hz: float = 0.0
    bandwidth_kind: BandwidthKind = "natural"
    slice_starts_s: list[tuple[float, float]] = field(default_factory=lambda: [(0.0, 0.0)])
    mono: Samples = field(default_factory=lambda: np.zeros(0, np.float32))
    fingerprint_pcm: NDArray[np.int16] = field(default_factory=lambda: np.zeros(0, np.int16))
    damaged: bool = False


def decode_file(
    path: bytes, max_excerpt_s: float = MOST_HEARD_S, wanted: FileRange = WHOLE_FILE
) -> DecodedTrack:
    """Decode a file, or a range of it.

    Where a decoder complains or stops early, the next one is asked. The longest is kept. The track
    is damaged if any decoder complained, if it is shorter than the file's bytes or its header say,
    or if bytes between its frames are no sound.

    Args:
        path: of the file on this host.
        max_excerpt_s: longest excerpt; of a longer track it is ten slices.
        wanted: the range; all times of the result count from its start.

    Raises:
        Undecodable: nothing can be decoded.
        TooShort: less than a second can.
        TransientError: the disk or its mount failed.
    """
    content = read_content(path)
    best: DecodedTrack | None = None
    first_error: InvalidInput | None = None
    has_complaint = content.is_damaged
    # The expected duration may be known to another decoder than the one that does best.
    opened: list[Audio] = []
    for audio in open_with_each_decoder(path, content, wanted):
        opened.append(audio)
        try:
            track = decode_stream(audio, max_excerpt_s)
        except InvalidInput as error:
            first_error = first_error or error
            continue
        has_complaint |= audio.damaged
        if best is None or track.duration_s > best.duration_s:
            best = track
        if not audio.damaged and not audio.is_short(track.duration_s):
            break
    if best is None:
        raise first_error or Undecodable("it cannot be decoded")
    best.damaged = has_complaint or any(audio.is_short(best.duration_s) for audio in opened)
    if best.duration_s < 1:
        if best.damaged:
            raise Undecodable(f"it is damaged: only {best.duration_s:.2f} s can be decoded")
        raise TooShort(f"only {best.duration_s:.2f} s of sound: there is nothing to analyse")
    return best


def decode_stream(audio: Audio, max_excerpt_s: float = MOST_HEARD_S) -> DecodedTrack:
    """Run the decode pass over an open file.

    Raises:
        Undecodable: it has no samples.
    """
    hop = max(1, round(audio.rate_hz / _HOPS_PER_SECOND))
    k_weighting = KWeighting(audio.rate_hz, hop, audio.layout)
    resampler = Resampler(audio.rate_hz, RATE_HZ)
    excerpt = Excerpt(audio.expected_s, max_excerpt_s)
    true_peak, bandwidth, balance = TruePeak(), Bandwidth(audio.rate_hz), StereoBalance()
    rows: list[tuple[NDArray[np.float64], ...]] = []
    track = DecodedTrack()
    for block in _in_whole_hops(audio):
        samples, channel_peaks = limit(block, hop)
        channel_squares = hop_mean_squares(samples, hop)
        peaks = channel_peaks.max(axis=0).astype(np.float64)
        squares = channel_squares.mean(axis=0)
        rows.append((k_weighting(samples, channel_squares), squares, peaks))
        track.clipped += clipped_samples(samples, channel_peaks, hop)
        true_peak.add(samples, peaks, hop)
        bandwidth.add(samples, peaks, hop)
        mid = downmix(samples)
        balance.add(samples, mid, squares, hop)
        excerpt.add(resampler(mid), track.samples / audio.rate_hz)
        track.samples += samples.shape[1]
        track.channels = len(samples)
    if not track.samples:
        error = audio.decode_error
        raise Undecodable(
            f"it cannot be decoded: {reason_of(error) if error else 'it has no samples'}"
        )
    track.duration_s = track.samples / audio.rate_hz
    excerpt.add(resampler(np.zeros(0, np.float32), last=True), track.duration_s)
    track.k_power, track.mean_square, track.peak = map(np.concatenate, zip(*rows, strict=True))
    track.true_peak = true_peak.value
    track.bandwidth_hz, track.bandwidth_kind = bandwidth.result()
    track.dc_offset, track.side_share = balance.result(track.samples)
    track.mono, track.slice_starts_s = excerpt.samples(), excerpt.slice_starts_s
    track.fingerprint_pcm = excerpt.fingerprint_pcm()
    track.damaged = audio.damaged or audio.is_short(track.duration_s)
    return track


def _in_whole_hops(audio: Audio) -> Iterator[Samples]:
    """The blocks, cut anew where needed: all but the last one have `block_size` or a multiple.

    Levels are measured by hop, so only the end of the track may have a hop that is not whole.
    """
    size = block_size(audio.rate_hz)
    pending: list[Samples] = []
    count = 0
    for block in _until_error(audio):
        if not count and block.shape[1] == size:  # what our decoders return: no copy
            yield block
            continue
        pending.append(block)
        count += block.shape[1]
        if count >= size:
            joined = np.concatenate(pending, axis=1)
            whole = count // size * size
            yield joined[:, :whole]
            pending, count = [joined[:, whole:]] if count > whole else [], count - whole
    if count:
        yield np.concatenate(pending, axis=1)


def _until_error(audio: Audio) -> Iterator[Samples]:
    """The blocks up to the first error, which marks the audio as damaged.

    Decoders fail midway with errors of many types; the samples before it are still good. One that
    returns more than the file can hold will never end.
    """
    most = math.inf if audio.longest_s is None else audio.longest_s * audio.rate_hz
    count = 0
    try:
        for block in audio.blocks:
            count += block.shape[1]
            if count > most:
                audio.damaged = True
                return
            yield block
    except Exception as error:
        audio.damaged = True
        audio.decode_error = error
