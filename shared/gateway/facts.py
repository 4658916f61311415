"""Makes facts of what a program says of a track, within limits. Pure."""

import math
import re
from collections.abc import Iterable
from itertools import islice

from shared.contracts.tags import LATEST_CUE_S, LONGEST_CUE_NAME, MOST_CUES, MOST_GRID_MARKERS
from shared.gateway.inputs import BeatGridMarkerInput, CueInput, ImportedFactInput

_FASTEST_BPM = 1_000.0
_READ = 4 * LONGEST_CUE_NAME  # letters of a name
_LONGEST_PROBLEM = 500
_NOT_PRINTED = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\ufeff]+")


def cue(
    kind: str,
    start_s: float,
    *,
    end_s: float | None = None,
    index: int | None = None,
    name: str = "",
    color: str | None = None,
) -> CueInput | None:
    """A cue or loop; None where its times are none. See `CueInput` for the fields."""
    if not _is_time(start_s) or (end_s is not None and not start_s <= end_s <= LATEST_CUE_S):
        return None
    return CueInput(
        kind=kind,
        start_s=round(start_s, 6),
        end_s=None if end_s is None else round(end_s, 6),
        index=index if index is not None and 0 <= index < MOST_CUES else None,
        name=_NOT_PRINTED.sub(" ", name[:_READ]).strip()[:LONGEST_CUE_NAME].rstrip() or None,
        color=color,
    )


def grid_marker(
    start_s: float, tempo_bpm: float, beats: int | None = None, beat_in_bar: int | None = None
) -> BeatGridMarkerInput:
    """A marker of a beat grid.

    Raises:
        ValueError: its time or tempo is none.
    """
    if not _is_time(start_s) or not 0 < tempo_bpm <= _FASTEST_BPM:
        raise ValueError("the time or tempo of a marker is none")
    # Serato's are float32: more digits would pretend a precision that there is not.
    return BeatGridMarkerInput(
        start_s=round(start_s, 6),
        tempo_bpm=round(tempo_bpm, 4),
        beats=beats,
        beat_in_bar=beat_in_bar,
    )


def _is_time(seconds: float) -> bool:
    """Whether it is a time; a grid may begin before the sound."""
    return math.isfinite(seconds) and abs(seconds) <= LATEST_CUE_S


def add_cues(fact: ImportedFactInput, cues: Iterable[CueInput | None]) -> None:
    """Add cues in the order of time, unless another tag of the program had some."""
    if fact.cues:
        return
    found = list(islice(filter(None, cues), MOST_CUES + 1))
    if len(found) > MOST_CUES:
        add_problem(fact, f"more than {MOST_CUES} cues: the others are left out")
    if found:
        fact.cues = sorted(found[:MOST_CUES], key=lambda each: each.start_s)


def add_grid(fact: ImportedFactInput, markers: Iterable[BeatGridMarkerInput]) -> None:
    """Add a beat grid, unless another tag of the program had one."""
    if fact.beat_grid:
        return
    found = list(islice(markers, MOST_GRID_MARKERS + 1))
    if len(found) > MOST_GRID_MARKERS:
        add_problem(
            fact, f"more than {MOST_GRID_MARKERS:,} markers in the grid: the others are left out"
        )
    if found:
        fact.beat_grid = found[:MOST_GRID_MARKERS]


def add_tempo(fact: ImportedFactInput, tempo_bpm: float) -> None:
    """Add the tempo, if it is one."""
    if 0 < tempo_bpm <= _FASTEST_BPM and fact.tempo_bpm is None:
        fact.tempo_bpm = round(tempo_bpm, 4)


def add_problem(fact: ImportedFactInput, problem: str) -> None:
    """Add why something is left out."""
    problems = [fact.problem] if fact.problem else []
    if problem not in problems:
        fact.problem = "; ".join([*problems, problem])[:_LONGEST_PROBLEM]
