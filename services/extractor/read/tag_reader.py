"""Reads a file's tags, audio properties and images: by a parser of our own, or by mutagen."""

import os
import struct
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

from mutagen.flac import FLAC
from mutagen.mp3 import HeaderNotFoundError
from mutagen.mp4 import MP4
from mutagen.wavpack import WavPack

from services.extractor.read.chapters import mp4_chapters
from services.extractor.read.containers import aiff, matroska, repairs, wave
from services.extractor.read.containers.chunks import Malformed
from services.extractor.read.fast import flac as fast_flac
from services.extractor.read.fast import mp3 as fast_mp3
from services.extractor.read.fast import mp4 as fast_mp4
from services.extractor.read.fast import ogg as fast_ogg
from services.extractor.read.fast.parsed_file import ParsedFile, Unsupported
from services.extractor.read.file_bytes import FileBytes
from services.extractor.read.metadata import Metadata, audio_properties
from services.extractor.read.mutagen_files import (
    BY_SUFFIX,
    CONTAINERS,
    add_tags_around,
    metadata_of,
    read_wavpack,
    read_with_mutagen,
)
from services.extractor.read.signatures import AIFF, MATROSKA, WAVE, Kind, kind_of
from services.extractor.read.sound.bounds import after_id3v2
from services.extractor.read.sound.corrections import corrected
from services.extractor.read.sound.mp4_samples import movie_of
from services.extractor.tags.containers import mp4
from services.extractor.tags.containers.stream_gains import add_gains

_FAST_PARSERS: dict[str, Callable[[FileBytes], ParsedFile]] = {
    ".mp3": fast_mp3.parse, ".mp2": fast_mp3.parse, ".flac": fast_flac.parse,
    ".ogg": fast_ogg.parse_vorbis, ".oga": fast_ogg.parse_vorbis, ".opus": fast_ogg.parse_opus,
    ".m4a": fast_mp4.parse, ".m4b": fast_mp4.parse, ".m4p": fast_mp4.parse,
    ".m4r": fast_mp4.parse, ".mp4": fast_mp4.parse,
}  # fmt: skip
_OWN_PARSERS: dict[Kind, Callable[[FileBytes, int], Metadata]] = {
    WAVE: wave.parse, AIFF: aiff.parse, MATROSKA: matroska.parse,
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
            metadata = _read_slowly(file, opened, suffix)
        if metadata.audio.container == "mp4":
            _add_odd_texts(file, metadata)
            metadata.chapters = mp4_chapters(file, after_id3v2(file))
    if metadata.is_guess:
        metadata.audio = corrected(file, metadata.audio)
    return metadata


def read_fast(file: FileBytes, suffix: str) -> Metadata | None:
    """The same by a fast parser alone; None where the file is left to mutagen."""
    parse = _FAST_PARSERS.get(suffix)
    if parse is None:
        return None
    try:
        parsed = parse(file)
    except _NOT_PARSED:
        return None
    container = CONTAINERS[BY_SUFFIX[suffix]]
    raw = container.raw_tags(parsed.tags)
    if parsed.info.track_gain is not None:
        add_gains(raw, parsed.info)
    return Metadata(
        raw=raw,
        audio=audio_properties(parsed.info, container, file.size),
        pictures=list(container.pictures(parsed)),
        is_guess=parsed.info.is_guess,
        chapters=mp4_chapters(file, 0) if parsed.has_chapters else (),
    )


def _read_slowly(file: FileBytes, opened: BinaryIO, suffix: str) -> Metadata:
    """The same by a parser for what the file begins with, whatever its name says, or by mutagen."""
    start = after_id3v2(file)
    kind = kind_of(file, start)
    if kind is not None and kind in _OWN_PARSERS:
        metadata = _OWN_PARSERS[kind](file, start)
        add_tags_around(metadata, opened, kind, start)
        return metadata
    if kind is WavPack:
        return read_wavpack(file, opened, start)
    if kind is MP4 and (movie := repairs.repaired_mp4(file, start)) is not None:
        return metadata_of(MP4(movie), opened, start)
    try:
        return read_with_mutagen(opened, suffix, kind, start)
    except Exception:
        content = repairs.repaired_flac(file, start) if kind is FLAC else None
        if content is None:
            raise
    return metadata_of(FLAC(content), opened, start)


def _add_odd_texts(file: FileBytes, metadata: Metadata) -> None:
    """Add the texts that mutagen drops from an MP4, as they are no UTF-8."""
    try:
        tags = fast_mp4.parse_tags(file)
    except _NOT_PARSED:
        return
    metadata.raw = {**mp4.raw_tags(tags), **metadata.raw}


_CONTRADICTS = "its headers end early, or contradict each other"


def describe_error(error: Exception, file: FileBytes, suffix: str) -> str:
    """What is wrong with a file, in words of our own: mutagen's are for programmers.

    Args:
        error: that reading it raised.
        file: the bytes of it.
        suffix: its name's ending.
    """
    kind = suffix.lstrip(".").upper() or "audio"
    if isinstance(error, HeaderNotFoundError):
        return f"is no {kind} file: no MPEG frame was found in it"
    if isinstance(error, MemoryError):
        return "has tags that need more memory than a reader may use"
    if isinstance(error, Malformed):
        return f"is no {kind} file, or damaged: {error}"
    start = after_id3v2(file)
    found = kind_of(file, start)
    if found is None:
        return f"is no {kind} file, or damaged: it does not begin as one does"
    if found is MP4 and not movie_of(file, start)[0]:
        return f"is a damaged {kind} file: its index (`moov`) is missing, as if it was cut off"
    return f"is a damaged {kind} file: {_CONTRADICTS}"
