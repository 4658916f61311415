"""The parts of a music file by its cue sheet: their ranges, and the tags of each. Pure."""

import re
from collections.abc import Sequence
from hashlib import blake2b
from typing import NamedTuple

from services.extractor.cue.sheet import CueSheet, CueTrack
from services.extractor.tags.imported_facts import may_be_fact
from services.extractor.tags.raw_tags import RawTags

_HASH_BYTES = 16
_OF_ONE_TRACK = frozenset(
    (
        "title", "titlesort", "subtitle", "tracknumber", "totaltracks", "isrc", "bpm", "key",
        "musicbrainz_recordingid", "musicbrainz_trackid", "acoustid_id", "acoustid_fingerprint",
        "replaygain_track_gain", "replaygain_track_peak", "r128_track_gain", "lyrics",
        "syncedlyrics", "work", "movement", "movementnumber", "movementtotal", "cuesheet",
    )
)  # fmt: skip
"""Tags that are of the whole file where they are its own: a part does not get them."""
_OF_ARTIST = ("artist", "artists", "artistsort", "artist:credit", "musicbrainz_artistid")
_OF_ALBUM_ARTIST = (
    "albumartist", "albumartists", "albumartistsort", "albumartist:credit",
    "musicbrainz_albumartistid",
)  # fmt: skip
# foobar2000 keeps the tags of the tracks of an embedded sheet so.
_NUMBERED = re.compile(r"cue[_ ]track(\d+)[_ ](\w+)")


class Part(NamedTuple):
    """A track in a file.

    Attributes:
        number: the place among the tracks in the file, from 1.
        total: how many tracks are in the file.
        start_s: where it begins, in seconds from the file's beginning.
        end_s: where it ends; None at the file's end.
        sheet: the name of the cue sheet's file, or `EMBEDDED`.
    """

    number: int
    total: int
    start_s: float
    end_s: float | None
    sheet: str


def part_hash(content_hash: str | None, start_s: float, end_s: float | None) -> str | None:
    """The content hash of a part: of the file's, and of the range to a millisecond."""
    if content_hash is None:
        return None
    end = "" if end_s is None else f"{end_s:.3f}"
    text = f"{content_hash} {start_s:.3f} {end}"
    return blake2b(text.encode(), digest_size=_HASH_BYTES).hexdigest()


def parts_of(
    sheet: CueSheet, file: int, name: str, duration_s: float
) -> list[tuple[Part, CueTrack]]:
    """The parts of a file; none where the sheet has less than two tracks in it.

    A part lasts until the next track's index 1: a pregap belongs to the track before it, as on a
    CD player's display. Tracks of data are no parts, but end the one before them.

    Args:
        sheet: one without a problem.
        file: the position of the file among those of the sheet.
        name: of the sheet.
        duration_s: of the file; 0 where it is not known.

    Raises:
        ValueError: the sheet does not fit the file; the message says why.
    """
    tracks = sheet.tracks_of(file)
    audio = [track for track in tracks if track.is_audio]
    if len(audio) < 2:
        return []
    starts = [track.start_s or 0.0 for track in tracks]
    for track, start_s, before_s in zip(tracks[1:], starts[1:], starts, strict=False):
        if start_s <= before_s:
            raise ValueError(f"track {track.number} does not begin after the one before it")
    if duration_s and starts[-1] >= duration_s:
        late = next(n for n, start_s in enumerate(starts) if start_s >= duration_s)
        raise ValueError(
            f"track {tracks[late].number} begins at {_shown(starts[late])}, but the file ends at"
            f" {_shown(duration_s)}"
        )
    ends = [*starts[1:], None]
    ranges = [
        (start, end)
        for track, start, end in zip(tracks, starts, ends, strict=True)
        if track.is_audio
    ]
    return [
        (Part(number, len(audio), start_s, end_s, name), track)
        for number, ((start_s, end_s), track) in enumerate(zip(ranges, audio, strict=True), start=1)
    ]


def _shown(time_s: float) -> str:
    return f"{int(time_s // 60)}:{time_s % 60:05.2f}"


def part_tags(raw: RawTags, sheet: CueSheet, track: CueTrack) -> RawTags:
    """The tags of a part: what the sheet says, and where it says nothing, those of the file.

    Args:
        raw: the tags of the whole file.
        sheet: of the file.
        track: the part.
    """
    tags = {name: values for name, values in raw.items() if _is_of_all(name)}
    if "album" not in sheet.tags and "album" not in raw and "title" in raw:
        tags["album"] = raw["title"]
    own = {**_numbered_tags(raw, track.number), **track.tags}
    said = {name: values for name, values in sheet.tags.items() if name != "isrc"}
    if "artist" not in own and "albumartist" in said:
        own["artist"] = said["albumartist"]
    _set_name(tags, own, _OF_ARTIST)
    _set_name(tags, said, _OF_ALBUM_ARTIST)
    audio = sum(one.is_audio for one in sheet.tracks)
    numbers = {"tracknumber": [str(track.number)], "totaltracks": [str(audio)]}
    untitled = {"title": [f"Track {track.number}"]}
    return {**tags, **said, **untitled, **own, **numbers}


def filled_tags(raw: RawTags, sheet: CueSheet, track: CueTrack) -> RawTags:
    """The tags of a file that is one track of a sheet: its own, and else what the sheet says."""
    said = {**sheet.tags, **track.tags, "tracknumber": [str(track.number)]}
    if "artist" not in said and "albumartist" in said:
        said["artist"] = said["albumartist"]
    return {**said, **{name: values for name, values in raw.items() if name != "cuesheet"}}


def _is_of_all(name: str) -> bool:
    # What other programs say, as ratings and cue points, is of the whole file, too.
    is_of_one = name in _OF_ONE_TRACK or may_be_fact(name)
    return not is_of_one and _NUMBERED.fullmatch(name) is None


def _numbered_tags(raw: RawTags, number: int) -> RawTags:
    found = ((_NUMBERED.fullmatch(name), values) for name, values in raw.items())
    return {match[2]: values for match, values in found if match and int(match[1]) == number}


def _set_name(tags: RawTags, said: RawTags, names: Sequence[str]) -> None:
    """Keep the file's ids and sort name where it has the name that is said, else drop them."""
    name = names[0]
    if name not in said:
        return
    if [one.casefold() for one in tags.get(name, ())] == [one.casefold() for one in said[name]]:
        said[name] = tags[name]
        return
    for each in names:
        tags.pop(each, None)
