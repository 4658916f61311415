"""ID3 frames as mutagen has them after it brought them to version 2.4."""

import re
from collections.abc import Sequence
from itertools import zip_longest
from typing import TYPE_CHECKING, Any

from mutagen.id3 import TCON

from services.extractor.read.fast.found import Beyond
from services.extractor.read.fast.id3_texts import time_stamp

GENRES: Sequence[str] = TCON.GENRES
_GENRES_OF_A_BYTE = 256
_NUMBER = re.compile(r"\(([0-9]+)\)").fullmatch
_YEAR = re.compile(r"([0-9]{4})(-[0-9]{2}-[0-9]{2})?\Z")
_PAIR = re.compile(r"([0-9]{2})([0-9]{2})\Z")
_DROPPED = ("RVAD", "EQUA", "TRDA", "TSIZ")
_OLD_MIME_TYPES = frozenset(("PNG", "JPG"))
Frames = dict[str, "Frame"]
"""By mutagen's key: the name, and what tells frames of a name apart."""


class Frame:
    """A frame: only those attributes are set that its kind has."""

    __slots__ = (
        "FrameID", "count", "data", "desc", "email", "genres", "mime", "owner", "people", "rating",
        "text", "type", "url",
    )  # fmt: skip

    if TYPE_CHECKING:
        FrameID: str
        text: list[str]
        people: list[list[str]]
        mime: str

    def __init__(self, name: str, **attributes: Any) -> None:
        self.FrameID = name
        for attribute, value in attributes.items():
            setattr(self, attribute, value)


def genres(texts: Sequence[str]) -> list[str]:
    """Genres by their names, from names, numbers, and numbers in brackets.

    Raises:
        Beyond: numbers and names in one.
    """
    found = []
    for text in texts:
        if text.isdecimal() and int(text) < _GENRES_OF_A_BYTE:
            found.append(_genre(int(text)))
        elif number := _NUMBER(text):
            found.append(_genre(int(number[1])))
        elif text.startswith("(") or "\n" in text or text in {"CR", "RX"}:
            raise Beyond
        elif text:
            found.append(text)
    return found


def _genre(number: int) -> str:
    return str(GENRES[number]) if number < len(GENRES) else "Unknown"


def brought_to_v24(frames: Frames) -> Frames:
    """The same, changed in place: old frames become those of 2.4, in mutagen's order."""
    stamps = _recording_times(*(_texts(frames, name) for name in ("TYER", "TDAT", "TIME")))
    if stamps and "TDRC" not in frames:
        frames["TDRC"] = Frame("TDRC", text=stamps)
    original = frames.pop("TORY", None)
    if original is not None and "TDOR" not in frames:
        if len(original.text) != 1 or "," in original.text[0]:
            raise Beyond
        frames["TDOR"] = Frame("TDOR", text=[time_stamp(original.text[0])])
    involved = frames.pop("IPLS", None)
    if involved is not None and "TIPL" not in frames:
        frames["TIPL"] = Frame("TIPL", people=involved.people)
    for name in _DROPPED:
        frames.pop(name, None)
    images = [frame for frame in frames.values() if frame.FrameID == "APIC"]
    if len(images) > 1 and any(image.mime in _OLD_MIME_TYPES for image in images):
        raise Beyond
    return frames


def _texts(frames: Frames, name: str) -> list[str]:
    frame = frames.pop(name, None)
    return frame.text if frame is not None else []


def _recording_times(years: list[str], dates: list[str], times: list[str]) -> list[str]:
    """The times that 2.3 keeps in three frames: YYYY, DDMM, HHMM."""
    stamps = []
    for year, date, time in zip_longest(years, dates, times, fillvalue=""):
        told = _YEAR.match(year)
        if told is None:
            continue
        stamp, month_and_day = told.groups()
        if day := _PAIR.match(date):
            month_and_day = f"-{day[2]}-{day[1]}"
        if month_and_day:
            stamp += month_and_day
            if clock := _PAIR.match(time):
                stamp += f"T{clock[1]}:{clock[2]}:00"
        stamps.append(time_stamp(stamp))
    return stamps
