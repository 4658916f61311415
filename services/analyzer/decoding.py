"""From a file to samples: libsndfile for some formats, FFmpeg's libraries for others.

Each is the other's fallback, since some files open in one of them only. Routing by what was
measured to be quicker. FFmpeg's is read packet by packet, so that a damaged file gives what is
left of it.
"""

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import PurePath

import av
import numpy as np
import soundfile
from av.filter import Graph
from numpy.typing import NDArray

from shared.contracts.errors import InvalidInput, TransientError

Samples = NDArray[np.float32]
_SNDFILE_FIRST = frozenset({".mp3", ".flac", ".wav"})
_ESTIMATED = frozenset({"aac", "mp3", "ac3", "eac3", "dts", "mp2", "loas"})
"""FFmpeg's names of formats whose length it guesses from the bit rate."""
_MOST_CHANNELS = 8
_RATES_HZ = (4_000, 768_000)
"""Of music; what a damaged header tells may be anything, and a block be of all memory."""


def portion_of(rate_hz: int) -> int:
    """How many samples a block has but for the last one: 100 tenths of a second."""
    return 100 * max(1, round(rate_hz / 10))


class Undecodable(InvalidInput):
    """Nothing of the file can be decoded: it is damaged, or no audio. Replace it."""


@dataclass
class Audio:
    """A file being decoded.

    Attributes:
        rate_hz: its own sample rate.
        expected_s: length that its header tells, None where it tells none.
        blocks: samples as they come, float32, shape (channels, n), -1..1 and a little beyond.
        damaged: known when all blocks were taken: part of the file could not be decoded.
        broke_off: why the decoder ended before the end of the file.
    """

    rate_hz: int
    expected_s: float | None
    blocks: Iterator[Samples]
    damaged: bool = field(default=False)
    broke_off: Exception | None = None


def open_audio(path: bytes, *, skip: int = 0) -> Audio:
    """Open a file with the first decoder that gets samples out of it.

    Args:
        path: of the file on this host.
        skip: so many decoders are passed over, since they failed on the way.

    Raises:
        Undecodable: no decoder can.
        TransientError: the disk or its mount failed.
    """
    reasons: list[str] = []
    for opener in _openers(path)[skip:]:
        try:
            audio = opener(path)
            first = next(audio.blocks, None)
            if first is None:
                reasons.append("it has no samples")
                continue
            audio.blocks = _with_first(first, audio.blocks)
        except soundfile.LibsndfileError:
            continue  # FFmpeg reads all that libsndfile does, and says better what is wrong
        except (av.FFmpegError, ValueError, IndexError) as error:
            reasons.append(_reason(error))
        except FileNotFoundError:
            raise Undecodable("the file is gone") from None
        except IsADirectoryError:
            raise Undecodable("it is a folder") from None
        except OSError as error:
            raise TransientError(f"the file cannot be read now: {error.strerror}") from None
        else:
            return audio
    raise Undecodable(
        f"it cannot be decoded: {'; '.join(dict.fromkeys(reasons)) or 'it is damaged, or no audio'}"
    )


def decoders(path: bytes) -> int:
    """How many decoders there are to try."""
    return len(_openers(path))


def _openers(path: bytes) -> tuple[Callable[[bytes], Audio], ...]:
    ending = PurePath(path.decode(errors="replace")).suffix.lower()
    if ending in _SNDFILE_FIRST:
        return (_open_sndfile, _open_ffmpeg)
    return (_open_ffmpeg, _open_sndfile)


def _with_first(first: Samples, rest: Iterator[Samples]) -> Iterator[Samples]:
    yield first
    yield from rest


def _reason(error: Exception) -> str:
    if isinstance(error, IndexError):
        return "it has no sound"
    return (
        str(getattr(error, "strerror", None) or error).strip().rstrip(".").lower()
        or type(error).__name__
    )


class _ReadOn(soundfile.SoundFile):  # type: ignore[misc] # soundfile has no types
    """A file that is read from its beginning to its end, as it comes.

    soundfile seeks to where it is after each read of what can seek: by that an MP3, whose frames
    need those before them, has wrong samples at each seam, and takes longer.
    """

    def seekable(self) -> bool:
        """Say no, so that it never seeks."""
        return False


def _open_sndfile(path: bytes) -> Audio:
    file = _ReadOn(path)
    _check_rate(file.samplerate)
    expected_s = file.frames / file.samplerate if 0 < file.frames < 2**48 else None
    portion = portion_of(file.samplerate)

    def blocks() -> Iterator[Samples]:
        with file:
            while len(block := file.read(portion, dtype="float32", always_2d=True)):
                yield np.ascontiguousarray(block.T[:_MOST_CHANNELS])

    return Audio(file.samplerate, expected_s, blocks(), damaged=_is_cut_wave(path))


def _check_rate(rate_hz: int) -> None:
    lowest, highest = _RATES_HZ
    if not lowest <= rate_hz <= highest:
        raise ValueError(f"its header tells of {rate_hz:,} samples a second")


def _is_cut_wave(path: bytes) -> bool:
    """Whether a WAV file is shorter than its header tells: libsndfile passes that over."""
    with open(path, "rb") as file:  # noqa: PTH123 - the path is bytes
        head = file.read(12)
        told = int.from_bytes(head[4:8], "little")
        # Programs that stream write 0 or the highest number.
        is_wave = head[:4] == b"RIFF" and head[8:] == b"WAVE" and 0 < told < 0xFFFF_FF00
        return is_wave and told + 8 > file.seek(0, os.SEEK_END)


def _open_ffmpeg(path: bytes) -> Audio:
    # A path that is no UTF-8 is handed over as an open file.
    source = open(path, "rb")  # noqa: SIM115, PTH123 - closed with the blocks; the path is bytes
    try:
        container = av.open(source, "r", metadata_errors="replace")
        stream = container.streams.audio[0]
        if stream.codec_context is None:
            raise ValueError("no decoder knows its format")  # noqa: TRY301 - closes what is open
        rate_hz = stream.codec_context.sample_rate
        _check_rate(rate_hz)
    except BaseException:
        source.close()
        raise
    is_told = _ESTIMATED.isdisjoint(container.format.name.split(","))
    expected_s = container.duration / av.time_base if container.duration and is_told else None
    audio = Audio(rate_hz, expected_s, iter(()))
    audio.blocks = _ffmpeg_blocks(audio, container, stream, source)
    return audio


def _ffmpeg_blocks(audio: Audio, container: "av.container.InputContainer", stream: "av.AudioStream",
                   source: object) -> Iterator[Samples]:  # fmt: skip
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
                graph = graph or _graph(frame, audio.rate_hz)
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
        source.close()  # type: ignore[attr-defined] # a file


def _graph(frame: av.AudioFrame, rate_hz: int) -> Graph:
    """A filter graph hands out large planar float blocks: far quicker than frame by frame."""
    channels = min(len(frame.layout.channels), _MOST_CHANNELS)
    layout = "mono" if channels == 1 else "stereo"
    graph = Graph()
    source = graph.add_abuffer(
        sample_rate=frame.sample_rate, format=frame.format.name, layout=frame.layout.name,
        time_base=frame.time_base,
    )  # fmt: skip
    form = f"sample_fmts=fltp:channel_layouts={layout}:sample_rates={rate_hz}"
    steps = [
        graph.add("aformat", form),
        graph.add("asetnsamples", f"n={portion_of(rate_hz)}:p=0"),
        graph.add("abuffersink"),
    ]
    for before, after in zip([source, *steps], steps, strict=False):
        before.link_to(after)
    graph.configure()
    return graph


def _pulled(graph: Graph) -> Iterator[Samples]:
    while True:
        try:
            frame = graph.pull()
        except (av.BlockingIOError, av.EOFError):
            return
        if isinstance(frame, av.AudioFrame):
            yield frame.to_ndarray().astype(np.float32, copy=False)
