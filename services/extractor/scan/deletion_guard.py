"""Tells a removal from an accident, such as a disk that is not mounted. Pure.

Files that an accident hides are not marked missing: the scan is held until a person accepts it.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

_ADVICE = "Is a disk not mounted? If they are really gone, scan with --accept-missing"


@dataclass(frozen=True, slots=True)
class DeletionGuard:
    """How much may go missing at once before a person has to accept it.

    Attributes:
        share: of the known files; a walk that sees fewer by more than this is held.
        least: known files from which the share counts. Fewer may go, unless nothing is left.
    """

    share: float = 0.5
    least: int = 50


@dataclass(frozen=True, slots=True)
class WalkSummary:
    """What a walk saw, compared with what was known.

    Attributes:
        place: the folder that was walked, as people write it.
        is_whole: whether that is a library's root.
        is_root_empty: whether nothing at all is in the root.
        seen: how many files exist.
        known: how many files were known to exist, without those below places that could not be
            looked at.
        missing: paths of known files that were not seen.
        empty_folders: folders in which there is nothing at all.
    """

    place: str
    is_whole: bool
    is_root_empty: bool
    seen: int
    known: int
    missing: Sequence[str]
    empty_folders: Collection[str] = ()


@dataclass(frozen=True, slots=True)
class Verdict:
    """Which files are marked missing, how many are held back, and why, in words for people."""

    gone: Sequence[str]
    held: int = 0
    message: str | None = None


def judge(walk: WalkSummary, guard: DeletionGuard) -> Verdict:
    """Decide which of the missing files are gone.

    Numbers of files are compared, not names: files that were moved are seen elsewhere.
    """
    if not walk.missing:
        return Verdict(())
    reason = _accident(walk, guard)
    if reason is not None:
        return Verdict((), len(walk.missing), f"{reason}: nothing was marked missing. {_ADVICE}")
    emptied = _emptied_folders(walk, guard)
    if not emptied:
        return Verdict(walk.missing)
    gone = not_below(walk.missing, emptied)
    held = len(walk.missing) - len(gone)
    names = ", ".join(f"{walk.place.rstrip('/')}/{folder}" for folder in sorted(emptied)[:3])
    message = f"nothing is left in {names}, where {held:,} files are known: they were not marked"
    return Verdict(gone, held, f"{message} missing. {_ADVICE}")


def _accident(walk: WalkSummary, guard: DeletionGuard) -> str | None:
    known, fewer = walk.known, walk.known - walk.seen
    if walk.is_root_empty:
        return f"{walk.place} is empty, but {known:,} files are known in it"
    # A small folder may lose all its files, as when an album is deleted; a library may not.
    if not walk.seen and (walk.is_whole or known >= guard.least):
        return f"none of the {known:,} files known in {walk.place} were seen"
    if known >= guard.least and fewer > known * guard.share:
        return f"only {walk.seen:,} of {known:,} files were seen in {walk.place}"
    return None


def _emptied_folders(walk: WalkSummary, guard: DeletionGuard) -> set[str]:
    """Empty folders that lost so many files that a disk may belong there."""
    if walk.known - walk.seen < guard.least:
        return set()  # as many files are seen elsewhere: they were moved
    lost = dict.fromkeys(walk.empty_folders, 0)
    for path in walk.missing:
        folder = path
        while folder:
            folder = folder.rpartition("/")[0]
            if folder in lost:
                lost[folder] += 1
    return {folder for folder, files in lost.items() if files >= guard.least}


def not_below(paths: Sequence[str], folders: Collection[str]) -> list[str]:
    """Those of the paths that are neither one of `folders` nor below one; '' is the root."""
    if not folders:
        return list(paths)
    return [path for path in paths if not any(each in folders for each in _with_parents(path))]


def _with_parents(path: str) -> list[str]:
    parts = path.split("/")
    return ["/".join(parts[:depth]) for depth in range(len(parts) + 1)]
