"""Validates what other programs say of a track: ratings, play counts, DJ software's data. Pure."""

import re
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from services.api.store import checks
from services.api.store.checks import InvalidValue, Item
from shared.contracts.tags import LATEST_CUE_S, LONGEST_CUE_NAME, MOST_CUES, MOST_GRID_MARKERS

MOST_FACTS = 10
CUE_KINDS = frozenset(("cue", "memory_cue", "loop", "fade_in", "fade_out", "load"))
_COLOR = re.compile(r"#[0-9a-f]{6}")
_FASTEST_BPM = 1_000.0
Values = Mapping[str, Any]


class Fact(NamedTuple):
    """A row of `imported_facts`, without its track."""

    source: str
    rating: int | None = None
    play_count: int | None = None
    energy: int | None = None
    key: str | None = None
    tempo_bpm: float | None = None
    gain_db: float | None = None
    cues: Sequence[Values] = ()
    beat_grid: Sequence[Values] = ()
    problem: str | None = None

    @property
    def digested(self) -> tuple[Any, ...]:
        """The values for a digest: of a rating or play count alone three, as it always was."""
        return tuple(self) if any(self[3:]) else tuple(self[:3])


def facts_of(item: Item) -> tuple[Fact, ...]:
    """The facts of an item, one of each source.

    Raises:
        InvalidValue: for the first invalid field.
    """
    imported = item.get("imported_facts")
    if not imported:
        return ()
    if len(imported) > MOST_FACTS:
        raise InvalidValue(f"more than {MOST_FACTS} are too many", "imported_facts")
    return tuple({fact.source: fact for fact in map(fact_of, imported)}.values())


def fact_of(fact: Item) -> Fact:
    """A validated fact.

    Raises:
        InvalidValue: for the first invalid field.
    """
    return Fact(
        source=checks.name_text(fact, "source"),
        rating=checks.optional_integer(fact, "rating", 0, 100),
        play_count=checks.optional_integer(fact, "play_count"),
        energy=checks.optional_integer(fact, "energy", 1, 10),
        key=checks.optional_text(fact, "key", 100),
        tempo_bpm=checks.optional_number(fact, "tempo_bpm", 0, _FASTEST_BPM),
        gain_db=checks.optional_number(fact, "gain_db", -100, 100),
        cues=[*map(_cue, _limited(fact, "cues", MOST_CUES))],
        beat_grid=[*map(_marker, _limited(fact, "beat_grid", MOST_GRID_MARKERS))],
        problem=checks.optional_text(fact, "problem", 1_000),
    )


def _limited(fact: Item, name: str, most: int) -> Sequence[Item]:
    values: Sequence[Item] = fact.get(name) or ()
    if len(values) > most:
        raise InvalidValue(f"more than {most:,} are too many", name)
    return values


def _cue(cue: Item) -> Values:
    if cue.get("kind") not in CUE_KINDS:
        raise InvalidValue(f"{cue.get('kind')!r} is no kind of cue", "kind")
    color = checks.optional_text(cue, "color", 7)
    if color and not _COLOR.fullmatch(color):
        raise InvalidValue(f"{color!r} is no color like #c02626", "color")
    start_s = checks.number(cue, "start_s", -LATEST_CUE_S, LATEST_CUE_S)
    return _given(
        kind=cue["kind"],
        start_s=start_s,
        end_s=checks.optional_number(cue, "end_s", start_s, LATEST_CUE_S),
        index=checks.optional_integer(cue, "index", 0, checks.SMALLINT_LIMIT),
        name=checks.optional_text(cue, "name", LONGEST_CUE_NAME),
        color=color,
    )


def _marker(marker: Item) -> Values:
    return _given(
        start_s=checks.number(marker, "start_s", -LATEST_CUE_S, LATEST_CUE_S),
        tempo_bpm=checks.number(marker, "tempo_bpm", 0, _FASTEST_BPM),
        beats=checks.optional_integer(marker, "beats"),
        beat_in_bar=checks.optional_integer(marker, "beat_in_bar", 1, 64),
    )


def _given(**values: Any) -> Values:
    """The values without those that are None."""
    return {name: value for name, value in values.items() if value is not None}
