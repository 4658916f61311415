"""Looks whether files that share a content, or a place in an album, are one file that moved."""

import errno
import os
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from services.extractor.read.content_hash import content_hash
from shared.contracts.identity import local_path

_GONE = frozenset((errno.ENOENT, errno.ENOTDIR))


class Sight(StrEnum):
    """What is seen of a file that may have moved."""

    THERE = "there"
    """It is what it was, or it can't be told: a disk may not be mounted."""
    CHANGED = "changed"
    """Another content is at its place."""
    GONE = "gone"


@dataclass(frozen=True, slots=True)
class Suspect:
    """A file that may have moved to another path.

    Attributes:
        root: its library's root on this host. path: where it was last, below it.
        moved_to: the name on this host of what it may be now.
        content_hash: what it had; None where only its being there counts.
    """

    root: str
    path: str
    moved_to: bytes
    content_hash: str | None


def look_at(suspects: Sequence[Suspect]) -> list[Sight]:
    """What is seen of each."""
    roots = {suspect.root: _has_anything(suspect.root) for suspect in suspects}
    return [_sight(each) if roots[each.root] else Sight.THERE for each in suspects]


def _sight(suspect: Suspect) -> Sight:
    name = local_path(suspect.root, suspect.path)
    try:
        told = os.stat(name)  # noqa: PTH116 - names are bytes
        now = os.stat(suspect.moved_to)  # noqa: PTH116 - as above
        if (told.st_dev, told.st_ino) == (now.st_dev, now.st_ino):
            # One file by two names: where names differ by case alone it was renamed.
            renamed = name.lower() == suspect.moved_to.lower() and told.st_nlink == 1
            return Sight.GONE if renamed else Sight.THERE
        if suspect.content_hash is None:
            return Sight.THERE
        descriptor = os.open(name, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
        try:
            same = content_hash(descriptor, told.st_size) == suspect.content_hash
        finally:
            os.close(descriptor)
    except OSError as error:
        return Sight.GONE if error.errno in _GONE else Sight.THERE
    return Sight.THERE if same else Sight.CHANGED


def _has_anything(root: str) -> bool:
    try:
        with os.scandir(os.fsencode(root)) as entries:
            return next(entries, None) is not None
    except OSError:
        return False
