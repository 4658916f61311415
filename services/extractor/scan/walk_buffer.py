"""Buffers walked files in columns until they are compared with the catalogue."""

import time
from bisect import bisect_right
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from services.extractor.scan.catalogue import FileRange, RangeCursor
from services.extractor.scan.walk import Run, WalkedFile
from shared.contracts.range_digests import digest_of

MAX_PREFETCHED_FILES = 5_000
"""Files that are walked before the catalogue's first answer."""


@dataclass(slots=True)
class WalkBuffer:
    """Files of a walk in the order of their paths, pulled from the walk as they are needed.

    Columns, not an object per file: a range is compared by the digest of its columns.
    All methods block on the disk: call them in a thread, not on the event loop.
    """

    runs: Iterator[Run]
    _paths: list[str] = field(default_factory=list)
    _sizes_bytes: list[int] = field(default_factory=list)
    _mtimes_ns: list[int] = field(default_factory=list)
    _images_digests: list[int] = field(default_factory=list)
    _is_walk_over: bool = False

    def prefetch(self, is_enough: Callable[[], bool]) -> None:
        """Walk until `is_enough()`, or until `MAX_PREFETCHED_FILES` are reached."""
        while not is_enough() and len(self._paths) < MAX_PREFETCHED_FILES and self._pull():
            pass

    def skip_unchanged(self, ranges: RangeCursor, until_s: float) -> tuple[int, bool]:
        """Drop files as long as the next range of the catalogue equals the next files.

        Ends when `ranges.fetched` is empty, or at `until_s` (`time.monotonic`). Returns how many
        files were dropped, and whether the next range differs.
        """
        skipped = 0
        while ranges.fetched and time.monotonic() < until_s:
            if not self._drop_if_equal(ranges.fetched[0]):
                return skipped, True
            skipped += ranges.take().files
        return skipped, False

    def take(self, end: str | None, limit: int) -> list[WalkedFile]:
        """The next files up to and with the path `end`, at most `limit`; None has no end."""
        part = slice(min(self._count_until(end, limit), limit))
        columns = (self._paths, self._sizes_bytes, self._mtimes_ns, self._images_digests)
        rows = zip(*(column[part] for column in columns), strict=True)
        files = [WalkedFile(*row) for row in rows]
        self._drop(len(files))
        return files

    def _drop_if_equal(self, known: FileRange) -> bool:
        """Drop the next files if they are exactly those of the range, unchanged."""
        files = known.files
        if self._count_until(known.end, files) != files:
            return False
        images = self._images_digests[:files]
        # The gateway counts an unknown images digest as 0 in the range's digest.
        for position in known.unknown_images:
            images[position] = 0
        part = slice(files)
        digest = digest_of(
            self._paths[part], self._sizes_bytes[part], self._mtimes_ns[part], images
        )
        if digest != known.digest:
            return False
        self._drop(files)
        return True

    def _count_until(self, end: str | None, limit: int) -> int:
        """How many files there are up to a path. Beyond `limit` not all are counted."""
        # A file behind `end` shows that all files up to it are in the buffer.
        while len(self._paths) <= limit and not (end and self._paths and self._paths[-1] > end):
            if not self._pull():
                break
        return len(self._paths) if end is None else bisect_right(self._paths, end)

    def _pull(self) -> bool:
        run = None if self._is_walk_over else next(self.runs, None)
        if run is None:
            self._is_walk_over = True
            return False
        files, images_digest = run
        self._paths += [file[0] for file in files]
        self._sizes_bytes += [file[1] for file in files]
        self._mtimes_ns += [file[2] for file in files]
        self._images_digests += [images_digest] * len(files)
        return True

    def _drop(self, files: int) -> None:
        del self._paths[:files], self._sizes_bytes[:files]
        del self._mtimes_ns[:files], self._images_digests[:files]
