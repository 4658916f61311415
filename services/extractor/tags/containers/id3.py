"""ID3 (MP3, WAV, AIFF, DSF, DSDIFF, TTA, AAC, AC-3), brought to version 2.4 by mutagen."""

from collections.abc import Iterator
from typing import Any

from services.extractor.tags.model import Picture
from services.extractor.tags.raw_tags import JOINED, JOINED_LISTS, OBJECT, RawTags, internal_name

FRAMES = {
    "TIT2": "title",
    "TSOT": "titlesort",
    "TPE1": "artist",
    "TSOP": "artistsort",
    "TPE2": "albumartist",
    "TSO2": "albumartistsort",
    "TALB": "album",
    "TCOM": "composer",
    "TEXT": "lyricist",
    "TPE3": "conductor",
    "TPE4": "remixer",
    "TRCK": "tracknumber",
    "TPOS": "discnumber",
    "TSST": "discsubtitle",
    "TDRC": "date",
    "TDRL": "releasedate",
    "TDOR": "originaldate",
    "TSRC": "isrc",
    "TBPM": "bpm",
    "TLAN": "language",
    "TCMP": "compilation",
    "TPUB": "label",
    "TMED": "media",
    "TSOA": "albumsort",
    "TSOC": "composersort",
    "TIT1": "grouping",
    "GRP1": "grouping",
    "TIT3": "subtitle",
    "MVNM": "movement",
    "TMOO": "mood",
    "TKEY": "key",
    "TCOP": "copyright",
    "TENC": "encodedby",
    "TSSE": "encodersettings",
    "TOPE": "originalartist",
    "TOAL": "originalalbum",
    "TOFN": "originalfilename",
    "TCAT": "category",
    "TKWD": "keyword",
    "TDES": "description",
    "TGID": "podcastid",
    "WOAR": "website",
    "WCOP": "license",
    "WFED": "podcasturl",
}
PEOPLE = {
    "producer": "producer",
    "arranger": "arranger",
    "engineer": "engineer",
    "mix": "mixer",
    "mixer": "mixer",
    "dj-mix": "djmixer",
    "djmixer": "djmixer",
    "director": "director",
    "conductor": "conductor",
    "writer": "writer",
    "remixer": "remixer",
    "composer": "composer",
    "lyricist": "lyricist",
}
_V22, _V24 = (2, 2), (2, 4)
_MILLISECONDS = 2  # ID3's time stamp format
_SUNG = frozenset((0, 1))  # "other" and "lyrics" of ID3's kinds of synced texts
OBJECTS = frozenset(
    (
        "Serato Markers2", "Serato BeatGrid", "Serato Autotags",
        "Key", "Energy", "CuePoints", "BeatGrid",  # Mixed In Key's
    )
)  # fmt: skip
"""Descriptions of the GEOB frames that are read."""
PRIVATE = "TRAKTOR4"
"""Owner of the PRIV frame that is read."""
_DESCRIBED_COMMENT = "comment:"
_RECORDING_ID_OWNER = "http://musicbrainz.org"


def raw_tags(tags: Any) -> RawTags:
    """The frames by internal name; `tags` is mutagen's mapping of frames, or None.

    Text and URL frames without such a name keep their own, in lower case.
    """
    raw: RawTags = {}
    for frame in tags.values() if tags else ():
        kind = frame.FrameID
        if kind in SPECIAL:
            for name, value in SPECIAL[kind](frame):
                raw.setdefault(name, []).append(value)
        elif kind[0] in "TGM" and hasattr(frame, "text"):
            raw.setdefault(FRAMES.get(kind) or kind.lower(), []).extend(map(str, frame.text))
        elif kind[0] == "W" and hasattr(frame, "url"):
            raw.setdefault(FRAMES.get(kind) or kind.lower(), []).append(frame.url)
    if _DESCRIBED_COMMENT in raw:  # the comment without a description goes before
        raw.setdefault("comment", []).extend(raw.pop(_DESCRIBED_COMMENT))
    if tags and "GRP1" in tags and "TIT1" in tags:
        _tell_work_from_grouping(tags, raw)
    if tags and _V22 <= getattr(tags, "version", _V24) < _V24 and _may_be_joined(raw):
        raw[JOINED] = [""]
    return raw


def _tell_work_from_grouping(tags: Any, raw: RawTags) -> None:
    """ITunes 12.5 and later keep the work in TIT1, and the grouping in a frame of their own."""
    raw["grouping"] = [str(text) for text in tags["GRP1"].text]
    if "work" not in raw and (work := [str(text) for text in tags["TIT1"].text]) != raw["grouping"]:
        raw["work"] = work


def _may_be_joined(raw: RawTags) -> bool:
    return any("/" in value for name in JOINED_LISTS for value in raw.get(name, ()))


def _described(frame: Any) -> Iterator[tuple[str, str]]:
    name = internal_name(frame.desc.rstrip("\0"))
    yield from ((name, str(value)) for value in frame.text)


def _genres(frame: Any) -> Iterator[tuple[str, str]]:
    yield from (("genre", value) for value in frame.genres)  # numbers resolved


def _comment(frame: Any) -> Iterator[tuple[str, str]]:
    # Programs keep notes of their own in comments: these stay with the other tags.
    is_note = frame.desc.startswith(("iTun", "Songs-DB", "c0"))
    name = _DESCRIBED_COMMENT if frame.desc else "comment"
    if is_note:
        name = f"comment:{frame.desc.lower()}"
    yield from ((name, str(value)) for value in frame.text)


def _lyrics(frame: Any) -> Iterator[tuple[str, str]]:
    yield "lyrics", frame.text


def _synced_lyrics(frame: Any) -> Iterator[tuple[str, str]]:
    if frame.format == _MILLISECONDS and frame.type in _SUNG:
        yield "syncedlyrics", "\n".join(f"{_lrc_time(ms)}{text.strip()}" for text, ms in frame.text)


def _lrc_time(ms: int) -> str:
    minutes, rest = divmod(ms, 60_000)
    return f"[{minutes:02}:{rest // 1_000:02}.{rest % 1_000:03}]"


def _people(frame: Any) -> Iterator[tuple[str, str]]:
    """Involvements without a role are instruments: ID3v2.3 keeps both in one list."""
    for part, name in frame.people:
        role = PEOPLE.get(part.lower()) if frame.FrameID == "TIPL" else None
        if not name.strip():
            # kid3 and others write a name alone: it stands in the place of the involvement. They
            # call TIPL the arrangers, and TMCL the performers.
            if role is None:
                yield ("arranger" if frame.FrameID == "TIPL" else "performer"), part
        elif role:
            yield role, name
        else:
            yield "performer", f"{name} ({part})" if part.strip() else name


def _rating(frame: Any) -> Iterator[tuple[str, str]]:
    yield f"popm:{frame.email.lower()}", f"{frame.rating}/{getattr(frame, 'count', 0)}"


def _play_count(frame: Any) -> Iterator[tuple[str, str]]:
    yield "pcnt", str(frame.count)


def _movement(frame: Any) -> Iterator[tuple[str, str]]:
    yield from (("movementnumber", str(value)) for value in frame.text)


def _podcast(_frame: Any) -> Iterator[tuple[str, str]]:
    yield "podcast", "1"


def _url(frame: Any) -> Iterator[tuple[str, str]]:
    yield internal_name(frame.desc) or "website", frame.url


def _identifier(frame: Any) -> Iterator[tuple[str, str]]:
    if frame.owner == _RECORDING_ID_OWNER:
        yield "musicbrainz_recordingid", frame.data.decode("ascii", "replace")


def _object(frame: Any) -> Iterator[tuple[str, str]]:
    if frame.desc in OBJECTS:
        yield OBJECT + frame.desc.lower(), frame.data.decode("latin-1")


def _private(frame: Any) -> Iterator[tuple[str, str]]:
    if frame.owner == PRIVATE:
        yield OBJECT + PRIVATE.lower(), frame.data.decode("latin-1")


def _gain(frame: Any) -> Iterator[tuple[str, str]]:
    scope = frame.desc.lower()
    if scope in {"track", "album"}:
        yield f"replaygain_{scope}_gain", f"{frame.gain:.4f}"
        yield f"replaygain_{scope}_peak", f"{frame.peak:.6f}"


SPECIAL = {
    "TXXX": _described,
    "TCON": _genres,
    "COMM": _comment,
    "USLT": _lyrics,
    "SYLT": _synced_lyrics,
    "TIPL": _people,
    "TMCL": _people,
    "UFID": _identifier,
    "RVA2": _gain,
    "POPM": _rating,
    "PCNT": _play_count,
    "MVIN": _movement,
    "PCST": _podcast,
    "WXXX": _url,
    "GEOB": _object,
    "PRIV": _private,
}


def pictures(file: Any) -> Iterator[Picture]:
    """The embedded images."""
    for frame in file.tags.values() if file.tags else ():
        if frame.FrameID == "APIC":
            yield Picture(int(frame.type), frame.data)
