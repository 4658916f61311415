"""Reads music files: the jobs of the reader processes. Results are plain values.

Each reader process imports this module and all that it imports: the network's libraries and
pydantic stay out, they would cost every reader 10 MB and more.
"""

import errno
import gc
import os
import resource
import stat
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from services.extractor.covers.images import FolderImages, Image, embedded_cover, folder_images
from services.extractor.paths import suffix_of
from services.extractor.read.content_hash import LongSound, hash_content, hash_segment
from services.extractor.read.cpu_limit import (
    FILE_CPU_LIMIT_S,
    TookTooLong,
    limited_cpu,
    prepare_limit,
)
from services.extractor.read.file_bytes import FileBytes
from services.extractor.read.mutagen_files import disk_error
from services.extractor.read.sound.parts import Part
from services.extractor.read.tag_reader import describe_error, read_metadata
from services.extractor.tags.lyrics import LARGEST_SIDECAR_BYTES, SIDECAR_SUFFIXES
from services.extractor.tags.mapping import map_tags
from services.extractor.tags.model import NO_RELEASE, Contributor, CreditedName, Release, Tags
from services.extractor.tags.path_guess import guess_from_path
from services.extractor.tags.rules import DEFAULT_RULES, Rules
from services.extractor.tags.track_fields import TrackFields, track_fields
from shared.contracts.errors import InvalidInput, PipelineError, TransientError
from shared.contracts.identity import encode_path, local_path

_MEMORY_LIMIT_BYTES = 2**30
_OBJECTS_UNTIL_COLLECTION = 20_000
_CHUNK_IMAGES_LIMIT_BYTES = 64 * 2**20
"""A chunk carries images up to this size; the others are read again one by one."""
_RULES_KEPT = 8


class UnreadableFile(InvalidInput):
    """The file is no music, or damaged: look at it, or replace it."""


@dataclass(slots=True)
class FileContents:
    """What one file holds, with its size and modification time at that moment.

    A sound that is yet to be hashed as a whole is `long_sound`: then `content_hash` is None.
    """

    size_bytes: int
    mtime_ns: int
    tags: Tags
    cover: Image | None
    content_hash: str | None = None
    cover_problem: str | None = None
    long_sound: LongSound | None = None


class FileRead(NamedTuple):
    """The result of reading one file: its fields, or an error.

    Attributes:
        path: below the library's root.
        size_bytes, mtime_ns: as they were when the file was read.
        track_fields: from its tags; None where there is an error.
        artists, contributors: whom the tags credit.
        release: the album as the tags describe it.
        cover_sha256: of the embedded cover, whose bytes are in the chunk.
        cover_problem: why an embedded image is not the cover.
        error: why the file could not be read.
        long_sound: the sound, where its content hash is yet to be made of the whole of it.
    """

    path: str
    size_bytes: int = 0
    mtime_ns: int = 0
    track_fields: TrackFields | None = None
    cover_sha256: str | None = None
    error: PipelineError | None = None
    cover_problem: str | None = None
    artists: tuple[CreditedName, ...] = ()
    contributors: tuple[Contributor, ...] = ()
    release: Release = NO_RELEASE
    long_sound: LongSound | None = None


class LongFile(NamedTuple):
    """A file whose sound is yet to be hashed as a whole, as it was when that was found.

    Attributes:
        path: on this host.
        size_bytes, mtime_ns: of the file.
        sound: where it lies in the file.
    """

    path: bytes
    size_bytes: int
    mtime_ns: int
    sound: LongSound


@dataclass(slots=True)
class ChunkRead:
    """The result of reading a chunk of files.

    Attributes:
        files: in the order in which they were asked for.
        images: the embedded covers, by SHA-256.
        folders: the images in the folders around the files.
    """

    files: list[FileRead] = field(default_factory=list)
    images: dict[str, Image] = field(default_factory=dict)
    folders: dict[str, FolderImages] = field(default_factory=dict)


def prepare_reader() -> None:
    """Prepare a new reader process.

    Its memory is limited, so that a tag block of absurd size fails its own file only. So is the CPU
    time of a file, so that one that hangs fails alone and the rest of its chunk is read.
    """
    prepare_limit()
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY_LIMIT_BYTES, _MEMORY_LIMIT_BYTES))
    # The loaded modules stay, and the records of a chunk are freed without the collector: they
    # hold no cycles.
    gc.freeze()
    gc.set_threshold(_OBJECTS_UNTIL_COLLECTION)


def read_chunk(
    root: str,
    paths: Sequence[str],
    rules: Rules = DEFAULT_RULES,
    *,
    read: Callable[[bytes, Rules], FileContents] | None = None,
    cpu_limit_s: float = FILE_CPU_LIMIT_S,
) -> ChunkRead:
    """Read files of a library; an error is the result of its file.

    Args:
        root: of the library, on this host.
        paths: below the root.
        rules: how credits and genres are split.
        read: reads a file, `read_file` by default.
        cpu_limit_s: the most CPU time that one file may take.
    """
    read = read or read_file
    rules = _intern(rules)
    chunk = ChunkRead()
    images_bytes = 0
    for path in paths:
        try:
            with limited_cpu(cpu_limit_s):
                contents = read(local_path(root, path), rules)
        except TookTooLong:
            reason = f"takes more than {cpu_limit_s:g} s of CPU time to read, and was given up"
            chunk.files.append(FileRead(path, error=UnreadableFile(reason)))
            continue
        except PipelineError as error:
            chunk.files.append(FileRead(path, error=error))
            continue
        cover, tags = contents.cover, contents.tags
        if tags.title_is_file_name:
            tags = guess_from_path(tags, path, rules.credits)
        if cover is not None and cover.sha256 not in chunk.images:
            images_bytes += len(cover.content)
            if images_bytes <= _CHUNK_IMAGES_LIMIT_BYTES:
                chunk.images[cover.sha256] = cover
        chunk.files.append(
            FileRead(
                path=path,
                size_bytes=contents.size_bytes,
                mtime_ns=contents.mtime_ns,
                track_fields=track_fields(tags, path, contents.content_hash),
                cover_sha256=cover.sha256 if cover is not None else None,
                cover_problem=contents.cover_problem,
                artists=tags.artists,
                contributors=tags.contributors,
                release=tags.release,
                long_sound=contents.long_sound,
            )
        )
    return chunk


def read_segment(file: LongFile, parts: Sequence[Part]) -> bytes | None:
    """The digest of a segment of a file's sound (`content_hash.segments`).

    None where the file cannot be read, or has not the size and modification time that it had.
    """
    try:
        descriptor = os.open(file.path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
        try:
            digest = hash_segment(descriptor, parts)
            status = os.fstat(descriptor)
        finally:
            os.close(descriptor)
    except OSError:
        return None
    is_same = (status.st_size, status.st_mtime_ns) == (file.size_bytes, file.mtime_ns)
    return digest if is_same else None


def read_cover(root: str, path: str) -> Image | None:
    """A file's embedded cover; None where it can no longer be read."""
    try:
        return read_file(local_path(root, path)).cover
    except PipelineError:
        return None


def read_folders(root: str, folders: Sequence[str]) -> dict[str, FolderImages]:
    """The images in folders below the root."""
    return {folder: folder_images(root, folder) for folder in folders}


_interned_rules = [DEFAULT_RULES]


def _intern(rules: Rules) -> Rules:
    """One object for equal rules: caches compare by identity first, and rules are long."""
    for known in _interned_rules:
        if known == rules:
            return known
    _interned_rules[_RULES_KEPT - 1 :] = []
    _interned_rules.insert(0, rules)
    return rules


def read_file(path: bytes, rules: Rules = DEFAULT_RULES) -> FileContents:
    """Read the tags, audio properties and embedded cover of a file.

    Args:
        path: on this host.
        rules: how credits and genres are split.

    Raises:
        UnreadableFile: it is no music, damaged, not a regular file, or gone.
        TransientError: it could not be opened or read this time; the message says why.
    """
    try:
        _check_regular(os.stat(path))  # noqa: PTH116 - names are bytes
        # NONBLOCK: should it have become a FIFO meanwhile, opening it does not hang.
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
        try:
            return _read_open(descriptor, path, rules)
        finally:
            os.close(descriptor)
    except OSError as error:
        raise _error_of_system(error, path) from error


def _read_open(descriptor: int, path: bytes, rules: Rules) -> FileContents:
    status = os.fstat(descriptor)
    _check_regular(status)
    if status.st_size == 0:
        raise UnreadableFile("is empty")
    file = FileBytes(descriptor, status.st_size)
    name = encode_path(os.path.basename(path))  # noqa: PTH119 - names are bytes
    suffix = suffix_of(name)
    try:
        metadata = read_metadata(file, path, suffix)
        tags = map_tags(
            metadata.raw, metadata.audio, file_name=name, rules=rules, sidecar=_sidecar(path)
        )
        cover, problem = embedded_cover(metadata.pictures)
    except Exception as error:
        disk = disk_error(error)
        if disk is not None:
            raise disk from error
        raise UnreadableFile(describe_error(error, file, suffix)) from error
    found = hash_content(file)
    whole, long_sound = (None, found) if isinstance(found, LongSound) else (found, None)
    return FileContents(status.st_size, status.st_mtime_ns, tags, cover, whole, problem, long_sound)


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
