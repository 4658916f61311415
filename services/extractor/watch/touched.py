"""From paths that changed to the folders that a scan must look at."""

import os
from collections.abc import Iterable
from dataclasses import dataclass, field

from services.extractor.read.formats import IMAGE_SUFFIXES, is_audio, suffix_of
from services.extractor.scan.ignore_rules import IGNORE_FILE, JUNK
from services.extractor.tags.lyrics import SIDECAR_SUFFIXES
from services.extractor.tags.rules_file import RULES_FILE
from shared.contracts.identity import encode_path

MOST_GONE = 25
"""Files. Where more are gone the whole library is scanned, for a scan of one folder would take an
album that was deleted for a disk that is not mounted (see `guarding.py`)."""
_TOLD_HERE = frozenset((IGNORE_FILE, RULES_FILE))
_BESIDE = IMAGE_SUFFIXES | {suffix.lower() for suffix in SIDECAR_SUFFIXES}


@dataclass(slots=True)
class Touched:
    """What changes concern, below the root.

    Attributes:
        folders: to be scanned; '' is the whole library.
        unknown: what is no longer there and has no music's name: a folder, or nothing of ours.
    """

    folders: set[str] = field(default_factory=set)
    unknown: set[str] = field(default_factory=set)


def touched(root: str, paths: Iterable[str]) -> Touched:
    """Look at what is there of the paths (absolute, below `root`) and tell what is to be done."""
    found = Touched()
    gone = 0
    for path in paths:
        below = path[len(root.rstrip("/")) :].strip("/")
        if _is_passed_over(below):
            continue
        folder, _, name = below.rpartition("/")
        if os.path.isdir(path):  # noqa: PTH112 - strings with surrogates, as all paths here
            folder = below
        elif is_audio(name) or suffix_of(name) in _BESIDE or name in _TOLD_HERE:
            gone += is_audio(name) and not os.path.lexists(path)
        else:
            if not os.path.lexists(path):
                found.unknown.add(_encoded(below))
            continue
        # Where a folder is gone, all its files are; and they may be elsewhere in the library.
        is_there = os.path.isdir(os.path.join(root, folder))  # noqa: PTH112, PTH118 - as above
        found.folders.add(_encoded(folder) if is_there else "")
    if gone > MOST_GONE:
        found.folders.add("")
    return found


def _is_passed_over(below: str) -> bool:
    *folders, name = below.split("/")
    hidden = any(part.startswith(".") or part.lower() in JUNK for part in folders)
    return hidden or (name.startswith(".") and name not in _TOLD_HERE)


def _encoded(path: str) -> str:
    return encode_path(os.fsencode(path))
