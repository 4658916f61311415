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
from contextlib import ExitStack, contextmanager
from io import SEEK_CUR, SEEK_END
from typing import Any, BinaryIO

import av
import numpy as np
from av.filter import Graph
from av.filter.context import FilterContext

from services.analyzer.decode.audio import (
    EXACT_TOLERANCE_S,
    MAX_CHANNELS,
    Audio,
    LeftToAnotherDecoder,
    Samples,
    block_size,
    check_sample_rate,
    default_layout,
    measured_rate_hz,
)
from services.analyzer.decode.parts import Part

_FORMATS_WITHOUT_LENGTH = frozenset({"aac", "mp3", "ac3", "eac3", "dts", "mp2", "loas"})
"""FFmpeg's names of the formats whose duration it estimates from the bit rate."""
_CHECKED_CODECS = frozenset({"flac", "wavpack", "tta"})
"""Codecs with checksums, which FFmpeg compares only where it is asked to."""
_EXACT_CODECS = frozenset({"alac", "ape", "flac", "tak", "tta", "wavpack"})
_MOST_SAMPLES_PER_BYTE = 8_192
"""No codec has more: Vorbis and Opus may code a block of silence in two bytes."""
_MOST_PACKET_BYTES_PER_BYTE = 4
"""A demuxer that returns more than this for each byte of its file reads in circles."""
_OPEN_OPTIONS: dict[str, Any] = (
    {"metadata_errors": "replace"} if int(av.__version__.partition(".")[0]) < 19 else {}
)
"""Tags that are not UTF-8 must not fail the opening; from PyAV 19 on they never do."""


class _Output:
    """The format of the blocks: rate and channels, the same up to the end of a file."""

    def __init__(self, layout: av.AudioLayout, rate_hz: int) -> None:
        self.layout = layout if layout.nb_channels <= MAX_CHANNELS else av.AudioLayout("stereo")
        if layout.nb_channels <= 2:
            self.layout = av.AudioLayout("mono" if layout.nb_channels == 1 else "stereo")
        self.rate_hz = rate_hz

    @property
    def channels(self) -> tuple[str, ...]:
        """FFmpeg's names of the channels; the usual ones where the file names none."""
        names = tuple(channel.name for channel in self.layout.channels)
        is_named = len(set(names)) == len(names) and all(name.isupper() for name in names)
        return names if is_named and "NONE" not in names else default_layout(len(names))

    def options(self) -> str:
        """As options of the filter `aformat`.

        Mono and stereo are planar. Surround is interleaved: PyAV counts planes up to the first null
        pointer, and of eight planes none is null.
        """
        sample_format = "fltp" if self.layout.nb_channels <= 2 else "flt"
        return (
            f"sample_fmts={sample_format}:channel_layouts={self.layout.name}"
            f":sample_rates={self.rate_hz}"
        )


def open_filter_source(path: bytes) -> Audio:
    """Open a file with FFmpeg's `amovie` filter; its blocks raise where the file is damaged.

    Raises:
        LeftToAnotherDecoder: checksums are to be compared, or the file is DSD, for which the filter
            may take memory without bound where the file is damaged.
    """
    with _opened(path) as (file, container, stream):
        audio, output = _audio_of(file, container, stream)
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
            f"/dev/fd/{file.fileno()}:format_name={container_format}"
            f":stream_index={index}:dec_threads=1"
        )
        graph = Graph()
        _connect(graph, [graph.add("amovie", f"filename={options}")], output)
    audio.blocks = _filter_blocks(graph, file)
    return audio


def open_packets(path: bytes) -> Audio:
    """Open a file that is decoded packet by packet; packets that cannot be decoded are skipped."""
    with _opened(path) as (file, container, stream):
        audio, output = _audio_of(file, container, stream)
    audio.blocks = _packet_blocks(
        audio, output, container, stream, file, os.fstat(file.fileno()).st_size
    )
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
    output = _Output(_layout_of(channels), measured_rate_hz(rate_hz))
    audio = Audio(output.rate_hz, None, iter(()), layout=output.channels)
    audio.blocks = _part_blocks(audio, output, path, container_format, parts)
    return audio


def _layout_of(channels: int) -> av.AudioLayout:
    names = ("mono", "stereo", "3.0", "quad", "5.0", "5.1", "6.1", "7.1")
    return av.AudioLayout(names[max(1, channels) - 1])


@contextmanager
def _opened(
    path: bytes,
) -> Iterator[tuple[BinaryIO, "av.container.InputContainer", "av.AudioStream"]]:
    """The open file, its container and first audio stream; closed here only after an error.

    Otherwise the generator of the blocks closes them.
    """
    file = open(path, "rb")  # noqa: SIM115, PTH123 - closed with the blocks; the path is bytes
    try:
        # PyAV takes a path that is not UTF-8 as an open file only.
        container = av.open(file, "r", **_OPEN_OPTIONS)
        yield file, container, container.streams.audio[0]
    except BaseException:
        file.close()
        raise


def _audio_of(
    file: BinaryIO, container: "av.container.InputContainer", stream: "av.AudioStream"
) -> tuple[Audio, _Output]:
    """Format and duration by the headers, without blocks."""
    context = stream.codec_context
    if context is None:
        raise ValueError("no decoder knows its format")
    check_sample_rate(context.sample_rate)
    codec = context.name
    if codec in _CHECKED_CODECS:  # or else FFmpeg plays what the checksum says is wrong
        context.options = {"err_detect": "crccheck+explode"}
    if not context.layout.nb_channels:
        raise ValueError("its header states no channels")
    is_dsd = _is_dsd(codec)
    output = _Output(context.layout, measured_rate_hz(context.sample_rate, is_dsd=is_dsd))
    # Uncompressed samples have a byte or more in each channel, and eight of DSD are made one.
    is_raw = is_dsd or codec.startswith("pcm")
    samples_per_byte = 1 / context.layout.nb_channels if is_raw else _MOST_SAMPLES_PER_BYTE
    size_bytes = os.fstat(file.fileno()).st_size
    longest_s = size_bytes * samples_per_byte / context.sample_rate
    expected_s = _expected_s(container, stream)
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


def _expected_s(
    container: "av.container.InputContainer", stream: "av.AudioStream"
) -> float | None:
    """The duration of the audio by the headers; that of the file where it has no other stream."""
    if not _FORMATS_WITHOUT_LENGTH.isdisjoint(container.format.name.split(",")):
        return None
    if stream.duration and stream.time_base:
        return float(stream.duration * stream.time_base)
    is_alone = len(container.streams) == 1
    return container.duration / av.time_base if container.duration and is_alone else None


def _filter_blocks(graph: Graph, file: BinaryIO) -> Iterator[Samples]:
    with file:
        while True:
            try:
                yield _pull_block(graph)
            except av.EOFError:
                return


def _packet_blocks(
    audio: Audio,
    output: _Output,
    container: "av.container.InputContainer",
    stream: "av.AudioStream",
    file: "BinaryIO | _Slice",
    file_bytes: int,
) -> Iterator[Samples]:
    """The blocks of a stream; the graph is made anew where the format of its frames changes."""
    graph: Graph | None = None
    graph_format: tuple[Any, ...] = ()
    size, pushed = block_size(output.rate_hz), 0
    bytes_left = _MOST_PACKET_BYTES_PER_BYTE * file_bytes + size
    with ExitStack() as stack:
        stack.callback(file.close)
        stack.callback(container.close)
        try:
            for packet in container.demux(stream):
                bytes_left -= max(1, packet.size)
                if bytes_left < 0:
                    audio.damaged = True
                    break
                try:
                    frames = packet.decode()
                except av.FFmpegError:
                    audio.damaged = True
                    continue
                for frame in frames:
                    if not isinstance(frame, av.AudioFrame) or not frame.samples:
                        continue
                    frame_format = frame.format.name, frame.layout.name, frame.sample_rate
                    if graph is None or frame_format != graph_format:
                        if graph is not None:
                            yield from _drain(graph)
                        graph, graph_format, pushed = _graph_for(frame, output), frame_format, 0
                    frame.pts = None
                    graph.push(frame)
                    pushed += frame.samples
                    if pushed >= size:  # to pull after each frame takes as long as to decode it
                        yield from _pull_available(graph)
                        pushed %= size
            if graph is not None:
                yield from _drain(graph)
        except av.FFmpegError:  # the container itself ends early
            audio.damaged = True
            if graph is None:
                raise


def _part_blocks(
    audio: Audio, output: _Output, path: bytes, container_format: str, parts: Sequence[Part]
) -> Iterator[Samples]:
    for part in parts:
        file = _Slice(path, part.start, part.end)
        try:
            container = av.open(file, "r", format=container_format, **_OPEN_OPTIONS)
            stream = container.streams.audio[0]
        except (av.FFmpegError, IndexError):
            file.close()
            audio.damaged = True
            continue
        yield from _packet_blocks(
            audio, output, container, stream, file, part.end - part.start
        )


class _Slice:
    """A part of a file as a file, for FFmpeg to read."""

    def __init__(self, path: bytes, start: int, end: int) -> None:
        self._file = open(path, "rb")  # noqa: SIM115, PTH123 - closed by `close`; the path is bytes
        self._start, self._size, self._position = start, end - start, 0

    def read(self, count: int = -1) -> bytes:
        """The next bytes, none at the end of the part."""
        left = max(0, self._size - self._position)
        self._file.seek(self._start + self._position)
        read = self._file.read(left if count < 0 else min(count, left))
        self._position += len(read)
        return read

    def seek(self, offset: int, whence: int = 0) -> int:
        """Move within the part."""
        base = {SEEK_CUR: self._position, SEEK_END: self._size}.get(whence, 0)
        self._position = max(0, base + offset)
        return self._position

    def tell(self) -> int:
        """The position within the part."""
        return self._position

    def close(self) -> None:
        """Close the file."""
        self._file.close()


def _graph_for(frame: av.AudioFrame, output: _Output) -> Graph:
    """A filter graph that takes frames of this frame's format."""
    graph = Graph()
    source = graph.add_abuffer(
        sample_rate=frame.sample_rate, format=frame.format.name, layout=frame.layout.name,
        time_base=frame.time_base,
    )  # fmt: skip
    filters = [source]
    if frame.layout.nb_channels == 1 and output.layout.name == "stereo":
        # FFmpeg would mix mono in at -3 dB; players play it from both channels as it is.
        filters.append(graph.add("pan", "stereo|c0=c0|c1=c0"))
    _connect(graph, filters, output)
    return graph


def _connect(graph: Graph, filters: Sequence[FilterContext], output: _Output) -> None:
    """Connect a source with a sink that returns large blocks: far faster than frame by frame."""
    ends = graph.add("aformat", output.options()), graph.add("abuffersink")
    graph.link_nodes(*filters, *ends).configure()
    graph.set_audio_frame_size(block_size(output.rate_hz))


def _drain(graph: Graph) -> Iterator[Samples]:
    """All blocks that are left in the graph."""
    graph.push(None)
    yield from _pull_available(graph)


def _pull_available(graph: Graph) -> Iterator[Samples]:
    """All blocks that the graph has ready."""
    while True:
        try:
            yield _pull_block(graph)
        except (av.BlockingIOError, av.EOFError):
            return


def _pull_block(graph: Graph) -> Samples:
    frame = graph.pull()
    if not isinstance(frame, av.AudioFrame):
        raise TypeError("an audio filter graph returned a video frame")
    samples = frame.to_ndarray().astype(np.float32, copy=False)
    if frame.format.is_planar:
        return samples
    return np.ascontiguousarray(samples.reshape(-1, frame.layout.nb_channels).T)
