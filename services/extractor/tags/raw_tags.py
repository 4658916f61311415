"""A file's tags by MusicBrainz Picard's internal names, before they are mapped. Pure.

Source of the names: https://picard-docs.musicbrainz.org/en/appendices/tag_mapping.html
"""

from collections.abc import Iterable, Sequence

from services.extractor.tags.normalise import first

RawTags = dict[str, list[str]]
"""Values by internal name, as they are written in the file."""

OBJECT = "\0object:"
"""Raw tags whose names begin so are bytes, a character each (Latin-1): no tag has such a name."""
JOINED = "joined:"
"""Raw tags have this name if "/" may stand between values: ID3v2.3 has no other separator."""
JOINED_LISTS = (
    "artist", "artists", "albumartist", "albumartists", "composer", "lyricist", "writer",
    "conductor", "remixer", "label", "catalognumber", "mood", "releasetype",
)  # fmt: skip
"""The raw tags whose values ID3v2.3 joins."""

ALIASES = {
    "album artist": "albumartist",
    "albumartist_credit": "albumartist:credit",
    "album artist credit": "albumartist:credit",
    "beets/album artist credit": "albumartist:credit",
    "album_artist": "albumartist",
    "album artists": "albumartists",
    "album_artists": "albumartists",
    "tracktotal": "totaltracks",
    "disctotal": "totaldiscs",
    "track": "tracknumber",
    "disc": "discnumber",
    "organization": "label",
    "publisher": "label",
    "labelno": "catalognumber",
    "description": "comment:description",
    "wm/text": "comment:wm/text",
    "author": "artist:author",
    "unsyncedlyrics": "lyrics",
    "unsynced lyrics": "lyrics",
    "synced lyrics": "syncedlyrics",
    "mixartist": "remixer",
    "remixedby": "remixer",
    "labelid": "catalognumber",
    "sourcemedia": "media",
    "encoded-by": "encodedby",
    "encoded by": "encodedby",
    # FFmpeg keeps the names of the frames that it has no name for, in any container.
    "uslt": "lyrics",
    "tcmp": "compilation",
    # TagLib#'s names in ASF.
    "replaygain/track": "replaygain_track_gain",
    "replaygain/track peak": "replaygain_track_peak",
    "replaygain/album": "replaygain_album_gain",
    "replaygain/album peak": "replaygain_album_peak",
    "dj mixer": "djmixer",
    "movementname": "movement",
    "movement": "movementnumber",
    "initialkey": "key",
    "initial key": "key",
    "contentgroup": "grouping",
    "content group": "grouping",
    "itunescompilation": "compilation",
    "upc": "barcode",
    "ean": "barcode",
    "catalog number": "catalognumber",
    "catalogue number": "catalognumber",
    "catalog": "catalognumber",
    "original artist": "originalartist",
    "weblink": "website",
    "musicbrainz_albumstatus": "releasestatus",
    "musicbrainz album status": "releasestatus",
    "musicbrainz work id": "musicbrainz_workid",
    "musicbrainz disc id": "musicbrainz_discid",
    "acoustid id": "acoustid_id",
    "acoustid/id": "acoustid_id",
    "acoustid fingerprint": "acoustid_fingerprint",
    "acoustid/fingerprint": "acoustid_fingerprint",
    "tempo": "bpm",
    "fbpm": "bpm",
    "original date": "originaldate",
    "original year": "originalyear",
    "country": "releasecountry",
    "musicbrainz_albumtype": "releasetype",
    # Picard's tag "MusicBrainz Track Id" holds the recording's id, for historical reasons.
    "musicbrainz_trackid": "musicbrainz_recordingid",
    "musicbrainz_releasetrackid": "musicbrainz_trackid",
    "musicbrainz album type": "releasetype",
    "musicbrainz album release country": "releasecountry",
    "musicbrainz track id": "musicbrainz_recordingid",
    "musicbrainz release track id": "musicbrainz_trackid",
    "musicbrainz album id": "musicbrainz_albumid",
    "musicbrainz artist id": "musicbrainz_artistid",
    "musicbrainz album artist id": "musicbrainz_albumartistid",
    "musicbrainz release group id": "musicbrainz_releasegroupid",
}
"""Internal names by the other names in use, in lower case."""


def internal_name(written: str) -> str:
    """The internal name of a tag as it is named in Vorbis comments, APEv2 and free-form fields."""
    lower = written.lower()
    return ALIASES.get(lower, lower)


class TagValues:
    """Raw tags by name; a tag that is missing has no values."""

    def __init__(self, raw: RawTags) -> None:
        self._raw = raw

    def present(self, names: Iterable[str]) -> list[str]:
        """Those of the names that have values."""
        return [name for name in names if self._raw.get(name)]

    def all(self, *names: str) -> Sequence[str]:
        """The values of the first name that has any."""
        for name in names:
            if values := self._raw.get(name):
                return values
        return ()

    def one(self, *names: str) -> str | None:
        """The first value of the first name that has any, cleaned; None where none is left."""
        for name in names:
            if values := self._raw.get(name):
                return first(values)
        return None


_LONGEST_CACHED = 4_000  # characters


def is_cacheable(values: Iterable[Iterable[str]]) -> bool:
    """Whether these values are short enough for a cache: no file may fill the memory."""
    return sum(len(text) for texts in values for text in texts) <= _LONGEST_CACHED
