"""Details that few tracks have, or that are long: lyrics, other tags, imported facts, chapters."""

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
MOST_CHAPTERS = 1_000

_CLEAR = """
WITH lyrics AS (DELETE FROM track_lyrics WHERE track_id = ANY($1)),
    tags AS (DELETE FROM track_other_tags WHERE track_id = ANY($1)),
    chapters AS (DELETE FROM track_chapters WHERE track_id = ANY($1))
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


_WRITE_CHAPTERS = """
INSERT INTO track_chapters (track_id, position, title, start_s, end_s)
SELECT * FROM unnest($1::uuid[], $2::smallint[], $3::text[], $4::float8[], $5::float8[])
"""


@dataclass(frozen=True, slots=True)
class Details:
    """The validated details of a track."""

    plain: str | None = None
    synced: str | None = None
    is_sidecar: bool = False
    other_tags: Mapping[str, list[str]] = field(default_factory=dict)
    facts: tuple[Fact, ...] = ()
    chapters: tuple[tuple[str, float, float], ...] = ()
    """Title, start, end."""

    @property
    def has_lyrics(self) -> bool:
        """Whether there are lyrics."""
        return bool(self.plain or self.synced)

    @property
    def digested(self) -> list[Any]:
        """All values, for the track's digest; [] where there are none."""
        facts = [fact.digested for fact in self.facts]
        values = [self.plain, self.synced, self.is_sidecar, dict(self.other_tags), facts]
        # Added later, so the digests of tracks without chapters stay as they are.
        chapters = [self.chapters] if self.chapters else []
        return [*values, *chapters] if chapters or any(values) else []


NO_DETAILS = Details()
FIELDS = (
    "lyrics_plain", "lyrics_synced", "lyrics_are_sidecar", "other_tags", "imported_facts",
    "chapters",
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
        chapters=_chapters(item),
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


def _chapters(item: Item) -> tuple[tuple[str, float, float], ...]:
    chapters = item.get("chapters")
    if not chapters:
        return ()
    if len(chapters) > MOST_CHAPTERS:
        raise InvalidValue(f"more than {MOST_CHAPTERS:,} are too many", "chapters")
    return tuple(
        (
            checks.text(chapter, "title", 1_000),
            start_s := checks.number(chapter, "start_s", 0, 1e9),
            checks.number(chapter, "end_s", start_s, 1e9),
        )
        for chapter in chapters
    )


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
    chapters = [
        (id_, position, *chapter)
        for id_, d in details
        for position, chapter in enumerate(d.chapters)
    ]
    written = ((_WRITE_LYRICS, lyrics), (_WRITE_TAGS, tags), (_WRITE_CHAPTERS, chapters))
    for statement, rows in written:
        if rows:
            await connection.execute(statement, *zip(*rows, strict=True))
    if facts:
        await connection.execute(_WRITE_FACTS, facts)
