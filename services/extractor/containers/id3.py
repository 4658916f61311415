"""ID3v2 (MP3, WAV, AIFF, DSF, TTA, AAC), as mutagen gives it: brought to version 2.4."""

from collections.abc import Iterator
from typing import Any

from services.extractor.containers.names import internal_name
from services.extractor.tags import Picture, RawTags

_FRAMES = {
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
}
_PEOPLE = {
    "producer": "producer",
    "arranger": "arranger",
    "mix": "mixer",
    "remixer": "remixer",
    "composer": "composer",
    "lyricist": "lyricist",
}
_RECORDING_ID_OWNER = "http://musicbrainz.org"


def raw_tags(tags: Any) -> RawTags:
    """The frames by internal name; `tags` is mutagen's mapping of frames, or None."""
    raw: RawTags = {}
    for frame in tags.values() if tags else ():
        kind = frame.FrameID
        if kind in _FRAMES:
            raw.setdefault(_FRAMES[kind], []).extend(map(str, frame.text))
        elif kind in _SPECIAL:
            for name, value in _SPECIAL[kind](frame):
                raw.setdefault(name, []).append(value)
    return raw


def _described(frame: Any) -> Iterator[tuple[str, str]]:
    name = internal_name(frame.desc)
    yield from ((name, str(value)) for value in frame.text)


def _genres(frame: Any) -> Iterator[tuple[str, str]]:
    yield from (("genre", value) for value in frame.genres)  # numbers resolved


def _comment(frame: Any) -> Iterator[tuple[str, str]]:
    if not frame.desc.startswith(("iTun", "Songs-DB", "c0")):  # programs' notes to themselves
        yield from (("comment", str(value)) for value in frame.text)


def _lyrics(frame: Any) -> Iterator[tuple[str, str]]:
    yield "lyrics", "yes" if frame.text else ""


def _people(frame: Any) -> Iterator[tuple[str, str]]:
    for part, name in frame.people:
        role = _PEOPLE.get(part.lower()) if frame.FrameID == "TIPL" else "performer"
        if role:
            yield role, name


def _identifier(frame: Any) -> Iterator[tuple[str, str]]:
    if frame.owner == _RECORDING_ID_OWNER:
        yield "musicbrainz_recordingid", frame.data.decode("ascii", "replace")


def _gain(frame: Any) -> Iterator[tuple[str, str]]:
    scope = frame.desc.lower()
    if scope in {"track", "album"}:
        yield f"replaygain_{scope}_gain", f"{frame.gain:.4f}"
        yield f"replaygain_{scope}_peak", f"{frame.peak:.6f}"


_SPECIAL = {
    "TXXX": _described,
    "TCON": _genres,
    "COMM": _comment,
    "USLT": _lyrics,
    "SYLT": _lyrics,
    "TIPL": _people,
    "TMCL": _people,
    "UFID": _identifier,
    "RVA2": _gain,
}


def pictures(file: Any) -> Iterator[Picture]:
    """The embedded images."""
    for frame in file.tags.values() if file.tags else ():
        if frame.FrameID == "APIC":
            yield Picture(int(frame.type), frame.data)
