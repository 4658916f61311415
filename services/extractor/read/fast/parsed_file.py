"""What the fast parsers return: the parts of mutagen's objects that the mapping of tags reads."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any


class Unsupported(Exception):
    """The file holds something that a fast parser does not handle: mutagen reads it instead."""


@dataclass(slots=True)
class StreamInfo:
    """The attributes of mutagen's `info`, under its names.

    Attributes:
        length: in seconds.
        bitrate: in bits a second.
        sample_rate: in Hz.
        track_gain: in dB, as LAME measured it for 89 dB.
        track_peak: with full scale at 1.
        is_guess: whether mutagen's way of reading leaves a guess: `sound` looks closer.
    """

    length: float = 0.0
    bitrate: int = 0
    sample_rate: int | None = None
    channels: int | None = None
    bits_per_sample: int | None = None
    codec: str = ""
    layer: int = 3
    track_gain: float | None = None
    track_peak: float | None = None
    is_guess: bool = False


@dataclass(frozen=True, slots=True)
class PictureBlock:
    """A FLAC picture block: ID3's picture type, and the image."""

    type: int
    data: bytes


@dataclass(slots=True)
class ParsedFile:
    """A file as mutagen would return it.

    Attributes:
        info: the audio properties.
        tags: in the shape of the container's own tags; None where the file has none.
        pictures: FLAC's picture blocks.
        has_chapters: whether an MP4 may have chapters.
    """

    info: StreamInfo
    tags: Any
    pictures: Sequence[PictureBlock] = field(default=())
    has_chapters: bool = False
