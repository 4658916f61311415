"""Lists one folder: its music with size and time, the folders in it, the state of its images.

What is no music costs a look at its name; a file of music is a plain row, no object of its own.
"""

import errno
import os
from collections.abc import Iterable
from dataclasses import dataclass, field
from operator import itemgetter

from services.extractor.covers.images import ImageEntry, image_entry, state_of
from services.extractor.read.formats import AUDIO_SUFFIXES, IMAGE_SUFFIXES
from services.extractor.scan.ignore_rules import IGNORE_FILE, JUNK, Ignoring
from shared.contracts.identity import display_path, encode_path

FileRow = tuple[str, int, int]
"""A file that is there: its path below the root, size in bytes, time of change in ns."""
GONE = frozenset((errno.ENOENT, errno.ENOTDIR))
"""What the system says of what vanished meanwhile."""
_AUDIO = frozenset(suffix[1:].encode() for suffix in AUDIO_SUFFIXES)
_IMAGES = frozenset(suffix[1:].encode() for suffix in IMAGE_SUFFIXES)
_JUNK = frozenset(map(str.encode, JUNK))
_RULES = os.fsencode(IGNORE_FILE)
_DOT = ord(".")
_key = itemgetter(0)


@dataclass(frozen=True, slots=True)
class Problem:
    """A folder or file that the walk could not look at: what lies below it is unknown."""

    path: str
    reason: str

    def __str__(self) -> str:
        return f"{display_path(self.path) or 'the root'}: {self.reason}"


@dataclass(slots=True)
class Noticed:
    """What a walk noticed beside files.

    Attributes:
        problems: what could not be looked at, so far.
        empty_folders: folders below the root with nothing at all in them.
        dangling_links: links to nothing that may have been folders.
    """

    problems: list[Problem] = field(default_factory=list)
    empty_folders: set[str] = field(default_factory=set)
    dangling_links: set[str] = field(default_factory=set)

    def problem(self, path: str, error: Exception) -> None:
        """Something could not be looked at."""
        self.problems.append(Problem(path, reason_of(error)))


InnerFolder = tuple[str, bytes, os.DirEntry[bytes] | None]
"""A folder in a folder: its path below the root with '/' behind, where it is, the link to it.

The first is what the paths in it begin with, and sort by.
"""


@dataclass(slots=True)
class Listing:
    """What counts in a folder.

    Attributes:
        files: its music. folders: those that are not ignored. Both by path.
        ignoring: the rules that hold in it.
        images_state: another number when its images are others; 0 where there are none.
    """

    files: list[FileRow]
    folders: list[InnerFolder]
    ignoring: Ignoring
    images_state: int = 0


def list_folder(
    place: bytes, inside: str, ignoring: Ignoring, noticed: Noticed, rules_below: str | None = None
) -> Listing:
    """List the folder at `place`; the paths in it begin with `inside`, '' in the root.

    `rules_below` is the root, where a file of rules in the folder counts; None where it is among
    `ignoring` already.

    Raises:
        OSError: the folder cannot be listed.
    """
    listing = Listing([], [], ignoring)
    problems = len(noticed.problems)
    with os.scandir(place) as entries:
        others = _take_most(listing, entries, inside, noticed, rules_below is not None)
    if others is None and rules_below is not None:  # rare: there are rules, so begin anew
        del noticed.problems[problems:]
        listing = Listing([], [], ignoring.entering(rules_below, inside[:-1]))
        with os.scandir(place) as entries:
            others = _take_most(listing, entries, inside, noticed, looks_for_rules=False)
    if others:
        _take_others(listing, others, inside, noticed)
    if len(listing.files) > 1:
        listing.files.sort(key=_key)
    if len(listing.folders) > 1:
        listing.folders.sort(key=_key)
    if not (listing.files or listing.folders or others) and _is_empty(place):
        noticed.empty_folders.add(inside[:-1])
    return listing


def _is_empty(place: bytes) -> bool:
    with os.scandir(place) as entries:
        return next(entries, None) is None


def _take_most(  # noqa: C901 - one loop without calls: it runs once a file of the library
    listing: Listing,
    entries: Iterable[os.DirEntry[bytes]],
    inside: str,
    noticed: Noticed,
    looks_for_rules: bool,
) -> list[os.DirEntry[bytes]] | None:
    """Take music and folders, nearly all that a library has; returns what is neither.

    None where rules were looked for and are there. This is where a scan of nothing new spends
    its time: it asks the system once a file.
    """
    others = []
    files, folders, ignoring = listing.files, listing.folders, listing.ignoring
    has_rules = bool(ignoring.rules)
    for entry in entries:
        name = entry.name
        if name[0] == _DOT:  # hidden
            if looks_for_rules and name == _RULES:
                return None
            continue
        try:
            if entry.is_file(follow_symlinks=False):
                stem, _, ending = name.rpartition(b".")
                if ending.lower() not in _AUDIO or not stem:
                    others.append(entry)
                    continue
                path = inside + (name.decode() if name.isascii() else encode_path(name))
                if not (has_rules and ignoring.ignores(path, is_folder=False)):
                    told = entry.stat()
                    files.append((path, told.st_size, told.st_mtime_ns))
            elif not entry.is_dir(follow_symlinks=False):
                others.append(entry)
            elif name.lower() not in _JUNK:
                path = inside + (name.decode() if name.isascii() else encode_path(name))
                if not (has_rules and ignoring.ignores(path, is_folder=True)):
                    folders.append((path + "/", entry.path, None))
        except OSError as error:
            if error.errno not in GONE:
                noticed.problem(inside + encode_path(name), error)
    return others


def _take_others(
    listing: Listing, others: list[os.DirEntry[bytes]], inside: str, noticed: Noticed
) -> None:
    """Take images, links, and what is no regular file."""
    images: list[ImageEntry] = []
    for entry in others:
        if entry.is_file(follow_symlinks=False):
            if (image := image_entry(entry)) is not None:
                images.append(image)
            continue
        path = inside + encode_path(entry.name)
        is_folder = _is_folder(entry, path, noticed)
        if not is_folder and not _is_audio(entry.name):
            if (image := image_entry(entry)) is not None:
                images.append(image)
        elif listing.ignoring.ignores(path, is_folder=is_folder):
            pass
        elif is_folder:
            listing.folders.append((path + "/", entry.path, entry))
        elif (told := _stat(entry, path, noticed)) is not None:
            listing.files.append((path, told.st_size, told.st_mtime_ns))
    if images:
        listing.images_state = state_of(images)


def _is_audio(name: bytes) -> bool:
    stem, _, ending = name.rpartition(b".")
    return bool(stem) and ending.lower() in _AUDIO


def _is_folder(entry: os.DirEntry[bytes], path: str, noticed: Noticed) -> bool:
    try:
        if entry.is_dir():
            return True
    except OSError as error:
        if error.errno != errno.ELOOP:
            noticed.problem(path, error)
            return False
    if entry.is_symlink() and not os.path.exists(entry.path):  # noqa: PTH110 - names are bytes
        noticed.dangling_links.add(path)
    return False


def _stat(entry: os.DirEntry[bytes], path: str, noticed: Noticed) -> os.stat_result | None:
    try:
        return entry.stat()
    except OSError as error:
        if error.errno in {errno.ENOENT, errno.ELOOP} and entry.is_symlink():
            return entry.stat(follow_symlinks=False)  # a link to nowhere: reading says so
        if error.errno not in GONE:
            noticed.problem(path, error)
        return None


def reason_of(error: Exception) -> str:
    """What the system says, in words."""
    return getattr(error, "strerror", None) or str(error)
