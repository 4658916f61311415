"""What the quick readers find: stand-ins for mutagen's objects."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any


class Beyond(Exception):
    """The file holds what a quick reader does not understand: mutagen is to read it."""


@dataclass(slots=True)
class Info:
    """What mutagen's `info` says of the sound, where it says it."""

    length: float = 0.0
    bitrate: int = 0
    sample_rate: int | None = None
    channels: int | None = None
    bits_per_sample: int | None = None
    codec: str = ""
    layer: int = 3


@dataclass(frozen=True, slots=True)
class Image:
    """A FLAC picture block: ID3's picture type, and the image."""

    type: int
    data: bytes


@dataclass(slots=True)
class Found:
    """What mutagen's file object has: `tags` in the shape of the container's own, or None."""

    info: Info
    tags: Any
    pictures: Sequence[Image] = field(default=())
