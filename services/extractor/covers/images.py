"""Images: which of those embedded or lying in a folder are covers, and which show an artist."""

import hashlib
import os
import stat
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from services.extractor.read.formats import IMAGE_SUFFIXES, is_audio, suffix_of
from services.extractor.tags.model import Picture
from shared.contracts.identity import display_path, encode_path, local_path

LARGEST_IMAGE_BYTES = 20_000_000
"""The gateway takes no larger ones."""
_FRONT = 3
_ICONS = frozenset((1, 2))
_COVER_NAMES = ("cover", "folder", "front", "album", "albumart")
_ARTIST_NAMES = ("artist",)
_ARTIST_FOLDER_NAMES = ("artist", "folder", "cover", "front")
_ALL_NAMES = frozenset((*_COVER_NAMES, *_ARTIST_NAMES, *_ARTIST_FOLDER_NAMES))


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
        state: another number when its images are others; 0 where there are none.
        problem: why an image that may be the cover is not.
    """

    cover: Image | None = None
    artist: Image | None = None
    artist_folder: Image | None = None
    has_tracks: bool = False
    state: int = 0
    problem: str | None = None


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
    kind = mime_type(content)
    if kind is None or len(content) > LARGEST_IMAGE_BYTES:
        return None
    return Image(hashlib.sha256(content).hexdigest(), kind, content)


def embedded_cover(pictures: Iterable[Picture]) -> tuple[Image | None, str | None]:
    """The front of the embedded images, else the first that is no icon; or what is wrong."""
    told = [picture for picture in pictures if picture.kind not in _ICONS]
    told.sort(key=lambda picture: picture.kind != _FRONT)  # stable
    found = next(filter(None, (image(picture.content) for picture in told)), None)
    if found is None and told:
        return None, f"the embedded image {_fault(len(told[0].content))}"
    return found, None


def _fault(size_bytes: int) -> str:
    if size_bytes > LARGEST_IMAGE_BYTES:
        return f"has more than {LARGEST_IMAGE_BYTES:,} bytes"
    return "is no JPEG, PNG, GIF, BMP or WebP image"


class ImageEntry(NamedTuple):
    """An image that lies in a folder, by its name."""

    name: str
    size_bytes: int
    mtime_ns: int


def image_entry(entry: os.DirEntry[bytes]) -> ImageEntry | None:
    """What an entry of a folder tells, if it has an image's name that matters and is a file."""
    name = encode_path(entry.name)
    if suffix_of(name) not in IMAGE_SUFFIXES or _stem(name) not in _ALL_NAMES:
        return None
    try:
        told = entry.stat()
    except OSError:
        return None
    return ImageEntry(name, told.st_size, told.st_mtime_ns) if stat.S_ISREG(told.st_mode) else None


def state_of(images: Iterable[ImageEntry]) -> int:
    """A number of 31 bits that is another one when the images are others; 0 for none."""
    told = sorted(images)
    return zlib.crc32(repr(told).encode()) >> 1 | 1 if told else 0


def images_digest(states: Iterable[int]) -> int:
    """The states of the folders beside a file in one number, of 31 bits; 0 without images."""
    told = list(states)
    return zlib.crc32(repr(told).encode()) >> 1 | 1 if any(told) else 0


def folder_state(root: str, folder: str) -> int:
    """The state of a folder's images ('' is the root); 0 where it cannot be read."""
    try:
        with os.scandir(local_path(root, folder)) as entries:
            return state_of(filter(None, map(image_entry, entries)))
    except OSError:
        return 0


def folder_images(root: str, folder: str) -> FolderImages:
    """Look at a folder ('' is the root); what cannot be read is not there."""
    images: dict[str, tuple[ImageEntry, bytes]] = {}
    has_tracks = False
    try:
        with os.scandir(local_path(root, folder)) as entries:
            for entry in entries:
                has_tracks = has_tracks or is_audio(encode_path(entry.name))
                if (told := image_entry(entry)) is not None:
                    images[told.name] = told, entry.path
    except OSError:
        return FolderImages()
    by_stem = {_stem(name): images[name] for name in sorted(images, reverse=True)}
    cover, problem = _first(by_stem, _COVER_NAMES)
    return FolderImages(
        cover=cover,
        artist=_first(by_stem, _ARTIST_NAMES)[0],
        artist_folder=_first(by_stem, _ARTIST_FOLDER_NAMES)[0],
        has_tracks=has_tracks,
        state=state_of(told for told, _ in images.values()),
        problem=problem,
    )


def _stem(name: str) -> str:
    return name[: -len(suffix_of(name))].lower()


def _first(
    by_stem: Mapping[str, tuple[ImageEntry, bytes]], stems: Iterable[str]
) -> tuple[Image | None, str | None]:
    """The first that is an image; or what is wrong with the first that should be."""
    problem = None
    for told, path in (by_stem[stem] for stem in stems if stem in by_stem):
        found = _load(path) if told.size_bytes <= LARGEST_IMAGE_BYTES else None
        if found is not None:
            return found, None
        problem = problem or f"{display_path(told.name)} {_fault(told.size_bytes)}"
    return None, problem


def _load(path: bytes) -> Image | None:
    flags = os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK
    try:
        with open(path, "rb", opener=lambda name, _: os.open(name, flags)) as file:
            return image(file.read(LARGEST_IMAGE_BYTES + 1))
    except OSError:
        return None
