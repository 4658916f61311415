"""Reads files with mutagen: by what they begin with, else by their name's ending.

The only module that opens files with mutagen; the chunks of WAV and AIFF hold ID3 tags that
`containers` reads with it, and the fast parsers take the list of ID3's genres from it.
"""

import errno
import os
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any, BinaryIO

import mutagen
from mutagen.aac import AAC
from mutagen.ac3 import AC3
from mutagen.apev2 import APEBadItemError, APENoHeaderError, APEv2
from mutagen.asf import ASF
from mutagen.dsdiff import DSDIFF
from mutagen.dsf import DSF
from mutagen.flac import FLAC
from mutagen.id3 import ID3
from mutagen.monkeysaudio import MonkeysAudio
from mutagen.mp3 import MP3
from mutagen.mp4 import MP4
from mutagen.musepack import Musepack
from mutagen.oggflac import OggFLAC
from mutagen.oggopus import OggOpus
from mutagen.oggspeex import OggSpeex
from mutagen.oggvorbis import OggVorbis
from mutagen.optimfrog import OptimFROG
from mutagen.tak import TAK
from mutagen.trueaudio import TrueAudio
from mutagen.wavpack import WavPack

from services.extractor.cue.sheet import sheet_of_block
from services.extractor.read.chapters import id3_chapters
from services.extractor.read.containers.wavpack import read_info
from services.extractor.read.file_bytes import FileBytes
from services.extractor.read.id3_versions import load_with_id3
from services.extractor.read.metadata import Container, Metadata, audio_properties
from services.extractor.read.signatures import AIFF, MATROSKA, WAVE, Kind
from services.extractor.read.text_repairs import (
    ape_repeated_texts,
    ape_with_utf8_texts,
    asf_with_utf16_texts,
)
from services.extractor.tags.containers import ape, asf, id3, mp4, vorbis
from services.extractor.tags.containers.stream_gains import add_gains
from services.extractor.tags.model import Picture
from services.extractor.tags.raw_tags import RawTags

CONTAINERS: dict[Kind, Container] = {
    MP3: Container("mp3", "mp3", id3.raw_tags, id3.pictures),
    AAC: Container("aac", "aac", id3.raw_tags, id3.pictures),
    AC3: Container("ac3", "ac3", id3.raw_tags, id3.pictures),
    DSF: Container("dsf", "dsd", id3.raw_tags, id3.pictures),
    DSDIFF: Container("dff", "dsd", id3.raw_tags, id3.pictures),
    TrueAudio: Container("tta", "tta", id3.raw_tags, id3.pictures),
    FLAC: Container("flac", "flac", vorbis.raw_tags, vorbis.pictures),
    OggFLAC: Container("ogg", "flac", vorbis.raw_tags, vorbis.pictures),
    OggVorbis: Container("ogg", "vorbis", vorbis.raw_tags, vorbis.pictures),
    OggOpus: Container("ogg", "opus", vorbis.raw_tags, vorbis.pictures),
    OggSpeex: Container("ogg", "speex", vorbis.raw_tags, vorbis.pictures),
    MP4: Container("mp4", "aac", mp4.raw_tags, mp4.pictures),
    MonkeysAudio: Container("ape", "ape", ape.raw_tags, ape.pictures),
    WavPack: Container("wv", "wavpack", ape.raw_tags, ape.pictures),
    Musepack: Container("mpc", "musepack", ape.raw_tags, ape.pictures),
    OptimFROG: Container("ofr", "optimfrog", ape.raw_tags, ape.pictures),
    TAK: Container("tak", "tak", ape.raw_tags, ape.pictures),
    ASF: Container("asf", "wma", asf.raw_tags, asf.pictures),
}
BY_SUFFIX: dict[str, Kind] = {
    ".mp3": MP3, ".mp2": MP3, ".mp+": Musepack, ".mpc": Musepack, ".flac": FLAC, ".ogg": OggVorbis,
    ".oga": OggVorbis, ".opus": OggOpus, ".spx": OggSpeex, ".m4a": MP4, ".m4b": MP4, ".m4p": MP4,
    ".m4r": MP4, ".mp4": MP4, ".aac": AAC, ".adts": AAC, ".ac3": AC3, ".eac3": AC3, ".ec3": AC3,
    ".wma": ASF, ".asf": ASF, ".wav": WAVE, ".wave": WAVE, ".aiff": AIFF, ".aif": AIFF,
    ".aifc": AIFF, ".wv": WavPack, ".ape": MonkeysAudio, ".dsf": DSF, ".dff": DSDIFF,
    ".tta": TrueAudio, ".tak": TAK, ".ofr": OptimFROG, ".ofs": OptimFROG, ".mka": MATROSKA,
    ".weba": MATROSKA, ".webm": MATROSKA,
}  # fmt: skip
_WITH_ID3: frozenset[Kind] = frozenset((MP3, TrueAudio, DSF, DSDIFF, ID3))
"""What mutagen reads ID3 tags with."""
_BEHIND_ID3: frozenset[Kind] = frozenset((MP3, AAC, FLAC))
"""Kinds that mutagen finds behind ID3v2 tags by itself, also behind several."""
_AROUND: frozenset[Kind] = frozenset(
    (MP3, AAC, AC3, TrueAudio, FLAC, MonkeysAudio, WavPack, Musepack, OptimFROG, TAK, WAVE, AIFF)
)
"""Kinds that may have an ID3 or APEv2 tag around the sound, whatever their own kind of tag is."""
_TAIL_BYTES = 32 + 128  # the footer of an APEv2 tag, and an ID3v1 tag after it


class _Behind:
    """A file from an offset on: what lies before it is not seen."""

    def __init__(self, file: BinaryIO, start: int) -> None:
        self._file, self._start = file, start
        file.seek(start)

    def read(self, size: int = -1) -> bytes:
        return self._file.read(size)

    def tell(self) -> int:
        return self._file.tell() - self._start

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        start = self._start if whence == os.SEEK_SET else 0
        return self._file.seek(offset + start, whence) - self._start


def read_with_mutagen(
    file: BinaryIO, suffix: str, kind: Kind | None = None, start: int = 0
) -> Metadata:
    """Read a file by mutagen alone: the tests compare the fast parsers with it.

    Raises whatever mutagen raises, for a damaged file any error.

    Args:
        file: the file, at any position.
        suffix: its name's ending, which counts where `kind` is None, or wrong.
        kind: by its first bytes.
        start: of what begins with these, behind an ID3v2 tag.
    """
    return metadata_of(_open(file, suffix, kind, start), file, start)


def metadata_of(opened: Any, file: BinaryIO, start: int) -> Metadata:
    """The metadata of an object of mutagen, and of the tags around the sound."""
    container = CONTAINERS[type(opened)]
    audio = audio_properties(opened.info, container, file.seek(0, os.SEEK_END))
    raw, pictures = container.raw_tags(opened.tags), list(container.pictures(opened))
    # ID3v1 cuts texts at 30 characters: any other tag is better than it.
    is_poor = isinstance(opened.tags, ID3) and opened.tags.version < (2,)
    metadata = Metadata(raw, audio, pictures)
    add_tags_around(metadata, file, type(opened), start, type(opened.tags), is_poor=is_poor)
    add_gains(metadata.raw, opened.info)
    if isinstance(opened.tags, ID3):
        metadata.chapters = id3_chapters(opened.tags)
    if isinstance(opened, FLAC) and opened.cuesheet is not None:
        metadata.sheet = sheet_of_block(opened.cuesheet, opened.info.sample_rate)
    return metadata


def read_wavpack(sound: FileBytes, file: BinaryIO, start: int) -> Metadata:
    """WavPack, whose blocks tell more than mutagen asks for."""
    info = read_info(sound, start)
    try:
        tags: Any = _load(APEv2, _Behind(file, start))
    except APENoHeaderError:
        tags = None
    container = CONTAINERS[WavPack]
    metadata = Metadata(
        container.raw_tags(tags),
        audio_properties(info, container, sound.size),
        list(container.pictures(SimpleNamespace(tags=tags))),
    )
    add_tags_around(metadata, file, WavPack, start, type(tags))
    return metadata


def _open(file: BinaryIO, suffix: str, kind: Kind | None, start: int) -> Any:
    """By its first bytes, then by the name's ending; where that fails, mutagen looks for itself."""
    first_error: Exception = mutagen.MutagenError("its format is unknown")
    by_suffix = BY_SUFFIX.get(suffix)
    for wanted in dict.fromkeys((kind, by_suffix)):
        if not isinstance(wanted, type):
            continue
        try:
            file.seek(0)
            is_behind = start and wanted not in _BEHIND_ID3
            return _load(wanted, _Behind(file, start) if is_behind else file)
        except mutagen.MutagenError as error:
            first_error = error
    file.seek(0)
    try:
        others = [one for one in CONTAINERS if one is not by_suffix]
        opened = mutagen.File(file, options=others)
    except mutagen.MutagenError:
        opened = None
    if opened is None or opened.info is None:
        raise first_error
    return opened


def _load(kind: type, file: Any) -> Any:
    """An object of mutagen: with ID3 of version 2.4, and the texts that mutagen drops."""
    if kind in _WITH_ID3:
        return load_with_id3(kind, file)
    try:
        loaded = kind(file)
    except (mutagen.MutagenError, UnicodeDecodeError) as error:
        repaired = None
        if isinstance(error, APEBadItemError):
            repaired = ape_with_utf8_texts(file)
        elif kind is ASF:
            repaired = asf_with_utf16_texts(file)
        if repaired is None:
            raise
        loaded = kind(repaired)
    tags = loaded if kind is APEv2 else getattr(loaded, "tags", None)
    if isinstance(tags, APEv2):
        for key, values in ape_repeated_texts(file).items():
            tags[key] = values
    return loaded


def add_tags_around(
    metadata: Metadata,
    file: BinaryIO,
    kind: Kind,
    start: int,
    own: Kind | None = None,
    *,
    is_poor: bool = False,
) -> None:
    """Add the tags before and behind the sound; a damaged one is passed over.

    Args:
        metadata: what the container's own tags say, which is better.
        file: the file.
        kind: of the file.
        start: of the sound, behind an ID3v2 tag.
        own: the kind of the container's own tags.
        is_poor: whether those are worse than all others.
    """
    for more, images in _tags_around(file, kind, start, own):
        raw = metadata.raw
        metadata.raw = {**raw, **more} if is_poor else {**more, **raw}
        metadata.pictures += images


def _tags_around(
    file: BinaryIO, kind: Kind, start: int, own: Kind | None
) -> Iterator[tuple[RawTags, list[Picture]]]:
    readers: list[Callable[[], tuple[RawTags, list[Picture]]]] = []
    head = tail = b""
    if kind in _AROUND:
        file.seek(0)
        head = file.read(8)
        file.seek(-min(_TAIL_BYTES, file.seek(0, os.SEEK_END)), os.SEEK_END)
        tail = file.read()
        has_ape = b"APETAGEX" in tail or b"LYRICS200" in tail or head == b"APETAGEX"
        if has_ape and own is not APEv2:
            readers.append(lambda: _read_tag(APEv2, file, ape))
    has_id3 = start or head.startswith(b"ID3") or tail[-128:-125] == b"TAG"
    if has_id3 and not (isinstance(own, type) and issubclass(own, ID3)):
        readers.append(lambda: _read_tag(ID3, file, id3))
    for read in readers:
        try:
            yield read()
        except Exception as error:  # a damaged tag raises all kinds
            if disk_error(error) is not None:
                raise


def _read_tag(kind: type, file: BinaryIO, mapping: Any) -> tuple[RawTags, list[Picture]]:
    file.seek(0)
    tags = _load(kind, file)
    return mapping.raw_tags(tags), list(mapping.pictures(SimpleNamespace(tags=tags)))


def disk_error(error: Exception) -> OSError | None:
    """The disk's error that a library wrapped in this one; None where the disk is not the cause."""
    for cause in (error, *error.args):
        # EINVAL: a damaged header led to a place before the file's beginning.
        if isinstance(cause, OSError) and cause.errno not in {None, errno.EINVAL}:
            return cause
    return None
