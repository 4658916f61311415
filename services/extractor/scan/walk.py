"""Walks a library's folders: every music file with size and time, in the order of the paths.

The order is that of the gateway's `knownStretches` and `knownFiles`, so both can be compared as
streams: memory does not grow with the library.
"""

import os
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from services.extractor.covers.images import folder_state, images_digest
from services.extractor.scan.ignore_rules import Ignoring
from services.extractor.scan.listing import (
    GONE,
    FileRow,
    InnerFolder,
    Listing,
    Noticed,
    list_folder,
    reason_of,
)
from services.extractor.tags.album_folders import folders_beside, is_around
from shared.contracts.errors import InvalidInput
from shared.contracts.identity import local_path


class WalkedFile(NamedTuple):
    """A file that is there. One that is no regular file is reported too: reading refuses it."""

    path: str
    size_bytes: int
    mtime_ns: int
    images_digest: int = 0
    """Another number when the images beside it are others."""


class Run(NamedTuple):
    """Files of one folder that follow each other in the order of the paths; one or more."""

    files: list[FileRow]
    images_digest: int
    """As a walked file's: all of a folder have the same."""


@dataclass(slots=True)
class Walk:
    """One walk of a library, or of a folder below its root.

    Attributes:
        root: the library's root on this host.
        folder: where to begin, below the root; '' is the root.
        ignoring: the rules that hold everywhere.
        noticed: what could not be looked at, and what may be an accident, so far.
        is_root_empty: whether there was nothing at all in the root.
    """

    root: str
    folder: str = ""
    ignoring: Ignoring = field(default_factory=Ignoring)
    noticed: Noticed = field(default_factory=Noticed)
    is_root_empty: bool = False
    _linked: set[tuple[int, int]] = field(default_factory=set)
    _images: dict[str, int] = field(default_factory=dict)
    """The state of the images by what paths begin with: of folders entered, and above, with any."""

    def check_root(self) -> None:
        """Make sure that the root can be walked; `InvalidInput` names it and says what is wrong."""
        if not os.path.isabs(self.root):  # noqa: PTH117 - names are bytes in this module
            raise InvalidInput(f"{self.root} is not an absolute path")
        try:
            with os.scandir(os.fsencode(self.root)) as entries:
                self.is_root_empty = next(entries, None) is None
        except FileNotFoundError:
            raise InvalidInput(f"{self.root} does not exist") from None
        except NotADirectoryError:
            raise InvalidInput(f"{self.root} is not a folder") from None
        except (OSError, ValueError) as error:
            raise InvalidInput(f"{self.root} cannot be read: {reason_of(error)}") from None

    def files(self) -> Iterator[WalkedFile]:
        """The files of all runs, one by one."""
        for files, digest in self.runs():
            for file in files:
                yield WalkedFile(*file, digest)

    def runs(self) -> Iterator[Run]:
        """The files, in the order of their paths. Errors are noticed; none ends the walk."""
        ignoring = self._rules_above()
        if ignoring is None:
            return
        self._look_at_images_above()
        inside = f"{self.folder}/" if self.folder else ""
        first: InnerFolder = (inside, local_path(self.root, self.folder), None)
        # Folders that are entered and have more of them, innermost last.
        way = [self._entered(first, self._listed(first, ignoring, None), None)]
        while way:
            here = way[-1]
            for step in here.steps:
                if isinstance(step, Run):
                    yield step
                    continue
                if (here.is_below_link or step[2]) and not self._may_enter(step):
                    continue
                listing = self._listed(step, here.ignoring, self.root)
                if listing.folders:
                    way.append(self._entered(step, listing, here))
                    break
                if listing.files:
                    yield Run(listing.files, self._digest(step[0]))
                if listing.images_state:
                    del self._images[step[0]]
            else:
                self._images.pop(way.pop().inside, None)

    def _rules_above(self) -> Ignoring | None:
        """The rules at the folder where the walk begins; None where they pass over it."""
        ignoring = self.ignoring.entering(self.root, "")
        parts = self.folder.split("/") if self.folder else []
        for depth in range(1, len(parts) + 1):
            folder = "/".join(parts[:depth])
            if ignoring.ignores(folder, is_folder=True):
                return None
            ignoring = ignoring.entering(self.root, folder)
        return ignoring

    def _listed(self, folder: InnerFolder, ignoring: Ignoring, rules_below: str | None) -> Listing:
        """A folder; nothing where it cannot be listed."""
        inside, place, _ = folder
        try:
            listing = list_folder(place, inside, ignoring, self.noticed, rules_below)
        except OSError as error:
            if not (inside[:-1] == self.folder != "" and error.errno in GONE):
                self.noticed.problem(inside[:-1], error)
            return Listing([], [], ignoring)
        if listing.images_state:
            self._images[inside] = listing.images_state
        return listing

    def _entered(
        self, folder: InnerFolder, listing: Listing, around: "_Entered | None"
    ) -> "_Entered":
        inside, _, link = folder
        steps: Iterator[Run | InnerFolder] = iter(listing.folders)
        if listing.files:
            steps = _merged(listing.files, listing.folders, self._digest(inside))
        is_below_link = link is not None or (around is not None and around.is_below_link)
        return _Entered(inside, steps, listing.ignoring, is_below_link)

    def _look_at_images_above(self) -> None:
        above = self.folder
        while above:
            above = above.rpartition("/")[0]
            if state := folder_state(self.root, above):
                self._images[f"{above}/" if above else ""] = state

    def _digest(self, inside: str) -> int:
        """Of the images beside the files of a folder: those in the folders on the way to it."""
        if not self._images:
            return 0
        own = inside[:-1]
        beside = (each for each in folders_beside(inside) if is_around(each, own))
        return images_digest(self._images.get(f"{each}/" if each else "", 0) for each in beside)

    def _may_enter(self, folder: InnerFolder) -> bool:
        """Whether to go in by a link, or below one: what it leads to is entered once."""
        try:
            if folder[2] is not None and self._is_inside(os.path.realpath(folder[1])):
                return False  # the walk comes by there anyway
            told = os.stat(folder[1])  # noqa: PTH116 - names are bytes
        except OSError as error:
            self.noticed.problem(folder[0][:-1], error)
            return False
        identity = (told.st_dev, told.st_ino)
        if identity in self._linked:
            return False
        self._linked.add(identity)
        return True

    def _is_inside(self, target: bytes) -> bool:
        root = os.path.realpath(os.fsencode(self.root))
        return target == root or target.startswith(root.rstrip(b"/") + b"/")


@dataclass(slots=True)
class _Entered:
    """A folder that is walked.

    Attributes:
        inside: what the paths in it begin with.
        steps: what is left of it: files that follow each other, and folders.
        ignoring: its rules.
    """

    inside: str
    steps: Iterator[Run | InnerFolder]
    ignoring: Ignoring
    is_below_link: bool


def _merged(
    files: list[FileRow], folders: list[InnerFolder], images_digest: int
) -> Iterator[Run | InnerFolder]:
    """Files and folders in the order of whole paths: a folder's files sort by `name/...`."""
    begin = 0
    for folder in folders:
        end = bisect_left(files, folder[0], begin, key=_path_of)
        if end > begin:
            yield Run(files[begin:end], images_digest)
        yield folder
        begin = end
    if begin < len(files):
        yield Run(files[begin:], images_digest)


def _path_of(file: FileRow) -> str:
    return file[0]
