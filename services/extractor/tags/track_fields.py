"""What a file's tags say, in the words of the gateway's `TrackInput`. Pure.

The readers do this, so that what they send is small, and is not gone through field by field again.
"""

from typing import Any

from services.extractor.tags.album_folders import disc_of
from services.extractor.tags.model import Tags

Told = dict[str, Any]
"""Fields of a `TrackInput`; what is not known is left out."""


def tag_fields(tags: Tags, path: str, content_hash: str | None) -> Told:
    """All that a file itself says, but for whom it credits and where it belongs.

    Args:
        tags: what was read.
        path: below the library's root; a folder may tell the disc.
        content_hash: of its sound.
    """
    gain, audio = tags.replaygain, tags.audio
    disc = tags.disc.number
    fields = {
        "title": tags.title,
        "titleIsFileName": tags.title_is_file_name,
        "sortTitle": tags.sort_title,
        "artistCredit": tags.artist_credit,
        "genres": list(tags.genres),
        "trackNumber": tags.track.number,
        "trackTotal": tags.track.total,
        "discNumber": disc_of(path) if disc is None else disc,
        "discTotal": tags.disc.total,
        "discSubtitle": tags.disc_subtitle,
        "releaseDate": tags.release_date,
        "originalDate": tags.original_date,
        "isrcs": list(tags.isrcs),
        "tagBpm": tags.bpm,
        "comment": tags.comment,
        "language": tags.language,
        **_details(tags),
        "musicbrainzRecordingId": tags.musicbrainz_recording_id,
        "musicbrainzTrackId": tags.musicbrainz_track_id,
        "replaygainTrackGainDb": gain.track_gain_db,
        "replaygainTrackPeak": gain.track_peak,
        "replaygainAlbumGainDb": gain.album_gain_db,
        "replaygainAlbumPeak": gain.album_peak,
        "container": audio.container,
        "codec": audio.codec,
        "durationS": audio.duration_s,
        "bitrateBps": audio.bitrate_bps,
        "sampleRateHz": audio.sample_rate_hz,
        "channels": audio.channels,
        "bitDepth": audio.bit_depth,
        "contentHash": content_hash,
    }
    return known(fields)


def known(fields: Told) -> Told:
    """The fields without those of which nothing is known."""
    return {name: value for name, value in fields.items() if value is not None}


def _details(tags: Tags) -> Told:
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
            known({"source": fact.source, "rating": fact.rating, "playCount": fact.play_count})
            for fact in tags.imported
        ]
        or None,
    }
