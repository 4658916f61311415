"""Builds the inputs of the gateway's mutations from files that were read. Pure."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from services.extractor.covers.images import FolderImages
from services.extractor.covers.selection import (
    artist_image,
    cover_problem,
    file_cover,
    folder_cover,
    images_digest_of,
)
from services.extractor.read.file_reader import FileRead
from services.extractor.tags.album_folders import album_folder
from services.extractor.tags.model import CreditedName, Release
from shared.gateway.inputs import AlbumInput, ArtistInput, CreditInput, TrackInput

ArtistKey = tuple[str, str | None]
"""Name and MusicBrainz id."""
AlbumKey = tuple[str | None, ...]
"""Folder and claim."""


@dataclass(slots=True)
class Batch:
    """Files that were read, with the images around them.

    Attributes:
        library_id: the library they belong to.
        files: those with tags, in the order of their paths.
        folders: images by folder, of the files' folders, album folders and the folders above.
        refused: the reason by SHA-256 of each image that the gateway refused.
        images_digests: by folder, for the folders whose files have been turned into inputs.
    """

    library_id: str
    files: Sequence[FileRead]
    folders: Mapping[str, FolderImages] = field(default_factory=dict)
    refused: Mapping[str, str] = field(default_factory=dict)
    images_digests: dict[str, int] = field(default_factory=dict)


def artist_key(name: CreditedName) -> ArtistKey:
    """The identity of an artist within a batch."""
    return name.name, name.musicbrainz_id


def album_key(path: str, release: Release) -> AlbumKey:
    """The identity of an `AlbumInput` within a batch; the gateway decides what is one album."""
    return (album_folder(path), claim_of(release))


@lru_cache(maxsize=1_024)
def claim_of(release: Release) -> str:
    """A digest of a file's album tags: files with the same tags make the same claim."""
    return hashlib.blake2b(repr(release).encode(), digest_size=10).hexdigest()


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


def album_inputs(batch: Batch, artists: Mapping[ArtistKey, str]) -> dict[AlbumKey, AlbumInput]:
    """One `AlbumInput` for each different claim about an album."""
    inputs: dict[AlbumKey, AlbumInput] = {}
    for file in batch.files:
        key = album_key(file.path, file.release)
        title = file.release.title
        if title and key not in inputs:
            inputs[key] = _album_input(batch, file.path, file.release, title, artists)
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
        claim=claim_of(release),
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
    folder = file.path.rpartition("/")[0]
    if folder not in batch.images_digests:
        batch.images_digests[folder] = images_digest_of(folders, file.path)
    credits_ = _credits(file.artists, artists) + [
        _credit(each.name, artists, each.role.upper(), each.instrument)
        for each in file.contributors
    ]
    track = TrackInput(
        path=file.path,
        size_bytes=file.size_bytes,
        mtime_ns=file.mtime_ns,
        credits=credits_,
        images_digest=batch.images_digests[folder],
        cover_sha256=file_cover(refused, file),
        cover_problem=cover_problem(folders, refused, file),
        **(file.track_fields or {}),
    )
    if album_id is not None:
        track.album_id, track.album_claim = album_id, claim_of(file.release)
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
