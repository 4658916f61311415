"""FFmpeg's filter graphs: from the frames of a decoder to large blocks of one format."""

from collections.abc import Iterator, Sequence

import av
import numpy as np
from av.filter import Graph
from av.filter.context import FilterContext

from services.analyzer.decode.audio import MAX_CHANNELS, Samples, block_size, default_layout


class OutputFormat:
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


def layout_of(channels: int) -> av.AudioLayout:
    """FFmpeg's usual layout of so many channels, up to 8."""
    names = ("mono", "stereo", "3.0", "quad", "5.0", "5.1", "6.1", "7.1")
    return av.AudioLayout(names[max(1, channels) - 1])


def graph_for(frame: av.AudioFrame, output: OutputFormat) -> Graph:
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
    connect(graph, filters, output)
    return graph


def connect(graph: Graph, filters: Sequence[FilterContext], output: OutputFormat) -> None:
    """Connect a source with a sink that returns large blocks: far faster than frame by frame."""
    ends = graph.add("aformat", output.options()), graph.add("abuffersink")
    graph.link_nodes(*filters, *ends).configure()
    graph.set_audio_frame_size(block_size(output.rate_hz))


def drain(graph: Graph) -> Iterator[Samples]:
    """All blocks that are left in the graph."""
    graph.push(None)
    yield from pull_available(graph)


def pull_available(graph: Graph) -> Iterator[Samples]:
    """All blocks that the graph has ready."""
    while True:
        try:
            yield pull_block(graph)
        except (av.BlockingIOError, av.EOFError):
            return


def pull_block(graph: Graph) -> Samples:
    """The next block, (channels, n)."""
    frame = graph.pull()
    if not isinstance(frame, av.AudioFrame):
        raise TypeError("an audio filter graph returned a video frame")
    samples = frame.to_ndarray().astype(np.float32, copy=False)
    if frame.format.is_planar:
        return samples
    return np.ascontiguousarray(samples.reshape(-1, frame.layout.nb_channels).T)
