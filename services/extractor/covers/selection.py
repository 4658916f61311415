"""Selects the images of a track and of an album's artist. Pure."""

from collections.abc import Mapping

from services.extractor.covers.images import FolderImages, Image, images_digest
from services.extractor.read.file_reader import FileRead
from services.extractor.tags.album_folders import (
    album_folder,
    folders_beside,
    is_around,
    is_named_after,
)

_NO_IMAGES = FolderImages()
Folders = Mapping[str, FolderImages]
Refused = Mapping[str, str]
"""The reason by SHA-256 of each image that the gateway refused."""


def folder_cover(folders: Folders, refused: Refused, path: str) -> str | None:
    """SHA-256 of the cover in the album's folder, else in the disc's folder."""
    for folder in (album_folder(path), path.rpartition("/")[0]):
        sha256 = _accepted(folders.get(folder, _NO_IMAGES).cover, refused)
        if sha256 is not None:
            return sha256
    return None


def file_cover(refused: Refused, file: FileRead) -> str | None:
    """SHA-256 of the cover that is embedded in the file."""
    return None if file.cover_sha256 in refused else file.cover_sha256


def cover_problem(folders: Folders, refused: Refused, file: FileRead) -> str | None:
    """Why an image in the file, or in its folders, is not shown."""
    problems: dict[str, None] = {}  # a set that keeps the order
    for folder in dict.fromkeys((album_folder(file.path), file.path.rpartition("/")[0])):
        images = folders.get(folder, _NO_IMAGES)
        if images.problem:
            problems[images.problem] = None
        if images.cover is not None and images.cover.sha256 in refused:
            problems[f"the image in the folder: {refused[images.cover.sha256]}"] = None
    if file.cover_problem:
        problems[file.cover_problem] = None
    if file.cover_sha256 is not None and file.cover_sha256 in refused:
        problems[f"the embedded image: {refused[file.cover_sha256]}"] = None
    return "; ".join(problems) or None


def artist_image(folders: Folders, refused: Refused, path: str, artist: str) -> str | None:
    """SHA-256 of the image of an album's artist.

    It is `artist.*` in the album's folder or in the one above, else an image of the artist's
    folder. The folder above is the artist's if it has the artist's name and no music of its own:
    the `folder.jpg` of a genre shows no artist.
    """
    album = album_folder(path)
    above = album.rpartition("/")[0]
    here = folders.get(album, _NO_IMAGES)
    parent = folders.get(above, _NO_IMAGES) if album else _NO_IMAGES
    image = here.artist or parent.artist
    if image is None and above and not parent.has_tracks and is_named_after(above, artist):
        image = parent.artist_folder
    return _accepted(image, refused)


def images_digest_of(folders: Folders, path: str) -> int:
    """Digest of all images that count for a file: a walk computes the same (`WalkedFile`)."""
    own = path.rpartition("/")[0]
    return images_digest(
        folders.get(folder, _NO_IMAGES).state
        for folder in folders_beside(path)
        if is_around(folder, own)
    )


def _accepted(image: Image | None, refused: Refused) -> str | None:
    return None if image is None or image.sha256 in refused else image.sha256
