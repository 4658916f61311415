"""Where a collection says that files are, and the same files below a library's folder. Pure."""

import os.path
import re
from collections.abc import Iterable, Sequence
from urllib.parse import unquote_to_bytes

from shared.contracts.identity import encode_path

_DRIVE = re.compile(r"/?[A-Za-z]:/")
_SLASHES = re.compile(r"[/\\]+")
_URL = re.compile(r"file://(?:localhost)?", re.IGNORECASE)


def normal_path(path: str) -> str:
    r"""A path with single slashes: `C:\Music\a` and `/C:/Music//a` are `C:/Music/a`."""
    joined = _SLASHES.sub("/", path)
    return joined[1:] if joined.startswith("/") and _DRIVE.match(joined) else joined


def path_of_url(url: str) -> str:
    """The path of a `file://` URL, with names that are no UTF-8 as the gateway has them.

    rekordbox writes `file://localhost/Users/a` on macOS and `file://localhost/C:/a` on Windows;
    other programs write a POSIX path behind another slash.
    """
    return normal_path(encode_path(unquote_to_bytes(_URL.sub("", url, count=1))))


def path_of_parts(volume: str, folder: str, name: str) -> tuple[str, ...]:
    """The paths that Traktor may mean by a volume, folders between `/:`, and a file's name.

    On Windows the volume is a drive; on macOS it is a name, of the system's disk or of another one
    below /Volumes.
    """
    path = normal_path("/".join(["", *folder.split("/:"), name]))
    if re.fullmatch(r"[A-Za-z]:", volume):
        return (f"{volume}{path}",)
    return (path, f"/Volumes/{volume}{path}") if volume else (path,)


def below(folder: str, path: str) -> str | None:
    """The path below a folder; None where it is elsewhere. Drives ignore upper and lower case."""
    prefix = normal_path(folder).rstrip("/") + "/"
    if _DRIVE.match(prefix):
        is_below = path.casefold().startswith(prefix.casefold())
    else:
        is_below = path.startswith(prefix)
    return (path[len(prefix) :] or None) if is_below else None


def first_below(folders: Sequence[str], paths: Iterable[str]) -> tuple[int, str] | None:
    """The number of the innermost folder that has one of the paths, and the path below it."""
    found = [
        (len(folder), number, rest)
        for path in paths
        for number, folder in enumerate(folders)
        if (rest := below(folder, path)) is not None
    ]
    return max(found)[1:] if found else None


def common_folder(paths: Iterable[str]) -> str:
    """The innermost folder that has all the paths; '' where there is none."""
    folders = [path.rpartition("/")[0] for path in paths]
    try:
        return os.path.commonpath(folders) if folders else ""
    except ValueError:  # absolute and relative ones, or several drives
        return ""
