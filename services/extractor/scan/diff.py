"""Compares a walk with the catalogue: range by range, and file by file where a range differs."""

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass

from services.extractor.scan.catalogue import CatalogueFile, RangeCursor
from services.extractor.scan.walk import WalkedFile
from services.extractor.scan.walk_buffer import WalkBuffer

BATCH_FILES = 1_000
"""Files, found or missing, that are handled at once."""
REPORT_EVERY_S = 0.5
"""How often a walk reports its progress, whether it finds something or not."""


@dataclass(frozen=True, slots=True)
class Diff:
    """How a part of the walk differs from the catalogue."""

    found: Sequence[WalkedFile]
    """New, changed, or returned files: to be read."""
    unchanged: int
    missing: Sequence[str]
    """Paths of files that the catalogue has as present, and the walk did not see."""
    known: int
    """How many files the catalogue has as present."""


async def diff_walk(
    walked: WalkBuffer, ranges: RangeCursor, *, reads_all: bool
) -> AsyncIterator[Diff]:
    """The differences between a walk and the catalogue, in parts, in the order of the paths.

    With `reads_all` unchanged files are found too.
    """
    # The walk begins while the gateway works out the first ranges: one waits for the disk, the
    # other for the database.
    first_fetch = asyncio.create_task(ranges.fetch())
    try:
        await asyncio.to_thread(walked.prefetch, first_fetch.done)
    finally:
        await first_fetch
    while await ranges.fetch():
        if not reads_all:
            # Bounded in time, so that a long walk without changes reports its progress too.
            until_s = time.monotonic() + REPORT_EVERY_S
            unchanged, differs = await asyncio.to_thread(walked.skip_unchanged, ranges, until_s)
            yield Diff([], unchanged, [], known=unchanged)
            if not differs:
                continue
        async for part in _diff_range(walked, ranges, reads_all=reads_all):
            yield part
    # Behind the last range all files are new, or were missing.
    while files := await asyncio.to_thread(walked.take, None, BATCH_FILES):
        yield Diff(files, 0, [], known=0)


async def _diff_range(
    walked: WalkBuffer, ranges: RangeCursor, *, reads_all: bool
) -> AsyncIterator[Diff]:
    """The differences of the next range, file by file."""
    files = ranges.files_of_next()
    end = ranges.take().end
    is_last = False
    while not is_last:
        seen = await asyncio.to_thread(walked.take, end, BATCH_FILES)
        is_last = len(seen) < BATCH_FILES
        # At the end all known files are taken: those behind the last walked file are missing.
        known = await files.take_until(None if is_last else seen[-1].path)
        yield diff_files(seen, known, reads_all=reads_all)


def diff_files(
    walked: Sequence[WalkedFile], known: Sequence[CatalogueFile], *, reads_all: bool
) -> Diff:
    """Compare all files of an interval of paths with all that the catalogue has of it. Pure.

    Args:
        walked: files that exist.
        known: files that the catalogue has.
        reads_all: whether unchanged files are found too.
    """
    by_path = {file.path: file for file in known}
    found = []
    for file in walked:
        before = by_path.pop(file.path, None)
        if reads_all or before is None or before.is_missing or _differs(file, before):
            found.append(file)
    missing = [file.path for file in by_path.values() if not file.is_missing]
    present = sum(not file.is_missing for file in known)
    return Diff(found, len(walked) - len(found), missing, present)


def _differs(file: WalkedFile, known: CatalogueFile) -> bool:
    # Files that were read by a version without images digests count as unchanged: else the first
    # scan after an upgrade would read the whole library again.
    if known.images_digest not in {None, file.images_digest}:
        return True
    return (file.size_bytes, file.mtime_ns) != (known.size_bytes, known.mtime_ns)
