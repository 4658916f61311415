"""Maps a file's raw tags to one record (`Tags`), with the album they name (`Release`). Pure."""

from functools import lru_cache
from typing import Any

from services.extractor.paths import disc_name, without_disc
from services.extractor.tags import normalise
from services.extractor.tags.contributors import contributors
from services.extractor.tags.credit_parsing import credited_artists, with_sort_name
from services.extractor.tags.encoded_texts import key_text
from services.extractor.tags.imported_facts import imported_facts
from services.extractor.tags.lyrics import lyrics
from services.extractor.tags.model import (
    NO_RELEASE,
    AudioProperties,
    CreditedName,
    Movement,
    Numbered,
    Release,
    ReplayGain,
    Tags,
)
from services.extractor.tags.normalise import first
from services.extractor.tags.other_tags import FIELDS, further_values, other_tags
from services.extractor.tags.raw_tags import RawTags, TagValues, is_cacheable
from services.extractor.tags.rules import DEFAULT_RULES, CreditRules, GenreRules, Rules
from services.extractor.tags.variants import merge_variants
from shared.contracts.credits import CONTRIBUTOR_ROLES, VARIOUS_ARTISTS

VARIOUS_ARTISTS_ID = "89ad4ac3-39f7-470e-963a-56509c546377"
"""MusicBrainz' artist that stands for many."""
_RARE_TAGS = frozenset(
    (
        *CONTRIBUTOR_ROLES, "composersort", "titlesort", "discsubtitle", "isrc", "bpm",
        "originaldate", "originalyear", "comment", "language", "work", "movement",
        "movementnumber", "movementtotal", "mood", "grouping", "copyright", "key",
        "musicbrainz_recordingid", "musicbrainz_trackid", "replaygain_track_gain",
        "replaygain_track_peak", "replaygain_album_gain", "replaygain_album_peak",
        "r128_track_gain", "r128_album_gain",
    )
)  # fmt: skip
"""The raw tags that `_rare_fields` reads."""
_RELEASE_TAGS = (
    "album", "albumsort", "albumartist", "albumartists", "musicbrainz_albumartistid",
    "albumartistsort", "compilation", "date", "year", "releasedate", "originaldate",
    "originalyear", "releasetype", "label", "catalognumber", "barcode", "releasecountry", "media",
    "musicbrainz_albumid", "musicbrainz_releasegroupid",
)  # fmt: skip
"""The raw tags that `_release_of` reads."""


def map_tags(
    raw: RawTags,
    audio: AudioProperties,
    *,
    file_name: str,
    rules: Rules = DEFAULT_RULES,
    sidecar: bytes | None = None,
) -> Tags:
    """The fields of a file. Without a title, its name without the ending is the title.

    Args:
        raw: the tags as written.
        audio: the audio properties as the container has them.
        file_name: without its folder.
        rules: how credits and genres are split.
        sidecar: the content of an LRC file of the same name.
    """
    without_field = {name: values for name, values in raw.items() if name not in FIELDS}
    ids = raw.get("musicbrainz_artistid")
    if without_field or (ids and "/" in ids[0]):
        merged = merge_variants(raw, without_field, rules.credits)
        if merged is not raw:
            raw = merged
            without_field = {name: values for name, values in raw.items() if name not in FIELDS}
    tags = TagValues(raw)
    title = tags.one("title")
    artists, artist_credit = credited_artists(
        tags, rules.credits, credit="artist", listed="artists", ids="musicbrainz_artistid"
    )
    genres = normalise.genres(tags.all("genre"), rules.genres)
    plain, synced = tags.all("lyrics"), tags.all("syncedlyrics")
    further = further_values(raw)
    album = tags.one("album") or ""
    # Most files have none of the rare tags: looking for each of them would cost more than this.
    rare = {} if raw.keys().isdisjoint(_RARE_TAGS) else _rare_fields(tags, rules.credits)
    if (subtitle := disc_name(album)) and not rare.get("disc_subtitle"):
        rare["disc_subtitle"] = subtitle
    return Tags(
        title=title or normalise.text(file_name.rpartition(".")[0] or file_name) or "?",
        title_is_file_name=title is None,
        audio=audio,
        artists=with_sort_name(artists, tags.one("artistsort")),
        artist_credit=artist_credit,
        release=_release(tags, artists, rules.credits),
        genres=genres,
        track=normalise.numbered(tags.one("tracknumber"), tags.one("totaltracks")),
        disc=_disc(tags, album),
        release_date=_release_date(tags),
        kind=_kind(tags, file_name, genres, rules.genres),
        lyrics=lyrics(plain, synced, sidecar) if plain or synced or sidecar else None,
        imported=imported_facts(raw, without_field),
        others=other_tags(without_field, further) if without_field or further else {},
        **rare,
    )


def _rare_fields(tags: TagValues, rules: CreditRules) -> dict[str, Any]:
    """The fields of `Tags` that most files have no tags for."""
    return {
        "sort_title": tags.one("titlesort"),
        "contributors": contributors(tags, rules),
        "disc_subtitle": tags.one("discsubtitle"),
        "replaygain": _replaygain(tags),
        "isrcs": normalise.isrcs(tags.all("isrc")),
        "bpm": normalise.tempo(tags.all("bpm")),
        "original_date": _original_date(tags),
        "comment": next(filter(None, map(normalise.lines, tags.all("comment"))), None),
        "language": first(tags.all("language"), 100),
        "work": tags.one("work"),
        "movement": _movement(tags),
        "moods": tuple(normalise.texts(tags.all("mood"))),
        "grouping": tags.one("grouping"),
        "copyright": tags.one("copyright"),
        "key": key_text(tags.all("key")),
        "musicbrainz_recording_id": normalise.musicbrainz_id(tags.all("musicbrainz_recordingid")),
        "musicbrainz_track_id": normalise.musicbrainz_id(tags.all("musicbrainz_trackid")),
    }


_AUDIOBOOK, _PODCAST = "2", "21"  # iTunes' media types
_SPOKEN_KINDS = {
    "podcast": "podcast", "podcasts": "podcast", "audiobook": "audiobook",
    "audiobooks": "audiobook", "audio book": "audiobook", "hörbuch": "audiobook",
    "hörbücher": "audiobook", "livre audio": "audiobook",
}  # fmt: skip


def _kind(tags: TagValues, file_name: str, genres: tuple[str, ...], rules: GenreRules) -> str:
    """music, podcast or audiobook: by a flag, iTunes' media type, the genre, the release type."""
    media = tags.one("itunesmediatype")
    if normalise.truth(tags.one("podcast")) or media == _PODCAST:
        return "podcast"
    if media == _AUDIOBOOK or file_name.lower().endswith(".m4b"):
        return "audiobook"
    # A library's rules may rename or leave out the genre that says it.
    as_tagged = genres if rules == DEFAULT_RULES.genres else normalise.genres(tags.all("genre"))
    for name in (*as_tagged, *normalise.texts(tags.all("releasetype"))):
        if kind := _SPOKEN_KINDS.get(name.casefold()):
            return kind
    return "music"


def _disc(tags: TagValues, album: str) -> Numbered:
    """The disc by its own tag, else by the end of the album's title ("The Wall (Disc 2)")."""
    tagged = normalise.numbered(tags.one("discnumber"), tags.one("totaldiscs"))
    _, number, total = without_disc(album)
    in_title = normalise.numbered(number, total)
    return Numbered(
        in_title.number if tagged.number is None else tagged.number,
        in_title.total if tagged.total is None else tagged.total,
    )


def _movement(tags: TagValues) -> Movement:
    position = normalise.numbered(tags.one("movementnumber"), tags.one("movementtotal"))
    return Movement(tags.one("movement"), position.number, position.total)


def _replaygain(tags: TagValues) -> ReplayGain:
    def gain(scope: str) -> float | None:
        gain_db = normalise.decimal(tags.one(f"replaygain_{scope}_gain"), -100, 100)
        return (
            gain_db if gain_db is not None else normalise.r128_gain(tags.one(f"r128_{scope}_gain"))
        )

    def peak(scope: str) -> float | None:
        return normalise.decimal(tags.one(f"replaygain_{scope}_peak"), 0, 1_000)

    return ReplayGain(gain("track"), peak("track"), gain("album"), peak("album"))


def _release_date(tags: TagValues) -> str | None:
    return _date(tags, "date", "year", "releasedate")


def _original_date(tags: TagValues) -> str | None:
    return _date(tags, "originaldate", "originalyear")


def _date(tags: TagValues, *names: str) -> str | None:
    """The date of the first of these tags that has one; of several values the most precise."""
    for name in names:
        values = tags.all(name)
        if not values:
            continue
        if len(values) == 1:
            found = normalise.partial_date(first(values))
        else:
            found = normalise.most_precise_date(values)
        if found is not None:
            return found
    return None


def _release(
    tags: TagValues, track_artists: tuple[CreditedName, ...], rules: CreditRules
) -> Release:
    """The release that a track is on: one object for all tracks with the same tags of it.

    So it is made once an album, and pickled once for all files of an album in a chunk.
    """
    values = tuple([(name, *tags.all(name)) for name in tags.present(_RELEASE_TAGS)])
    release_of = _release_of if is_cacheable(values) else _release_of.__wrapped__
    return release_of(values, track_artists[:1], rules)


@lru_cache(maxsize=64)
def _release_of(
    named_values: tuple[tuple[str, ...], ...],
    track_artists: tuple[CreditedName, ...],
    rules: CreditRules,
) -> Release:
    tags = TagValues({name: values for name, *values in named_values})
    title = tags.one("album")
    if title is None:
        return NO_RELEASE
    title, _, _ = without_disc(title)
    artists, credit = credited_artists(
        tags, rules, credit="albumartist", listed="albumartists", ids="musicbrainz_albumartistid"
    )
    artists = with_sort_name(artists, tags.one("albumartistsort"))
    is_compilation = (
        normalise.truth(tags.one("compilation"))
        or any(artist.musicbrainz_id == VARIOUS_ARTISTS_ID for artist in artists)
        or credit.casefold() == VARIOUS_ARTISTS.casefold()
    )
    is_artist_told = bool(artists)
    if not artists and is_compilation:
        artists, credit = (CreditedName(VARIOUS_ARTISTS),), VARIOUS_ARTISTS
    elif not artists and track_artists:
        # Guests of one track are not the album's artists, or each track would make an album.
        artists = (track_artists[0]._replace(join_phrase=""),)
        credit = artists[0].name
    return Release(
        title=title,
        sort_title=tags.one("albumsort"),
        artists=artists,
        artist_credit=credit,
        is_artist_told=is_artist_told,
        is_compilation=is_compilation,
        date=_release_date(tags),
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
