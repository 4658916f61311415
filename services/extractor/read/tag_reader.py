"""Opens music files: the common ones by the quick readers, all else with mutagen.

The only module that knows mutagen, but for the list of ID3's genres.
"""

import os
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from os import SEEK_END
from types import SimpleNamespace
from typing import Any, BinaryIO

import mutagen
from mutagen.aac import AAC
from mutagen.ac3 import AC3
from mutagen.aiff import AIFF
from mutagen.apev2 import APEv2
from mutagen.asf import ASF
from mutagen.dsdiff import DSDIFF
from mutagen.dsf import DSF
from mutagen.flac import FLAC
from mutagen.id3 import ID3
from mutagen.monkeysaudio import MonkeysAudio
from mutagen.mp3 import MP3, HeaderNotFoundError
from mutagen.mp4 import MP4
from mutagen.musepack import Musepack
from mutagen.oggflac import OggFLAC
from mutagen.oggopus import OggOpus
from mutagen.oggspeex import OggSpeex
from mutagen.oggvorbis import OggVorbis
from mutagen.optimfrog import OptimFROG
from mutagen.tak import TAK
from mutagen.trueaudio import TrueAudio
from mutagen.wave import WAVE
from mutagen.wavpack import WavPack

from services.extractor.read import fast as quick
from services.extractor.read.ends import Ends
from services.extractor.tags.containers import ape, asf, chunks, id3, mp4, vorbis
from services.extractor.tags.model import AudioProperties, Picture, RawTags

MOST_DURATION_S = 1e9


@dataclass(slots=True)
class Opened:
    """What a file holds."""

    raw: RawTags
    audio: AudioProperties
    pictures: list[Picture]


@dataclass(frozen=True, slots=True)
class _Container:
    """How a kind of file is read."""

    name: str
    codec: str
    raw_tags: Callable[[Any], RawTags]
    pictures: Callable[[Any], Iterator[Picture]]


_CONTAINERS: dict[type, _Container] = {
    MP3: _Container("mp3", "mp3", id3.raw_tags, id3.pictures),
    AAC: _Container("aac", "aac", id3.raw_tags, id3.pictures),
    AC3: _Container("ac3", "ac3", id3.raw_tags, id3.pictures),
    AIFF: _Container("aiff", "pcm", id3.raw_tags, id3.pictures),
    WAVE: _Container("wav", "pcm", id3.raw_tags, id3.pictures),
    DSF: _Container("dsf", "dsd", id3.raw_tags, id3.pictures),
    DSDIFF: _Container("dff", "dsd", id3.raw_tags, id3.pictures),
    TrueAudio: _Container("tta", "tta", id3.raw_tags, id3.pictures),
    FLAC: _Container("flac", "flac", vorbis.raw_tags, vorbis.pictures),
    OggFLAC: _Container("ogg", "flac", vorbis.raw_tags, vorbis.pictures),
    OggVorbis: _Container("ogg", "vorbis", vorbis.raw_tags, vorbis.pictures),
    OggOpus: _Container("ogg", "opus", vorbis.raw_tags, vorbis.pictures),
    OggSpeex: _Container("ogg", "speex", vorbis.raw_tags, vorbis.pictures),
    MP4: _Container("mp4", "aac", mp4.raw_tags, mp4.pictures),
    MonkeysAudio: _Container("ape", "ape", ape.raw_tags, ape.pictures),
    WavPack: _Container("wv", "wavpack", ape.raw_tags, ape.pictures),
    Musepack: _Container("mpc", "musepack", ape.raw_tags, ape.pictures),
    OptimFROG: _Container("ofr", "optimfrog", ape.raw_tags, ape.pictures),
    TAK: _Container("tak", "tak", ape.raw_tags, ape.pictures),
    ASF: _Container("asf", "wma", asf.raw_tags, asf.pictures),
}
_BY_SUFFIX: dict[str, type] = {
    ".mp3": MP3, ".mp2": MP3, ".mp+": Musepack, ".mpc": Musepack, ".flac": FLAC, ".ogg": OggVorbis,
    ".oga": OggVorbis, ".opus": OggOpus, ".spx": OggSpeex, ".m4a": MP4, ".m4b": MP4, ".m4p": MP4,
    ".m4r": MP4, ".mp4": MP4, ".aac": AAC, ".adts": AAC, ".ac3": AC3, ".eac3": AC3, ".ec3": AC3,
    ".wma": ASF, ".asf": ASF, ".wav": WAVE, ".wave": WAVE, ".aiff": AIFF, ".aif": AIFF,
    ".aifc": AIFF, ".wv": WavPack, ".ape": MonkeysAudio, ".dsf": DSF, ".dff": DSDIFF,
    ".tta": TrueAudio, ".tak": TAK, ".ofr": OptimFROG, ".ofs": OptimFROG,
}  # fmt: skip


def open_audio(
    descriptor: int, size_bytes: int, path: str | bytes, suffix: str, ends: Ends | None = None
) -> Opened:
    """Read a file that is open at its beginning.

    Raises whatever mutagen or a damaged file makes it raise: `in_words` tells it.

    Args:
        descriptor: of the file.
        size_bytes: its size.
        path: its name, which mutagen looks at too.
        suffix: the name's ending, with the dot.
        ends: of the file, where somebody has read them.
    """
    opened = open_quickly(descriptor, size_bytes, suffix, ends)
    if opened is None:
        with open(path, "rb", opener=lambda *_: os.dup(descriptor)) as file:
            opened = open_with_mutagen(file, suffix)
    return opened


def open_quickly(
    descriptor: int, size_bytes: int, suffix: str, ends: Ends | None = None
) -> Opened | None:
    """The same by the quick readers alone; None where they leave it to mutagen."""
    found = quick.read(descriptor, size_bytes, suffix, ends)
    if found is None:
        return None
    container = _CONTAINERS[_BY_SUFFIX[suffix]]
    return Opened(
        raw=container.raw_tags(found.tags),
        audio=_audio(found.info, container, size_bytes),
        pictures=list(container.pictures(found)),
    )


def open_with_mutagen(file: BinaryIO, suffix: str) -> Opened:
    """The same by mutagen alone: what the quick readers are held to."""
    opened = _open(file, suffix)
    container = _CONTAINERS[type(opened)]
    raw = container.raw_tags(opened.tags)
    pictures = list(container.pictures(opened))
    for more, images in _further_tags(file, opened):
        is_better = isinstance(opened.tags, ID3) and opened.tags.version < (2,)  # cut at 30 letters
        raw = {**raw, **more} if is_better else {**more, **raw}
        pictures += images
    return Opened(
        raw=raw, audio=_audio(opened.info, container, file.seek(0, SEEK_END)), pictures=pictures
    )


def _open(file: BinaryIO, suffix: str) -> Any:
    """By the name's ending; where that fails, by what the file begins with."""
    kind = _BY_SUFFIX.get(suffix)
    told: Exception = mutagen.MutagenError("nothing in it is known")
    if kind is not None:
        try:
            if kind is AC3:
                file.seek(_id3_size_bytes(file))  # mutagen looks for its first frame here
            return kind(file)
        except mutagen.MutagenError as error:
            told = error
    file.seek(0)
    try:
        opened = mutagen.File(file, options=[one for one in _CONTAINERS if one is not kind])
    except mutagen.MutagenError:
        opened = None
    if opened is None or opened.info is None:
        raise told
    return opened


def _id3_size_bytes(file: BinaryIO) -> int:
    """Length of the ID3v2 tag at the file's beginning, whose size has seven bits a byte."""
    head = file.read(10)
    if len(head) < 10 or not head.startswith(b"ID3"):
        return 0
    return 10 + sum(
        (byte & 0x7F) << shift for byte, shift in zip(head[6:], (21, 14, 7, 0), strict=True)
    )


_STREAMS = (MP3, AAC, AC3, TrueAudio, FLAC, MonkeysAudio, WavPack, Musepack, OptimFROG, TAK)
"""Kinds that may have an ID3 or APEv2 tag around the sound, whatever their own kind of tag is."""
_LONGEST_END_BYTES = 32 + 128  # the footer of an APEv2 tag, and an ID3v1 tag after it


def _further_tags(file: BinaryIO, opened: Any) -> Iterator[tuple[RawTags, list[Picture]]]:
    """What is kept beside the container's own tag; a damaged one is passed over."""
    readers: list[Callable[[], tuple[RawTags, list[Picture]]]] = []
    if isinstance(opened, WAVE):
        readers.append(lambda: (chunks.info(file), []))
    elif isinstance(opened, AIFF):
        readers.append(lambda: (chunks.texts(file), []))
    elif isinstance(opened, _STREAMS):
        file.seek(0)
        head = file.read(8)
        file.seek(-min(_LONGEST_END_BYTES, file.seek(0, SEEK_END)), SEEK_END)
        end = file.read()
        if (b"APETAGEX" in end or b"LYRICS200" in end or head == b"APETAGEX") and not isinstance(
            opened.tags, APEv2
        ):
            readers.append(lambda: _separate(APEv2, file, ape))
        if (head.startswith(b"ID3") or end[-128:-125] == b"TAG") and not isinstance(
            opened.tags, ID3
        ):
            readers.append(lambda: _separate(ID3, file, id3))
    for read in readers:
        try:
            yield read()
        except Exception as error:  # a damaged tag raises all kinds
            if _is_of_disk(error):
                raise


def _separate(kind: type, file: BinaryIO, names: Any) -> tuple[RawTags, list[Picture]]:
    file.seek(0)
    tags = kind(file)
    return names.raw_tags(tags), list(names.pictures(SimpleNamespace(tags=tags)))


def _is_of_disk(error: Exception) -> bool:
    return any(isinstance(one, OSError) and one.errno is not None for one in (error, *error.args))


# Some of mutagen's errors begin with the file's whole path, as Python writes bytes.
_ITS_NAME = re.compile(r"""^b(?:'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*") """)


def in_words(error: Exception, suffix: str) -> str:
    """What is wrong with a file, from the error that reading it raised."""
    kind = suffix.lstrip(".").upper() or "audio"
    if isinstance(error, HeaderNotFoundError):
        return f"is no {kind} file: no MPEG frame was found in it"
    if isinstance(error, MemoryError):
        return "has tags that need more memory than a reader may use"
    told = _ITS_NAME.sub("", str(error)).strip("'\"")[:300]
    if isinstance(error, mutagen.MutagenError):
        return f"is no {kind} file, or damaged" + (f": {told}" if told else "")
    return f"is a damaged {kind} file: {type(error).__name__}: {told}"


def _audio(info: Any, container: _Container, size_bytes: int) -> AudioProperties:
    codec = _codec(info, container)
    duration_s = float(_number(info, "length", MOST_DURATION_S) or 0)
    return AudioProperties(
        container=container.name,
        codec=codec,
        duration_s=duration_s,
        bitrate_bps=_whole(info, "bitrate") or _average_bitrate(size_bytes, duration_s),
        # Opus is always decoded at 48 kHz.
        sample_rate_hz=48_000 if codec == "opus" else _whole(info, "sample_rate"),
        channels=_whole(info, "channels", 32_767),
        # What MP4 says of a lossy codec means nothing.
        bit_depth=None if codec == "aac" else _whole(info, "bits_per_sample", 32_767),
    )


def _average_bitrate(size_bytes: int, duration_s: float) -> int | None:
    rate = round(size_bytes * 8 / duration_s) if duration_s > 0 else 0
    return rate if 0 < rate < 2**31 else None


def _codec(info: Any, container: _Container) -> str:
    told = str(getattr(info, "codec", "") or "")
    if container.name == "mp3":
        return f"mp{getattr(info, 'layer', 3)}"
    if container.name == "mp4":
        return "aac" if told.startswith("mp4a.40") else told.partition(".")[0] or container.codec
    return container.codec


def _number(info: Any, name: str, most: float) -> float | None:
    value = getattr(info, name, None)
    return value if isinstance(value, int | float) and 0 <= value <= most else None


def _whole(info: Any, name: str, most: int = 2**31 - 1) -> int | None:
    value = _number(info, name, most)
    return None if value is None else round(value) or None
