"""The search document of a track. Pure."""

from shared.gateway.indexing import TrackToIndex
from shared.search.port import Deletion, SearchDocument


def search_item(track: TrackToIndex) -> SearchDocument | Deletion:
    """The search document of a track of the gateway, or its deletion where the file is missing."""
    version = track.revision
    if track.is_missing:
        return Deletion(track.id, version)
    album = track.album
    return SearchDocument(
        track_id=track.id,
        version=version,
        title=track.title,
        artists=_artists(track),
        album=album.title if album else None,
        album_artist=(album.artist_credit or None) if album else None,
        genres=[genre.name for genre in track.genres],
        year=track.year,
        key=f"{track.key} {track.mode}" if track.key else None,
        tempo_bpm=track.tempo_bpm,
        path=track.display_path,
        chapters=[chapter.title for chapter in track.chapters],
    )


def _artists(track: TrackToIndex) -> list[str]:
    """Names of all credited artists in any role, and as they are credited.

    Without credits, the artist credit as a whole.
    """
    names = [name for credit in track.credits for name in (credit.artist.name, credit.credited_as)]
    return [name for name in dict.fromkeys(names or [track.artist_credit]) if name]
