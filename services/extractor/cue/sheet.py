"""Parses cue sheets. Pure.

Source: CDRWIN User's Guide 3.6, appendix A ("Cuesheet commands"). Programs take liberties with it,
so this parser does too: quotes may be missing, commands may be indented and in lower case, an album
longer than 99 minutes counts minutes on, and lines that it does not know are passed over.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from services.extractor.tags.other_tags import FIELDS
from services.extractor.tags.raw_tags import RawTags, internal_name

LARGEST_SHEET_BYTES = 1_000_000
FRAMES_A_SECOND = 75
_MOST_TRACKS = 999
_LONGEST_LINE = 4_000
_LINE = re.compile(r"\s*(\w+)(?:\s+(.*))?")
_QUOTED_FILE = re.compile(r'"(.*)"\s*\w*\s*')
_FILE_TYPE = re.compile(
    r"\s+(?:wave?|mp3|aiff?|binary|motorola|flac|ape|wv|tta|m4a|aac|ogg)\s*$", re.I
)
_TRACK = re.compile(r"(\d{1,4})\b\s*(\S*)")
_INDEX = re.compile(r"(\d{1,2})\s+(.*)")
_TIME = re.compile(r"(\d{1,5}):([0-5]?\d):(\d{1,2})\s*")
_REM = re.compile(r"(\w+)\s+(.*)")
_TEXTS = {
    "TITLE": "title", "PERFORMER": "artist", "SONGWRITER": "writer", "COMPOSER": "composer",
    "ARRANGER": "arranger", "GENRE": "genre", "ISRC": "isrc",
}  # fmt: skip
_TEXTS_OF_DISC = {
    **_TEXTS, "TITLE": "album", "PERFORMER": "albumartist", "CATALOG": "barcode",
    "UPC_EAN": "barcode",
}  # fmt: skip
_AUDIO = frozenset(("", "AUDIO", "CDG"))
_REM_LEFT_OUT = frozenset(("comment", "title", "artist", "album", "tracknumber"))
"""Fields that no REM line has: the comment names the program that wrote the sheet."""


@dataclass(slots=True)
class CueTrack:
    """A track of a cue sheet.

    Attributes:
        number: as written, from 1.
        file: the position of its file among those of the sheet.
        start_s: where it begins in its file: at its index 1, after the pregap.
        is_audio: false for a track of data.
        tags: what the sheet says of it, by internal name.
    """

    number: int
    file: int
    is_audio: bool = True
    start_s: float | None = None
    tags: RawTags = field(default_factory=dict)
    has_index_1: bool = False


@dataclass(slots=True)
class CueSheet:
    """A cue sheet.

    Attributes:
        files: the names that it has for the files, with folders if it names some; '' where it
            begins with a track.
        tracks: in order; each has a start if there is no problem.
        tags: what the sheet says of the disc, by internal name.
        problem: why it cannot be used, with the line.
        current_file: the position of the file that the next lines are of.
    """

    files: list[str] = field(default_factory=list)
    tracks: list[CueTrack] = field(default_factory=list)
    tags: RawTags = field(default_factory=dict)
    problem: str | None = None
    current_file: int = -1

    def tracks_of(self, file: int) -> Sequence[CueTrack]:
        """The tracks that begin in a file, data among them."""
        return [track for track in self.tracks if track.file == file]


def parse_sheet(text: str) -> CueSheet:
    """The cue sheet of a text; its `problem` says what is wrong with it."""
    sheet = CueSheet()
    for number, line in enumerate(text.splitlines(), start=1):
        found = _LINE.match(line[:_LONGEST_LINE].lstrip("\ufeff"))
        if found is None:
            continue
        problem = _read_line(sheet, found[1].upper(), (found[2] or "").strip())
        if problem:
            sheet.problem = sheet.problem or f"line {number}: {problem}"
    if not sheet.tracks:
        sheet.problem = sheet.problem or "it names no tracks"
    for track in sheet.tracks:
        if track.start_s is None:
            sheet.problem = sheet.problem or f"track {track.number} has no INDEX"
    return sheet


def _read_line(sheet: CueSheet, command: str, rest: str) -> str | None:
    """Add what a line says; returns what is wrong with it."""
    if command == "FILE":
        _set_file(sheet, _file_name(rest))
    elif command == "TRACK":
        return _add_track(sheet, rest)
    elif command == "INDEX":
        return _set_start(sheet, rest)
    elif command == "REM":
        named = _REM.match(rest)
        name = internal_name(named[1]) if named else ""
        if named and name in FIELDS and name not in _REM_LEFT_OUT:
            _add_text(sheet, name, named[2])
    else:
        name = (_TEXTS if sheet.tracks else _TEXTS_OF_DISC).get(command, "")
        if name:
            _add_text(sheet, name, rest)
    return None


def _file_name(rest: str) -> str:
    quoted = _QUOTED_FILE.fullmatch(rest)
    return quoted[1] if quoted else _FILE_TYPE.sub("", rest).strip('" ')


def _set_file(sheet: CueSheet, name: str) -> None:
    """Begin a file, or continue one: some programs repeat the line before each track."""
    if name not in sheet.files:
        sheet.files.append(name)
    sheet.current_file = sheet.files.index(name)


def _add_track(sheet: CueSheet, rest: str) -> str | None:
    found = _TRACK.match(rest)
    if found is None:
        return "TRACK has no number"
    if len(sheet.tracks) == _MOST_TRACKS:
        return f"more than {_MOST_TRACKS} tracks are too many"
    if not sheet.files:
        _set_file(sheet, "")
    is_audio = found[2].upper() in _AUDIO
    sheet.tracks.append(CueTrack(int(found[1]), sheet.current_file, is_audio))
    return None


def _set_start(sheet: CueSheet, rest: str) -> str | None:
    found = _INDEX.match(rest)
    if not sheet.tracks or found is None or int(found[1]) > 1:
        return None  # 2 and more are marks within the track
    time = _TIME.fullmatch(found[2])
    if time is None:
        return "INDEX has no time of minutes:seconds:frames, like 03:45:00"
    track = sheet.tracks[-1]
    if int(found[1]) == 1 or not track.has_index_1:
        # EAC may write a pregap (index 0) that lies at the end of the file before.
        track.file = sheet.current_file
        minutes, seconds, frames = map(int, time.groups())
        track.start_s = minutes * 60 + seconds + frames / FRAMES_A_SECOND
        track.has_index_1 = int(found[1]) == 1
    return None


def _add_text(sheet: CueSheet, name: str, written: str) -> None:
    value = written.strip()
    if value.startswith('"'):
        # Up to the last quote: titles may have quotes in them, and the last one may be missing.
        value = value[1 : value.rfind('"')] if value.rfind('"') > 0 else value[1:]
    is_empty_number = name == "barcode" and not value.strip("0")
    if value and not is_empty_number:
        tags = sheet.tracks[-1].tags if sheet.tracks else sheet.tags
        tags.setdefault(name, []).append(value)


_LEAD_OUT = frozenset((170, 255))


def sheet_of_block(block: Any, rate_hz: int) -> CueSheet:
    """The cue sheet of FLAC's block (RFC 9639, section 8.7), which has times but no titles.

    Args:
        block: mutagen's object.
        rate_hz: of the samples, in which the block counts.
    """
    sheet = CueSheet(files=[""])
    if catalogue := block.media_catalog_number.decode("ascii", "replace").strip("\0"):
        _add_text(sheet, "barcode", catalogue)
    for each in block.tracks:
        if each.track_number in _LEAD_OUT:
            continue
        offsets = {index.index_number: index.index_offset for index in each.indexes}
        samples = each.start_offset + offsets.get(1, min(offsets.values(), default=0))
        track = CueTrack(each.track_number, 0, each.type == 0, samples / rate_hz)
        sheet.tracks.append(track)
        if isrc := each.isrc.decode("ascii", "replace").strip("\0"):
            _add_text(sheet, "isrc", isrc)
    return sheet
