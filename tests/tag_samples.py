"""The values written to each field of `docs/tags.md`, and the values that must be read back."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest

from services.extractor.read.file_reader import FileContents
from shared.contracts.credits import CONTRIBUTOR_ROLES

Values = Sequence[str]
Read = Callable[[FileContents], Any]
JPEG = b"\xff\xd8\xff\xe0" + b"front" * 20
_IDS = [f"{n}b9aa4aa-2a73-43b6-9c3e-1e4d5c4e0d0{n}" for n in range(1, 9)]


@dataclass(frozen=True)
class Sample:
    """The test of one field.

    Attributes:
        values: the values to write; only the first where a tag holds one value.
        read: gets the field from a file's contents.
        expect: the expected field, computed from the written values.
        at: other values for some tags, by name.
        needs: fields that must be written too, or this one is ignored.
        is_text: whether it is also written as free text (TXXX, Vorbis comments, ...).
    """

    values: Values
    read: Read
    expect: Callable[[Values], Any] = lambda values: values[0]
    at: Mapping[str, str] = field(default_factory=dict)
    needs: tuple[str, ...] = ()
    is_text: bool = True


def _track(name: str, value: str, **more: Any) -> Sample:
    return Sample([value], lambda file: getattr(file.tags, name), **more)


def _album(name: str, value: str, **more: Any) -> Sample:
    more = {"needs": ("Album.title",), **more}
    return Sample([value], lambda file: getattr(file.tags.release, name), **more)


def _number(of: str, part: str, value: str, pair: str, places: Values) -> Sample:
    return Sample(
        [value],
        lambda file: getattr(getattr(file.tags, of), part),
        lambda _: int(value),
        at=dict.fromkeys(places, pair),
    )


def _credits(role: str) -> Sample:
    def read(file: FileContents) -> Any:
        return [one.name.name for one in file.tags.contributors if one.role == role]

    return Sample(["Ann", "Bob"], read, list)


def _performers(file: FileContents) -> Any:
    return [(one.name.name, one.instrument) for one in file.tags.contributors]


def _gain(scope: str) -> Sample:
    return Sample(
        ["-6.20 dB"],
        lambda file: getattr(file.tags.replaygain, f"{scope}_gain_db"),
        lambda _: pytest.approx(-6.2, abs=0.01),
        at={f"R128_{scope.upper()}_GAIN": "-2867"},
    )


def _peak(scope: str) -> Sample:
    return Sample(
        ["0.90"],
        lambda file: getattr(file.tags.replaygain, f"{scope}_peak"),
        lambda _: pytest.approx(0.9, abs=0.001),
    )


def _names(file: FileContents) -> Any:
    return [name.name for name in file.tags.artists]


_YEARS = ("TYER", "TYE", "year", "TORY", "TOR", "ORIGINALYEAR", "WM/OriginalReleaseYear")
_TRACK = ("TRCK", "TRK", "Track", "trkn")
_DISC = ("TPOS", "TPA", "Disc", "disk", "WM/PartOfSet")
_LRC = "[00:01.000]One"

SAMPLES: dict[str, Sample] = {
    "Track.title": _track("title", "Joga"),
    "Track.sortTitle": _track("sort_title", "Joga, The"),
    "Track.artistCredit": _track("artist_credit", "Ann"),
    "Track.artists": Sample(["Ann", "Bob & Son"], _names, list),
    "Artist.sortName": Sample(
        ["Sort, A"], lambda file: file.tags.artists[0].sort_name, needs=("Track.artistCredit",)
    ),
    "Artist.musicbrainzArtistId": Sample(
        _IDS[:1],
        lambda file: file.tags.artists[0].musicbrainz_id,
        needs=("Track.artistCredit",),
    ),
    **{f"Track.credits(role: {role.upper()})": _credits(role) for role in CONTRIBUTOR_ROLES},
    "Track.credits(role: PERFORMER)": Sample(
        ["Ann (guitar)", "Bob (guitar)"],
        _performers,
        lambda values: [(value[:3], "guitar") for value in values],
    ),
    "Artist.sortName of the composer": Sample(
        ["Sort, A"],
        lambda file: file.tags.contributors[0].name.sort_name,
        needs=("Track.credits(role: COMPOSER)",),
    ),
    "Track.genres": Sample(["Rock", "Trip Hop"], lambda file: file.tags.genres, tuple),
    "Track.trackNumber": _number("track", "number", "2", "2/10", _TRACK),
    "Track.trackTotal": _number("track", "total", "10", "2/10", _TRACK),
    "Track.discNumber": _number("disc", "number", "1", "1/3", _DISC),
    "Track.discTotal, Album.discTotal": _number("disc", "total", "3", "1/3", _DISC),
    "Track.discSubtitle": _track("disc_subtitle", "The First"),
    "Track.releaseDate, Album.releaseDate": _track(
        "release_date", "1997-05-20", at=dict.fromkeys(_YEARS, "1997")
    ),
    "Track.originalDate, Album.originalDate": _track(
        "original_date", "1996-04-30", at=dict.fromkeys(_YEARS, "1996")
    ),
    "Track.isrcs": Sample(["GBAYE0601498", "USRC17607839"], lambda file: file.tags.isrcs, tuple),
    "Track.tagBpm": _track("bpm", "120", expect=lambda _: 120.0),
    "Track.tagKey": _track("key", "F#m"),
    "Track.comment": _track("comment", "Fine"),
    "Track.language": _track("language", "isl"),
    "Track.kind": _track(
        "kind", "1", expect=lambda _: "podcast",
        at=dict.fromkeys(("stik", "ITUNESMEDIATYPE", "iTunesMediaType"), "21"),
    ),
    "Track.work": _track("work", "Symphony"),
    "Track.movement.name": Sample(["Allegro"], lambda file: file.tags.movement.name),
    "Track.movement.number": _number("movement", "number", "2", "2/4", ("MVIN", "MVI")),
    "Track.movement.total": _number("movement", "total", "4", "2/4", ("MVIN", "MVI")),
    "Track.moods": Sample(["Calm", "Dark"], lambda file: file.tags.moods, tuple),
    "Track.grouping": _track("grouping", "Group"),
    "Track.copyright": _track("copyright", "1997 One Little"),
    "Track.lyrics.text": Sample(["la\nla"], lambda file: file.tags.lyrics.plain),  # type: ignore[union-attr] # the test fails
    "Track.lyrics.lrc": Sample([_LRC], lambda file: file.tags.lyrics.synced),  # type: ignore[union-attr] # the test fails
    "Track.musicbrainzRecordingId": _track("musicbrainz_recording_id", _IDS[1]),
    "Track.musicbrainzTrackId": _track("musicbrainz_track_id", _IDS[2]),
    "Track.replaygain.trackGainDb": _gain("track"),
    "Track.replaygain.trackPeak": _peak("track"),
    "Track.replaygain.albumGainDb": _gain("album"),
    "Track.replaygain.albumPeak": _peak("album"),
    "Track.importedFacts.rating": Sample(
        ["4"], lambda file: [fact.rating for fact in file.tags.imported], lambda _: [80],
        at={"POPM": "196/0", "POP": "196/0", "WM/SharedUserRating": "75",
            "RATING:me@example.org": "0.8", "FMPS_RATING": "0.8"},
    ),
    "Track.importedFacts.playCount": Sample(
        ["7"], lambda file: [fact.play_count for fact in file.tags.imported], lambda _: [7],
        at={"POPM": "0/7", "POP": "0/7"},
    ),
    "Track.cover": Sample(
        [JPEG.decode("latin-1")], lambda file: file.cover and file.cover.content,
        lambda _: JPEG, is_text=False,
    ),
    "Album.title": _album("title", "Homogenic", needs=()),
    "Album.sortTitle": _album("sort_title", "Homogenic, The"),
    "Album.artistCredit": _album("artist_credit", "Ann"),
    "Album.artists": Sample(
        ["Ann", "Bob & Son"],
        lambda file: [name.name for name in file.tags.release.artists],
        list,
        needs=("Album.title",),
    ),
    "Artist.sortName of the album's artist": Sample(
        ["Sort, A"],
        lambda file: file.tags.release.artists[0].sort_name,
        needs=("Album.title", "Album.artistCredit"),
    ),
    "Artist.musicbrainzArtistId of the album's artist": Sample(
        _IDS[3:4],
        lambda file: file.tags.release.artists[0].musicbrainz_id,
        needs=("Album.title", "Album.artistCredit"),
    ),
    "Album.isCompilation": _album("is_compilation", "1", expect=lambda _: True),
    "Album.releaseType": _album("release_type", "album"),
    "Album.label": _album("label", "One Little"),
    "Album.catalogueNumber": _album("catalogue_number", "TPLP71CD"),
    "Album.barcode": _album("barcode", "5016958997625"),
    "Album.country": _album("country", "GB"),
    "Album.media": _album("media", "CD"),
    "Album.musicbrainzReleaseId": _album("musicbrainz_release_id", _IDS[4]),
    "Album.musicbrainzReleaseGroupId": _album("musicbrainz_release_group_id", _IDS[5]),
}  # fmt: skip
"""Samples by the document's first column. All `Track.otherTags.<name>` share one, see `sample`."""

_FLAGS_AND_NUMBERS = ("pgap", "hdvd", "rtng", "shwm", "tves", "tvsn")


def sample(name: str) -> Sample:
    """The test of a field; `KeyError` where there is none."""
    stem, _, other = name.partition("otherTags.")
    if stem == "Track." and other:
        return Sample(
            ["https://example.org/a"],
            # The last value: the encoder may have written its own name first.
            lambda file: file.tags.others.get(other, [])[-1:],
            list,
            at=dict.fromkeys(_FLAGS_AND_NUMBERS, "1"),
        )
    return SAMPLES[name]
