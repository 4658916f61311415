"""Mixed In Key's tags: base64 of JSON, and the energy in plain text. Pure.

Its JSON, as public issues and other programs' tests show it: `{"algorithm":94,"key":"8A"}`,
`{"energyLevel":7}`, `{"cues":[{"name":"Energy 6","time":61108.946}]}` in milliseconds, and
`{"tempo":126,"beats":[0.51,0.986]}` in seconds.
"""

import json
import math
import re
from collections.abc import Iterator, Sequence
from typing import Any

from services.extractor.tags.normalise import first
from shared.gateway.facts import (
    add_cues,
    add_grid,
    add_problem,
    add_tempo,
    cue,
    grid_marker,
)
from shared.gateway.inputs import BeatGridMarkerInput, CueInput, ImportedFactInput

SOURCE = "mixed in key"
_ENERGY = re.compile(r"\s*(10|[1-9])(?:\.0+)?\s*")
# "8A - Energy 7", "Energy 7", "8A - 126.0 - Energy 7", and texts after it.
_COMMENT = re.compile(r"\s*(?:[0-9A-G][^-]{0,11} - ){0,2}Energy (10|[1-9])(?:\s*| - .*)", re.DOTALL)
_JITTER_S = 0.005
"""Beats may lie beside a steady grid by so much: some programs round them to milliseconds."""


def energy(text: str) -> int | None:
    """Mixed In Key's energy, 1 to 10, written alone."""
    found = _ENERGY.fullmatch(text)
    return int(found[1]) if found else None


def energy_in_comment(text: str) -> int | None:
    """The energy in a comment of the forms that Mixed In Key writes."""
    found = _COMMENT.fullmatch(text) if "Energy " in text[:40] else None
    return int(found[1]) if found else None


def add(name: str, content: bytes, fact: ImportedFactInput) -> None:
    """Add what a tag's JSON says to the fact; what is damaged is named in its `problem`."""
    try:
        document = json.loads(content)
    except (ValueError, RecursionError):
        document = None
    if not isinstance(document, dict):
        add_problem(fact, f"Mixed In Key's {name} cannot be read")
        return
    key = document.get("key")
    if isinstance(key, str):
        fact.key = first([key], 100)
    level = document.get("energyLevel", document.get("energy"))
    if _is_number(level):
        fact.energy = energy(str(level))
    if isinstance(cues := document.get("cues"), list):
        add_cues(fact, _cues(cues))
    if _is_number(tempo := document.get("tempo", 0)):
        add_tempo(fact, tempo)
    beats = document.get("beats")
    if isinstance(beats, list) and all(map(_is_number, beats)):
        _add_grid(fact, sorted(set(beats)))


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _cues(cues: Sequence[Any]) -> Iterator[CueInput | None]:
    for each in cues:
        if isinstance(each, dict) and _is_number(each.get("time")):
            yield cue("CUE", each["time"] / 1_000, name=str(each.get("name") or ""))


def _add_grid(fact: ImportedFactInput, beats: Sequence[float]) -> None:
    try:
        add_grid(fact, _grid(beats))
    except (ValueError, OverflowError):
        add_problem(fact, "Mixed In Key's beats cannot be read")


def _grid(beats: Sequence[float]) -> Iterator[BeatGridMarkerInput]:
    """A list of beats as a grid: a marker for each stretch of one tempo."""
    start = 0
    while start < len(beats) - 1:
        end = _end_of_stretch(beats, start)
        tempo_bpm = (end - start) * 60 / (beats[end] - beats[start])
        yield grid_marker(beats[start], tempo_bpm, end - start if end < len(beats) - 1 else None)
        start = end


def _end_of_stretch(beats: Sequence[float], start: int) -> int:
    """The last beat of the steady ones from `start` on, all within the jitter of a line."""
    shortest, longest = 0.0, math.inf
    for beat in range(start + 1, len(beats)):
        count, length = beat - start, beats[beat] - beats[start]
        if not shortest <= length / count <= longest:
            return beat - 1
        shortest = max(shortest, (length - _JITTER_S) / count)
        longest = min(longest, (length + _JITTER_S) / count)
    return len(beats) - 1
