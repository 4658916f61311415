"""What a scan skips: hidden names, system folders, configured patterns, `.soniqueignore` files.

Patterns have gitignore's syntax. Those of a `.soniqueignore` file apply to its folder and below.
"""

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass

from pathspec import GitIgnoreSpec

from shared.contracts.identity import local_path

IGNORE_FILE = ".soniqueignore"
JUNK_FOLDERS = frozenset(
    (
        "@eadir", "@recycle", "@recycle.bin", "@recently-snapshot", "@snapshot", "@tmp",
        "@sharebin", "@transcode", "#recycle", "#snapshot", "#recently-snapshot", "$recycle.bin",
        "recycler", "found.000", "system volume information", "network trash folder",
        "temporary items", "lost+found", "lost.dir", "__macosx",
    )
)  # fmt: skip
"""Folders that devices and systems put beside music, in lower case. Hidden ones need no name."""
_MAX_BYTES = 1_000_000


@dataclass(frozen=True, slots=True)
class IgnoreRules:
    """The rules that apply in one folder; the walk adds each folder's own file on the way down.

    Attributes:
        patterns: pairs of a folder below the root ('' or ending in '/') and the patterns that
            apply below it, outermost folder first.
    """

    patterns: tuple[tuple[str, GitIgnoreSpec], ...] = ()

    @classmethod
    def from_settings(cls, lines: Sequence[str]) -> "IgnoreRules":
        """The rules that apply everywhere."""
        return cls((("", _spec(lines)),) if lines else ())

    def ignores(self, path: str, *, is_folder: bool) -> bool:
        """Whether to skip `path` (below the root). The innermost file with a match decides."""
        name = path.rpartition("/")[2]
        if name.startswith(".") or (is_folder and name.lower() in JUNK_FOLDERS):
            return True
        # gitignore's patterns that end in '/' match folders alone, and need to see the '/'.
        target = f"{path}/" if is_folder else path
        for folder, spec in reversed(self.patterns):
            # `include` is None where no pattern matches, and False where a `!` pattern does.
            is_ignored = spec.check_file(target[len(folder) :]).include
            if is_ignored is not None:
                return is_ignored
        return False

    def for_folder(self, root: str, folder: str) -> "IgnoreRules":
        """The rules inside `folder` ('' is the root): these, and its `.soniqueignore` file's."""
        prefix = f"{folder}/" if folder else ""
        try:
            with open(local_path(root, prefix + IGNORE_FILE), "rb") as file:  # noqa: PTH123 - bytes
                content = file.read(_MAX_BYTES)
        except OSError:
            return self
        spec = _spec(content.decode(errors="replace").splitlines())
        return IgnoreRules((*self.patterns, (prefix, spec)))


def _spec(lines: Sequence[str]) -> GitIgnoreSpec:
    """The patterns of the lines. Invalid patterns are skipped, as git does."""
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


def is_seen(root: str, path: str, rules: IgnoreRules) -> bool:
    """Whether a walk would see this file now: it exists, and no rule ignores it or its folders."""
    if not os.path.lexists(local_path(root, path)):
        return False
    *folders, _ = path.split("/")
    rules = rules.for_folder(root, "")
    for depth in range(1, len(folders) + 1):
        folder = "/".join(folders[:depth])
        if rules.ignores(folder, is_folder=True):
            return False
        rules = rules.for_folder(root, folder)
    return not rules.ignores(path, is_folder=False)
