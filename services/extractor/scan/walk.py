"""Walks a library's folders: every music file with size and time, in the order of the paths.

The gateway's `knownStretches` and `knownFiles` have the same order. So both sides are compared as
streams, and memory does not grow with the library.
"""

import os
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from services.extractor.covers.images import folder_images_state, images_digest
from services.extractor.paths import folders_beside, is_around
from services.extractor.scan.ignore_rules import IgnoreRules
from services.extractor.scan.listing import (
    GONE,
    FileRow,
    FolderListing,
    Subfolder,
    WalkNotes,
    list_folder,
    reason_of,
)
from shared.contracts.errors import InvalidInput
from shared.contracts.identity import local_path


class WalkedFile(NamedTuple):
    """A file that exists. It need not be a regular file: reading refuses one that is not."""

    path: str
    size_bytes: int
    mtime_ns: int
    images_digest: int = 0
    """As `covers.images.images_digest` has it: changes with the images around the file."""


class Run(NamedTuple):
    """Files of one folder that follow each other in the order of the paths; one or more."""

    files: list[FileRow]
    images_digest: int
    """As in `WalkedFile`: all files of a folder have the same."""


@dataclass(slots=True)
class Walk:
    """One walk of a library, or of a folder below its root.

    Attributes:
        root: the library's root on this host.
        folder: where to begin, below the root; '' is the root.
        rules: the ignore rules that apply everywhere.
        notes: what could not be looked at, and what may be an accident, so far.
        is_root_empty: whether there was nothing at all in the root.
    """

    root: str
    folder: str = ""
    rules: IgnoreRules = field(default_factory=IgnoreRules)
    notes: WalkNotes = field(default_factory=WalkNotes)
    is_root_empty: bool = False
    _linked: set[tuple[int, int]] = field(default_factory=set)
    """Device and inode of folders that were entered through a link, or below one."""
    _images: dict[str, int] = field(default_factory=dict)
    """State of the images by prefix, for the folders above and those entered that have any."""

    def check_root(self) -> None:
        """Check that the root can be walked; `InvalidInput` names it and says what is wrong."""
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
        """The files, in the order of their paths. Errors go to `notes`; none ends the walk."""
        rules = self._rules_of_start()
        if rules is None:
            return
        self._read_images_above()
        prefix = f"{self.folder}/" if self.folder else ""
        start: Subfolder = (prefix, local_path(self.root, self.folder), None)
        # A stack, not recursion: folders may nest deeper than Python's own stack allows. Folders
        # without subfolders never get on it.
        stack = [self._opened(start, self._listing(start, rules, None), None)]
        while stack:
            current = stack[-1]
            for item in current.remaining:
                if isinstance(item, Run):
                    yield item
                    continue
                if (current.is_below_link or item[2]) and not self._may_enter(item):
                    continue
                listing = self._listing(item, current.rules, self.root)
                if listing.folders:
                    stack.append(self._opened(item, listing, current))
                    break
                if listing.files:
                    yield Run(listing.files, self._images_digest(item[0], listing.sheets_state))
                if listing.images_state:
                    del self._images[item[0]]
            else:
                self._images.pop(stack.pop().prefix, None)

    def _rules_of_start(self) -> IgnoreRules | None:
        """The rules in the folder where the walk begins; None where they ignore that folder."""
        rules = self.rules.for_folder(self.root, "")
        parts = self.folder.split("/") if self.folder else []
        for depth in range(1, len(parts) + 1):
            folder = "/".join(parts[:depth])
            if rules.ignores(folder, is_folder=True):
                return None
            rules = rules.for_folder(self.root, folder)
        return rules

    def _listing(
        self, folder: Subfolder, rules: IgnoreRules, rules_root: str | None
    ) -> FolderListing:
        """A folder's content; nothing where it cannot be listed."""
        prefix, path, _ = folder
        try:
            listing = list_folder(path, prefix, rules, self.notes, rules_root)
        except OSError as error:
            # A scan of one folder that is gone marks its files missing: that is no problem.
            if not (prefix[:-1] == self.folder != "" and error.errno in GONE):
                self.notes.add_problem(prefix[:-1], error)
            return FolderListing([], [], rules)
        if listing.images_state:
            self._images[prefix] = listing.images_state
        return listing

    def _opened(
        self, folder: Subfolder, listing: FolderListing, parent: "_OpenFolder | None"
    ) -> "_OpenFolder":
        prefix, _, link = folder
        remaining: Iterator[Run | Subfolder] = iter(listing.folders)
        if listing.files:
            digest = self._images_digest(prefix, listing.sheets_state)
            remaining = _merge(listing.files, listing.folders, digest)
        is_below_link = link is not None or (parent is not None and parent.is_below_link)
        return _OpenFolder(prefix, remaining, listing.rules, is_below_link)

    def _read_images_above(self) -> None:
        folder = self.folder
        while folder:
            folder = folder.rpartition("/")[0]
            if state := folder_images_state(self.root, folder):
                self._images[f"{folder}/" if folder else ""] = state

    def _images_digest(self, prefix: str, sheets_state: int) -> int:
        """Digest of the images in a folder and in those above it, and of its cue sheets."""
        if not self._images:
            return images_digest((), sheets_state)
        own = prefix[:-1]
        folders = (folder for folder in folders_beside(prefix) if is_around(folder, own))
        states = (self._images.get(f"{folder}/" if folder else "", 0) for folder in folders)
        return images_digest(states, sheets_state)

    def _may_enter(self, folder: Subfolder) -> bool:
        """Whether to enter a link, or a folder below one. Each target is entered once."""
        try:
            if folder[2] is not None and self._is_inside_root(os.path.realpath(folder[1])):
                return False  # the walk meets that folder by its own path
            status = os.stat(folder[1])  # noqa: PTH116 - names are bytes
        except OSError as error:
            self.notes.add_problem(folder[0][:-1], error)
            return False
        identity = (status.st_dev, status.st_ino)
        if identity in self._linked:
            return False
        self._linked.add(identity)
        return True

    def _is_inside_root(self, target: bytes) -> bool:
        root = os.path.realpath(os.fsencode(self.root))
        return target == root or target.startswith(root.rstrip(b"/") + b"/")


@dataclass(slots=True)
class _OpenFolder:
    """A folder on the walk's stack.

    Attributes:
        prefix: what the paths in it begin with.
        remaining: what is left of it: runs of files, and subfolders.
        rules: the ignore rules that apply in it.
        is_below_link: whether it is a link, or lies below one.
    """

    prefix: str
    remaining: Iterator[Run | Subfolder]
    rules: IgnoreRules
    is_below_link: bool


def _merge(
    files: list[FileRow], folders: list[Subfolder], images_digest: int
) -> Iterator[Run | Subfolder]:
    """Files and folders in the order of whole paths.

    A folder's files sort by `name/...`, so `a-b.mp3` comes before `a/x.mp3`, and that one before
    `a0.mp3`.
    """
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
