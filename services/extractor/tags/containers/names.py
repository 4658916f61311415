"""Tag names that several containers share, beside Picard's internal ones. Pure."""

ALIASES = {
    "album artist": "albumartist",
    "albumartist_credit": "albumartist",
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
    "description": "comment",
    "unsyncedlyrics": "lyrics",
    "unsynced lyrics": "lyrics",
    "synced lyrics": "syncedlyrics",
    "mixartist": "remixer",
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
    "original date": "originaldate",
    "original year": "originalyear",
    "country": "releasecountry",
    "musicbrainz_albumtype": "releasetype",
    # Historic: what is called the track id is the recording's.
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


def internal_name(written: str) -> str:
    """Picard's internal name of a tag as it is written in Vorbis comments, APEv2 and free fields.

    Source: https://picard-docs.musicbrainz.org/en/appendices/tag_mapping.html
    """
    lower = written.lower()
    return ALIASES.get(lower, lower)
