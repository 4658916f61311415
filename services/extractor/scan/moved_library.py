"""Recognises a library whose root was moved: its files are in a new root, and not in its own.

A person decides: if a disk is not mounted and a copy of its files is scanned, that looks the same.
"""

import asyncio
import os
import shlex
import stat
from collections.abc import Sequence

from services.extractor.libraries import Libraries
from services.extractor.read.content_hash import content_hash
from shared.contracts.identity import local_path
from shared.gateway.client import Gateway
from shared.gateway.scans import FileSample, Library, file_sample


async def find_moved(
    gateway: Gateway, libraries: Libraries, root: str, candidates: Sequence[Library]
) -> Library | None:
    """The library among the candidates whose files are below `root` now; None if none was moved.

    Of up to a hundred of its files at least half have to be there, with the same path and sound,
    and none of them in the library's own root.
    """
    for candidate in candidates:
        sample = await file_sample(gateway, candidate.id)
        former = libraries.local_root(candidate.name, candidate.root)
        if await asyncio.to_thread(_is_moved, sample, former, root):
            return candidate
    return None


def describe_move(moved: Library, root: str) -> str:
    """What a person may do about it."""
    where = shlex.quote(root)
    return (
        f"{root} has the files of the library {moved.name!r}, and none of them is left in"
        f" {moved.root}: nothing was scanned. If that library was moved here, run"
        f" `soniquebay library move {shlex.quote(moved.name)} {where}`. If this is another one, run"
        f" `soniquebay scan {where} --separate`"
    )


def _is_moved(sample: FileSample, former: str, root: str) -> bool:
    if not sample.paths or any(_exists(former, path) for path in sample.paths):
        return False
    files = zip(sample.paths, sample.sizes_bytes, sample.content_hashes, strict=True)
    return 2 * sum(_is_same(root, *file) for file in files) >= len(sample.paths)


def _exists(root: str, path: str) -> bool:
    try:
        os.stat(local_path(root, path))  # noqa: PTH116 - names are bytes
    except (OSError, ValueError):
        return False
    return True


def _is_same(root: str, path: str, size_bytes: int, known_hash: str | None) -> bool:
    """Whether there is a file of this sound; of this size, if its sound is not known."""
    try:
        # NONBLOCK: opening a FIFO does not hang.
        flags = os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK
        descriptor = os.open(local_path(root, path), flags)
    except (OSError, ValueError):
        return False
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            return False
        if known_hash is None:
            return status.st_size == size_bytes
        return content_hash(descriptor, status.st_size) == known_hash
    finally:
        os.close(descriptor)
