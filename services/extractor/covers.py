"""Images: which of those embedded or lying in a folder are covers, and which show an artist."""

import hashlib
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from services.extractor.formats import IMAGE_SUFFIXES, is_audio, suffix_of
from services.extractor.tags import Picture
from shared.contracts.identity import encode_path, local_path

LARGEST_IMAGE_BYTES = 20_000_000
"""The gateway takes no larger ones."""
_FRONT = 3
_ICONS = frozenset((1, 2))
_COVER_NAMES = ("cover", "folder", "front", "album", "albumart")
_ARTIST_NAMES = ("artist",)
_ARTIST_FOLDER_NAMES = ("artist", "folder", "cover", "front")


@dataclass(frozen=True, slots=True)
class Image:
    """An image by its content."""

    sha256: str
    mime_type: str
    content: bytes


@dataclass(frozen=True, slots=True)
class FolderImages:
    """What lies in a folder.

    Attributes:
        cover: the album's, if this is an album's folder.
        artist: one that says it shows the artist.
        artist_folder: the artist's, if this is an artist's folder.
        has_tracks: whether music lies in the folder itself.
    """

    cover: Image | None = None
    artist: Image | None = None
    artist_folder: Image | None = None
    has_tracks: bool = False


def mime_type(content: bytes) -> str | None:
    """The type of an image by its first bytes; None where it is none that browsers show."""
    if content.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    if content.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png"
    if content.startswith((b"GIF87a", b"GIF89a")):
        return "image/gif"
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        return "image/webp"
    if content.startswith(b"BM") and len(content) > 26:
        return "image/bmp"
    return None


def image(content: bytes) -> Image | None:
    """The image of these bytes; None where they are none, or too many."""
    if len(content) > LARGEST_IMAGE_BYTES:
        return None
    kind = mime_type(content)
    if kind is None:
        return None
    return Image(hashlib.sha256(content).hexdigest(), kind, content)


def embedded_cover(pictures: Iterable[Picture]) -> Image | None:
    """The front of the embedded images, else the first that is no icon."""
    told = [picture for picture in pictures if picture.kind not in _ICONS]
    told.sort(key=lambda picture: picture.kind != _FRONT)  # stable
    return next(filter(None, (image(picture.content) for picture in told)), None)


def folder_images(root: str, folder: str) -> FolderImages:
    """Look at a folder ('' is the root); what cannot be read is not there."""
    try:
        with os.scandir(local_path(root, folder)) as entries:
            names = {encode_path(entry.name): entry.path for entry in entries if _is_file(entry)}
    except OSError:
        return FolderImages()
    by_stem = {
        name.lower()[: -len(suffix_of(name))]: path
        for name, path in sorted(names.items(), reverse=True)
        if suffix_of(name) in IMAGE_SUFFIXES
    }
    return FolderImages(
        cover=_first(by_stem, _COVER_NAMES),
        artist=_first(by_stem, _ARTIST_NAMES),
        artist_folder=_first(by_stem, _ARTIST_FOLDER_NAMES),
        has_tracks=any(map(is_audio, names)),
    )


def _is_file(entry: os.DirEntry[bytes]) -> bool:
    try:
        return entry.is_file()
    except OSError:
        return False


def _first(by_stem: Mapping[str, bytes], stems: Iterable[str]) -> Image | None:
    for stem in stems:
        if stem in by_stem and (found := _load(by_stem[stem])) is not None:
            return found
    return None


def _load(path: bytes) -> Image | None:
    try:
        with open(path, "rb") as file:  # noqa: PTH123 - names are bytes
            return image(file.read(LARGEST_IMAGE_BYTES + 1))
    except OSError:
        return None
