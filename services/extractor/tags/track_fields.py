"""A file's fields in the form of the gateway's `TrackInput`. Pure.

The readers make them, so that one flat record crosses the border of the process, not nested ones.
They are a dict, not a `TrackInput`: that takes twelve times as long to pickle.
"""

from typing import Any

from services.extractor.paths import disc_of
from services.extractor.tags.model import Tags
from shared.gateway.inputs import ChapterInput

TrackFields = dict[str, Any]
"""Fields of a `TrackInput` by their Python names, without those that are unknown."""


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
        "title_is_file_name": tags.title_is_file_name,
        "sort_title": tags.sort_title,
        "artist_credit": tags.artist_credit,
        "genres": list(tags.genres),
        "track_number": tags.track.number,
        "track_total": tags.track.total,
        "disc_number": disc_of(path) if disc is None else disc,
        "disc_total": tags.disc.total,
        "disc_subtitle": tags.disc_subtitle,
        "release_date": tags.release_date,
        "original_date": tags.original_date,
        "isrcs": list(tags.isrcs),
        "tag_bpm": tags.bpm,
        "comment": tags.comment,
        "language": tags.language,
        "musicbrainz_recording_id": tags.musicbrainz_recording_id,
        "musicbrainz_track_id": tags.musicbrainz_track_id,
        "replaygain_track_gain_db": gain.track_gain_db,
        "replaygain_track_peak": gain.track_peak,
        "replaygain_album_gain_db": gain.album_gain_db,
        "replaygain_album_peak": gain.album_peak,
        "container": audio.container,
        "codec": audio.codec,
        "duration_s": audio.duration_s,
        "bitrate_bps": audio.bitrate_bps,
        "sample_rate_hz": audio.sample_rate_hz,
        "channels": audio.channels,
        "bit_depth": audio.bit_depth,
        "content_hash": content_hash,
        **_rare_fields(tags),
    }
    return {name: value for name, value in fields.items() if value is not None}


def _rare_fields(tags: Tags) -> TrackFields:
    """What most tracks do not have. Empty values become None, so that requests stay small."""
    lyrics = tags.lyrics
    return {
        "kind": tags.kind.upper() if tags.kind != "music" else None,
        "work": tags.work,
        "movement_name": tags.movement.name,
        "movement_number": tags.movement.number,
        "movement_total": tags.movement.total,
        "moods": list(tags.moods) or None,
        "grouping": tags.grouping,
        "copyright": tags.copyright,
        "tag_key": tags.key,
        "lyrics_plain": lyrics.plain if lyrics else None,
        "lyrics_synced": lyrics.synced if lyrics else None,
        "lyrics_are_sidecar": (lyrics.is_sidecar or None) if lyrics else None,
        "other_tags": tags.others or None,
        "imported_facts": tags.imported or None,
        "chapters": [
            ChapterInput(title=each.title, start_s=each.start_s, end_s=each.end_s)
            for each in tags.chapters
        ]
        or None,
    }
