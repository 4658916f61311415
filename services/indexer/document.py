"""What is searched of a track. Pure."""

from shared.gateway.client import JSON
from shared.search.port import Deletion, SearchDocument


def search_item(track: JSON) -> SearchDocument | Deletion:
    """The search document of a track as the gateway tells it; a missing one is not found."""
    version = int(track["revision"])
    if track["isMissing"]:
        return Deletion(track["id"], version)
    album, analysis = track["album"] or {}, track["analysis"] or {}
    names = [track["artistCredit"]] if track["artistCredit"] else []
    for credit in track["credits"]:
        names += [credit["artist"]["name"], credit["creditedAs"]]
    # A joined credit ("A feat. B") is one of the names only where it is all there is.
    single = names[1:] if len(names) > 1 else names
    return SearchDocument(
        track_id=track["id"],
        version=version,
        title=track["title"],
        artists=list(dict.fromkeys(single)),
        album=album.get("title"),
        album_artist=album.get("artistCredit") or None,
        genres=[genre["name"] for genre in track["genres"]],
        year=track["year"],
        key=f"{analysis['key']} {analysis['mode']}" if analysis.get("keyConfidence") else None,
        tempo_bpm=analysis.get("tempoBpm") or None,
        path=track["displayPath"],
    )
