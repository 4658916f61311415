"""The tags that no field has, kept as they are within limits. Pure."""

from services.extractor.tags import normalise
from services.extractor.tags.encoded_texts import readable
from services.extractor.tags.imported_facts import is_imported
from services.extractor.tags.raw_tags import RawTags

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
"""Internal names of the tags that become a field."""
LEFT_OUT = frozenset(("acoustid_fingerprint",))
"""Long, and our own analysis has it too."""


SINGLE_FIELDS = frozenset(
    (
        "title", "titlesort", "album", "albumsort", "discsubtitle", "comment", "work", "grouping",
        "copyright", "language", "label", "catalognumber", "barcode", "media", "releasetype",
        "releasecountry",
    )
)  # fmt: skip
"""Fields that hold one value."""
NUMBERS = frozenset(("tracknumber", "discnumber"))


def further_values(raw: RawTags) -> RawTags:
    """What the fields of one value do not hold: further values, and numbers that are words."""
    further: RawTags = {}
    for name, values in raw.items():
        if len(values) > 1 and name in SINGLE_FIELDS:
            first, *others = normalise.texts(values, normalise.COMMENT_LIMIT) or [""]
            # ID3v1 repeats the beginnings of texts.
            if rest := [value for value in others if not first.startswith(value)]:
                further[name] = rest
        elif name in NUMBERS and not all(map(normalise.is_plain_number, values)):
            further[name] = values  # "B2": the number says the order, not how it is written
    return further


def other_tags(raw: RawTags, further: RawTags) -> dict[str, list[str]]:
    """Values by internal name, in the order of the names, within the limits above.

    Args:
        raw: tags, of which those of fields are passed over.
        further: values of fields.
    """
    kept: dict[str, list[str]] = {}
    total = 0
    raw = {name: raw[name] for name in raw.keys() - FIELDS - LEFT_OUT} | further
    for name in sorted(raw):
        if is_imported(name, raw[name]):
            continue
        clean = normalise.text(name, NAME_LIMIT)
        texts = filter(None, map(readable, raw[name][:MOST_VALUES]))
        values = list(filter(None, (normalise.lines(text, VALUE_LIMIT) for text in texts)))
        size = len(clean) + sum(map(len, values))
        if not clean or not values or total + size > TOTAL_LIMIT:
            continue
        total += size
        kept.setdefault(clean, values)
        if len(kept) == MOST_NAMES:
            break
    return kept
