"""Compares what a walk saw with what the gateway knows, path by path. Pure."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from services.extractor.scan.walk import WalkedFile


class KnownFile(NamedTuple):
    """A file as the gateway knows it."""

    path: str
    size_bytes: int
    mtime_ns: int
    is_missing: bool
    images_digest: int | None = None
    """As a walked file's; None where it is not known."""


@dataclass(frozen=True, slots=True)
class Compared:
    """A portion of the walk beside what was known of it."""

    found: Sequence[WalkedFile]
    """New, changed, or back: to be read."""
    unchanged: int
    missing: Sequence[str]
    """Known to be there, and not seen."""
    known: int
    """How many were known to be there."""


def compare(
    walked: Sequence[WalkedFile], known: Sequence[KnownFile], *, reads_all: bool
) -> Compared:
    """What is to be done about one stretch of paths, all of it in `walked` and in `known`.

    Args:
        walked: files that are there.
        known: files the gateway knows, in the same stretch.
        reads_all: whether unchanged files are read again too.
    """
    by_path = {file.path: file for file in known}
    found = []
    for file in walked:
        same = by_path.pop(file.path, None)
        if reads_all or same is None or same.is_missing or _differs(file, same):
            found.append(file)
    missing = [file.path for file in by_path.values() if not file.is_missing]
    there = sum(not file.is_missing for file in known)
    return Compared(found, len(walked) - len(found), missing, there)


def _differs(file: WalkedFile, known: KnownFile) -> bool:
    if known.images_digest not in {None, file.images_digest}:
        return True
    return (file.size_bytes, file.mtime_ns) != (known.size_bytes, known.mtime_ns)


def outside_of(missing: Sequence[str], unknown: Collection[str]) -> list[str]:
    """Those of the missing files that don't lie below a folder that could not be looked at.

    Args:
        missing: paths of files.
        unknown: folders (or files) whose content is unknown; '' is the root.
    """
    if not unknown:
        return list(missing)
    return [path for path in missing if not any(part in unknown for part in _ways(path))]


def _ways(path: str) -> list[str]:
    parts = path.split("/")
    return ["/".join(parts[:depth]) for depth in range(len(parts) + 1)]
