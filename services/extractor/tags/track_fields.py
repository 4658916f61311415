"""A file's fields in the form of the gateway's `TrackInput`. Pure.

The readers make them, so that one flat record crosses the border of the process, not nested ones.
"""

from typing import Any

from services.extractor.tags.album_folders import disc_of
from services.extractor.tags.model import Tags

TrackFields = dict[str, Any]
"""Fields of a `TrackInput` by GraphQL's names, without those that are unknown."""


def track_fields(tags: Tags, path: str, content_hash: str | None) -> TrackFields:
    """All fields but the file's own (path, size, time), its credits, album and images.

    Args:
        tags: the file's.
        path: below the library's root: its folder may name the disc.
        content_hash: of the file's sound.
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
        **_rare_fields(tags),
    }
    return known(fields)


def known(fields: TrackFields) -> TrackFields:
    """The fields without those that are unknown (None)."""
    return {name: value for name, value in fields.items() if value is not None}


def _rare_fields(tags: Tags) -> TrackFields:
    """What most tracks do not have. Empty values become None, so that requests stay small."""
    lyrics = tags.lyrics
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
        "lyricsPlain": lyrics.plain if lyrics else None,
        "lyricsSynced": lyrics.synced if lyrics else None,
        "lyricsAreSidecar": (lyrics.is_sidecar or None) if lyrics else None,
        "otherTags": tags.others or None,
        "importedFacts": [
            known({"source": fact.source, "rating": fact.rating, "playCount": fact.play_count})
            for fact in tags.imported
        ]
        or None,
    }
