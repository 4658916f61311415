"""FFmpeg's libraries as decoders: a whole file at once, or packet by packet.

Whole is quicker by a fifth to a third where packets are small: FFmpeg's own source filter reads
and decodes, and Python sees large blocks only. It ends at the first packet that cannot be decoded.
Packet by packet such ones are passed over, so that a damaged file gives what is left of it.

Either way of opening raises `av.FFmpegError`, `ValueError` or `IndexError` for a file that cannot
be opened or has no sound, and `OSError` for one that cannot be read.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, BinaryIO

import av
import numpy as np
from av.filter import Graph
from av.filter.context import FilterContext

from services.analyzer.audio import MOST_CHANNELS, Audio, Samples, check_rate, portion_of

_ESTIMATED = frozenset({"aac", "mp3", "ac3", "eac3", "dts", "mp2", "loas"})
"""FFmpeg's names of formats whose length it guesses from the bit rate."""
_LENIENT: dict[str, Any] = (
    {"metadata_errors": "replace"} if int(av.__version__.partition(".")[0]) < 19 else {}
)
"""Tags that are no UTF-8 are no reason not to open a file; from PyAV 19 on they never are."""


def open_whole(path: bytes) -> Audio:
    """A file that FFmpeg's source filter reads; its blocks raise where it is damaged."""
    with _opened(path) as (source, container, stream):
        audio = _audio_of(container, stream)
        form = container.format.name.split(",")[0]
        wanted = _wanted(stream.codec_context.layout, audio.rate_hz)  # before it is closed
        index = stream.index
        container.close()
        source.seek(0)
        # Whatever its name, and where it is no UTF-8, too.
        options = f"/dev/fd/{source.fileno()}:format_name={form}:stream_index={index}:dec_threads=1"
        graph = Graph()
        _link(graph, graph.add("amovie", f"filename={options}"), wanted, audio.rate_hz)
    audio.blocks = _whole_blocks(graph, source)
    return audio


def open_packets(path: bytes) -> Audio:
    """A file that is read packet by packet: what of it cannot be decoded is left out."""
    with _opened(path) as (source, container, stream):
        audio = _audio_of(container, stream)
    audio.blocks = _packet_blocks(audio, container, stream, source)
    return audio


@contextmanager
def _opened(
    path: bytes,
) -> Iterator[tuple[BinaryIO, "av.container.InputContainer", "av.AudioStream"]]:
    """Open until its blocks were taken; at an error it is closed at once."""
    source = open(path, "rb")  # noqa: SIM115, PTH123 - closed with the blocks; the path is bytes
    try:
        # A path that is no UTF-8 can be handed over as an open file only.
        container = av.open(source, "r", **_LENIENT)
        yield source, container, container.streams.audio[0]
    except BaseException:
        source.close()
        raise


def _audio_of(container: "av.container.InputContainer", stream: "av.AudioStream") -> Audio:
    """What the headers tell, without blocks."""
    if stream.codec_context is None:
        raise ValueError("no decoder knows its format")
    rate_hz = stream.codec_context.sample_rate
    check_rate(rate_hz)
    is_told = _ESTIMATED.isdisjoint(container.format.name.split(","))
    expected_s = container.duration / av.time_base if container.duration and is_told else None
    return Audio(rate_hz, expected_s, iter(()))


def _whole_blocks(graph: Graph, source: BinaryIO) -> Iterator[Samples]:
    with source:
        while True:
            try:
                yield _block(graph)
            except av.EOFError:
                return


def _packet_blocks(audio: Audio, container: "av.container.InputContainer",
                   stream: "av.AudioStream", source: BinaryIO) -> Iterator[Samples]:  # fmt: skip
    graph: Graph | None = None
    portion, pushed = portion_of(audio.rate_hz), 0
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
                graph = graph or _fed_by(frame, audio.rate_hz)
                frame.pts = None
                graph.push(frame)
                pushed += frame.samples
                if pushed >= portion:  # to ask after each frame takes as long as to decode it
                    yield from _pulled(graph)
                    pushed %= portion
        if graph is not None:
            graph.push(None)
            yield from _pulled(graph)
    except av.FFmpegError:  # the container itself breaks off
        audio.damaged = True
        if graph is None:
            raise
    finally:
        container.close()
        source.close()


def _fed_by(frame: av.AudioFrame, rate_hz: int) -> Graph:
    """A graph for frames like this one."""
    graph = Graph()
    source = graph.add_abuffer(
        sample_rate=frame.sample_rate, format=frame.format.name, layout=frame.layout.name,
        time_base=frame.time_base,
    )  # fmt: skip
    _link(graph, source, _wanted(frame.layout, rate_hz), rate_hz)
    return graph


def _link(graph: Graph, source: FilterContext, wanted: str, rate_hz: int) -> None:
    """Behind a source what makes large blocks of it: far quicker than frame by frame."""
    graph.link_nodes(source, graph.add("aformat", wanted), graph.add("abuffersink")).configure()
    graph.set_audio_frame_size(portion_of(rate_hz))


def _wanted(layout: av.AudioLayout, rate_hz: int) -> str:
    """What the blocks are to be, as the filter `aformat` takes it.

    Planar, or of surround one sample of each channel after another: PyAV counts planes up to the
    first that is null, which of eight there is none.
    """
    channels = layout.nb_channels
    if channels <= 2:
        form, told = "fltp", "mono" if channels == 1 else "stereo"
    else:
        form, told = "flt", layout.name if channels <= MOST_CHANNELS else "stereo"
    return f"sample_fmts={form}:channel_layouts={told}:sample_rates={rate_hz}"


def _pulled(graph: Graph) -> Iterator[Samples]:
    """What is ready."""
    while True:
        try:
            yield _block(graph)
        except (av.BlockingIOError, av.EOFError):
            return


def _block(graph: Graph) -> Samples:
    frame = graph.pull()
    if not isinstance(frame, av.AudioFrame):
        raise TypeError("a graph of sound gave a picture")
    samples = frame.to_ndarray().astype(np.float32, copy=False)
    if frame.format.is_planar:
        return samples
    return np.ascontiguousarray(samples.reshape(-1, frame.layout.nb_channels).T)
