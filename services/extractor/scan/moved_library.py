"""Recognises a library whose root was moved: its files are in a new root, and not in its own.

A person decides: if a disk is not mounted and a copy of its files is scanned, that looks the same.
"""

import asyncio
import os
import shlex
import stat
from collections.abc import Sequence

from services.extractor.libraries import Libraries
from shared.contracts.identity import local_path
from shared.gateway.client import Gateway
from shared.gateway.scans import KnownFiles, Library, known_files

_SAMPLE_FILES = 100
_File = tuple[str, int]
"""Path below the root, size in bytes."""


async def find_moved(
    gateway: Gateway, libraries: Libraries, root: str, candidates: Sequence[Library]
) -> Library | None:
    """The library among the candidates whose files are below `root` now; None if none was moved.

    Of up to a hundred of its known files at least half have to be there, with the same path and
    size, and none of them in the library's own root.
    """
    for candidate in candidates:
        sample = _sample(await known_files(gateway, candidate.id, "", None))
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


def _sample(known: KnownFiles) -> list[_File]:
    """Files of the whole page, those that are missing only if all are."""
    files = list(zip(known.paths, known.sizes_bytes, known.missing, strict=True))
    present = [(path, size) for path, size, is_missing in files if not is_missing]
    wanted = present or [(path, size) for path, size, _ in files]
    return wanted[:: max(1, len(wanted) // _SAMPLE_FILES)][:_SAMPLE_FILES]


def _is_moved(sample: Sequence[_File], former: str, root: str) -> bool:
    if not sample or any(_size(former, path) is not None for path, _ in sample):
        return False
    return 2 * sum(_size(root, path) == size for path, size in sample) >= len(sample)


def _size(root: str, path: str) -> int | None:
    """The size of a file; None if there is none."""
    try:
        status = os.stat(local_path(root, path))  # noqa: PTH116 - names are bytes
    except (OSError, ValueError):
        return None
    return status.st_size if stat.S_ISREG(status.st_mode) else None
