"""Turns changed paths into the folders to scan, and waits until nothing changes in them."""

import os
from collections.abc import Iterable
from dataclasses import dataclass, field

from services.extractor.covers.images import SCAN_FOLDERS
from services.extractor.paths import IMAGE_SUFFIXES, is_audio, suffix_of
from services.extractor.scan.ignore_rules import IGNORE_FILE, JUNK_FOLDERS
from services.extractor.tags.lyrics import SIDECAR_SUFFIXES
from services.extractor.tags.rules_file import RULES_FILE
from shared.contracts.identity import encode_path

MAX_GONE_FILES = 25
"""With more files gone the whole library is scanned. A scan of one folder would take an album that
was deleted for a disk that is not mounted (see `deletion_guard.py`)."""
MAX_FOLDERS = 100
"""With more folders waiting the whole library is scanned at once."""
_RULE_FILES = frozenset((IGNORE_FILE, RULES_FILE))
_OTHER_SUFFIXES = IMAGE_SUFFIXES | {".cue", *(suffix.lower() for suffix in SIDECAR_SUFFIXES)}


@dataclass(slots=True)
class ChangedFolders:
    """What a batch of changes affects, below the root.

    Attributes:
        folders: to be scanned; '' is the whole library.
        unknown: paths that no longer exist and have no music's name: each may have been a folder
            of music, or anything.
    """

    folders: set[str] = field(default_factory=set)
    unknown: set[str] = field(default_factory=set)


def changed_folders(root: str, paths: Iterable[str]) -> ChangedFolders:
    """The folders that changed paths (absolute, below `root`) affect. It looks at the disk."""
    changed = ChangedFolders()
    gone = 0
    for path in paths:
        below = path[len(root.rstrip("/")) :].strip("/")
        if _is_ignored(below):
            continue
        folder, _, name = below.rpartition("/")
        if os.path.isdir(path):  # noqa: PTH112 - strings with surrogates, as all paths here
            folder = below
        elif is_audio(name) or suffix_of(name) in _OTHER_SUFFIXES or name in _RULE_FILES:
            gone += is_audio(name) and not os.path.lexists(path)
        else:
            if not os.path.lexists(path):
                changed.unknown.add(_encoded(below))
            continue
        above, _, last = folder.rpartition("/")
        if (
            os.fsencode(last.lower()) in SCAN_FOLDERS
        ):  # its covers are those of the folder around it
            folder = above
        # Where a folder is gone, its files may have moved to anywhere in the library.
        exists = os.path.isdir(os.path.join(root, folder))  # noqa: PTH112, PTH118 - as above
        changed.folders.add(_encoded(folder) if exists else "")
    if gone > MAX_GONE_FILES:
        changed.folders.add("")
    return changed


def _is_ignored(below: str) -> bool:
    *folders, name = below.split("/")
    is_hidden = any(part.startswith(".") or part.lower() in JUNK_FOLDERS for part in folders)
    return is_hidden or (name.startswith(".") and name not in _RULE_FILES)


def _encoded(path: str) -> str:
    return encode_path(os.fsencode(path))


@dataclass(slots=True)
class Debounce:
    """Holds changed folders back until nothing changes in them any longer. Pure.

    A folder is named below the library's root; '' is the root, and means the whole library.

    Attributes:
        quiet_s: a folder is due when nothing changed in it for so long: a copy is complete then.
        max_wait_s: a folder that keeps changing is due so long after its first change.
    """

    quiet_s: float = 2.0
    max_wait_s: float = 60.0
    _changed_s: dict[str, tuple[float, float]] = field(default_factory=dict)
    """Times of the first and the last change by folder."""

    def add(self, folder: str, now_s: float) -> None:
        """Note a change in a folder."""
        if len(self._changed_s) >= MAX_FOLDERS:
            folder = ""
        if folder == "" and "" not in self._changed_s:
            # The whole library replaces all its folders, and keeps the time of the first change.
            first_s = min((first for first, _ in self._changed_s.values()), default=now_s)
            self._changed_s = {"": (first_s, now_s)}
        elif "" in self._changed_s:
            folder = ""
        first_s, _ = self._changed_s.get(folder, (now_s, now_s))
        self._changed_s[folder] = (first_s, now_s)

    def take_due(self, now_s: float) -> list[str]:
        """Remove and return the folders that are due, without those inside another one of them."""
        due = sorted(
            folder
            for folder, (first_s, last_s) in self._changed_s.items()
            if now_s - last_s >= self.quiet_s or now_s - first_s >= self.max_wait_s
        )
        outermost: list[str] = []
        for folder in due:
            del self._changed_s[folder]
            if not any(folder.startswith(f"{outer}/") for outer in outermost):
                outermost.append(folder)
        return outermost
