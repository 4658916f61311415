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
from services.extractor.read.jobs import FileRead
from services.extractor.tags.album_folders import album_folder
from services.extractor.tags.model import CreditedName, Release
from services.extractor.tags.track_fields import known
from shared.gateway.client import JSON

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


def artist_inputs(batch: Batch) -> dict[ArtistKey, JSON]:
    """One `ArtistInput` for each artist credited in the batch."""
    inputs: dict[ArtistKey, JSON] = {}
    for file in batch.files:
        names = [*file.artists, *file.release.artists]
        names += [contributor.name for contributor in file.contributors]
        for name in names:
            item = inputs.setdefault(artist_key(name), {"name": name.name})
            if name.musicbrainz_id:
                item["musicbrainzArtistId"] = name.musicbrainz_id
            if name.sort_name:
                item.setdefault("sortName", name.sort_name)
    return inputs


def album_inputs(batch: Batch, artists: Mapping[ArtistKey, str]) -> dict[AlbumKey, JSON]:
    """One `AlbumInput` for each different claim about an album."""
    inputs: dict[AlbumKey, JSON] = {}
    for file in batch.files:
        key = album_key(file.path, file.release)
        if file.release.title and key not in inputs:
            inputs[key] = _album_input(batch, file.path, file.release, artists)
    return inputs


def _album_input(
    batch: Batch, path: str, release: Release, artists: Mapping[ArtistKey, str]
) -> JSON:
    image = None
    if len(release.artists) == 1 and not release.is_compilation:
        image = artist_image(batch.folders, batch.refused, path, release.artists[0].name)
    fields = {
        "title": release.title,
        "sortTitle": release.sort_title,
        "artistCredit": release.artist_credit,
        "credits": _credits(release.artists, artists),
        "folder": album_folder(path),
        "libraryId": batch.library_id,
        "releaseDate": release.date,
        "originalDate": release.original_date,
        "isCompilation": release.is_compilation,
        "isArtistTold": release.is_artist_told,
        "claim": claim_of(release),
        "releaseType": release.release_type,
        "label": release.label,
        "catalogueNumber": release.catalogue_number,
        "barcode": release.barcode,
        "country": release.country,
        "media": release.media,
        "musicbrainzReleaseId": release.musicbrainz_release_id,
        "musicbrainzReleaseGroupId": release.musicbrainz_release_group_id,
        "artistImageSha256": image,
    }
    return known(fields)


def track_input(
    batch: Batch, file: FileRead, *, artists: Mapping[ArtistKey, str], album_id: str | None
) -> JSON:
    """The `TrackInput` of a file; `artists` has the ids of all artists credited in the batch."""
    folders, refused = batch.folders, batch.refused
    credits_ = _credits(file.artists, artists)
    for contributor in file.contributors:
        (credit,) = _credits([contributor.name], artists, contributor.role.upper())
        if contributor.instrument:
            credit["instrument"] = contributor.instrument
        credits_.append(credit)
    folder = file.path.rpartition("/")[0]
    if folder not in batch.images_digests:
        batch.images_digests[folder] = images_digest_of(folders, file.path)
    item = {
        **(file.told or {}),
        "path": file.path,
        "sizeBytes": file.size_bytes,
        "mtimeNs": file.mtime_ns,
        "credits": credits_,
        "imagesDigest": batch.images_digests[folder],
    }
    images = {
        "coverSha256": file_cover(refused, file),
        "coverProblem": cover_problem(folders, refused, file),
    }
    if album_id is not None:
        item["albumId"], item["albumClaim"] = album_id, claim_of(file.release)
        # Without an album the images of a folder may show anything.
        images["folderCoverSha256"] = folder_cover(folders, refused, file.path)
    return item | known(images)


def _credits(
    names: Iterable[CreditedName], artists: Mapping[ArtistKey, str], role: str = "ARTIST"
) -> list[JSON]:
    return [
        {
            "artistId": artists[artist_key(name)],
            "role": role,
            "creditedAs": name.name,
            "joinPhrase": name.join_phrase,
        }
        for name in names
    ]
