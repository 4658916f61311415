"""From a file's raw tags to the one record `Tags`. Pure."""

from typing import Any

from services.extractor.tags import normalise
from services.extractor.tags.album_folders import without_disc
from services.extractor.tags.credit_parsing import contributors, credited_artists, sorted_by
from services.extractor.tags.imported import imported_facts
from services.extractor.tags.lyrics import lyrics
from services.extractor.tags.model import (
    AudioProperties,
    Movement,
    Numbered,
    RawTags,
    ReplayGain,
    Tags,
)
from services.extractor.tags.normalise import first
from services.extractor.tags.other_tags import FIELDS, other_tags
from services.extractor.tags.releases import original_date, release, release_date
from services.extractor.tags.rules import DEFAULT_RULES, Rules
from services.extractor.tags.tag_values import TagValues
from shared.contracts.credits import CONTRIBUTOR_ROLES

_RARE = frozenset(
    (
        *CONTRIBUTOR_ROLES, "composersort", "titlesort", "discsubtitle", "isrc", "bpm",
        "originaldate", "originalyear", "comment", "language", "work", "movement",
        "movementnumber", "movementtotal", "mood", "grouping", "copyright", "key",
        "musicbrainz_recordingid", "musicbrainz_trackid", "replaygain_track_gain",
        "replaygain_track_peak", "replaygain_album_gain", "replaygain_album_peak",
        "r128_track_gain", "r128_album_gain",
    )
)  # fmt: skip
"""Raw tags of what `_details` tells."""


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
    tags = TagValues(raw, rules)
    title = tags.one("title")
    artists, artist_credit = credited_artists(tags, "artist", "artists", "musicbrainz_artistid")
    genres = normalise.genres(tags.all("genre"), rules.genres)
    without_field = {name: values for name, values in raw.items() if name not in FIELDS}
    return Tags(
        title=title or normalise.text(file_name.rpartition(".")[0] or file_name) or "?",
        title_is_file_name=title is None,
        audio=audio,
        artists=sorted_by(artists, tags.one("artistsort")),
        artist_credit=artist_credit,
        release=release(tags, artists),
        genres=genres,
        track=normalise.numbered(tags.one("tracknumber"), tags.one("totaltracks")),
        disc=_disc(tags),
        release_date=release_date(tags),
        kind=_kind(tags, file_name, genres),
        lyrics=lyrics(tags.all("lyrics"), tags.all("syncedlyrics"), sidecar),
        imported=imported_facts(without_field) if without_field else (),
        others=other_tags(without_field) if without_field else {},
        **({} if raw.keys().isdisjoint(_RARE) else _details(tags)),
    )


def _details(tags: TagValues) -> dict[str, Any]:
    """The fields of `Tags` that most files tell nothing of."""
    return {
        "sort_title": tags.one("titlesort"),
        "contributors": contributors(tags),
        "disc_subtitle": tags.one("discsubtitle"),
        "replaygain": _replaygain(tags),
        "isrcs": normalise.isrcs(tags.all("isrc")),
        "bpm": normalise.decimal(tags.one("bpm"), 1, 1_000),
        "original_date": original_date(tags),
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


_AUDIOBOOK, _PODCAST = "2", "21"  # iTunes' media types
_SPOKEN = {
    "podcast": "podcast", "podcasts": "podcast", "audiobook": "audiobook",
    "audiobooks": "audiobook", "audio book": "audiobook", "hörbuch": "audiobook",
    "hörbücher": "audiobook", "livre audio": "audiobook",
}  # fmt: skip


def _kind(tags: TagValues, file_name: str, genres: tuple[str, ...]) -> str:
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


def _disc(tags: TagValues) -> Numbered:
    told = normalise.numbered(tags.one("discnumber"), tags.one("totaldiscs"))
    _, number, total = without_disc(tags.one("album") or "")
    named = normalise.numbered(number, total)
    return Numbered(
        named.number if told.number is None else told.number,
        named.total if told.total is None else told.total,
    )


def _movement(tags: TagValues) -> Movement:
    place = normalise.numbered(tags.one("movementnumber"), tags.one("movementtotal"))
    return Movement(tags.one("movement"), place.number, place.total)


def _replaygain(tags: TagValues) -> ReplayGain:
    def gain(scope: str) -> float | None:
        told = normalise.decimal(tags.one(f"replaygain_{scope}_gain"), -100, 100)
        return told if told is not None else normalise.r128_gain(tags.one(f"r128_{scope}_gain"))

    def peak(scope: str) -> float | None:
        return normalise.decimal(tags.one(f"replaygain_{scope}_peak"), 0, 1_000)

    return ReplayGain(gain("track"), peak("track"), gain("album"), peak("album"))
