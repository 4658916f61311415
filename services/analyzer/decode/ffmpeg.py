"""FFmpeg's libraries as three decoders, through PyAV: a filter source, packet by packet, by parts.

The filter source (`amovie`) reads and decodes in FFmpeg itself, and Python sees large blocks only:
a fifth to a third faster where packets are small. It ends at the first packet that cannot be
decoded. Packet by packet, such packets are skipped, so that a damaged file gives what is left. By
parts, joined files are decoded one by one: FFmpeg ends, or leaves packets out, where the format
changes.

All raise `av.FFmpegError`, `ValueError` or `IndexError` for a file that cannot be opened or has no
audio stream, and `OSError` for one that cannot be read.
"""

import os
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import Any, BinaryIO

import av
from av.filter import Graph

from services.analyzer.decode.audio import (
    EXACT_TOLERANCE_S,
    MAX_CHANNELS,
    Audio,
    LeftToAnotherDecoder,
    Samples,
    block_size,
    check_sample_rate,
    measured_rate_hz,
)
from services.analyzer.decode.ffmpeg_graph import (
    OutputFormat,
    connect,
    drain,
    graph_for,
    layout_of,
    pull_available,
    pull_block,
)
from services.analyzer.decode.parts import Content, FileSlice, Part

_FORMATS_WITHOUT_LENGTH = frozenset({"aac", "mp3", "ac3", "eac3", "dts", "mp2", "loas"})
"""FFmpeg's names of the formats whose duration it estimates from the bit rate."""
_CHECKED_CODECS = frozenset({"flac", "wavpack", "tta"})
"""Codecs with checksums, which FFmpeg compares only where it is asked to."""
_SEEKABLE_CODECS = _CHECKED_CODECS | {"alac"}
"""Codecs whose packets are independent of each other and have exact times."""
_SEEK_BEFORE_S = 1.0
_EXACT_CODECS = frozenset({"alac", "ape", "flac", "tak", "tta", "wavpack"})
_MOST_SAMPLES_PER_BYTE = 8_192
"""No codec has more: Vorbis and Opus may code a block of silence in two bytes."""
_LEAST_PACKET_BYTES = 1 << 20
_MOST_PACKET_BYTES_PER_BYTE = 4
"""A demuxer that returns more than this for each byte of its file reads in circles."""
_OPEN_OPTIONS: dict[str, Any] = (
    {"metadata_errors": "replace"} if int(av.__version__.partition(".")[0]) < 19 else {}
)
"""Tags that are not UTF-8 must not fail the opening; from PyAV 19 on they never do."""


@dataclass(frozen=True)
class _Source:
    """An open file, its container and the stream that is decoded."""

    file: "BinaryIO | FileSlice"
    container: "av.container.InputContainer"
    stream: "av.AudioStream"
    size_bytes: int

    @property
    def descriptor(self) -> int:
        """The descriptor of a whole file."""
        if isinstance(self.file, FileSlice):
            raise TypeError("a part of a file has no descriptor")
        return self.file.fileno()


def open_filter_source(path: bytes) -> Audio:
    """Open a file with FFmpeg's `amovie` filter; its blocks raise where the file is damaged.

    Raises:
        LeftToAnotherDecoder: checksums are to be compared, or the file is DSD, for which the filter
            may take memory without bound where the file is damaged.
    """
    with _opened(path) as source:
        audio, output = _audio_of(source)
        file, container, stream = source.file, source.container, source.stream
        codec = stream.codec_context.name
        if codec in _CHECKED_CODECS or _is_dsd(codec):
            container.close()
            raise LeftToAnotherDecoder
        container_format = container.format.name.split(",")[0]
        index = stream.index
        container.close()
        file.seek(0)
        # By its descriptor: this works for any name, also one that is not UTF-8.
        options = (
            f"/dev/fd/{source.descriptor}:format_name={container_format}"
            f":stream_index={index}:dec_threads=1"
        )
        graph = Graph()
        connect(graph, [graph.add("amovie", f"filename={options}")], output)
    audio.blocks = _filter_blocks(graph, source.file)
    return audio


def open_packets(path: bytes, content: Content | None = None, start_s: float = 0.0) -> Audio:
    """Open a file that is decoded packet by packet; packets that cannot be decoded are skipped.

    Args:
        path: of the file.
        content: where it ends and what is wrong in its header, where FFmpeg must not see the rest.
        start_s: the blocks begin shortly before, where packets have exact times; else at 0.
    """
    with _opened(path, content) as source:
        audio, output = _audio_of(source)
        if start_s > _SEEK_BEFORE_S and _has_exact_times(source.stream):
            source.container.seek(int((start_s - _SEEK_BEFORE_S) * av.time_base))
            audio.first_s = start_s
    audio.blocks = _packet_blocks(audio, output, source)
    return audio


def open_parts(path: bytes, container_format: str, parts: Sequence[Part]) -> Audio:
    """Open a file of several parts, each of which is decoded as a file of its own.

    The blocks have the channels of the part that has most, and the highest rate: the rest is mixed
    up, and a part that is mono sounds from both channels.

    Args:
        path: of the file.
        container_format: FFmpeg's name of the container of all parts.
        parts: as the bytes of the file say.
    """
    rate_hz = max(part.rate_hz for part in parts)
    check_sample_rate(rate_hz)
    channels = min(MAX_CHANNELS, max(part.channels for part in parts))
    output = OutputFormat(layout_of(channels), measured_rate_hz(rate_hz))
    audio = Audio(output.rate_hz, None, iter(()), layout=output.channels)
    audio.blocks = _part_blocks(audio, output, path, container_format, parts)
    return audio


@contextmanager
def _opened(path: bytes, content: Content | None = None) -> Iterator[_Source]:
    """The open file, its container and first audio stream; closed here only after an error.

    Otherwise the generator of the blocks closes them.
    """
    # PyAV takes a path that is not UTF-8 as an open file only.
    if content is None:
        size_bytes = os.stat(path).st_size  # noqa: PTH116 - the path is bytes
        file: BinaryIO | FileSlice = open(path, "rb")  # noqa: SIM115, PTH123 - see above
    else:
        size_bytes = content.size_bytes if content.end is None else content.end
        file = FileSlice(path, 0, size_bytes, content.corrections)
    try:
        container = av.open(file, "r", **_OPEN_OPTIONS)
        yield _Source(file, container, container.streams.audio[0], size_bytes)
    except BaseException:
        file.close()
        raise


def _audio_of(source: _Source) -> tuple[Audio, OutputFormat]:
    """Format and duration by the headers, without blocks."""
    context = source.stream.codec_context
    if context is None:
        raise ValueError("no decoder knows its format")
    check_sample_rate(context.sample_rate)
    codec = context.name
    if codec in _CHECKED_CODECS:  # or else FFmpeg plays what the checksum says is wrong
        context.options = {"err_detect": "crccheck+explode"}
    if not context.layout.nb_channels:
        raise ValueError("its header states no channels")
    is_dsd = _is_dsd(codec)
    output = OutputFormat(context.layout, measured_rate_hz(context.sample_rate, is_dsd=is_dsd))
    # Uncompressed samples have a byte or more in each channel, and eight of DSD are made one.
    is_raw = is_dsd or codec.startswith("pcm")
    samples_per_byte = 1 / context.layout.nb_channels if is_raw else _MOST_SAMPLES_PER_BYTE
    longest_s = source.size_bytes * samples_per_byte / context.sample_rate
    expected_s = _expected_s(source.container, source.stream)
    audio = Audio(
        output.rate_hz,
        None if expected_s is None else min(expected_s, longest_s),
        iter(()),
        layout=output.channels,
        tolerance_s=EXACT_TOLERANCE_S if is_raw or codec in _EXACT_CODECS else None,
        longest_s=longest_s + 1,
    )
    return audio, output


def _is_dsd(codec: str) -> bool:
    return codec.startswith("dsd") or codec == "dst"


def _expected_s(container: "av.container.InputContainer", stream: "av.AudioStream") -> float | None:
    """The duration of the audio by the headers; that of the file where it has no other stream."""
    if not _FORMATS_WITHOUT_LENGTH.isdisjoint(container.format.name.split(",")):
        return None
    # A negative one is the header's: ASF states it with the pre-roll, which is subtracted.
    if stream.duration and stream.duration > 0 and stream.time_base:
        return float(stream.duration * stream.time_base)
    has_length = container.duration and container.duration > 0 and len(container.streams) == 1
    return container.duration / av.time_base if has_length and container.duration else None


def _filter_blocks(graph: Graph, file: "BinaryIO | FileSlice") -> Iterator[Samples]:
    with closing(file):
        while True:
            try:
                yield pull_block(graph)
            except av.EOFError:
                return


def _packet_blocks(audio: Audio, output: OutputFormat, source: _Source) -> Iterator[Samples]:
    """The blocks of a stream; the graph is made anew where the format of its frames changes."""
    graph: Graph | None = None
    graph_format: tuple[Any, ...] = ()
    size, pushed = block_size(output.rate_hz), 0
    with closing(source.file), closing(source.container):
        try:
            for frame in _frames(audio, source):
                frame_format = frame.format.name, frame.layout.name, frame.sample_rate
                if audio.first_s and graph is None:
                    audio.first_s = _time_s(frame)
                if graph is None or frame_format != graph_format:
                    if graph is not None:
                        yield from drain(graph)
                    graph, graph_format, pushed = graph_for(frame, output), frame_format, 0
                frame.pts = None
                graph.push(frame)
                pushed += frame.samples
                if pushed >= size:  # to pull after each frame takes as long as to decode it
                    yield from pull_available(graph)
                    pushed %= size
            if graph is not None:
                yield from drain(graph)
        except av.FFmpegError:  # the container itself ends early
            audio.damaged = True
            if graph is None:
                raise


def _has_exact_times(stream: "av.AudioStream") -> bool:
    """Whether a packet's time says which sample it begins with; Matroska rounds to milliseconds."""
    is_counted = stream.time_base is not None and stream.time_base * stream.rate == 1
    return is_counted and stream.codec_context.name in _SEEKABLE_CODECS


def _time_s(frame: av.AudioFrame) -> float:
    """Where a frame begins in its file."""
    if frame.time is None:
        raise ValueError("its packets have no times")
    return float(frame.time)


def _frames(audio: Audio, source: _Source) -> Iterator[av.AudioFrame]:
    """The frames of a stream, without those of packets that cannot be decoded."""
    # FFmpeg leaves damaged frames of FLAC out without a word: the next one's time shows it. In
    # files that are joined the times begin again.
    shows_gaps = source.container.format.name == "flac" and _has_exact_times(source.stream)
    next_pts: int | None = None
    bytes_left = _MOST_PACKET_BYTES_PER_BYTE * source.size_bytes + _LEAST_PACKET_BYTES
    for packet in source.container.demux(source.stream):
        bytes_left -= max(1, packet.size)
        if bytes_left < 0:
            audio.damaged = True
            return
        try:
            frames = packet.decode()
        except av.FFmpegError:
            audio.damaged = True
            continue
        for frame in frames:
            if isinstance(frame, av.AudioFrame) and frame.samples:
                if shows_gaps and frame.pts is not None:
                    audio.damaged |= next_pts is not None and frame.pts > next_pts
                    next_pts = frame.pts + frame.samples
                yield frame


def _part_blocks(
    audio: Audio, output: OutputFormat, path: bytes, container_format: str, parts: Sequence[Part]
) -> Iterator[Samples]:
    for part in parts:
        file = FileSlice(path, part.start, part.end)
        try:
            container = av.open(file, "r", format=container_format, **_OPEN_OPTIONS)
            source = _Source(file, container, container.streams.audio[0], part.end - part.start)
        except (av.FFmpegError, IndexError):
            file.close()
            audio.damaged = True
            continue
        yield from _packet_blocks(audio, output, source)
