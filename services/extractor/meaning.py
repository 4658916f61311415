"""From a file's raw tags to the one record `Tags`. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Any

from services.extractor import normalise
from services.extractor.credits import CreditRules, credited_names
from services.extractor.imported import imported_facts
from services.extractor.lyrics import lyrics
from services.extractor.normalise import first
from services.extractor.other_tags import FIELDS, other_tags
from services.extractor.places import without_disc
from services.extractor.rules import DEFAULT_RULES, Rules
from services.extractor.tags import (
    AudioProperties,
    Contributor,
    CreditedName,
    Movement,
    Numbered,
    RawTags,
    Release,
    ReplayGain,
    Tags,
)

ROLES = (
    "composer", "lyricist", "writer", "conductor", "performer", "arranger", "remixer", "producer",
    "engineer", "mixer", "djmixer", "director",
)  # fmt: skip
MOST_CONTRIBUTORS = 200
_RARE = frozenset(
    (
        *ROLES, "composersort", "titlesort", "discsubtitle", "isrc", "bpm", "originaldate",
        "originalyear", "comment", "language", "work", "movement", "movementnumber",
        "movementtotal", "mood", "grouping", "copyright", "key", "musicbrainz_recordingid",
        "musicbrainz_trackid", "replaygain_track_gain", "replaygain_track_peak",
        "replaygain_album_gain", "replaygain_album_peak", "r128_track_gain", "r128_album_gain",
    )
)  # fmt: skip
"""Raw tags of what `_details` tells."""
VARIOUS_ARTISTS = "various artists"
VARIOUS_ARTISTS_ID = "89ad4ac3-39f7-470e-963a-56509c546377"
"""MusicBrainz' artist that stands for many."""


class _Raw:
    """Raw tags, asked by name; a name that is not there has no values."""

    def __init__(self, raw: RawTags, rules: Rules) -> None:
        self._raw = raw
        self.rules = rules

    def there(self, names: Iterable[str]) -> list[str]:
        """Those of the names that there are."""
        return [name for name in names if self._raw.get(name)]

    def all(self, *names: str) -> Sequence[str]:
        """The values of the first name that has any."""
        for name in names:
            if values := self._raw.get(name):
                return values
        return ()

    def one(self, *names: str) -> str | None:
        """The first clean value."""
        for name in names:
            if values := self._raw.get(name):
                return first(values)
        return None


def meaning(
    raw: RawTags,
    audio: AudioProperties,
    *,
    file_name: str,
    rules: Rules = DEFAULT_RULES,
    sidecar: bytes | None = None,
) -> Tags:
    """What the tags say. Without a title, the file's name (without its ending) is the title.

    Args:
        raw: the tags as written.
        audio: what the container says of the sound.
        file_name: without its folder.
        rules: how credits and genres are split.
        sidecar: an LRC file that lies beside the music.
    """
    tags = _Raw(raw, rules)
    title = tags.one("title")
    artists, artist_credit = _credit(tags, "artist", "artists", "musicbrainz_artistid")
    genres = normalise.genres(tags.all("genre"), rules.genres)
    without_field = {name: values for name, values in raw.items() if name not in FIELDS}
    return Tags(
        title=title or normalise.text(file_name.rpartition(".")[0] or file_name) or "?",
        title_is_file_name=title is None,
        audio=audio,
        artists=_sorted_by(artists, tags.one("artistsort")),
        artist_credit=artist_credit,
        release=_release(tags, artists),
        genres=genres,
        track=normalise.numbered(tags.one("tracknumber"), tags.one("totaltracks")),
        disc=_disc(tags),
        release_date=_date(tags),
        kind=_kind(tags, file_name, genres),
        lyrics=lyrics(tags.all("lyrics"), tags.all("syncedlyrics"), sidecar),
        imported=imported_facts(without_field) if without_field else (),
        others=other_tags(without_field) if without_field else {},
        **({} if raw.keys().isdisjoint(_RARE) else _details(tags)),
    )


def _details(tags: _Raw) -> dict[str, Any]:
    """The fields of `Tags` that most files tell nothing of."""
    return {
        "sort_title": tags.one("titlesort"),
        "contributors": _contributors(tags),
        "disc_subtitle": tags.one("discsubtitle"),
        "replaygain": _replaygain(tags),
        "isrcs": normalise.isrcs(tags.all("isrc")),
        "bpm": normalise.decimal(tags.one("bpm"), 1, 1_000),
        "original_date": _original_date(tags),
        "comment": next(filter(None, map(normalise.lines, tags.all("comment"))), None),
        "language": first(tags.all("language"), 100),
        "work": tags.one("work"),
        "movement": _movement(tags),
        "moods": tuple(normalise.texts(tags.all("mood"))),
        "grouping": tags.one("grouping"),
        "copyright": tags.one("copyright"),
        "key": first(tags.all("key"), 100),
        "musicbrainz_recording_id": normalise.musicbrainz_id(tags.all("musicbrainz_recordingid")),
        "musicbrainz_track_id": normalise.musicbrainz_id(tags.all("musicbrainz_trackid")),
    }


def _date(tags: _Raw) -> str | None:
    return normalise.partial_date(tags.one("date", "year", "releasedate"))


def _original_date(tags: _Raw) -> str | None:
    return normalise.partial_date(tags.one("originaldate", "originalyear"))


_AUDIOBOOK, _PODCAST = "2", "21"  # iTunes' media types
_SPOKEN = {
    "podcast": "podcast", "podcasts": "podcast", "audiobook": "audiobook",
    "audiobooks": "audiobook", "audio book": "audiobook", "hörbuch": "audiobook",
    "hörbücher": "audiobook", "livre audio": "audiobook",
}  # fmt: skip


def _kind(tags: _Raw, file_name: str, genres: tuple[str, ...]) -> str:
    """A podcast or an audiobook says so: by a flag, iTunes' media type, its genre, release type."""
    media = tags.one("itunesmediatype")
    if normalise.truth(tags.one("podcast")) or media == _PODCAST:
        return "podcast"
    if media == _AUDIOBOOK or file_name.lower().endswith(".m4b"):
        return "audiobook"
    as_usual = tags.rules.genres == DEFAULT_RULES.genres
    told = (
        *(genres if as_usual else normalise.genres(tags.all("genre"))),
        *normalise.texts(tags.all("releasetype")),
    )
    return next((_SPOKEN[one.casefold()] for one in told if one.casefold() in _SPOKEN), "music")


def _disc(tags: _Raw) -> Numbered:
    told = normalise.numbered(tags.one("discnumber"), tags.one("totaldiscs"))
    _, number, total = without_disc(tags.one("album") or "")
    named = normalise.numbered(number, total)
    return Numbered(
        named.number if told.number is None else told.number,
        named.total if told.total is None else told.total,
    )


def _movement(tags: _Raw) -> Movement:
    place = normalise.numbered(tags.one("movementnumber"), tags.one("movementtotal"))
    return Movement(tags.one("movement"), place.number, place.total)


def _credit(tags: _Raw, credit: str, listed: str, ids: str) -> tuple[tuple[CreditedName, ...], str]:
    told = (tuple(tags.all(credit)), tuple(tags.all(listed)), tuple(tags.all(ids)))
    credited = _credited if _is_short(told) else _credited.__wrapped__
    return credited(*told, tags.rules.credits)


_MOST_KEPT = 4_000  # characters: what is longer is not kept, so that no file fills the memory


def _is_short(told: Iterable[Iterable[str]]) -> bool:
    return sum(len(text) for texts in told for text in texts) <= _MOST_KEPT


@lru_cache(maxsize=1_024)  # an album's tracks mostly have one artist
def _credited(
    credit: tuple[str, ...], listed: tuple[str, ...], ids: tuple[str, ...], rules: CreditRules
) -> tuple[tuple[CreditedName, ...], str]:
    return credited_names(
        normalise.texts(credit),
        listed=normalise.texts(listed),
        ids=normalise.musicbrainz_ids(ids),
        rules=rules,
    )


def _sorted_by(names: tuple[CreditedName, ...], sort: str | None) -> tuple[CreditedName, ...]:
    """The sort name of a credit is the artist's where there is one artist."""
    return (replace(names[0], sort_name=sort),) if len(names) == 1 and sort else names


def _contributors(tags: _Raw) -> tuple[Contributor, ...]:
    found: dict[Contributor, None] = {}
    for role in tags.there(ROLES):
        values = normalise.texts(tags.all(role))
        for value in values:
            told, instrument = played(value) if role == "performer" else (value, None)
            names, _ = credited_names([told], rules=tags.rules.credits)
            if role == "composer" and len(values) == 1:
                names = _sorted_by(names, tags.one("composersort"))
            for name in names:
                found[Contributor(role, replace(name, join_phrase=""), instrument)] = None
    return tuple(found)[:MOST_CONTRIBUTORS]


def played(value: str) -> tuple[str, str | None]:
    """A performer and the instrument: "Ann (guitar)" is Ann, who plays the guitar."""
    if not value.endswith(")"):
        return value, None
    depth = 0
    for place in range(len(value) - 1, 0, -1):
        depth += {")": 1, "(": -1}.get(value[place], 0)
        if depth == 0:
            name, instrument = value[:place].strip(), value[place + 1 : -1].strip()
            return (name, instrument or None) if name else (value, None)
    return value, None


_OF_RELEASES = (
    "album", "albumsort", "albumartist", "albumartists", "musicbrainz_albumartistid",
    "albumartistsort", "compilation", "date", "year", "releasedate", "originaldate",
    "originalyear", "releasetype", "label", "catalognumber", "barcode", "releasecountry", "media",
    "musicbrainz_albumid", "musicbrainz_releasegroupid",
)  # fmt: skip


def _release(tags: _Raw, track_artists: tuple[CreditedName, ...]) -> Release:
    """What is said of the album: one object for what is tagged alike.

    So it is made once an album, and files of an album that are sent together send it once.
    """
    told = tuple([(name, *tags.all(name)) for name in tags.there(_OF_RELEASES)])
    release_of = _release_of if _is_short(told) else _release_of.__wrapped__
    return release_of(told, track_artists[:1], tags.rules.credits)


@lru_cache(maxsize=64)
def _release_of(
    told: tuple[tuple[str, ...], ...], track_artists: tuple[CreditedName, ...], rules: CreditRules
) -> Release:
    tags = _Raw({name: values for name, *values in told}, Rules(credits=rules))
    title = tags.one("album")
    if title is None:
        return Release()
    title, _, _ = without_disc(title)
    artists, credit = _credit(tags, "albumartist", "albumartists", "musicbrainz_albumartistid")
    artists = _sorted_by(artists, tags.one("albumartistsort"))
    various = [artist.musicbrainz_id == VARIOUS_ARTISTS_ID for artist in artists]
    is_compilation = (
        normalise.truth(tags.one("compilation"))
        or any(various)
        or credit.casefold() == VARIOUS_ARTISTS
    )
    is_told = bool(artists) or is_compilation
    if not artists and is_compilation:
        artists, credit = (CreditedName("Various Artists"),), "Various Artists"
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
        date=_date(tags),
        original_date=_original_date(tags),
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


def _replaygain(tags: _Raw) -> ReplayGain:
    def gain(scope: str) -> float | None:
        told = normalise.decimal(tags.one(f"replaygain_{scope}_gain"), -100, 100)
        return told if told is not None else normalise.r128_gain(tags.one(f"r128_{scope}_gain"))

    def peak(scope: str) -> float | None:
        return normalise.decimal(tags.one(f"replaygain_{scope}_peak"), 0, 1_000)

    return ReplayGain(gain("track"), peak("track"), gain("album"), peak("album"))
