"""What a scan passes over: hidden names, common junk, settings, and `.soniqueignore` files.

Patterns have gitignore's syntax; those of a `.soniqueignore` file count from its folder down.
"""

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass

from pathspec import GitIgnoreSpec

from shared.contracts.identity import local_path

IGNORE_FILE = ".soniqueignore"
JUNK = frozenset(("@eadir", "#recycle", "#snapshot", "$recycle.bin", "lost+found", "__macosx"))
"""Folders that devices and systems put beside music, in lower case. Hidden ones need no name."""
_MOST_BYTES = 1_000_000


@dataclass(frozen=True, slots=True)
class Ignoring:
    """The rules that hold in one folder; each folder's own file is added on the way down.

    Attributes:
        rules: folder below the root ('' or ending in '/') and the patterns that count from it,
            outermost first.
    """

    rules: tuple[tuple[str, GitIgnoreSpec], ...] = ()

    @classmethod
    def of_settings(cls, patterns: Sequence[str]) -> "Ignoring":
        """The rules that hold everywhere."""
        return cls((("", _spec(patterns)),) if patterns else ())

    def ignores(self, path: str, *, is_folder: bool) -> bool:
        """Whether to pass over `path` (below the root). The innermost file that speaks wins."""
        name = path.rpartition("/")[2]
        if name.startswith(".") or (is_folder and name.lower() in JUNK):
            return True
        shown = f"{path}/" if is_folder else path
        for folder, spec in reversed(self.rules):
            verdict = spec.check_file(shown[len(folder) :]).include
            if verdict is not None:
                return verdict
        return False

    def entering(self, root: str, folder: str) -> "Ignoring":
        """The rules inside `folder` ('' is the root), where a `.soniqueignore` file lies."""
        inside = f"{folder}/" if folder else ""
        try:
            with open(local_path(root, inside + IGNORE_FILE), "rb") as file:  # noqa: PTH123 - bytes
                told = file.read(_MOST_BYTES)
        except OSError:
            return self
        spec = _spec(told.decode(errors="replace").splitlines())
        return Ignoring((*self.rules, (inside, spec)))


def _spec(lines: Sequence[str]) -> GitIgnoreSpec:
    """The patterns of the lines; one that is none is passed over, as git does."""
    try:
        return GitIgnoreSpec.from_lines(lines)
    except (ValueError, re.error):
        return GitIgnoreSpec.from_lines(line for line in lines if _is_pattern(line))


def _is_pattern(line: str) -> bool:
    try:
        GitIgnoreSpec.from_lines([line])
    except (ValueError, re.error):
        return False
    return True


def is_seen(root: str, path: str, ignoring: Ignoring) -> bool:
    """Whether a walk of the library sees this file now: it is there and nothing ignores it."""
    if not os.path.lexists(local_path(root, path)):
        return False
    *folders, _ = path.split("/")
    here = ignoring.entering(root, "")
    for depth in range(1, len(folders) + 1):
        folder = "/".join(folders[:depth])
        if here.ignores(folder, is_folder=True):
            return False
        here = here.entering(root, folder)
    return not here.ignores(path, is_folder=False)
