"""FFmpeg's libraries as two decoders, through PyAV: a filter source, or packet by packet.

The filter source (`amovie`) reads and decodes in FFmpeg itself, and Python sees large blocks only:
a fifth to a third faster where packets are small. It ends at the first packet that cannot be
decoded. Packet by packet, such packets are skipped, so that a damaged file gives what is left.

Both raise `av.FFmpegError`, `ValueError` or `IndexError` for a file that cannot be opened or has no
audio stream, and `OSError` for one that cannot be read.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, BinaryIO

import av
import numpy as np
from av.filter import Graph
from av.filter.context import FilterContext

from services.analyzer.decode.audio import (
    MAX_CHANNELS,
    Audio,
    Samples,
    block_size,
    check_sample_rate,
)

_FORMATS_WITHOUT_LENGTH = frozenset({"aac", "mp3", "ac3", "eac3", "dts", "mp2", "loas"})
"""FFmpeg's names of the formats whose duration it estimates from the bit rate."""
_OPEN_OPTIONS: dict[str, Any] = (
    {"metadata_errors": "replace"} if int(av.__version__.partition(".")[0]) < 19 else {}
)
"""Tags that are not UTF-8 must not fail the opening; from PyAV 19 on they never do."""


def open_filter_source(path: bytes) -> Audio:
    """Open a file with FFmpeg's `amovie` filter; its blocks raise where the file is damaged."""
    with _opened(path) as (file, container, stream):
        audio = _audio_of(container, stream)
        container_format = container.format.name.split(",")[0]
        # To be read before the container is closed.
        output = _output_format(stream.codec_context.layout, audio.rate_hz)
        index = stream.index
        container.close()
        file.seek(0)
        # By its descriptor: this works for any name, also one that is not UTF-8.
        options = (
            f"/dev/fd/{file.fileno()}:format_name={container_format}"
            f":stream_index={index}:dec_threads=1"
        )
        graph = Graph()
        _connect(graph, graph.add("amovie", f"filename={options}"), output, audio.rate_hz)
    audio.blocks = _filter_blocks(graph, file)
    return audio


def open_packets(path: bytes) -> Audio:
    """Open a file that is decoded packet by packet; packets that cannot be decoded are skipped."""
    with _opened(path) as (file, container, stream):
        audio = _audio_of(container, stream)
    audio.blocks = _packet_blocks(audio, container, stream, file)
    return audio


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


def _audio_of(container: "av.container.InputContainer", stream: "av.AudioStream") -> Audio:
    """Format and duration by the headers, without blocks."""
    if stream.codec_context is None:
        raise ValueError("no decoder knows its format")
    rate_hz = stream.codec_context.sample_rate
    check_sample_rate(rate_hz)
    states_length = _FORMATS_WITHOUT_LENGTH.isdisjoint(container.format.name.split(","))
    expected_s = container.duration / av.time_base if container.duration and states_length else None
    return Audio(rate_hz, expected_s, iter(()))


def _filter_blocks(graph: Graph, file: BinaryIO) -> Iterator[Samples]:
    with file:
        while True:
            try:
                yield _pull_block(graph)
            except av.EOFError:
                return


def _packet_blocks(audio: Audio, container: "av.container.InputContainer",
                   stream: "av.AudioStream", file: BinaryIO) -> Iterator[Samples]:  # fmt: skip
    graph: Graph | None = None
    size, pushed = block_size(audio.rate_hz), 0
    try:
        for packet in container.demux(stream):
            try:
                frames = packet.decode()
            except av.FFmpegError:
                audio.damaged = True
                continue
            for frame in frames:
                if not isinstance(frame, av.AudioFrame) or not frame.samples:
                    continue
                graph = graph or _graph_for(frame, audio.rate_hz)
                frame.pts = None
                graph.push(frame)
                pushed += frame.samples
                if pushed >= size:  # to pull after each frame takes as long as to decode it
                    yield from _pull_available(graph)
                    pushed %= size
        if graph is not None:
            graph.push(None)
            yield from _pull_available(graph)
    except av.FFmpegError:  # the container itself ends early
        audio.damaged = True
        if graph is None:
            raise
    finally:
        container.close()
        file.close()


def _graph_for(frame: av.AudioFrame, rate_hz: int) -> Graph:
    """A filter graph that takes frames of this frame's format."""
    graph = Graph()
    source = graph.add_abuffer(
        sample_rate=frame.sample_rate, format=frame.format.name, layout=frame.layout.name,
        time_base=frame.time_base,
    )  # fmt: skip
    _connect(graph, source, _output_format(frame.layout, rate_hz), rate_hz)
    return graph


def _connect(graph: Graph, source: FilterContext, output: str, rate_hz: int) -> None:
    """Connect a source with a sink that returns large blocks: far faster than frame by frame."""
    graph.link_nodes(source, graph.add("aformat", output), graph.add("abuffersink")).configure()
    graph.set_audio_frame_size(block_size(rate_hz))


def _output_format(layout: av.AudioLayout, rate_hz: int) -> str:
    """The blocks' format, as options of the filter `aformat`.

    Mono and stereo are planar. Surround is interleaved: PyAV counts planes up to the first null
    pointer, and of eight planes none is null.
    """
    channels = layout.nb_channels
    if channels <= 2:
        sample_format, output_layout = "fltp", "mono" if channels == 1 else "stereo"
    else:
        sample_format = "flt"
        output_layout = layout.name if channels <= MAX_CHANNELS else "stereo"
    return f"sample_fmts={sample_format}:channel_layouts={output_layout}:sample_rates={rate_hz}"


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
