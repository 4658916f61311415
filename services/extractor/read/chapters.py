"""Chapters: of MP4 (Nero's atom, QuickTime's track of texts), ID3, Matroska, and Vorbis comments.

Sources: QuickTime File Format, "Chapter lists"; FFmpeg's mov.c for Nero's `chpl`, which has no
other description; https://id3.org/id3v2-chapters-1.0; RFC 9559, section 5.1.7;
https://wiki.xiph.org/Chapter_Extension
"""

import re
import struct
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any

from services.extractor.read.containers.ebml import elements, first_of_each, integer_of, text_of
from services.extractor.read.file_bytes import FileBytes
from services.extractor.read.sound.mp4_samples import (
    atoms,
    movie_of,
    sample_places,
    time_scale,
    track_number,
    tracks_of,
)
from services.extractor.tags import normalise
from services.extractor.tags.model import Chapter
from services.extractor.tags.raw_tags import RawTags

MOST_CHAPTERS = 1_000
_LONGEST_TEXT_BYTES = 4_096
_NERO_UNITS_A_SECOND = 10_000_000
_MOST_DURATIONS = 100_000
_COMMENT = re.compile(r"chapter(\d{1,3})(name|url)?")
_FIRST_COMMENTS = frozenset(("chapter000", "chapter001", "chapter00", "chapter01"))
_TIME = re.compile(r"(\d{1,4}):(\d{1,2}):(\d{1,2}(?:\.\d{1,9})?)")
Written = tuple[float, float | None, str]
"""Start, end (None: where the next one starts), and title, as written."""


def chapters_of(written: Iterable[Written], duration_s: float) -> tuple[Chapter, ...]:
    """Chapters with all their ends and clean titles, in order.

    Args:
        written: as the file has them.
        duration_s: of the file; 0 where it is not known.
    """
    within = [one for one in written if one[0] >= 0 and (not duration_s or one[0] < duration_s)]
    in_order = sorted(within, key=lambda one: one[0])[:MOST_CHAPTERS]
    nexts = [*(start_s for start_s, _, _ in in_order[1:]), duration_s]
    return tuple(
        Chapter(
            normalise.text(title) or f"Chapter {number}",
            start_s,
            max(start_s, next_s if end_s is None or end_s <= start_s else end_s),
        )
        for number, ((start_s, end_s, title), next_s) in enumerate(
            zip(in_order, nexts, strict=True), start=1
        )
    )


def mp4_chapters(file: FileBytes, start: int) -> list[Written]:
    """Those of QuickTime's track; of Nero's atom where it has more, or there is no such track."""
    try:
        movie, _ = movie_of(file, start)
        quicktime, nero = list(_of_track(file, movie)), list(_of_nero(movie))
    except (OSError, struct.error, ValueError):
        return []
    return quicktime if len(quicktime) >= len(nero) else nero


def _of_nero(movie: bytes) -> Iterator[Written]:
    for name, begin, end in atoms(movie, 0, len(movie)):
        for child, at, after in atoms(movie, begin, end) if name == b"udta" else ():
            if child != b"chpl" or after - at < 9:
                continue
            place = at + (8 if movie[at] else 4)  # version 1 has four more bytes
            for _ in range(movie[place]):
                if place + 10 > after:
                    break
                start, length = struct.unpack_from(">QB", movie, place + 1)
                title = movie[place + 10 : min(place + 10 + length, after)]
                yield start / _NERO_UNITS_A_SECOND, None, title.decode("utf-8", "replace")
                place += 9 + length


def _of_track(file: FileBytes, movie: bytes) -> Iterator[Written]:
    """The texts of the track that the track of sound refers to."""
    tracks = list(tracks_of(movie))
    sound = next((one for one in tracks if one.get(b"hdlr", b"")[8:12] == b"soun"), {})
    references = sound.get(b"tref", b"")
    wanted = [
        references[at + 4 * n : at + 4 * n + 4]
        for name, at, after in atoms(references, 0, len(references))
        if name == b"chap"
        for n in range((after - at) // 4)
    ]
    for track in tracks:
        is_text = track.get(b"hdlr", b"")[8:12] in {b"text", b"sbtl"}
        if is_text and track_number(track) in wanted and (units := time_scale(track)):
            time = 0
            samples = zip(sample_places(track), _durations(track), strict=False)
            for (offset, size), duration in islice(samples, MOST_CHAPTERS):
                yield time / units, (time + duration) / units, _text(file, offset, size)
                time += duration
            return


def _durations(track: dict[bytes, bytes]) -> Iterator[int]:
    table = track.get(b"stts", b"")
    for at in range(8, len(table) - 7, 8):
        samples, duration = struct.unpack_from(">II", table, at)
        yield from (duration for _ in range(min(samples, _MOST_DURATIONS)))


def _text(file: FileBytes, offset: int, size: int) -> str:
    """A sample of text: its length in two bytes, and the text."""
    sample = file.read(offset, min(size, _LONGEST_TEXT_BYTES))
    text = sample[2 : 2 + int.from_bytes(sample[:2], "big")]
    encoding = "utf-16" if text[:2] in {b"\xfe\xff", b"\xff\xfe"} else "utf-8"
    return text.decode(encoding, "replace")


def id3_chapters(tags: Any) -> list[Written]:
    """The chapters of mutagen's frames that are in a table of contents, or all where none is."""
    frames = tags.getall("CHAP")
    listed = {element for table in tags.getall("CTOC") for element in table.child_element_ids}
    return [
        (
            frame.start_time / 1_000,
            frame.end_time / 1_000,
            next((str(title) for title in frame.sub_frames.getall("TIT2")), ""),
        )
        for frame in frames
        if frame.element_id in listed or not listed
    ]


def matroska_chapters(content: bytes) -> list[Written]:
    """The chapters of the default edition, else of the first one, without those inside others."""
    editions = [edition for kind, edition in elements(content) if kind == 0x45B9]
    default = [one for one in editions if integer_of(first_of_each(one).get(0x45DB, b""))]
    found: list[Written] = []
    for kind, atom in elements((default or editions or [b""])[0]):
        values = first_of_each(atom)
        if kind != 0xB6 or integer_of(values.get(0x98, b"")):  # hidden
            continue
        end = values.get(0x92)
        title = text_of(first_of_each(values.get(0x80, b"")).get(0x85, b""))
        start_s = integer_of(values.get(0x91, b"")) / 1e9
        found.append((start_s, integer_of(end) / 1e9 if end else None, title))
    return found


def take_comment_chapters(raw: RawTags) -> list[Written]:
    """Remove the chapters that are written as tags (CHAPTER001, CHAPTER001NAME), return them."""
    if raw.keys().isdisjoint(_FIRST_COMMENTS):
        return []
    numbered = {name: match for name in raw if (match := _COMMENT.fullmatch(name))}
    found: list[Written] = []
    for name, match in numbered.items():
        time = _TIME.match(raw[name][0]) if raw[name] and not match[2] else None
        if time is not None:
            start_s = int(time[1]) * 3_600 + int(time[2]) * 60 + float(time[3])
            found.append((start_s, None, "".join(raw.get(f"{name}name", ())[:1])))
    if found:
        for name in numbered:
            del raw[name]
    return found
