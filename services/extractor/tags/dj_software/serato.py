"""Serato's tags: cues and loops (Markers2), the beat grid, tempo and gain (Autotags). Pure.

Source: https://github.com/Holzhaus/serato-tags, held against what four libraries write. It is a
reader of our own because each of these refuses files that another one writes (docs/dj-software.md).
"""

import struct
from collections.abc import Iterator

from services.extractor.tags.encoded_texts import decode_base64
from services.extractor.tags.normalise import decimal
from shared.gateway.facts import (
    add_cues,
    add_grid,
    add_problem,
    add_tempo,
    cue,
    grid_marker,
)
from shared.gateway.inputs import BeatGridMarkerInput, CueInput, ImportedFactInput

SOURCE = "serato"
_MARKERS_VERSION = b"\1\1"
_GRID_VERSION = b"\1\0"
# 0, index, milliseconds, 0, red, green, blue, 0, locked; then the name.
_CUE = struct.Struct(">xBIx3sxx")
# 0, index, start, end, four bytes (FF, or 0 by some programs), 0, red, green, blue, 0, locked;
# then the name.
_LOOP = struct.Struct(">xBII4xx3sxx")
_SIZE = struct.Struct(">I")
_MARKER = struct.Struct(">fI")
_LAST_MARKER = struct.Struct(">ff")


def add(name: str, content: bytes, fact: ImportedFactInput) -> None:
    """Add what a tag says to the fact; what is damaged is named in its `problem`.

    Args:
        name: of the tag, without "Serato", in small letters.
        content: the tag's own bytes.
        fact: of Serato.
    """
    reader = {"markers2": _add_markers, "beatgrid": _add_grid, "autotags": _add_autotags}.get(name)
    if reader is None:
        return  # waveforms, versions, and cues in an older form that Markers2 repeats
    try:
        reader(content, fact)
    except (ValueError, struct.error):
        add_problem(fact, f"Serato's {name} cannot be read")


def _add_markers(content: bytes, fact: ImportedFactInput) -> None:
    """Version, base64 of the entries in lines of 72 letters, NULs."""
    if not content.startswith(_MARKERS_VERSION):
        raise ValueError("an unknown version")
    text = content[2:].lstrip(b"\0").partition(b"\0")[0]
    entries = decode_base64(text.decode("ascii"))
    if entries is None or (entries and not entries.startswith(_MARKERS_VERSION)):
        raise ValueError("no entries")
    add_cues(fact, _cues(entries, fact))


def _cues(entries: bytes, fact: ImportedFactInput) -> Iterator[CueInput | None]:
    """The cues and loops. An empty name ends the entries, or the end of the bytes does."""
    offset = len(_MARKERS_VERSION)
    while (end := entries.find(b"\0", offset)) > offset:
        name, start = entries[offset:end], end + 1 + _SIZE.size
        if start > len(entries):
            break  # a letter of padding that some programs add
        (size,) = _SIZE.unpack_from(entries, end + 1)
        offset = start + size
        if offset > len(entries):
            add_problem(fact, "Serato's markers2 is cut off")
            return
        if name in _ENTRIES:
            try:
                yield _ENTRIES[name](entries[start:offset])
            except struct.error:
                add_problem(fact, "a cue in Serato's markers2 is too short")


def _cue(body: bytes) -> CueInput | None:
    index, start_ms, rgb = _CUE.unpack_from(body)
    return cue(
        "CUE", start_ms / 1_000, index=index, name=_name(body, _CUE.size), color=f"#{rgb.hex()}"
    )


def _loop(body: bytes) -> CueInput | None:
    index, start_ms, end_ms, rgb = _LOOP.unpack_from(body)
    return cue(
        "LOOP",
        start_ms / 1_000,
        end_s=end_ms / 1_000,
        index=index,
        name=_name(body, _LOOP.size),
        color=f"#{rgb.hex()}",
    )


_ENTRIES = {b"CUE": _cue, b"LOOP": _loop}


def _name(body: bytes, offset: int) -> str:
    return body[offset:].partition(b"\0")[0].decode("utf-8", "replace")


def _add_grid(content: bytes, fact: ImportedFactInput) -> None:
    """Version, number of markers, markers, a byte.

    All markers but the last have the number of beats until the next; the last has a tempo.
    """
    if not content.startswith(_GRID_VERSION):
        raise ValueError("an unknown version")
    (count,) = _SIZE.unpack_from(content, len(_GRID_VERSION))
    if count:
        add_grid(fact, _markers(content, count))


def _markers(content: bytes, count: int) -> Iterator[BeatGridMarkerInput]:
    offset = len(_GRID_VERSION) + _SIZE.size
    for _ in range(count - 1):
        start_s, beats = _MARKER.unpack_from(content, offset)
        offset += _MARKER.size
        (next_s,) = struct.unpack_from(">f", content, offset)
        if not next_s > start_s:
            raise ValueError("the markers are not in order")
        yield grid_marker(start_s, beats * 60 / (next_s - start_s), beats)
    yield grid_marker(*_LAST_MARKER.unpack_from(content, offset))


def _add_autotags(content: bytes, fact: ImportedFactInput) -> None:
    """Version, then tempo, measured gain and set gain as texts that end in NUL."""
    if not content.startswith(_MARKERS_VERSION):
        raise ValueError("an unknown version")
    texts = content[2:].lstrip(b"\0").decode("ascii").split("\0")
    tempo_bpm = decimal(texts[0], 0, 1_000)
    if texts[0] and tempo_bpm is None:
        raise ValueError("no tempo")
    add_tempo(fact, tempo_bpm or 0)
    if len(texts) > 1 and (gain_db := decimal(texts[1], -100, 100)) is not None:
        fact.gain_db = gain_db
