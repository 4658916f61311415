"""Which images go with a file: those that lie beside it, embedded ones, and what is wrong. Pure."""

from collections.abc import Mapping

from services.extractor.covers.images import FolderImages, Image, images_digest
from services.extractor.read.file_reader import FileRead
from services.extractor.tags.album_folders import (
    album_folder,
    folders_beside,
    is_around,
    is_named_after,
)

_NOTHING = FolderImages()
Folders = Mapping[str, FolderImages]
Refused = Mapping[str, str]
"""Images that the gateway does not take, and why."""


def folder_cover(folders: Folders, refused: Refused, path: str) -> str | None:
    """The cover that lies in the album's folder, else in the disc's."""
    for folder in (album_folder(path), path.rpartition("/")[0]):
        sha256 = _taken(folders.get(folder, _NOTHING).cover, refused)
        if sha256 is not None:
            return sha256
    return None


def embedded_cover(refused: Refused, file: FileRead) -> str | None:
    """The cover in the file itself."""
    return None if file.cover_sha256 in refused else file.cover_sha256


def cover_problem(folders: Folders, refused: Refused, file: FileRead) -> str | None:
    """Why an image of the file, or beside it, is not shown."""
    told: dict[str, None] = {}
    for folder in dict.fromkeys((album_folder(file.path), file.path.rpartition("/")[0])):
        images = folders.get(folder, _NOTHING)
        if images.problem:
            told[images.problem] = None
        if images.cover is not None and images.cover.sha256 in refused:
            told[f"the image in the folder: {refused[images.cover.sha256]}"] = None
    if file.cover_problem:
        told[file.cover_problem] = None
    if file.cover_sha256 is not None and file.cover_sha256 in refused:
        told[f"the embedded image: {refused[file.cover_sha256]}"] = None
    return "; ".join(told) or None


def artist_image(folders: Folders, refused: Refused, path: str, artist: str) -> str | None:
    """The image of an album's artist: `artist.*` near the album, or one in the artist's folder."""
    album = album_folder(path)
    above = album.rpartition("/")[0]
    here, over = folders.get(album, _NOTHING), folders.get(above, _NOTHING) if album else _NOTHING
    image = here.artist or over.artist
    if image is None and above and not over.has_tracks and is_named_after(above, artist):
        image = over.artist_folder
    return _taken(image, refused)


def digest_beside(folders: Folders, path: str) -> int:
    """Tells whether the images beside a file have changed: a walk computes it likewise."""
    own = path.rpartition("/")[0]
    return images_digest(
        folders.get(folder, _NOTHING).state
        for folder in folders_beside(path)
        if is_around(folder, own)
    )


def _taken(image: Image | None, refused: Refused) -> str | None:
    return None if image is None or image.sha256 in refused else image.sha256
