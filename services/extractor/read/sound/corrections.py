"""Corrects the audio properties that mutagen, and the fast parsers like it, can only guess."""

import struct
from collections.abc import Callable
from dataclasses import replace

from services.extractor.read.file_bytes import FileBytes
from services.extractor.read.metadata import average_bitrate
from services.extractor.read.sound import (
    flac_frames,
    mp4_samples,
    mpeg_frames,
    ogg_pages,
    stream_headers,
)
from services.extractor.read.sound.bounds import after_flac_blocks, after_id3v2, before_tags
from services.extractor.tags.model import AudioProperties

_SAME_S = 0.06
"""Lengths that differ by less are the same: an encoder's delay is no guess."""
_CUT_S = 0.5
"""A FLAC file is cut if more is missing."""


def corrected(file: FileBytes, audio: AudioProperties) -> AudioProperties:
    """The audio properties, with what the sound itself tells."""
    correct = _BY_CONTAINER.get(audio.container)
    if correct is None:
        return audio
    try:
        return correct(file, after_id3v2(file), audio)
    except (struct.error, LookupError, ValueError, OverflowError):
        return audio  # it is damaged in yet another way: the header's word stays


def _mpeg(file: FileBytes, start: int, audio: AudioProperties) -> AudioProperties:
    first, end = mpeg_frames.first_frame(file, start), before_tags(file)
    if first is None or mpeg_frames.is_told(file, first, end):
        return audio
    bitrate = mpeg_frames.constant_bitrate(file, first, end)
    if bitrate is not None:
        return _with_length(audio, 8 * (end - first) / bitrate, bitrate)
    counted = mpeg_frames.count(file, first)
    if counted is None:
        return audio
    whole = _with_length(audio, counted.length_s, round(counted.sound_bytes * 8 / counted.length_s))
    return replace(whole, sample_rate_hz=counted.rate_hz, channels=counted.channels)


def _adts(file: FileBytes, start: int, audio: AudioProperties) -> AudioProperties:
    stream = stream_headers.adts(file, start)
    if stream is None:
        return audio
    bitrate = round(stream.sound_bytes * 8 / stream.length_s)
    return replace(
        _with_length(audio, stream.length_s, bitrate),
        sample_rate_hz=stream.rate_hz,
        channels=stream.channels or audio.channels,
    )


def _ac3(file: FileBytes, start: int, audio: AudioProperties) -> AudioProperties:
    return replace(audio, channels=stream_headers.ac3_channels(file, start) or audio.channels)


def _tta(file: FileBytes, start: int, audio: AudioProperties) -> AudioProperties:
    header = stream_headers.tta(file, start)
    if header is None:
        return audio
    return replace(audio, channels=header.channels or None, bit_depth=header.bits or None)


def _flac(file: FileBytes, start: int, audio: AudioProperties) -> AudioProperties:
    (block_size,) = struct.unpack(">H", file.read(start + 10, 2))
    frames = after_flac_blocks(file, start + 4), before_tags(file)
    samples = flac_frames.last_frame(file, *frames, block_size)
    if samples is None or not audio.sample_rate_hz:
        return audio
    begin, end = samples
    if begin / audio.sample_rate_hz >= audio.duration_s:  # unknown, or too little is stated
        return _with_length(audio, end / audio.sample_rate_hz, None, file.size - start)
    if end / audio.sample_rate_hz > audio.duration_s - _CUT_S:
        return audio
    # The frame at the cut is not whole.
    return _with_length(audio, begin / audio.sample_rate_hz, None, file.size - start)


def _ogg(file: FileBytes, start: int, audio: AudioProperties) -> AudioProperties:
    length_s = ogg_pages.length_s(file, start)
    if length_s is None:
        return audio
    bitrate = audio.bitrate_bps if audio.codec == "vorbis" else None
    return _with_length(audio, length_s, bitrate, file.size - start)


def _mp4(file: FileBytes, start: int, audio: AudioProperties) -> AudioProperties:
    movie, is_cut = mp4_samples.movie_of(file, start)
    track = mp4_samples.sound_track(movie)
    if audio.codec == "aac" and mp4_samples.is_mono_aac(track):
        audio = replace(audio, channels=1)
    if not audio.duration_s:
        length_s = mp4_samples.length_of_fragments(file, start, movie, track)
        if length_s:
            return _with_length(audio, length_s, None, file.size - start)
    if is_cut:
        length_s = mp4_samples.length_within(track, file.size)
        if length_s is not None and length_s < audio.duration_s:
            return _with_length(audio, length_s, audio.bitrate_bps, file.size - start)
    return audio


def _raw(file: FileBytes, start: int, audio: AudioProperties) -> AudioProperties:
    """No file plays longer than its bytes at a bit rate that never varies: one that is cut."""
    if not audio.bitrate_bps or audio.codec not in _RAW_CODECS:
        return audio
    most_s = 8 * (file.size - start) / audio.bitrate_bps
    return replace(audio, duration_s=min(audio.duration_s, most_s))


_RAW_CODECS = ("dsd", "pcm")


def _with_length(
    audio: AudioProperties, length_s: float, bitrate_bps: int | None, size_bytes: int = 0
) -> AudioProperties:
    if abs(length_s - audio.duration_s) < _SAME_S and (bitrate_bps or audio.bitrate_bps):
        length_s = audio.duration_s
    bitrate_bps = bitrate_bps or average_bitrate(size_bytes, length_s)
    return replace(audio, duration_s=length_s, bitrate_bps=bitrate_bps)


_BY_CONTAINER: dict[str, Callable[[FileBytes, int, AudioProperties], AudioProperties]] = {
    "mp3": _mpeg, "aac": _adts, "ac3": _ac3, "tta": _tta, "flac": _flac, "ogg": _ogg, "mp4": _mp4,
    "wav": _raw, "aiff": _raw, "dsf": _raw, "dff": _raw,
}  # fmt: skip
