"""The files that the gateway knows, in the order of the walk: as ranges, and file by file."""

from bisect import bisect_right
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from shared.gateway.client import Gateway
from shared.gateway.scans import known_files, range_digests


class CatalogueFile(NamedTuple):
    """A file as the gateway knows it."""

    path: str
    size_bytes: int
    mtime_ns: int
    is_missing: bool
    images_digest: int | None = None
    """As in `WalkedFile`; None where it is not known."""


class FileRange(NamedTuple):
    """Known files that follow each other by path. Missing files are not among them."""

    end: str
    """The path of the last one."""
    files: int
    """How many files it has."""
    digest: str
    """As `shared.contracts.range_digests.digest_of` computes it."""
    unknown_images: Sequence[int] = ()
    """Positions, from 0, of the files whose images digest is not known."""


async def has_files(gateway: Gateway, library_id: str, folder: str) -> bool:
    """Whether the gateway knows files below a folder, missing ones included."""
    page = await known_files(gateway, library_id, folder, None)
    return bool(page.paths)


@dataclass(slots=True)
class RangeCursor:
    """Takes the ranges of the files known below a folder, one after the other.

    Attributes:
        fetched: the next ranges; more may follow.
        after: the end of the range that was taken last.
    """

    gateway: Gateway
    library_id: str
    folder: str
    fetched: deque[FileRange] = field(default_factory=deque)
    after: str | None = None
    _page_cursor: str | None = None
    _is_last_page: bool = False

    async def fetch(self) -> bool:
        """Whether there is a next range. If so, it is in `fetched`."""
        while not self.fetched and not self._is_last_page:
            page = await range_digests(
                self.gateway, self.library_id, self.folder, self._page_cursor
            )
            columns = (page.ends, page.counts, page.digests, page.unknown_images)
            self.fetched.extend(FileRange(*row) for row in zip(*columns, strict=True))
            self._page_cursor = page.end_cursor
            self._is_last_page = self._page_cursor is None
        return bool(self.fetched)

    def take(self) -> FileRange:
        """Take the next range out of `fetched`."""
        taken = self.fetched.popleft()
        self.after = taken.end
        return taken

    def files_of_next(self) -> "FileCursor":
        """A cursor over the files of the next range, and the missing ones in between."""
        until = self.fetched[0].end
        return FileCursor(self.gateway, self.library_id, self.folder, self.after, until)


@dataclass(slots=True)
class FileCursor:
    """Takes the known files behind the path `after` up to and with `until`, page by page."""

    gateway: Gateway
    library_id: str
    folder: str
    after: str | None
    until: str
    _paths: Sequence[str] = ()
    _files: Sequence[CatalogueFile] = ()
    _position: int = 0
    _is_last_page: bool = False

    async def take_until(self, path: str | None) -> list[CatalogueFile]:
        """The next files, up to and with `path`; None takes the rest."""
        taken: list[CatalogueFile] = []
        while True:
            end = len(self._paths)
            if path is not None:
                end = bisect_right(self._paths, path, lo=self._position)
            taken += self._files[self._position : end]
            self._position = end
            # A page that is used up says nothing about the files behind it.
            if self._is_last_page or end < len(self._paths):
                return taken
            await self._fetch()

    async def _fetch(self) -> None:
        page = await known_files(self.gateway, self.library_id, self.folder, self.after, self.until)
        self._paths = page.paths
        columns = (page.sizes_bytes, page.mtimes_ns, page.missing, page.images_digests)
        self._files = [CatalogueFile(*row) for row in zip(self._paths, *columns, strict=True)]
        self._position = 0
        self.after = page.end_cursor
        self._is_last_page = self.after is None
