"""Reads a file's tags, audio properties and images: by a fast parser, or with mutagen.

The only module that calls mutagen; the fast parsers take the list of ID3's genres from it.
"""

import os
import re
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from os import SEEK_END
from pathlib import Path
from types import SimpleNamespace
from typing import Any, BinaryIO

import mutagen
from mutagen.aac import AAC
from mutagen.ac3 import AC3
from mutagen.aiff import AIFF
from mutagen.apev2 import APEBadItemError, APEv2
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

from services.extractor.read.ape_texts import with_utf8_texts
from services.extractor.read.fast import flac as fast_flac
from services.extractor.read.fast import mp3 as fast_mp3
from services.extractor.read.fast import mp4 as fast_mp4
from services.extractor.read.fast import ogg as fast_ogg
from services.extractor.read.fast.parsed_file import ParsedFile, Unsupported
from services.extractor.read.file_bytes import FileBytes
from services.extractor.read.id3_versions import AS_WRITTEN, update_to_v24
from services.extractor.tags.containers import ape, asf, chunks, id3, mp4, vorbis
from services.extractor.tags.containers.stream_gains import add_gains
from services.extractor.tags.model import AudioProperties, Picture
from services.extractor.tags.raw_tags import RawTags

_LONGEST_DURATION_S = 1e9


@dataclass(slots=True)
class Metadata:
    """The raw tags, audio properties and embedded images of a file."""

    raw: RawTags
    audio: AudioProperties
    pictures: list[Picture]


@dataclass(frozen=True, slots=True)
class _Container:
    """A container's name, its usual codec, and how its tags and images are read."""

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
_WITH_ID3 = frozenset((MP3, TrueAudio, AIFF, WAVE, DSF, DSDIFF))
_BY_SUFFIX: dict[str, type] = {
    ".mp3": MP3, ".mp2": MP3, ".mp+": Musepack, ".mpc": Musepack, ".flac": FLAC, ".ogg": OggVorbis,
    ".oga": OggVorbis, ".opus": OggOpus, ".spx": OggSpeex, ".m4a": MP4, ".m4b": MP4, ".m4p": MP4,
    ".m4r": MP4, ".mp4": MP4, ".aac": AAC, ".adts": AAC, ".ac3": AC3, ".eac3": AC3, ".ec3": AC3,
    ".wma": ASF, ".asf": ASF, ".wav": WAVE, ".wave": WAVE, ".aiff": AIFF, ".aif": AIFF,
    ".aifc": AIFF, ".wv": WavPack, ".ape": MonkeysAudio, ".dsf": DSF, ".dff": DSDIFF,
    ".tta": TrueAudio, ".tak": TAK, ".ofr": OptimFROG, ".ofs": OptimFROG,
}  # fmt: skip
_FAST_PARSERS: dict[str, Callable[[FileBytes], ParsedFile]] = {
    ".mp3": fast_mp3.parse, ".mp2": fast_mp3.parse, ".flac": fast_flac.parse,
    ".ogg": fast_ogg.parse_vorbis, ".oga": fast_ogg.parse_vorbis, ".opus": fast_ogg.parse_opus,
    ".m4a": fast_mp4.parse, ".m4b": fast_mp4.parse, ".m4p": fast_mp4.parse,
    ".m4r": fast_mp4.parse, ".mp4": fast_mp4.parse,
}  # fmt: skip
# Damaged files raise all of these in a fast parser: mutagen decides what it makes of them.
_NOT_PARSED = (
    Unsupported, OSError, MemoryError, EOFError, ValueError, LookupError, OverflowError,
    struct.error,
)  # fmt: skip


def read_metadata(file: FileBytes, path: str | Path | bytes, suffix: str) -> Metadata:
    """Read a file that is open at its beginning.

    Raises whatever mutagen raises, for a damaged file any error: `describe_error` puts it in words.

    Args:
        file: the bytes of it.
        path: its name, which mutagen looks at too.
        suffix: the name's ending, with the dot.
    """
    metadata = read_fast(file, suffix)
    if metadata is None:
        with open(path, "rb", opener=lambda *_: os.dup(file.descriptor)) as opened:
            metadata = read_with_mutagen(opened, suffix)
        if metadata.audio.container == "mp4":
            _add_odd_texts(file, metadata)
    return metadata


def _add_odd_texts(file: FileBytes, metadata: Metadata) -> None:
    """Add the texts that mutagen drops from an MP4, as they are no UTF-8."""
    try:
        tags = fast_mp4.parse_tags(file)
    except _NOT_PARSED:
        return
    metadata.raw = {**mp4.raw_tags(tags), **metadata.raw}


def read_fast(file: FileBytes, suffix: str) -> Metadata | None:
    """The same by a fast parser alone; None where the file is left to mutagen."""
    parse = _FAST_PARSERS.get(suffix)
    if parse is None:
        return None
    try:
        parsed = parse(file)
    except _NOT_PARSED:
        return None
    container = _CONTAINERS[_BY_SUFFIX[suffix]]
    raw = container.raw_tags(parsed.tags)
    if parsed.info.track_gain is not None:
        add_gains(raw, parsed.info)
    return Metadata(
        raw=raw,
        audio=_audio_properties(parsed.info, container, file.size),
        pictures=list(container.pictures(parsed)),
    )


def read_with_mutagen(file: BinaryIO, suffix: str) -> Metadata:
    """The same by mutagen alone: the tests compare the fast parsers with it."""
    opened = _open(file, suffix)
    container = _CONTAINERS[type(opened)]
    raw = container.raw_tags(opened.tags)
    pictures = list(container.pictures(opened))
    for more, images in _secondary_tags(file, opened):
        # ID3v1 cuts texts at 30 characters: any other tag is better than it.
        is_better = isinstance(opened.tags, ID3) and opened.tags.version < (2,)
        raw = {**raw, **more} if is_better else {**more, **raw}
        pictures += images
    add_gains(raw, opened.info)
    audio = _audio_properties(opened.info, container, file.seek(0, SEEK_END))
    return Metadata(raw, audio, pictures)


def _open(file: BinaryIO, suffix: str) -> Any:
    """By the name's ending; where that fails, by what the file begins with."""
    kind = _BY_SUFFIX.get(suffix)
    first_error: Exception = mutagen.MutagenError("its format is unknown")
    if kind is not None:
        try:
            if kind is AC3:
                file.seek(_id3_size_bytes(file))  # mutagen expects AC-3's first frame here
            opened = kind(file, **(AS_WRITTEN if kind in _WITH_ID3 else {}))
        except APEBadItemError as error:
            first_error = error
            if (repaired := with_utf8_texts(file)) is not None:
                return kind(repaired)
        except mutagen.MutagenError as error:
            first_error = error
        else:
            update_to_v24(opened.tags)
            return opened
    file.seek(0)
    try:
        opened = mutagen.File(file, options=[one for one in _CONTAINERS if one is not kind])
    except mutagen.MutagenError:
        opened = None
    if opened is None or opened.info is None:
        raise first_error
    return opened


def _id3_size_bytes(file: BinaryIO) -> int:
    """Length of the ID3v2 tag at the file's beginning, whose size has seven bits a byte."""
    header = file.read(10)
    if len(header) < 10 or not header.startswith(b"ID3"):
        return 0
    return 10 + sum(
        (byte & 0x7F) << shift for byte, shift in zip(header[6:], (21, 14, 7, 0), strict=True)
    )


_STREAMS = (MP3, AAC, AC3, TrueAudio, FLAC, MonkeysAudio, WavPack, Musepack, OptimFROG, TAK)
"""Kinds that may have an ID3 or APEv2 tag around the sound, whatever their own kind of tag is."""
_TAIL_BYTES = 32 + 128  # the footer of an APEv2 tag, and an ID3v1 tag after it


def _secondary_tags(file: BinaryIO, opened: Any) -> Iterator[tuple[RawTags, list[Picture]]]:
    """The tags beside the container's own; a damaged one is passed over."""
    readers: list[Callable[[], tuple[RawTags, list[Picture]]]] = []
    if isinstance(opened, WAVE):
        readers.append(lambda: (chunks.info(file), []))
    elif isinstance(opened, AIFF):
        readers.append(lambda: (chunks.texts(file), []))
    elif isinstance(opened, _STREAMS):
        file.seek(0)
        head = file.read(8)
        file.seek(-min(_TAIL_BYTES, file.seek(0, SEEK_END)), SEEK_END)
        tail = file.read()
        if (b"APETAGEX" in tail or b"LYRICS200" in tail or head == b"APETAGEX") and not isinstance(
            opened.tags, APEv2
        ):
            readers.append(lambda: _read_tag(APEv2, file, ape))
        if (head.startswith(b"ID3") or tail[-128:-125] == b"TAG") and not isinstance(
            opened.tags, ID3
        ):
            readers.append(lambda: _read_tag(ID3, file, id3))
    for read in readers:
        try:
            yield read()
        except Exception as error:  # a damaged tag raises all kinds
            if disk_error(error) is not None:
                raise


def _read_tag(kind: type, file: BinaryIO, mapping: Any) -> tuple[RawTags, list[Picture]]:
    file.seek(0)
    try:
        tags = kind(file, **(AS_WRITTEN if kind is ID3 else {}))
    except APEBadItemError:
        repaired = with_utf8_texts(file)
        if repaired is None:
            raise
        tags = kind(repaired)
    update_to_v24(tags)
    return mapping.raw_tags(tags), list(mapping.pictures(SimpleNamespace(tags=tags)))


def disk_error(error: Exception) -> OSError | None:
    """The disk's error that a library wrapped in this one; None where the disk is not the cause."""
    for cause in (error, *error.args):
        if isinstance(cause, OSError) and cause.errno is not None:
            return cause
    return None


# Some of mutagen's messages quote the file's path, its bytes or Python objects: nobody is helped.
_QUOTES_PYTHON = re.compile(r"""b['"]|<|\\x|\b0x|\bcodec\b""")


def describe_error(error: Exception, suffix: str) -> str:
    """What is wrong with a file, from the error that reading it raised."""
    kind = suffix.lstrip(".").upper() or "audio"
    if isinstance(error, HeaderNotFoundError):
        return f"is no {kind} file: no MPEG frame was found in it"
    if isinstance(error, MemoryError):
        return "has tags that need more memory than a reader may use"
    if not isinstance(error, mutagen.MutagenError):
        return f"is a damaged {kind} file"
    reason = str(error).strip('"')[:300]
    is_plain = reason and _QUOTES_PYTHON.search(reason) is None
    return f"is no {kind} file, or damaged" + (f": {reason}" if is_plain else "")


def _audio_properties(info: Any, container: _Container, size_bytes: int) -> AudioProperties:
    codec = _codec(info, container)
    duration_s = float(_number(info, "length", _LONGEST_DURATION_S) or 0)
    return AudioProperties(
        container=container.name,
        codec=codec,
        duration_s=duration_s,
        bitrate_bps=_integer(info, "bitrate") or _average_bitrate(size_bytes, duration_s),
        # RFC 7845, section 5.1: Opus is decoded at 48 kHz, whatever the input's rate was.
        sample_rate_hz=48_000 if codec == "opus" else _integer(info, "sample_rate"),
        channels=_integer(info, "channels", 32_767),
        # MP4 has a bit depth for lossy codecs too, but it means nothing.
        bit_depth=None if codec == "aac" else _integer(info, "bits_per_sample", 32_767),
    )


def _average_bitrate(size_bytes: int, duration_s: float) -> int | None:
    bitrate = round(size_bytes * 8 / duration_s) if duration_s > 0 else 0
    return bitrate if 0 < bitrate < 2**31 else None


def _codec(info: Any, container: _Container) -> str:
    if container.name == "mp3":
        return f"mp{getattr(info, 'layer', 3)}"
    if container.name == "mp4":
        name = str(getattr(info, "codec", "") or "")
        return "aac" if name.startswith("mp4a.40") else name.partition(".")[0] or container.codec
    return container.codec


def _number(info: Any, name: str, highest: float) -> float | None:
    value = getattr(info, name, None)
    return value if isinstance(value, int | float) and 0 <= value <= highest else None


def _integer(info: Any, name: str, highest: int = 2**31 - 1) -> int | None:
    """A number of `info`, rounded; None where it is missing, 0 or absurd."""
    value = _number(info, name, highest)
    return None if value is None else round(value) or None
