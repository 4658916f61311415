"""What the tags say of the album that a track is on. Pure."""

from dataclasses import replace
from functools import lru_cache

from services.extractor.tags import normalise
from services.extractor.tags.album_folders import without_disc
from services.extractor.tags.credit_parsing import credited_artists, sorted_by
from services.extractor.tags.credits import CreditRules
from services.extractor.tags.model import CreditedName, Release
from services.extractor.tags.normalise import first
from services.extractor.tags.rules import Rules
from services.extractor.tags.tag_values import TagValues, is_short
from shared.contracts.credits import VARIOUS_ARTISTS

VARIOUS_ARTISTS_ID = "89ad4ac3-39f7-470e-963a-56509c546377"
"""MusicBrainz' artist that stands for many."""
_OF_RELEASES = (
    "album", "albumsort", "albumartist", "albumartists", "musicbrainz_albumartistid",
    "albumartistsort", "compilation", "date", "year", "releasedate", "originaldate",
    "originalyear", "releasetype", "label", "catalognumber", "barcode", "releasecountry", "media",
    "musicbrainz_albumid", "musicbrainz_releasegroupid",
)  # fmt: skip


def release_date(tags: TagValues) -> str | None:
    """When it came out: YYYY, YYYY-MM or YYYY-MM-DD."""
    return normalise.partial_date(tags.one("date", "year", "releasedate"))


def original_date(tags: TagValues) -> str | None:
    """When it came out first, written in the same way."""
    return normalise.partial_date(tags.one("originaldate", "originalyear"))


def release(tags: TagValues, track_artists: tuple[CreditedName, ...]) -> Release:
    """What is said of the album: one object for what is tagged alike.

    So it is made once an album, and files of an album that are sent together send it once.
    """
    told = tuple([(name, *tags.all(name)) for name in tags.there(_OF_RELEASES)])
    release_of = _release_of if is_short(told) else _release_of.__wrapped__
    return release_of(told, track_artists[:1], tags.rules.credits)


@lru_cache(maxsize=64)
def _release_of(
    told: tuple[tuple[str, ...], ...], track_artists: tuple[CreditedName, ...], rules: CreditRules
) -> Release:
    tags = TagValues({name: values for name, *values in told}, Rules(credits=rules))
    title = tags.one("album")
    if title is None:
        return Release()
    title, _, _ = without_disc(title)
    artists, credit = credited_artists(
        tags, "albumartist", "albumartists", "musicbrainz_albumartistid"
    )
    artists = sorted_by(artists, tags.one("albumartistsort"))
    various = [artist.musicbrainz_id == VARIOUS_ARTISTS_ID for artist in artists]
    is_compilation = (
        normalise.truth(tags.one("compilation"))
        or any(various)
        or credit.casefold() == VARIOUS_ARTISTS.casefold()
    )
    is_told = bool(artists) or is_compilation
    if not artists and is_compilation:
        artists, credit = (CreditedName(VARIOUS_ARTISTS),), VARIOUS_ARTISTS
    elif not artists and track_artists:
        # Guests of one track are not the album's artists, or each track would make an album.
        artists = (replace(track_artists[0], join_phrase=""),)
        credit = artists[0].name
    return Release(
        title=title,
        sort_title=tags.one("albumsort"),
        artists=artists,
        artist_credit=credit,
        is_artist_told=is_told,
        is_compilation=is_compilation,
        date=release_date(tags),
        original_date=original_date(tags),
        release_type=tags.one("releasetype"),
        label=tags.one("label"),
        catalogue_number=tags.one("catalognumber"),
        barcode=first(tags.all("barcode"), 100),
        country=first(tags.all("releasecountry"), 100),
        media=tags.one("media"),
        musicbrainz_release_id=normalise.musicbrainz_id(tags.all("musicbrainz_albumid")),
        musicbrainz_release_group_id=normalise.musicbrainz_id(
            tags.all("musicbrainz_releasegroupid")
        ),
    )
