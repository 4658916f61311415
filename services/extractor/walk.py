"""Walks a library's folders: every music file with size and time, in the order of the paths.

The order is that of the gateway's `knownFiles`, so both can be compared as streams: memory
does not grow with the library.
"""

import errno
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from operator import itemgetter
from typing import NamedTuple

from services.extractor.covers import (
    ImageEntry,
    folder_state,
    image_entry,
    images_digest,
    state_of,
)
from services.extractor.formats import is_audio
from services.extractor.ignoring import IGNORE_FILE, Ignoring
from services.extractor.places import folders_beside, is_around
from shared.contracts.errors import InvalidInput
from shared.contracts.identity import display_path, encode_path, local_path


class WalkedFile(NamedTuple):
    """A file that is there. One that is no regular file is reported too: reading refuses it."""

    path: str
    size_bytes: int
    mtime_ns: int
    images_digest: int = 0
    """Another number when the images beside it are others."""


@dataclass(frozen=True, slots=True)
class Problem:
    """A folder or file that the walk could not look at: what lies below it is unknown."""

    path: str
    reason: str

    def __str__(self) -> str:
        return f"{display_path(self.path) or 'the root'}: {self.reason}"


@dataclass(slots=True)
class Walk:
    """One walk of a library, or of a folder below its root.

    Attributes:
        root: the library's root on this host.
        folder: where to begin, below the root; '' is the root.
        ignoring: the rules that hold everywhere.
        problems: what could not be looked at, so far.
        is_root_empty: whether there was nothing at all in the root.
        empty_folders: folders below the root with nothing at all in them.
        dangling_links: links to nothing that may have been folders.
    """

    root: str
    folder: str = ""
    ignoring: Ignoring = field(default_factory=Ignoring)
    problems: list[Problem] = field(default_factory=list)
    is_root_empty: bool = False
    empty_folders: set[str] = field(default_factory=set)
    dangling_links: set[str] = field(default_factory=set)
    _linked: set[tuple[int, int]] = field(default_factory=set)
    _images: dict[str, int] = field(default_factory=dict)
    """The state of the images in the folders that are entered, and above."""

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
            raise InvalidInput(f"{self.root} cannot be read: {_reason(error)}") from None

    def files(self) -> Iterator[WalkedFile]:
        """The files, in the order of their paths. Errors go to `problems`; none ends the walk."""
        ignoring = self._rules_above()
        if ignoring is None:
            return
        above = self.folder
        while above:
            above = above.rpartition("/")[0]
            self._images[above] = folder_state(self.root, above)
        # Folders that are entered, innermost last: what is left of each, and its rules.
        way = [self._entered(self.folder, ignoring, may_add_rules=False)]
        while way:
            here = way[-1]
            entry = next(here.entries, None)
            if entry is None:
                del self._images[way.pop().folder]
                continue
            _, path, found, is_folder = entry
            if not is_folder:
                if here.images_digest is None:
                    here.images_digest = self._digest(path)
                file = self._file(path, found, here.images_digest)
                if file is not None:
                    yield file
            elif self._may_enter(path, found, below_link=here.is_below_link):
                inner = self._entered(path, here.ignoring)
                inner.is_below_link = here.is_below_link or found.is_symlink()
                way.append(inner)

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

    def _entered(
        self, folder: str, ignoring: Ignoring, *, may_add_rules: bool = True
    ) -> "_Entered":
        """A folder with what counts in it, sorted so that whole paths come in order."""
        inside = f"{folder}/" if folder else ""
        found: list[_Found] = []
        images: list[ImageEntry] = []
        try:
            with os.scandir(local_path(self.root, folder)) as scanned:
                entries = list(scanned)
            if not entries:
                self.empty_folders.add(folder)
            if may_add_rules and any(entry.name == _RULES for entry in entries):
                ignoring = ignoring.entering(self.root, folder)
            for entry in entries:
                name = encode_path(entry.name)
                path = inside + name
                is_folder = self._is_folder(entry, path)
                if not is_folder and not is_audio(name):
                    if (image := image_entry(entry)) is not None:
                        images.append(image)
                    continue
                if not ignoring.ignores(path, is_folder=is_folder):
                    # A folder's files sort by `name/...`, not by `name`.
                    found.append((f"{path}/" if is_folder else path, path, entry, is_folder))
        except OSError as error:
            if not (folder == self.folder != "" and error.errno in _GONE):
                self.problems.append(Problem(folder, _reason(error)))
        self._images[folder] = state_of(images) if images else 0
        found.sort(key=_key)
        return _Entered(folder, iter(found), ignoring)

    def _is_folder(self, entry: os.DirEntry[bytes], path: str) -> bool:
        try:
            if entry.is_file(follow_symlinks=False):
                return False  # nearly all
            is_folder = entry.is_dir()
        except OSError as error:
            if error.errno != errno.ELOOP:
                self.problems.append(Problem(path, _reason(error)))
                return False
            is_folder = False
        if not is_folder and entry.is_symlink() and not os.path.exists(entry.path):  # noqa: PTH110
            self.dangling_links.add(path)
        return is_folder

    def _digest(self, path: str) -> int:
        """Of the images beside a file: those of the folders on the way to it."""
        if not any(self._images.values()):
            return 0
        own = path.rpartition("/")[0]
        return images_digest(
            self._images[folder] for folder in folders_beside(path) if is_around(folder, own)
        )

    def _file(self, path: str, entry: os.DirEntry[bytes], images_digest: int) -> WalkedFile | None:
        try:
            told = entry.stat()
        except OSError as error:
            if error.errno not in {errno.ENOENT, errno.ELOOP} or not entry.is_symlink():
                if error.errno not in _GONE:
                    self.problems.append(Problem(path, _reason(error)))
                return None
            told = entry.stat(follow_symlinks=False)  # a link to nowhere: reading says so
        return WalkedFile(path, told.st_size, told.st_mtime_ns, images_digest)

    def _may_enter(self, path: str, entry: os.DirEntry[bytes], *, below_link: bool) -> bool:
        """Whether to go in: folders are entered by their own path, linked ones outside once."""
        if not below_link and not entry.is_symlink():
            return True
        try:
            if entry.is_symlink() and self._is_inside(os.path.realpath(entry.path)):
                return False  # the walk comes by there anyway
            told = entry.stat()
        except OSError as error:
            self.problems.append(Problem(path, _reason(error)))
            return False
        identity = (told.st_dev, told.st_ino)
        if identity in self._linked:
            return False
        self._linked.add(identity)
        return True

    def _is_inside(self, target: bytes) -> bool:
        root = os.path.realpath(os.fsencode(self.root))
        return target == root or target.startswith(root.rstrip(b"/") + b"/")


_RULES = os.fsencode(IGNORE_FILE)
_key = itemgetter(0)
_GONE = frozenset((errno.ENOENT, errno.ENOTDIR))


_Found = tuple[str, str, os.DirEntry[bytes], bool]
"""An entry of a folder: what it is sorted by, its path, and whether it is a folder."""


@dataclass(slots=True)
class _Entered:
    """A folder that is walked.

    Attributes:
        entries: what is left of it. ignoring: its rules.
        images_digest: of its files; None until there is one.
    """

    folder: str
    entries: Iterator[_Found]
    ignoring: Ignoring
    is_below_link: bool = False
    images_digest: int | None = None


def _reason(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error)
