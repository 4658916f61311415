"""The search document of a track. Pure."""

from shared.gateway.client import JSON
from shared.search.port import Deletion, SearchDocument


def search_item(track: JSON) -> SearchDocument | Deletion:
    """The search document of a track of the gateway, or its deletion where the file is missing."""
    version = int(track["revision"])
    if track["isMissing"]:
        return Deletion(track["id"], version)
    album = track["album"] or {}
    return SearchDocument(
        track_id=track["id"],
        version=version,
        title=track["title"],
        artists=_artists(track),
        album=album.get("title"),
        album_artist=album.get("artistCredit") or None,
        genres=[genre["name"] for genre in track["genres"]],
        year=track["year"],
        key=f"{track['key']} {track['mode']}" if track["key"] else None,
        tempo_bpm=track["tempoBpm"],
        path=track["displayPath"],
    )


def _artists(track: JSON) -> list[str]:
    """Names of all credited artists in any role, and as they are credited.

    Without credits, the artist credit as a whole.
    """
    names = [
        name
        for credit in track["credits"]
        for name in (credit["artist"]["name"], credit["creditedAs"])
    ]
    return [name for name in dict.fromkeys(names or [track["artistCredit"]]) if name]
