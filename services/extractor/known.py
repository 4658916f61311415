"""What the gateway knows of files, page by page, in the order of the walk."""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass

from services.extractor.compare import KnownFile
from services.extractor.walk import WalkedFile
from shared.gateway.client import Gateway
from shared.gateway.extraction import known_files


@dataclass(slots=True)
class KnownFiles:
    """What the gateway knows below a folder, taken in the order of the paths, page by page."""

    gateway: Gateway
    library_id: str
    folder: str
    present: int = 0
    """Files taken so far that were not missing before."""
    _paths: Sequence[str] = ()
    _files: Sequence[tuple[str, int, int, int | None]] = ()
    """Of the page, as the walk tells them."""
    _missing: Sequence[bool] = ()
    _place: int = 0
    _cursor: str | None = None
    _is_last: bool = False

    async def are(self, walked: Sequence[WalkedFile]) -> bool:
        """Whether the next ones are just these, unchanged; then they are taken.

        Nearly all of a library is: this takes no look at a single file.
        """
        if self._place == len(self._files) and not self._is_last:
            await self._turn()
        here = slice(self._place, self._place + len(walked))
        if self._files[here] != walked or True in self._missing[here]:
            return False
        self._place = here.stop
        self.present += len(walked)
        return True

    async def up_to(self, path: str | None) -> list[KnownFile]:
        """The next ones, up to and with `path`; None takes the rest."""
        taken: list[KnownFile] = []
        while True:
            end = len(self._paths)
            if path is not None:
                end = bisect_right(self._paths, path, lo=self._place)
            here = slice(self._place, end)
            for file, is_missing in zip(self._files[here], self._missing[here], strict=True):
                taken.append(KnownFile(*file[:3], is_missing, file[3]))
                self.present += not is_missing
            self._place = end
            if self._is_last or end < len(self._paths):
                return taken
            await self._turn()

    async def _turn(self) -> None:
        page = await known_files(self.gateway, self.library_id, self.folder, self._cursor)
        self._paths, self._missing = page["paths"], page["missing"]
        told = (page[name] for name in ("sizesBytes", "mtimesNs", "imagesDigests"))
        self._files = list(zip(self._paths, *told, strict=True))
        self._place = 0
        self._cursor = page["endCursor"]
        self._is_last = self._cursor is None
