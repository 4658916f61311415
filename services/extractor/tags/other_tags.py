"""The tags that have no field of ours: kept as they are, within limits. Pure."""

from services.extractor.tags import normalise
from services.extractor.tags.imported import is_imported
from services.extractor.tags.model import RawTags

MOST_NAMES = 64
MOST_VALUES = 16
NAME_LIMIT = 100
VALUE_LIMIT = 1_000
TOTAL_LIMIT = 16_000
"""Characters of names and values together."""

_NAMES = """\
title titlesort artist artists artistsort album albumsort albumartist albumartists albumartistsort
composer composersort lyricist writer conductor performer arranger remixer producer engineer mixer
djmixer director tracknumber totaltracks discnumber totaldiscs discsubtitle
date year releasedate originaldate originalyear genre isrc bpm comment language lyrics syncedlyrics
compilation releasetype label catalognumber barcode releasecountry media musicbrainz_recordingid
musicbrainz_trackid musicbrainz_albumid musicbrainz_artistid musicbrainz_albumartistid
musicbrainz_releasegroupid replaygain_track_gain replaygain_track_peak replaygain_album_gain
replaygain_album_peak r128_track_gain r128_album_gain work movement movementnumber movementtotal
mood grouping copyright key podcast itunesmediatype"""
FIELDS = frozenset(_NAMES.split())
"""Internal names of what becomes a field."""
LEFT_OUT = frozenset(("acoustid_fingerprint",))
"""Long, and known better from our own analysis."""


def other_tags(raw: RawTags) -> dict[str, list[str]]:
    """Values by internal name, in the order of the names; what is over the limits is left out."""
    kept: dict[str, list[str]] = {}
    total = 0
    for name in sorted(raw.keys() - FIELDS - LEFT_OUT):
        if is_imported(name):
            continue
        clean = normalise.text(name, NAME_LIMIT)
        values = list(
            filter(None, (normalise.lines(v, VALUE_LIMIT) for v in raw[name][:MOST_VALUES]))
        )
        size = len(clean) + sum(map(len, values))
        if not clean or not values or total + size > TOTAL_LIMIT:
            continue
        total += size
        kept.setdefault(clean, values)
        if len(kept) == MOST_NAMES:
            break
    return kept
