"""Builds the inputs of the gateway's mutations from files that were read. Pure.

Selects the images of a track and of an album's artist among those in the file and its folders.
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from services.extractor.covers.images import FolderImages, Image, images_digest
from services.extractor.paths import album_folder, folders_beside, is_around, is_named_after
from services.extractor.read.jobs import FileRead
from services.extractor.tags.model import CreditedName, Release
from shared.gateway.inputs import (
    AlbumInput,
    ArtistInput,
    CreditInput,
    FilePartInput,
    TrackInput,
)

_NO_IMAGES = FolderImages()
Folders = Mapping[str, FolderImages]
Refused = Mapping[str, str]
"""The reason by SHA-256 of each image that the gateway refused."""
ArtistKey = tuple[str, str | None]
"""Name and MusicBrainz id."""


@dataclass(slots=True)
class Batch:
    """Files that were read, with the images around them.

    Attributes:
        library_id: the library they belong to.
        files: those with tags, in the order of their paths.
        folders: images by folder, of the files' folders, album folders and the folders above.
        refused: the reason by SHA-256 of each image that the gateway refused.
        images_digests: by folder and state of its cue sheets, for the folders whose files have been
            turned into inputs.
    """

    library_id: str
    files: Sequence[FileRead]
    folders: Folders = field(default_factory=dict)
    refused: Refused = field(default_factory=dict)
    images_digests: dict[tuple[str, int], int] = field(default_factory=dict)


def artist_key(name: CreditedName) -> ArtistKey:
    """The identity of an artist within a batch."""
    return name.name, name.musicbrainz_id


def claim_of(library_id: str, path: str, release: Release) -> str:
    """A digest of where a file's album lies and of its album tags: the identity of an `AlbumInput`.

    The gateway decides what is one album.
    """
    return _claim_of(library_id, album_folder(path), release)


@lru_cache(maxsize=1_024)
def _claim_of(library_id: str, folder: str, release: Release) -> str:
    claimed = repr((library_id, folder, release))
    return hashlib.blake2b(claimed.encode(), digest_size=10).hexdigest()


def artist_inputs(batch: Batch) -> dict[ArtistKey, ArtistInput]:
    """One `ArtistInput` for each artist credited in the batch."""
    inputs: dict[ArtistKey, ArtistInput] = {}
    for file in batch.files:
        names = [*file.artists, *file.release.artists]
        names += [contributor.name for contributor in file.contributors]
        for name in names:
            key = artist_key(name)
            item = inputs.get(key)
            if item is None:
                item = inputs[key] = ArtistInput(
                    name=name.name, musicbrainz_artist_id=name.musicbrainz_id or None
                )
            if name.sort_name and item.sort_name is None:
                item.sort_name = name.sort_name
    return inputs


def album_inputs(batch: Batch, artists: Mapping[ArtistKey, str]) -> dict[str, AlbumInput]:
    """One `AlbumInput` for each different claim about an album."""
    inputs: dict[str, AlbumInput] = {}
    for file in batch.files:
        title = file.release.title
        claim = claim_of(batch.library_id, file.path, file.release) if title else ""
        if title and claim not in inputs:
            inputs[claim] = _album_input(batch, file.path, file.release, title, artists)
    return inputs


def _album_input(
    batch: Batch, path: str, release: Release, title: str, artists: Mapping[ArtistKey, str]
) -> AlbumInput:
    image = None
    if len(release.artists) == 1 and not release.is_compilation:
        image = artist_image(batch.folders, batch.refused, path, release.artists[0].name)
    return AlbumInput(
        title=title,
        sort_title=release.sort_title,
        artist_credit=release.artist_credit,
        credits=_credits(release.artists, artists),
        folder=album_folder(path),
        library_id=batch.library_id,
        release_date=release.date,
        original_date=release.original_date,
        is_compilation=release.is_compilation,
        is_artist_told=release.is_artist_told,
        claim=claim_of(batch.library_id, path, release),
        release_type=release.release_type,
        label=release.label,
        catalogue_number=release.catalogue_number,
        barcode=release.barcode,
        country=release.country,
        media=release.media,
        musicbrainz_release_id=release.musicbrainz_release_id,
        musicbrainz_release_group_id=release.musicbrainz_release_group_id,
        artist_image_sha256=image,
    )


def track_input(
    batch: Batch, file: FileRead, *, artists: Mapping[ArtistKey, str], album_id: str | None
) -> TrackInput:
    """The `TrackInput` of a file; `artists` has the ids of all artists credited in the batch.

    The reader made its fields of the tags. This adds what only the batch knows: ids and images.
    """
    folders, refused = batch.folders, batch.refused
    place = file.path.rpartition("/")[0], file.sheets_state
    if place not in batch.images_digests:
        batch.images_digests[place] = images_digest_of(folders, file.path, file.sheets_state)
    credits_ = _credits(file.artists, artists) + [
        _credit(each.name, artists, each.role.upper(), each.instrument)
        for each in file.contributors
    ]
    track = TrackInput(
        path=file.path,
        size_bytes=file.size_bytes,
        mtime_ns=file.mtime_ns,
        credits=credits_,
        images_digest=batch.images_digests[place],
        cover_sha256=file_cover(refused, file),
        cover_problem=cover_problem(folders, refused, file),
        cue_problem=file.cue_problem,
        **(file.track_fields or {}),
    )
    if file.part is not None:
        part = file.part
        track.part = FilePartInput(
            number=part.number, count=part.total, start_s=part.start_s, end_s=part.end_s,
            cue_sheet=part.sheet,
        )  # fmt: skip
    if album_id is not None:
        track.album_id = album_id
        track.album_claim = claim_of(batch.library_id, file.path, file.release)
        # Without an album the images of a folder may show anything.
        track.folder_cover_sha256 = folder_cover(folders, refused, file.path)
    return track


def _credits(names: Iterable[CreditedName], artists: Mapping[ArtistKey, str]) -> list[CreditInput]:
    return [_credit(name, artists) for name in names]


def _credit(
    name: CreditedName,
    artists: Mapping[ArtistKey, str],
    role: str = "ARTIST",
    instrument: str | None = None,
) -> CreditInput:
    return CreditInput(
        artist_id=artists[artist_key(name)],
        role=role,
        credited_as=name.name,
        join_phrase=name.join_phrase,
        instrument=instrument or None,
    )


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


def images_digest_of(folders: Folders, path: str, sheets_state: int = 0) -> int:
    """Digest of all that counts beside a file: a walk computes the same (`WalkedFile`)."""
    own = path.rpartition("/")[0]
    states = (
        folders.get(folder, _NO_IMAGES).state
        for folder in folders_beside(path)
        if is_around(folder, own)
    )
    return images_digest(states, sheets_state)


def _accepted(image: Image | None, refused: Refused) -> str | None:
    return None if image is None or image.sha256 in refused else image.sha256
