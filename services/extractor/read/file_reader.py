"""Reads one music file: its tags, cover and content hash, and its parts by a cue sheet."""

import errno
import os
import stat
from collections.abc import Sequence
from dataclasses import dataclass, replace

from services.extractor.covers.images import Image, embedded_cover
from services.extractor.cue.choice import Choice, apply_sheets
from services.extractor.cue.parts import Part
from services.extractor.cue.sidecars import SheetOfFile
from services.extractor.paths import suffix_of
from services.extractor.read.chapters import chapters_of, take_comment_chapters
from services.extractor.read.content_hash import LongSound, hash_content
from services.extractor.read.file_bytes import FileBytes
from services.extractor.read.mutagen_files import disk_error
from services.extractor.read.tag_reader import describe_error, read_metadata
from services.extractor.tags.lyrics import LARGEST_SIDECAR_BYTES, SIDECAR_SUFFIXES
from services.extractor.tags.mapping import map_tags
from services.extractor.tags.model import (
    AudioProperties,
    Tags,
)
from services.extractor.tags.raw_tags import RawTags
from services.extractor.tags.rules import DEFAULT_RULES, Rules
from shared.contracts.errors import InvalidInput, TransientError
from shared.contracts.identity import encode_path


class UnreadableFile(InvalidInput):
    """The file is no music, or damaged: look at it, or replace it."""


@dataclass(slots=True)
class FileContents:
    """What one file holds, with its size and modification time at that moment.

    Attributes:
        tags: of the whole file.
        parts: the tracks in it by its cue sheet; none where it is one track.
        cue_problem: why a cue sheet of it was passed over.
        long_sound: the sound, where it is yet to be hashed as a whole: `content_hash` is None.
    """

    size_bytes: int
    mtime_ns: int
    tags: Tags
    cover: Image | None
    content_hash: str | None = None
    cover_problem: str | None = None
    parts: Sequence[tuple[Part, Tags]] = ()
    cue_problem: str | None = None
    long_sound: LongSound | None = None


def read_file(
    path: bytes, rules: Rules = DEFAULT_RULES, sheets: Sequence[SheetOfFile] = ()
) -> FileContents:
    """Read the tags, audio properties and embedded cover of a file.

    Args:
        path: on this host.
        rules: how credits and genres are split.
        sheets: the cue sheets beside the file that are of it, the best first.

    Raises:
        UnreadableFile: it is no music, damaged, not a regular file, or gone.
        TransientError: it could not be opened or read this time; the message says why.
    """
    try:
        _check_regular(os.stat(path))  # noqa: PTH116 - names are bytes
        # NONBLOCK: should it have become a FIFO meanwhile, opening it does not hang.
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
        try:
            return _read_open(descriptor, path, rules, sheets)
        finally:
            os.close(descriptor)
    except OSError as error:
        raise _error_of_system(error, path) from error


def _read_open(
    descriptor: int, path: bytes, rules: Rules, sheets: Sequence[SheetOfFile]
) -> FileContents:
    status = os.fstat(descriptor)
    _check_regular(status)
    if status.st_size == 0:
        raise UnreadableFile("is empty")
    file = FileBytes(descriptor, status.st_size)
    name = encode_path(os.path.basename(path))  # noqa: PTH119 - names are bytes
    suffix = suffix_of(name)
    try:
        metadata = read_metadata(file, path, suffix)
        choice = Choice(metadata.raw)
        if sheets or "cuesheet" in metadata.raw or metadata.sheet is not None:
            choice = apply_sheets(metadata, name, sheets, suffix)
        raw, audio = choice.raw, metadata.audio
        written = metadata.chapters or take_comment_chapters(raw)
        tags = map_tags(raw, audio, file_name=name, rules=rules, sidecar=_sidecar(path))
        if written:
            tags.chapters = chapters_of(written, audio.duration_s)
        parts = [(part, _part_tags(part, own, audio, name, rules)) for part, own in choice.parts]
        cover, problem = embedded_cover(metadata.pictures)
    except Exception as error:
        disk = disk_error(error)
        if disk is not None:
            raise disk from error
        raise UnreadableFile(describe_error(error, file, suffix)) from error
    found = hash_content(file)
    return FileContents(
        size_bytes=status.st_size,
        mtime_ns=status.st_mtime_ns,
        tags=tags,
        cover=cover,
        content_hash=None if isinstance(found, LongSound) else found,
        cover_problem=problem,
        parts=parts,
        cue_problem=choice.problem,
        long_sound=found if isinstance(found, LongSound) else None,
    )


def _part_tags(
    part: Part, raw: RawTags, audio: AudioProperties, file_name: str, rules: Rules
) -> Tags:
    end_s = max(audio.duration_s, part.start_s) if part.end_s is None else part.end_s
    audio = replace(audio, duration_s=end_s - part.start_s)
    return map_tags(raw, audio, file_name=file_name, rules=rules)


_KINDS = (
    (stat.S_ISFIFO, "a FIFO"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISBLK, "a block device"),
    (stat.S_ISCHR, "a character device"),
    (stat.S_ISDIR, "a folder"),
)


def _check_regular(status: os.stat_result) -> None:
    if not stat.S_ISREG(status.st_mode):
        kind = next((name for test, name in _KINDS if test(status.st_mode)), "something else")
        raise UnreadableFile(f"is {kind}, not a regular file")


_LASTING_ERRORS = frozenset((errno.ELOOP, errno.ENAMETOOLONG, errno.EINVAL))


def _error_of_system(error: OSError, path: bytes) -> Exception:
    if isinstance(error, FileNotFoundError | NotADirectoryError):
        if os.path.islink(path):  # noqa: PTH114 - names are bytes
            return UnreadableFile("is a link to a file that does not exist")
        return UnreadableFile("vanished before it could be read")
    reason = error.strerror or str(error)
    if error.errno in _LASTING_ERRORS:
        return UnreadableFile(f"cannot be read: {reason}")
    return TransientError(f"cannot be read: {reason}")


_SIDECAR_SUFFIXES = tuple(suffix.encode() for suffix in SIDECAR_SUFFIXES)


def _sidecar(path: bytes) -> bytes | None:
    """The content of the lyrics file of the same name; None where there is none."""
    stem = path.rpartition(b".")[0]
    flags = os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK
    for suffix in _SIDECAR_SUFFIXES:
        # Nearly always there is none, and an exception would take five times as long as this.
        if not os.access(stem + suffix, os.R_OK):
            continue
        try:
            descriptor = os.open(stem + suffix, flags)
        except OSError:
            continue
        try:
            if stat.S_ISREG(os.fstat(descriptor).st_mode):
                with open(descriptor, "rb", closefd=False) as file:
                    return file.read(LARGEST_SIDECAR_BYTES)
        except OSError:
            continue
        finally:
            os.close(descriptor)
    return None
