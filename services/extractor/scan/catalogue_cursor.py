"""What the gateway knows of files, in the order of the walk: in stretches, and file by file."""

from bisect import bisect_right
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from services.extractor.scan.compare import KnownFile
from shared.gateway.client import Gateway
from shared.gateway.extraction import known_files, known_stretches


class Stretch(NamedTuple):
    """Known files that follow each other by path; missing ones are not among them."""

    end: str
    """The last one's path."""
    files: int
    digest: str
    """As `shared.contracts.range_digests.digest_of` has it."""
    unknown_images: Sequence[int] = ()
    """Places, from 0, of files the digest of whose images is not known."""


@dataclass(slots=True)
class KnownStretches:
    """What the gateway knows below a folder, taken stretch by stretch.

    Attributes:
        ahead: the next ones; more may follow.
        after: the end of the last one that was taken.
    """

    gateway: Gateway
    library_id: str
    folder: str
    ahead: deque[Stretch] = field(default_factory=deque)
    after: str | None = None
    _cursor: str | None = None
    _is_last: bool = False

    async def look_ahead(self) -> bool:
        """Whether there is a next one; then it is in `ahead`."""
        while not self.ahead and not self._is_last:
            page = await known_stretches(self.gateway, self.library_id, self.folder, self._cursor)
            told = (page[name] for name in ("ends", "counts", "digests", "unknownImages"))
            self.ahead.extend(map(Stretch._make, zip(*told, strict=True)))
            self._cursor = page["endCursor"]
            self._is_last = self._cursor is None
        return bool(self.ahead)

    def take(self) -> Stretch:
        """The next one, of those in `ahead`."""
        stretch = self.ahead.popleft()
        self.after = stretch.end
        return stretch

    def files_of_next(self) -> "KnownFiles":
        """The files of the next one, and those that are missing in between."""
        until = self.ahead[0].end
        return KnownFiles(self.gateway, self.library_id, self.folder, self.after, until)


@dataclass(slots=True)
class KnownFiles:
    """Known files behind one path, up to and with another, taken in their order, page by page."""

    gateway: Gateway
    library_id: str
    folder: str
    after: str | None
    until: str
    _paths: Sequence[str] = ()
    _files: Sequence[KnownFile] = ()
    _place: int = 0
    _is_last: bool = False

    async def up_to(self, path: str | None) -> list[KnownFile]:
        """The next ones, up to and with `path`; None takes the rest."""
        taken: list[KnownFile] = []
        while True:
            end = len(self._paths)
            if path is not None:
                end = bisect_right(self._paths, path, lo=self._place)
            taken += self._files[self._place : end]
            self._place = end
            if self._is_last or end < len(self._paths):
                return taken
            await self._turn()

    async def _turn(self) -> None:
        page = await known_files(self.gateway, self.library_id, self.folder, self.after, self.until)
        self._paths = page["paths"]
        names = ("sizesBytes", "mtimesNs", "missing", "imagesDigests")
        told = (page[name] for name in names)
        self._files = [KnownFile(*row) for row in zip(self._paths, *told, strict=True)]
        self._place = 0
        self.after = page["endCursor"]
        self._is_last = self.after is None
