"""Lays a walk beside what is known: stretches at once, file by file only where they differ."""

import asyncio
import time
from collections.abc import AsyncIterator

from services.extractor.scan.catalogue_cursor import KnownStretches
from services.extractor.scan.compare import Compared, compare
from services.extractor.scan.walk_buffer import Walked

PORTION = 1_000
"""Files, found or missing, that are dealt with at once."""
TELL_EVERY_S = 0.5
"""So often something is told of a walk, found or not."""


async def laid_beside(
    walked: Walked, known: KnownStretches, *, reads_all: bool
) -> AsyncIterator[Compared]:
    """What is to be done about the files of a walk, in portions, in the order of the paths.

    With `reads_all` unchanged files are to be read again too.
    """
    asked = asyncio.create_task(known.look_ahead())
    try:  # meanwhile the walk begins: both wait for a disk
        await asyncio.to_thread(walked.look_ahead, asked.done)
    finally:
        await asked
    while await known.look_ahead():
        if not reads_all:
            until_s = time.monotonic() + TELL_EVERY_S
            same, differs = await asyncio.to_thread(walked.as_known, known, until_s)
            yield Compared([], same, [], known=same)
            if not differs:
                continue
        async for part in _file_by_file(walked, known, reads_all=reads_all):
            yield part
    # Behind the last known file all are new, or were missing.
    while files := await asyncio.to_thread(walked.take, None, PORTION):
        yield Compared(files, 0, [], known=0)


async def _file_by_file(
    walked: Walked, known: KnownStretches, *, reads_all: bool
) -> AsyncIterator[Compared]:
    """The next stretch."""
    files = known.files_of_next()
    end = known.take().end
    is_last = False
    while not is_last:
        seen = await asyncio.to_thread(walked.take, end, PORTION)
        is_last = len(seen) < PORTION
        beside = await files.up_to(None if is_last else seen[-1].path)
        yield compare(seen, beside, reads_all=reads_all)
