"""Details that few tracks have, or that are long: lyrics, other tags, imported facts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import asyncpg

from services.api.store import checks
from services.api.store.checks import InvalidValue, Item
from services.api.store.tracks.facts import Fact, facts_of

LYRICS_LIMIT = 50_000
MOST_OTHER_TAGS = 64
OTHER_TAGS_LIMIT = 16_000

_CLEAR = """
WITH lyrics AS (DELETE FROM track_lyrics WHERE track_id = ANY($1)),
    tags AS (DELETE FROM track_other_tags WHERE track_id = ANY($1))
DELETE FROM imported_facts WHERE track_id = ANY($1) AND NOT is_collection
"""
_WRITE_LYRICS = """
INSERT INTO track_lyrics (track_id, plain, synced, is_sidecar)
SELECT * FROM unnest($1::uuid[], $2::text[], $3::text[], $4::boolean[])
"""
_WRITE_TAGS = """
INSERT INTO track_other_tags (track_id, tags) SELECT * FROM unnest($1::uuid[], $2::jsonb[])
"""
# As one document: asyncpg takes the lists in a list of values for dimensions of an array.
_WRITE_FACTS = """
INSERT INTO imported_facts (
    track_id, source, rating, play_count, energy, "key", tempo_bpm, gain_db, cues, beat_grid,
    problem
)
SELECT
    track_id, source, rating, play_count, energy, "key", tempo_bpm, gain_db, cues, beat_grid,
    problem
FROM jsonb_populate_recordset(NULL::imported_facts, $1)
"""


@dataclass(frozen=True, slots=True)
class Details:
    """The validated details of a track."""

    plain: str | None = None
    synced: str | None = None
    is_sidecar: bool = False
    other_tags: Mapping[str, list[str]] = field(default_factory=dict)
    facts: tuple[Fact, ...] = ()

    @property
    def has_lyrics(self) -> bool:
        """Whether there are lyrics."""
        return bool(self.plain or self.synced)

    @property
    def digested(self) -> list[Any]:
        """All values, for the track's digest; [] where there are none."""
        facts = [fact.digested for fact in self.facts]
        values = [self.plain, self.synced, self.is_sidecar, dict(self.other_tags), facts]
        return values if any(values) else []


NO_DETAILS = Details()
FIELDS = (
    "lyrics_plain", "lyrics_synced", "lyrics_are_sidecar", "other_tags", "imported_facts",
)  # fmt: skip
"""The fields of an item of `createTracks` that hold details: nearly no item has any."""


def validate_details(item: Item) -> Details:
    """The details of an item of `createTracks`.

    Raises:
        InvalidValue: for the first invalid field.
    """
    return Details(
        plain=checks.optional_text(item, "lyrics_plain", LYRICS_LIMIT) or None,
        synced=checks.optional_text(item, "lyrics_synced", LYRICS_LIMIT) or None,
        is_sidecar=checks.flag(item, "lyrics_are_sidecar"),
        other_tags=_other_tags(item),
        facts=facts_of(item),
    )


def _other_tags(item: Item) -> dict[str, list[str]]:
    tags = item.get("other_tags")
    if not tags:
        return {}
    if len(tags) > MOST_OTHER_TAGS:
        raise InvalidValue(f"more than {MOST_OTHER_TAGS} are too many", "other_tags")
    texts = [*tags, *(value for values in tags.values() for value in values)]
    length = sum(len(checks.text({"other_tags": text}, "other_tags")) for text in texts)
    if length > OTHER_TAGS_LIMIT:
        raise InvalidValue(f"more than {OTHER_TAGS_LIMIT:,} characters are too many", "other_tags")
    return dict(tags)


async def write_details(
    connection: asyncpg.Connection,
    details: Sequence[tuple[UUID, Details]],
    known: Sequence[UUID],
) -> None:
    """Store the details of tracks; those of the `known` tracks are replaced."""
    if known:
        await connection.execute(_CLEAR, known)
    lyrics = [(id_, d.plain, d.synced, d.is_sidecar) for id_, d in details if d.has_lyrics]
    tags = [(id_, dict(d.other_tags)) for id_, d in details if d.other_tags]
    facts = [{"track_id": str(id_), **fact._asdict()} for id_, d in details for fact in d.facts]
    for statement, rows in ((_WRITE_LYRICS, lyrics), (_WRITE_TAGS, tags)):
        if rows:
            await connection.execute(statement, *zip(*rows, strict=True))
    if facts:
        await connection.execute(_WRITE_FACTS, facts)
