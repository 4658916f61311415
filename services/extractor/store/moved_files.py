"""Checks on disk whether a file that the gateway knows has become another one, by a move.

Worker processes do this, because it reads and hashes files. So this module does not import the
gateway's client, which each of them would have to load.
"""

import errno
import os
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from services.extractor.cue.parts import part_hash
from services.extractor.read.content_hash import LongSound, hash_content
from services.extractor.read.file_bytes import FileBytes
from services.extractor.read.jobs import LongFile
from shared.contracts.identity import local_path

_GONE = frozenset((errno.ENOENT, errno.ENOTDIR))


class FileState(StrEnum):
    """What is found at the path where a file was last."""

    PRESENT = "present"
    """The same file, or it is unknown: a disk may not be mounted."""
    CHANGED = "changed"
    """A file with another content."""
    GONE = "gone"
    """No file."""


@dataclass(frozen=True, slots=True)
class MoveCandidate:
    """A file that may have moved to another path.

    Attributes:
        root: its library's root on this host.
        path: where it was last, below that root.
        moved_to: absolute path of the file that it may be now.
        content_hash: of its content; None where only its existence counts.
        range_s: begin and end of the part of it that is meant; None for the whole file.
    """

    root: str
    path: str
    moved_to: bytes
    content_hash: str | None
    range_s: tuple[float, float | None] | None = None

    def is_of(self, file_hash: str | None) -> bool:
        """Whether a file of this content hash has the content, in the part that is meant."""
        found = part_hash(file_hash, *self.range_s) if self.range_s else file_hash
        return found == self.content_hash


def check_files(candidates: Sequence[MoveCandidate]) -> list[FileState | LongFile]:
    """What is found of each file; the file itself where its content is yet to be compared."""
    # Below a root that is empty nothing counts as gone: its disk may not be mounted.
    mounted = {each.root: has_entries(each.root) for each in candidates}
    return [_check(each) if mounted[each.root] else FileState.PRESENT for each in candidates]


def _check(candidate: MoveCandidate) -> FileState | LongFile:
    name = local_path(candidate.root, candidate.path)
    try:
        before = os.stat(name)  # noqa: PTH116 - names are bytes
        now = os.stat(candidate.moved_to)  # noqa: PTH116 - as above
        if (before.st_dev, before.st_ino) == (now.st_dev, now.st_ino):
            # One file by two names: a hard link, or, on a file system that ignores case, a name
            # that changed its case.
            is_renamed = name.lower() == candidate.moved_to.lower() and before.st_nlink == 1
            return FileState.GONE if is_renamed else FileState.PRESENT
        if candidate.content_hash is None:
            return FileState.PRESENT
        # NONBLOCK: if it has become a FIFO, opening it does not hang.
        descriptor = os.open(name, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
        try:
            found = hash_content(FileBytes(descriptor, before.st_size))
        finally:
            os.close(descriptor)
    except OSError as error:
        return FileState.GONE if error.errno in _GONE else FileState.PRESENT
    if isinstance(found, LongSound):
        return LongFile(name, before.st_size, before.st_mtime_ns, found)
    return FileState.PRESENT if candidate.is_of(found) else FileState.CHANGED


def has_entries(root: str) -> bool:
    """Whether a folder can be read and has anything in it."""
    try:
        with os.scandir(os.fsencode(root)) as entries:
            return next(entries, None) is not None
    except OSError:
        return False
