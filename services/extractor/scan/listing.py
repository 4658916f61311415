"""Lists one folder: its music files with size and time, its subfolders, the state of what counts.

What counts for its music are images and cue sheets.

Other files cost only a look at their names. A music file is a plain tuple, because a scan makes
one per file of the library.
"""

import errno
import os
from collections.abc import Iterable
from dataclasses import dataclass, field
from operator import itemgetter

from services.extractor.covers.images import (
    SCAN_FOLDERS,
    ImageEntry,
    image_entry,
    images_state,
    scanned_images,
)
from services.extractor.cue.sidecars import is_sheet, sheet_entry, sheets_state
from services.extractor.paths import AUDIO_SUFFIXES
from services.extractor.scan.ignore_rules import IGNORE_FILE, JUNK_FOLDERS, IgnoreRules
from shared.contracts.identity import display_path, encode_path

FileRow = tuple[str, int, int]
"""A file that exists: its path below the root, size in bytes, time of change in ns."""
GONE = frozenset((errno.ENOENT, errno.ENOTDIR))
"""The system's errors for a file that vanished during the walk."""
_AUDIO = frozenset(suffix[1:].encode() for suffix in AUDIO_SUFFIXES)
_JUNK = frozenset(map(str.encode, JUNK_FOLDERS))
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
class WalkNotes:
    """What a walk noticed besides music files.

    Attributes:
        problems: what it could not look at.
        empty_folders: folders below the root with nothing at all in them.
        dangling_links: links to nothing that may have been folders.
    """

    problems: list[Problem] = field(default_factory=list)
    empty_folders: set[str] = field(default_factory=set)
    dangling_links: set[str] = field(default_factory=set)

    def add_problem(self, path: str, error: Exception) -> None:
        """Note that `path` could not be looked at."""
        self.problems.append(Problem(path, reason_of(error)))


Subfolder = tuple[str, bytes, os.DirEntry[bytes] | None]
"""A folder: the prefix of the paths in it, its absolute path, and the link that leads to it.

The prefix is the folder's path below the root with a '/' behind it: paths sort by it.
"""


@dataclass(slots=True)
class FolderListing:
    """What matters in a folder.

    Attributes:
        files: its music, sorted by path.
        folders: its subfolders that are not ignored, sorted by path.
        rules: the rules that apply in it.
        images_state: a number that changes when its images do; 0 where there are none.
        sheets_state: the same of its cue sheets.
    """

    files: list[FileRow]
    folders: list[Subfolder]
    rules: IgnoreRules
    images_state: int = 0
    sheets_state: int = 0


def list_folder(
    path: bytes, prefix: str, rules: IgnoreRules, notes: WalkNotes, rules_root: str | None = None
) -> FolderListing:
    """List the folder at `path`. Paths in it begin with `prefix`, which is '' in the root.

    `rules_root` is the library's root, if the folder's own `.soniqueignore` is to be read; None
    where it is in `rules` already.

    Raises:
        OSError: the folder cannot be listed.
    """
    listing = FolderListing([], [], rules)
    problems = len(notes.problems)
    with os.scandir(path) as entries:
        others = _collect_music(listing, entries, prefix, notes, rules_root is not None)
    if others is None and rules_root is not None:
        # Few folders have rules. Reading them on sight and starting again saves all other folders
        # an attempt to open a file that is not there.
        del notes.problems[problems:]
        listing = FolderListing([], [], rules.for_folder(rules_root, prefix[:-1]))
        with os.scandir(path) as entries:
            others = _collect_music(listing, entries, prefix, notes, stops_at_rules=False)
    if others:
        _collect_others(listing, others, prefix, notes)
    if len(listing.files) > 1:
        listing.files.sort(key=_key)
    if len(listing.folders) > 1:
        listing.folders.sort(key=_key)
    if not (listing.files or listing.folders or others) and _is_empty(path):
        notes.empty_folders.add(prefix[:-1])
    return listing


def _is_empty(path: bytes) -> bool:
    with os.scandir(path) as entries:
        return next(entries, None) is None


def _collect_music(  # noqa: C901 - one loop without calls: it runs once a file of the library
    listing: FolderListing,
    entries: Iterable[os.DirEntry[bytes]],
    prefix: str,
    notes: WalkNotes,
    stops_at_rules: bool,
) -> list[os.DirEntry[bytes]] | None:
    """Collect regular music files and real folders: nearly all that a library has.

    Returns the entries that are neither, and folders of scans; or None when it met a file of rules
    and `stops_at_rules`.
    A scan that finds nothing new spends most of its time here: one `stat` per file.
    """
    others = []
    files, folders, rules = listing.files, listing.folders, listing.rules
    has_patterns = bool(rules.patterns)
    for entry in entries:
        name = entry.name
        if name[0] == _DOT:  # hidden
            if stops_at_rules and name == _RULES:
                return None
            continue
        try:
            # Without following links this asks the system nothing: scandir has the kind of entry.
            if entry.is_file(follow_symlinks=False):
                stem, _, ending = name.rpartition(b".")
                if ending.lower() not in _AUDIO or not stem:
                    others.append(entry)
                    continue
                # The same as encode_path, without its call for nearly all names.
                path = prefix + (name.decode() if name.isascii() else encode_path(name))
                if not (has_patterns and rules.ignores(path, is_folder=False)):
                    status = entry.stat()
                    files.append((path, status.st_size, status.st_mtime_ns))
            elif not entry.is_dir(follow_symlinks=False):
                others.append(entry)
            elif (lower := name.lower()) not in _JUNK:
                if lower in SCAN_FOLDERS:
                    others.append(entry)
                path = prefix + (name.decode() if name.isascii() else encode_path(name))
                if not (has_patterns and rules.ignores(path, is_folder=True)):
                    folders.append((path + "/", entry.path, None))
        except OSError as error:
            if error.errno not in GONE:
                notes.add_problem(prefix + encode_path(name), error)
    return others


def _collect_others(
    listing: FolderListing, others: list[os.DirEntry[bytes]], prefix: str, notes: WalkNotes
) -> None:
    """Collect images, cue sheets, links, and music names that belong to no regular file."""
    images: list[ImageEntry] = []
    sheets: list[ImageEntry] = []
    for entry in others:
        if is_sheet(entry.name):
            sheets += _sheets_of(entry)
        if entry.is_file(follow_symlinks=False) or entry.is_dir(follow_symlinks=False):
            # A folder here is one of scans: it is among the folders, too.
            images += _images_of(entry)
            continue
        path = prefix + encode_path(entry.name)
        is_folder = _is_folder(entry, path, notes)
        if not is_folder and not _is_audio(entry.name):
            images += _images_of(entry)
        elif listing.rules.ignores(path, is_folder=is_folder):
            pass
        elif is_folder:
            listing.folders.append((path + "/", entry.path, entry))
        elif (status := _stat(entry, path, notes)) is not None:
            listing.files.append((path, status.st_size, status.st_mtime_ns))
    if images:
        listing.images_state = images_state(images)
    if sheets:
        listing.sheets_state = sheets_state(sheets)


def _images_of(entry: os.DirEntry[bytes]) -> Iterable[ImageEntry]:
    """The image that an entry is; of a folder of scans those in it."""
    image = image_entry(entry)
    return [image] if image else [scan for scan, _ in scanned_images(entry)]


def _sheets_of(entry: os.DirEntry[bytes]) -> Iterable[ImageEntry]:
    """The cue sheet that an entry is; none where it is something else of such a name."""
    try:
        sheet = sheet_entry(entry.name, entry.stat())
    except OSError:
        return ()
    return [sheet] if sheet else ()


def _is_audio(name: bytes) -> bool:
    stem, _, ending = name.rpartition(b".")
    return bool(stem) and ending.lower() in _AUDIO


def _is_folder(entry: os.DirEntry[bytes], path: str, notes: WalkNotes) -> bool:
    try:
        if entry.is_dir():
            return True
    except OSError as error:
        # A link to itself leads to no disk that may come back.
        if error.errno != errno.ELOOP:
            notes.add_problem(path, error)
            return False
    if entry.is_symlink() and not os.path.exists(entry.path):  # noqa: PTH110 - names are bytes
        notes.dangling_links.add(path)
    return False


def _stat(entry: os.DirEntry[bytes], path: str, notes: WalkNotes) -> os.stat_result | None:
    try:
        return entry.stat()
    except OSError as error:
        if error.errno in {errno.ENOENT, errno.ELOOP} and entry.is_symlink():
            # A dangling link is listed like a file, so that reading it fails and says why.
            return entry.stat(follow_symlinks=False)
        if error.errno not in GONE:
            notes.add_problem(path, error)
        return None


def reason_of(error: Exception) -> str:
    """The system's message for an error, without the file's name."""
    return getattr(error, "strerror", None) or str(error)
