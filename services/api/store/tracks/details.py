"""What few tracks have or what is long: lyrics, tags without a column, imported facts."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import asyncpg

from services.api.store import checks
from services.api.store.checks import Item, Unfit

LYRICS_LIMIT = 50_000
MOST_OTHER_TAGS = 64
OTHER_TAGS_LIMIT = 16_000
MOST_FACTS = 10

_CLEAR = """
WITH lyrics AS (DELETE FROM track_lyrics WHERE track_id = ANY($1)),
    tags AS (DELETE FROM track_other_tags WHERE track_id = ANY($1))
DELETE FROM imported_facts WHERE track_id = ANY($1)
"""
_WRITE_LYRICS = """
INSERT INTO track_lyrics (track_id, plain, synced, is_sidecar)
SELECT * FROM unnest($1::uuid[], $2::text[], $3::text[], $4::boolean[])
"""
_WRITE_TAGS = """
INSERT INTO track_other_tags (track_id, tags) SELECT * FROM unnest($1::uuid[], $2::jsonb[])
"""
_WRITE_FACTS = """
INSERT INTO imported_facts (track_id, source, rating, play_count)
SELECT * FROM unnest($1::uuid[], $2::text[], $3::smallint[], $4::bigint[])
"""


@dataclass(frozen=True, slots=True)
class Details:
    """A track's, fit to be stored."""

    plain: str | None = None
    synced: str | None = None
    is_sidecar: bool = False
    other_tags: Mapping[str, list[str]] = field(default_factory=dict)
    facts: tuple[tuple[str, int | None, int | None], ...] = ()
    """Source, rating (0 to 100), play count."""

    @property
    def has_lyrics(self) -> bool:
        """Whether there are words."""
        return bool(self.plain or self.synced)

    @property
    def told(self) -> list[Any]:
        """All of it, for a digest; [] where there is none."""
        told = [self.plain, self.synced, self.is_sidecar, dict(self.other_tags), self.facts]
        return told if any(told) else []


NO_DETAILS = Details()
FIELDS = (
    "lyrics_plain", "lyrics_synced", "lyrics_are_sidecar", "other_tags", "imported_facts",
)  # fmt: skip
"""Fields of an item of `createTracks` that tell of them: nearly no item has any."""


def details(item: Item) -> Details:
    """What an item of `createTracks` says of these; `Unfit` says what is wrong."""
    return Details(
        plain=checks.optional_text(item, "lyrics_plain", LYRICS_LIMIT) or None,
        synced=checks.optional_text(item, "lyrics_synced", LYRICS_LIMIT) or None,
        is_sidecar=checks.flag(item, "lyrics_are_sidecar"),
        other_tags=_other_tags(item),
        facts=_facts(item),
    )


def _other_tags(item: Item) -> dict[str, list[str]]:
    given = item.get("other_tags")
    if not given:
        return {}
    if len(given) > MOST_OTHER_TAGS:
        raise Unfit(f"more than {MOST_OTHER_TAGS} are too many", "other_tags")
    texts = [*given, *(value for values in given.values() for value in values)]
    length = sum(len(checks.text({"other_tags": one}, "other_tags")) for one in texts)
    if length > OTHER_TAGS_LIMIT:
        raise Unfit(f"more than {OTHER_TAGS_LIMIT:,} characters are too many", "other_tags")
    return dict(given)


def _facts(item: Item) -> tuple[tuple[str, int | None, int | None], ...]:
    given = item.get("imported_facts")
    if not given:
        return ()
    if len(given) > MOST_FACTS:
        raise Unfit(f"more than {MOST_FACTS} are too many", "imported_facts")
    facts = {
        checks.name_text(fact, "source"): (
            checks.optional_integer(fact, "rating", 0, 100),
            checks.optional_integer(fact, "play_count"),
        )
        for fact in given
    }
    return tuple((source, *told) for source, told in facts.items())


async def write(
    connection: asyncpg.Connection, told: Iterable[tuple[UUID, Details]], known: Sequence[UUID]
) -> None:
    """Store the details of tracks; those of the `known` ones are replaced."""
    if known:
        await connection.execute(_CLEAR, known)
    told = list(told)
    lyrics = [(id_, one.plain, one.synced, one.is_sidecar) for id_, one in told if one.has_lyrics]
    tags = [(id_, dict(one.other_tags)) for id_, one in told if one.other_tags]
    facts = [(id_, *fact) for id_, one in told for fact in one.facts]
    for query, rows in ((_WRITE_LYRICS, lyrics), (_WRITE_TAGS, tags), (_WRITE_FACTS, facts)):
        if rows:
            await connection.execute(query, *zip(*rows, strict=True))
