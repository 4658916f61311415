"""Reads one music file: refuses what is none, and says in words what is wrong with it."""

import errno
import os
import stat
from dataclasses import dataclass

from services.extractor.covers.images import Image, embedded_cover
from services.extractor.read.content_hash import content_hash
from services.extractor.read.ends import read_ends
from services.extractor.read.formats import suffix_of
from services.extractor.read.tag_reader import in_words, open_audio
from services.extractor.tags.lyrics import MOST_SIDECAR_BYTES, SIDECAR_SUFFIXES
from services.extractor.tags.mapping import meaning
from services.extractor.tags.model import Tags
from services.extractor.tags.rules import DEFAULT_RULES, Rules
from shared.contracts.errors import InvalidInput, TransientError
from shared.contracts.identity import encode_path


class UnreadableFile(InvalidInput):
    """The file is no music, or damaged: look at it, or replace it."""


@dataclass(slots=True)
class ReadFile:
    """What was read, and the size and time the file had then."""

    size_bytes: int
    mtime_ns: int
    tags: Tags
    cover: Image | None
    content_hash: str | None = None
    cover_problem: str | None = None


_KINDS = (
    (stat.S_ISFIFO, "a FIFO"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISBLK, "a block device"),
    (stat.S_ISCHR, "a character device"),
    (stat.S_ISDIR, "a folder"),
)
_SIDECAR_SUFFIXES = tuple(suffix.encode() for suffix in SIDECAR_SUFFIXES)
_AT_FAULT = frozenset((errno.ELOOP, errno.ENAMETOOLONG, errno.EINVAL))


def read_file(path: bytes, rules: Rules = DEFAULT_RULES) -> ReadFile:
    """Read tags, sound properties and the embedded cover of a file.

    `rules` take its credits and genres apart.

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
        raise _of_system(error, path) from error


def _read_open(descriptor: int, path: bytes, rules: Rules) -> ReadFile:
    told = os.fstat(descriptor)
    _check_regular(told)
    size_bytes = told.st_size
    if size_bytes == 0:
        raise UnreadableFile("is empty")
    ends = read_ends(descriptor, size_bytes)
    name = encode_path(os.path.basename(path))  # noqa: PTH119 - names are bytes
    try:
        opened = open_audio(descriptor, size_bytes, path, suffix_of(name), ends)
        sidecar = _sidecar(path)
        tags = meaning(opened.raw, opened.audio, file_name=name, rules=rules, sidecar=sidecar)
        cover, problem = embedded_cover(opened.pictures)
    except Exception as error:
        disk = _of_disk(error)
        if disk is not None:
            raise disk from error
        raise UnreadableFile(in_words(error, suffix_of(name))) from error
    content = content_hash(descriptor, size_bytes, ends)
    return ReadFile(size_bytes, told.st_mtime_ns, tags, cover, content, problem)


def _check_regular(told: os.stat_result) -> None:
    if not stat.S_ISREG(told.st_mode):
        kind = next((name for test, name in _KINDS if test(told.st_mode)), "something else")
        raise UnreadableFile(f"is {kind}, not a regular file")


def _of_system(error: OSError, path: bytes) -> Exception:
    if isinstance(error, FileNotFoundError | NotADirectoryError):
        if os.path.islink(path):  # noqa: PTH114 - names are bytes
            return UnreadableFile("is a link to a file that does not exist")
        return UnreadableFile("vanished before it could be read")
    reason = error.strerror or str(error)
    if error.errno in _AT_FAULT:
        return UnreadableFile(f"cannot be read: {reason}")
    return TransientError(f"cannot be read: {reason}")


def _sidecar(path: bytes) -> bytes | None:
    """The content of the file of lyrics that lies beside the music; None where there is none."""
    stem = path.rpartition(b".")[0]
    flags = os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK
    for suffix in _SIDECAR_SUFFIXES:
        if not os.access(stem + suffix, os.R_OK):
            continue  # nearly always: asked so, since an error would take five times as long
        try:
            descriptor = os.open(stem + suffix, flags)
        except OSError:
            continue
        try:
            if stat.S_ISREG(os.fstat(descriptor).st_mode):
                with open(descriptor, "rb", closefd=False) as file:
                    return file.read(MOST_SIDECAR_BYTES)
        except OSError:
            continue
        finally:
            os.close(descriptor)
    return None


def _of_disk(error: Exception) -> OSError | None:
    """What the disk said, where that is the cause; libraries wrap it."""
    for one in (error, *error.args):
        if isinstance(one, OSError) and one.errno is not None:
            return one
    return None
