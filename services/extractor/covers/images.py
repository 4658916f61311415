"""Finds the images in files and folders that are covers or show an artist."""

import hashlib
import os
import re
import stat
import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from services.extractor.paths import IMAGE_SUFFIXES, is_audio, suffix_of
from services.extractor.tags.model import Picture
from shared.contracts.identity import display_path, encode_path, local_path

MAX_IMAGE_BYTES = 20_000_000
"""The gateway refuses larger ones."""
# Picture types of ID3v2's APIC frame, which FLAC has taken over: 1 and 2 are file icons.
_FRONT_COVER = 3
_ICONS = frozenset((1, 2))
_COVER_NAMES = ("cover", "folder", "front", "album", "albumart")
_ARTIST_NAMES = ("artist",)
_ARTIST_FOLDER_NAMES = ("artist", "folder", "cover", "front")
_ALL_NAMES = frozenset((*_COVER_NAMES, *_ARTIST_NAMES, *_ARTIST_FOLDER_NAMES))
_FIRST_WORDS = frozenset(("cover", "folder", "front", "albumart"))
_LAST_WORDS = frozenset(("cover", "front", "albumart"))
_OTHER_SIDES = frozenset((
    "back", "rear", "inside", "inner", "inlay", "tray", "booklet", "cd", "disc", "disk", "label",
    "matrix", "spine", "obi", "side", "small",
))  # fmt: skip
_words = re.compile(r"[^\W_]+").findall
SCAN_FOLDERS = frozenset(
    (b"scans", b"scan", b"artwork", b"covers", b"art", b"booklet", b"booklets")
)
"""Subfolders without music, in lower case, whose covers are those of the folder around them."""


@dataclass(frozen=True, slots=True)
class Image:
    """An image by its content."""

    sha256: str
    mime_type: str
    content: bytes


@dataclass(frozen=True, slots=True)
class FolderImages:
    """The images in a folder.

    Attributes:
        cover: the album's, if this is an album's folder.
        artist: one whose name says that it shows the artist.
        artist_folder: the artist's, if this is an artist's folder.
        has_tracks: whether music lies in the folder itself.
        state: a number that changes when its images do; 0 where there are none.
        problem: why an image that has a cover's name is not the cover.
    """

    cover: Image | None = None
    artist: Image | None = None
    artist_folder: Image | None = None
    has_tracks: bool = False
    state: int = 0
    problem: str | None = None


_SIGNATURES = (
    (b"\xff\xd8\xff", "image/jpeg"), (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"GIF87a", "image/gif"), (b"GIF89a", "image/gif"),
)  # fmt: skip


def mime_type(content: bytes) -> str | None:
    """The type of an image by its first bytes; None where browsers do not show it."""
    for signature, kind in _SIGNATURES:
        if content.startswith(signature):
            return kind
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        return "image/webp"
    if content.startswith(b"BM") and len(content) > 26:
        return "image/bmp"
    brands = content[8 : min(int.from_bytes(content[:4], "big"), 64)]
    is_avif = content[4:8] == b"ftyp" and (b"avif" in brands or b"avis" in brands)
    return "image/avif" if is_avif else None


def image(content: bytes) -> Image | None:
    """The image of these bytes; None where they are no image, or too many."""
    kind = mime_type(content)
    if kind is None or len(content) > MAX_IMAGE_BYTES:
        return None
    return Image(hashlib.sha256(content).hexdigest(), kind, content)


def embedded_cover(pictures: Iterable[Picture]) -> tuple[Image | None, str | None]:
    """The front cover among embedded pictures, else the first that is no icon.

    And what is wrong with the first one before it that is no image.
    """
    candidates = [picture for picture in pictures if picture.kind not in _ICONS]
    candidates.sort(key=lambda picture: picture.kind != _FRONT_COVER)  # stable
    problem = None
    for picture in candidates:
        found = image(picture.content)
        if found is not None:
            return found, problem
        problem = problem or f"the embedded image {_fault(len(picture.content))}"
    return None, problem


def _fault(size_bytes: int) -> str:
    if size_bytes > MAX_IMAGE_BYTES:
        return f"has more than {MAX_IMAGE_BYTES:,} bytes"
    return "is no JPEG, PNG, GIF, BMP, WebP or AVIF image"


class ImageEntry(NamedTuple):
    """An image file in a folder."""

    name: str
    size_bytes: int
    mtime_ns: int


def image_entry(entry: os.DirEntry[bytes], prefix: str = "") -> ImageEntry | None:
    """An entry of a folder, if it is a file with the name of a cover or an artist's image.

    `prefix` is the folder in which it lies, if that is not the one whose images are listed.
    """
    name = encode_path(entry.name)
    if suffix_of(name) not in IMAGE_SUFFIXES or name.startswith("."):
        return None
    stem = _stem(name)
    if stem not in _ALL_NAMES and _rank_of_words(stem) is None:
        return None
    try:
        status = entry.stat()
    except OSError:
        return None
    if not stat.S_ISREG(status.st_mode):
        return None
    return ImageEntry(prefix + name, status.st_size, status.st_mtime_ns)


def scanned_images(folder: os.DirEntry[bytes]) -> Iterator[tuple[ImageEntry, bytes]]:
    """The covers in a folder of scans, with their paths; none where it is another folder.

    A folder with music in it is an album of this name.
    """
    if folder.name.lower() not in SCAN_FOLDERS:
        return
    try:
        if not folder.is_dir(follow_symlinks=False):
            return
        with os.scandir(folder.path) as found:
            entries = list(found)
    except OSError:
        return
    if any(is_audio(encode_path(entry.name)) for entry in entries):
        return
    for entry in entries:
        image = image_entry(entry, encode_path(folder.name) + "/")
        if image is not None:
            yield image, entry.path


def _rank_of_words(stem: str) -> int | None:
    """The rank of a name that says more than `cover`: "Cover Homogenic" before "Homogenic front".

    None where it is no cover's name, or another side's ("back cover", "Cover (inside)").
    """
    words = _words(stem)
    if len(words) < 2:
        return None
    if words[0] in _FIRST_WORDS and not (len(words) == 2 and words[1] in _OTHER_SIDES):
        return len(_COVER_NAMES)
    if words[-1] in _LAST_WORDS and words[-2] not in _OTHER_SIDES:
        return len(_COVER_NAMES) + 1
    return None


def images_state(images: Iterable[ImageEntry]) -> int:
    """A number of 31 bits that changes when the images of a folder do; 0 for none."""
    entries = sorted(images)
    return _checksum(entries) if entries else 0


READER_VERSION = 4
"""Counts the changes of how files are read: with another one, the next scan reads every file again.

That takes about 0.4 s of CPU for 1,000 files. Audio is analysed again only where the content hash
of the file is another one (version 3: files that are hashed as a whole since).
"""


def images_digest(states: Iterable[int], sheets: int = 0) -> int:
    """What decides, besides a file itself, how it is read: one number of 31 bits, never 0.

    It is of the version of the readers, of the states of all folders whose images count for the
    file, and of the state of the cue sheets in its own folder. The catalogue keeps it; a file whose
    number differs is read again.
    """
    values = list(states)
    # The walk and the readers look at different folders where none has images.
    counted = [*(values if any(values) else ()), *([-sheets] if sheets else ())]
    return _checksum([READER_VERSION, *counted])


def _checksum(values: list[ImageEntry] | list[int]) -> int:
    # 31 bits, because the database's column is a signed integer of 32. The last bit is always
    # set, because 0 stands for no images. A changed repr would make every scan read all files
    # with images again.
    return zlib.crc32(repr(values).encode()) >> 1 | 1


def folder_images_state(root: str, folder: str) -> int:
    """The state of a folder's images ('' is the root); 0 where the folder cannot be read."""
    return _listed(root, folder)[1]


def _listed(root: str, folder: str) -> tuple[list[tuple[ImageEntry, bytes]], int, bool]:
    """The images of a folder with their paths, their state, and whether music lies there."""
    images: list[tuple[ImageEntry, bytes]] = []
    has_tracks = False
    try:
        with os.scandir(local_path(root, folder)) as entries:
            for entry in entries:
                has_tracks = has_tracks or is_audio(encode_path(entry.name))
                if (found := image_entry(entry)) is not None:
                    images.append((found, entry.path))
                else:
                    images += scanned_images(entry)
    except OSError:
        return [], 0, False
    return images, images_state(entry for entry, _ in images), has_tracks


def folder_images(root: str, folder: str) -> FolderImages:
    """Read the images of a folder ('' is the root). One that cannot be read counts as absent."""
    images, state, has_tracks = _listed(root, folder)
    cover, problem = _first_image(images, _COVER_NAMES, takes_words=True)
    return FolderImages(
        cover=cover,
        artist=_first_image(images, _ARTIST_NAMES)[0],
        artist_folder=_first_image(images, _ARTIST_FOLDER_NAMES)[0],
        has_tracks=has_tracks,
        state=state,
        problem=problem,
    )


def _stem(name: str) -> str:
    return name[: -len(suffix_of(name))].lower()


def _first_image(
    images: Iterable[tuple[ImageEntry, bytes]], stems: Sequence[str], *, takes_words: bool = False
) -> tuple[Image | None, str | None]:
    """The first file with one of these stems that is an image.

    And what is wrong with the first one before it. Files of one rank come in the order of names;
    covers with more words in their names, and those among scans, come last.
    """
    ranked = []
    for entry, path in images:
        folder, _, name = entry.name.rpartition("/")
        stem = _stem(name)
        rank = stems.index(stem) if stem in stems else None
        if rank is None and takes_words:
            rank = _rank_of_words(stem)
        if rank is not None and (takes_words or not folder):
            ranked.append((bool(folder), rank, entry.name, entry.size_bytes, path))
    problem = None
    for *_, name, size_bytes, path in sorted(ranked):
        found = _load(path) if size_bytes <= MAX_IMAGE_BYTES else None
        if found is not None:
            return found, problem
        problem = problem or f"{display_path(name)} {_fault(size_bytes)}"
    return None, problem


def _load(path: bytes) -> Image | None:
    # NONBLOCK: if the file has become a FIFO since it was listed, opening it does not hang.
    flags = os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK
    try:
        with open(path, "rb", opener=lambda name, _: os.open(name, flags)) as file:
            return image(file.read(MAX_IMAGE_BYTES + 1))
    except OSError:
        return None
