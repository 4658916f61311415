"""What reading a file yields: raw tags, audio properties, embedded images."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from services.extractor.cue.sheet import CueSheet
from services.extractor.tags.model import AudioProperties, Picture
from services.extractor.tags.raw_tags import RawTags

_LONGEST_DURATION_S = 1e9
# By the name of an MP4's sample entry; of AAC and MP3 the object type follows it.
_MP4_CODECS = {
    "mp4a.69": "mp3", "mp4a.6b": "mp3", "mp4a.a5": "ac3", "mp4a.a6": "eac3", "mp4a.a9": "dts",
    "mp4a.ad": "opus", "mp4a.c1": "flac", "mp4a.dd": "vorbis", "mp4a": "aac", "mp4a.40": "aac",
    ".mp3": "mp3", "ac-3": "ac3", "ec-3": "eac3", "opus": "opus", "flac": "flac", "dtsc": "dts",
    "dtsh": "dts", "dtsl": "dts", "dtse": "dts", "sowt": "pcm", "twos": "pcm", "lpcm": "pcm",
    "ipcm": "pcm", "fpcm": "pcm", "in24": "pcm", "in32": "pcm", "fl32": "pcm", "fl64": "pcm",
    "raw ": "pcm", "ulaw": "pcm_mulaw", "alaw": "pcm_alaw", "ima4": "adpcm_ima_qt",
    "samr": "amr_nb", "sawb": "amr_wb",
}  # fmt: skip


@dataclass(slots=True)
class Metadata:
    """The raw tags, audio properties and embedded images of a file.

    Attributes:
        is_guess: whether some of the audio properties are guesses: `sound` looks closer.
        chapters: start and end in seconds (None: where the next one starts), and title.
        sheet: FLAC's block of a cue sheet.
    """

    raw: RawTags
    audio: AudioProperties
    pictures: list[Picture]
    is_guess: bool = True
    chapters: Sequence[tuple[float, float | None, str]] = ()
    sheet: CueSheet | None = None


@dataclass(frozen=True, slots=True)
class Container:
    """A container's name, its usual codec, and how its tags and images are read."""

    name: str
    codec: str
    raw_tags: Callable[[Any], RawTags]
    pictures: Callable[[Any], Iterator[Picture]]


def audio_properties(info: Any, container: Container, size_bytes: int) -> AudioProperties:
    """The audio properties from mutagen's `info`, or from one like it."""
    codec = _codec(info, container)
    duration_s = float(_number(info, "length", _LONGEST_DURATION_S) or 0)
    return AudioProperties(
        container=container.name,
        codec=codec,
        duration_s=duration_s,
        bitrate_bps=_integer(info, "bitrate") or average_bitrate(size_bytes, duration_s),
        # RFC 7845, section 5.1: Opus is decoded at 48 kHz, whatever the input's rate was.
        sample_rate_hz=48_000 if codec == "opus" else _integer(info, "sample_rate"),
        channels=_integer(info, "channels", 32_767),
        # MP4 has a bit depth for lossy codecs too, but it means nothing.
        bit_depth=None if codec in _WITHOUT_DEPTH else _integer(info, "bits_per_sample", 32_767),
    )


_WITHOUT_DEPTH = frozenset(("aac", "mp3", "ac3", "eac3", "dts", "opus", "vorbis"))


def average_bitrate(size_bytes: int, duration_s: float) -> int | None:
    """The bit rate in bits a second of so many bytes; None where the duration is not known."""
    bitrate = round(size_bytes * 8 / duration_s) if duration_s > 0 else 0
    return bitrate if 0 < bitrate < 2**31 else None


def _codec(info: Any, container: Container) -> str:
    if container.name == "mp3":
        return f"mp{getattr(info, 'layer', 3)}"
    if container.name == "mp4":
        name = str(getattr(info, "codec", "") or "").lower()
        known = _MP4_CODECS.get(name) or ("aac" if name.startswith("mp4a.40") else None)
        return known or name.partition(".")[0].strip() or container.codec
    if container.name == "ac3":
        return _MP4_CODECS.get(str(getattr(info, "codec", "")), container.codec)
    return container.codec


def _number(info: Any, name: str, highest: float) -> float | None:
    value = getattr(info, name, None)
    return value if isinstance(value, int | float) and 0 <= value <= highest else None


def _integer(info: Any, name: str, highest: int = 2**31 - 1) -> int | None:
    """A number of `info`, rounded; None where it is missing, 0 or absurd."""
    value = _number(info, name, highest)
    return None if value is None else round(value) or None
