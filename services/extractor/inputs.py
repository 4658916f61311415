"""From what was read to what the gateway's mutations take. Pure."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from services.extractor.beside import (
    artist_image,
    cover_problem,
    digest_beside,
    embedded_cover,
    folder_cover,
)
from services.extractor.covers import FolderImages
from services.extractor.jobs import FileRead
from services.extractor.places import album_folder, disc_of, folders_beside
from services.extractor.tags import CreditedName, Release, Tags
from shared.gateway.client import JSON

ArtistKey = tuple[str, str | None]
"""Name and MusicBrainz id."""
AlbumKey = tuple[str | None, ...]


@dataclass(slots=True)
class Batch:
    """Files that were read, with what is around them.

    Attributes:
        library_id: whose they are.
        files: in the order of their paths.
        folders: images by folder, of album folders and of the folders above.
        refused: images that the gateway does not take, and why.
    """

    library_id: str
    files: Sequence[tuple[FileRead, Tags]]
    folders: Mapping[str, FolderImages] = field(default_factory=dict)
    refused: Mapping[str, str] = field(default_factory=dict)


def wanted_folders(paths: Iterable[str]) -> list[str]:
    """The folders whose images matter: of the files, of their albums, and those above."""
    return list({folder: None for path in paths for folder in folders_beside(path)})


def artist_key(name: CreditedName) -> ArtistKey:
    """What tells an artist apart within a batch."""
    return name.name, name.musicbrainz_id


def album_key(path: str, release: Release) -> AlbumKey:
    """What tells an album and what is said of it apart; the gateway decides what is one album."""
    return (album_folder(path), claim_of(release))


@lru_cache(maxsize=4_096)
def claim_of(release: Release) -> str:
    """A name for what a file says of its album: the same for the same."""
    return hashlib.blake2b(repr(release).encode(), digest_size=10).hexdigest()


def artist_inputs(batch: Batch) -> dict[ArtistKey, JSON]:
    """`ArtistInput`s of everyone credited, each once."""
    inputs: dict[ArtistKey, JSON] = {}
    for _, tags in batch.files:
        everyone = [*tags.artists, *tags.release.artists]
        everyone += [contributor.name for contributor in tags.contributors]
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
    for file, tags in batch.files:
        key = album_key(file.path, tags.release)
        if tags.release.title and key not in inputs:
            inputs[key] = _album_input(batch, file.path, tags.release, artists)
    return inputs


def _album_input(
    batch: Batch, path: str, release: Release, artists: Mapping[ArtistKey, str]
) -> JSON:
    image = None
    if len(release.artists) == 1 and not release.is_compilation:
        image = artist_image(batch.folders, batch.refused, path, release.artists[0].name)
    return _told(
        title=release.title,
        sortTitle=release.sort_title,
        artistCredit=release.artist_credit,
        credits=_credits(release.artists, artists),
        folder=album_folder(path),
        libraryId=batch.library_id,
        releaseDate=release.date,
        originalDate=release.original_date,
        isCompilation=release.is_compilation,
        isArtistTold=release.is_artist_told,
        claim=claim_of(release),
        releaseType=release.release_type,
        label=release.label,
        catalogueNumber=release.catalogue_number,
        barcode=release.barcode,
        country=release.country,
        media=release.media,
        musicbrainzReleaseId=release.musicbrainz_release_id,
        musicbrainzReleaseGroupId=release.musicbrainz_release_group_id,
        artistImageSha256=image,
    )


def track_input(
    batch: Batch,
    file: FileRead,
    tags: Tags,
    *,
    artists: Mapping[ArtistKey, str],
    album_id: str | None,
) -> JSON:
    """The `TrackInput` of a file of a batch; `artists` has the ids of all that are credited."""
    folders, refused = batch.folders, batch.refused
    disc = tags.disc.number
    credits_ = _credits(tags.artists, artists)
    for contributor in tags.contributors:
        (told,) = _credits([contributor.name], artists, contributor.role.upper())
        if contributor.instrument:
            told["instrument"] = contributor.instrument
        credits_.append(told)
    gain, audio = tags.replaygain, tags.audio
    return _told(
        path=file.path,
        sizeBytes=file.size_bytes,
        mtimeNs=file.mtime_ns,
        title=tags.title,
        titleIsFileName=tags.title_is_file_name,
        sortTitle=tags.sort_title,
        artistCredit=tags.artist_credit,
        credits=credits_,
        albumId=album_id,
        albumClaim=claim_of(tags.release) if album_id else None,
        genres=list(tags.genres),
        trackNumber=tags.track.number,
        trackTotal=tags.track.total,
        discNumber=disc_of(file.path) if disc is None else disc,
        discTotal=tags.disc.total,
        discSubtitle=tags.disc_subtitle,
        releaseDate=tags.release_date,
        originalDate=tags.original_date,
        isrcs=list(tags.isrcs),
        tagBpm=tags.bpm,
        comment=tags.comment,
        language=tags.language,
        **_details(tags),
        musicbrainzRecordingId=tags.musicbrainz_recording_id,
        musicbrainzTrackId=tags.musicbrainz_track_id,
        replaygainTrackGainDb=gain.track_gain_db,
        replaygainTrackPeak=gain.track_peak,
        replaygainAlbumGainDb=gain.album_gain_db,
        replaygainAlbumPeak=gain.album_peak,
        container=audio.container,
        codec=audio.codec,
        durationS=audio.duration_s,
        bitrateBps=audio.bitrate_bps,
        sampleRateHz=audio.sample_rate_hz,
        channels=audio.channels,
        bitDepth=audio.bit_depth,
        coverSha256=embedded_cover(refused, file),
        # Without an album the images of a folder may be of anything.
        folderCoverSha256=folder_cover(folders, refused, file.path) if album_id else None,
        coverProblem=cover_problem(folders, refused, file),
        imagesDigest=digest_beside(folders, file.path),
        contentHash=file.content_hash,
    )


def _details(tags: Tags) -> JSON:
    """What most tracks do not have: left out where it is not there, so that requests stay small."""
    words = tags.lyrics
    return {
        "kind": tags.kind.upper() if tags.kind != "music" else None,
        "work": tags.work,
        "movementName": tags.movement.name,
        "movementNumber": tags.movement.number,
        "movementTotal": tags.movement.total,
        "moods": list(tags.moods) or None,
        "grouping": tags.grouping,
        "copyright": tags.copyright,
        "tagKey": tags.key,
        "lyricsPlain": words.plain if words else None,
        "lyricsSynced": words.synced if words else None,
        "lyricsAreSidecar": (words.is_sidecar or None) if words else None,
        "otherTags": tags.others or None,
        "importedFacts": [
            _told(source=fact.source, rating=fact.rating, playCount=fact.play_count)
            for fact in tags.imported
        ]
        or None,
    }


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


def _told(**values: object) -> JSON:
    """An input without what is not known."""
    return {name: value for name, value in values.items() if value is not None}
