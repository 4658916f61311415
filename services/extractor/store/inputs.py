"""From what was read to what the gateway's mutations take. Pure."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from services.extractor.covers.images import FolderImages
from services.extractor.covers.selection import (
    artist_image,
    cover_problem,
    digest_beside,
    embedded_cover,
    folder_cover,
)
from services.extractor.read.file_reader import FileRead
from services.extractor.tags.album_folders import album_folder
from services.extractor.tags.model import CreditedName, Release
from services.extractor.tags.track_fields import known
from shared.gateway.client import JSON

ArtistKey = tuple[str, str | None]
"""Name and MusicBrainz id."""
AlbumKey = tuple[str | None, ...]


@dataclass(slots=True)
class Batch:
    """Files that were read, with what is around them.

    Attributes:
        library_id: whose they are.
        files: that have tags, in the order of their paths.
        folders: images by folder, of album folders and of the folders above.
        refused: images that the gateway does not take, and why.
        digests: of the images beside files, by folder, as far as they were asked for.
    """

    library_id: str
    files: Sequence[FileRead]
    folders: Mapping[str, FolderImages] = field(default_factory=dict)
    refused: Mapping[str, str] = field(default_factory=dict)
    digests: dict[str, int] = field(default_factory=dict)


def artist_key(name: CreditedName) -> ArtistKey:
    """What tells an artist apart within a batch."""
    return name.name, name.musicbrainz_id


def album_key(path: str, release: Release) -> AlbumKey:
    """What tells an album and what is said of it apart; the gateway decides what is one album."""
    return (album_folder(path), claim_of(release))


@lru_cache(maxsize=1_024)
def claim_of(release: Release) -> str:
    """A name for what a file says of its album: the same for the same."""
    return hashlib.blake2b(repr(release).encode(), digest_size=10).hexdigest()


def artist_inputs(batch: Batch) -> dict[ArtistKey, JSON]:
    """`ArtistInput`s of everyone credited, each once."""
    inputs: dict[ArtistKey, JSON] = {}
    for file in batch.files:
        everyone = [*file.artists, *file.release.artists]
        everyone += [contributor.name for contributor in file.contributors]
        for name in everyone:
            told = inputs.setdefault(artist_key(name), {"name": name.name})
            if name.musicbrainz_id:
                told["musicbrainzArtistId"] = name.musicbrainz_id
            if name.sort_name:
                told.setdefault("sortName", name.sort_name)
    return inputs


def album_inputs(batch: Batch, artists: Mapping[ArtistKey, str]) -> dict[AlbumKey, JSON]:
    """`AlbumInput`s: each thing that is said of an album once."""
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
    """The `TrackInput` of a file of a batch; `artists` has the ids of all that are credited."""
    folders, refused = batch.folders, batch.refused
    credits_ = _credits(file.artists, artists)
    for contributor in file.contributors:
        (told,) = _credits([contributor.name], artists, contributor.role.upper())
        if contributor.instrument:
            told["instrument"] = contributor.instrument
        credits_.append(told)
    folder = file.path.rpartition("/")[0]
    if folder not in batch.digests:
        batch.digests[folder] = digest_beside(folders, file.path)
    item = {
        **(file.track_fields or {}),
        "path": file.path,
        "sizeBytes": file.size_bytes,
        "mtimeNs": file.mtime_ns,
        "credits": credits_,
        "imagesDigest": batch.digests[folder],
    }
    images = {
        "coverSha256": embedded_cover(refused, file),
        "coverProblem": cover_problem(folders, refused, file),
    }
    if album_id is not None:
        item["albumId"], item["albumClaim"] = album_id, claim_of(file.release)
        # Without an album the images of a folder may be of anything.
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
