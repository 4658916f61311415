"""Lists of tracks: filters, sort orders, a page at a time."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any
from uuid import UUID

import asyncpg

from services.api.identity import genre_key
from services.api.store.reading.pages import Conditions, Order, Page, page_of, page_query

ORDERS = {
    "TITLE": Order("t.sort_key"),
    "ARTIST": Order("t.artist_key"),
    "YEAR": Order("t.year", int, may_be_null=True),
    "CREATED": Order("t.created_at", datetime),
    "DURATION": Order("t.duration_s", float),
    "TEMPO": Order("t.tempo_bpm", float, may_be_null=True),
}
"""By name of the schema's TrackSort; each has its index."""

COLUMNS = """
t.*, f.library_id, f.path, f.size_bytes, f.mtime_ns, f.part, f.start_s, f.end_s, f.cue_sheet,
f.cue_problem
"""
FROM = "tracks t JOIN files f ON f.track_id = t.id"
# A genre's tracks by year: track_genres has the year too, and an index of both.
_OF_GENRE = "track_genres tg JOIN tracks t ON t.id = tg.track_id JOIN files f ON f.track_id = t.id"
_YEAR_OF_GENRE: Mapping[str, Any] = {"column": "tg.year", "tail": "tg.track_id", "name": "t.year"}
# Joined only where a filter needs them: the current analysis and its meaning.
_ANALYZED = " JOIN analyses a ON a.track_id = t.id AND a.analyzer_version = t.analyzer_version"
_HEARD = " JOIN meanings m ON m.track_id = t.id AND m.analyzer_version = t.analyzer_version"
_DUPLICATES = """
SELECT (array_agg(track_id ORDER BY library_id, path))[:$2] AS tracks FROM files
WHERE content_hash IS NOT NULL AND state = 'present' AND track_id IS NOT NULL
GROUP BY content_hash HAVING count(*) > 1
ORDER BY count(*) DESC, min(path) LIMIT $1
"""

Range = tuple[float | None, float | None]


@dataclass(frozen=True, slots=True)
class TrackFilters:
    """Filters of tracks; None leaves one out."""

    library_id: UUID | None = None
    artist_id: UUID | None = None
    album_id: UUID | None = None
    genre_id: UUID | None = None
    genre: str | None = None
    path_prefix: str | None = None
    is_missing: bool | None = False
    is_damaged: bool | None = None
    kind: str | None = None
    key: str | None = None
    mode: str | None = None
    camelot: str | None = None
    year: Range = (None, None)
    duration_s: Range = (None, None)
    tempo_bpm: Range = (None, None)
    loudness_lufs: Range = (None, None)
    energy: Range = (None, None)
    heard_genre: str | None = None
    heard: Mapping[str, Range] = field(default_factory=dict)
    """Ranges by name of a score of `shared.contracts.meaning`."""

    @property
    def has_genre(self) -> bool:
        """Whether a filter names a genre."""
        return self.genre_id is not None or self.genre is not None

    @property
    def needs_file(self) -> bool:
        """Whether a filter compares a column of `files`."""
        return self.library_id is not None or bool(self.path_prefix)

    @property
    def needs_analysis(self) -> bool:
        """Whether a filter compares a column of `analyses`."""
        filters = (*self.loudness_lufs, *self.energy, self.is_damaged)
        return any(value is not None for value in filters)

    @property
    def needs_meaning(self) -> bool:
        """Whether a filter compares a column of `meanings`."""
        ends = [end for each in self.heard.values() for end in each]
        return any(value is not None for value in (self.heard_genre, *ends))


async def page(
    pool: asyncpg.Pool, filters: TrackFilters, order: Order, *, first: int, after: str | None
) -> Page:
    """`first` tracks behind the cursor `after`."""
    where = Conditions()
    source = FROM
    if order.column == ORDERS["YEAR"].column and filters.has_genre:
        source, order = _OF_GENRE, replace(order, **_YEAR_OF_GENRE)
        filters = _starting_at_genre(where, filters)
    source += _joined(where, filters)
    query = page_query(COLUMNS, source, where, order, first=first, after=after)
    return page_of(await pool.fetch(query, *where.parameters), first, order)


def _starting_at_genre(where: Conditions, filters: TrackFilters) -> TrackFilters:
    """Put the genre first, as a condition of `track_genres`; the filters that are left."""
    if filters.genre_id is not None:
        where.add("tg.genre_id = {}", filters.genre_id)
        return replace(filters, genre_id=None)
    where.add(
        "tg.genre_id = (SELECT id FROM genres WHERE name_key = {})", genre_key(filters.genre or "")
    )
    return replace(filters, genre=None)


async def count(pool: asyncpg.Pool, filters: TrackFilters) -> int:
    """How many tracks pass the filters in all."""
    where = Conditions()
    # Each track has one file: for counting, it need not be joined.
    source = (FROM if filters.needs_file else "tracks t") + _joined(where, filters)
    query = f"SELECT count(*) FROM {source} WHERE {where.sql}"  # noqa: S608 - names of ours
    total: int = await pool.fetchval(query, *where.parameters)
    return total


def _joined(where: Conditions, filters: TrackFilters) -> str:
    """Add the filters to the conditions; the joins that they need."""
    if filters.is_missing is not False:
        # The whole beside its parts, or the parts beside the whole, are not shown.
        where.add("t.id NOT IN (SELECT track_id FROM files WHERE state = 'replaced')")
    joined = _ANALYZED if filters.needs_analysis else ""
    if filters.needs_meaning:
        joined += _HEARD
    equal = {
        "t.is_missing": filters.is_missing,
        "a.damaged": filters.is_damaged,
        "f.library_id": filters.library_id,
        "t.kind": filters.kind,
        "t.album_id": filters.album_id,
        "t.key": filters.key,
        "t.mode": filters.mode,
        "t.camelot": filters.camelot,
        "m.genre": filters.heard_genre and filters.heard_genre.strip().lower(),
    }
    for column, value in equal.items():
        if value is not None:
            where.add(f"{column} = {{}}", value)
    ranges = {
        "t.year": filters.year,
        "t.duration_s": filters.duration_s,
        "t.tempo_bpm": filters.tempo_bpm,
        "a.loudness_lufs": filters.loudness_lufs,
        "a.energy": filters.energy,
        **{f"m.{name}": score for name, score in filters.heard.items()},
    }
    for column, (lower, upper) in ranges.items():
        if lower is not None:
            where.add(f"{column} >= {{}}", lower)
        if upper is not None:
            where.add(f"{column} <= {{}}", upper)
    _relations(where, filters)
    return joined


def _relations(where: Conditions, filters: TrackFilters) -> None:
    if filters.artist_id is not None:
        where.add(
            "t.id IN (SELECT track_id FROM track_credits WHERE artist_id = {})", filters.artist_id
        )
    if filters.genre_id is not None:
        where.add(
            "t.id IN (SELECT track_id FROM track_genres WHERE genre_id = {})", filters.genre_id
        )
    if filters.genre is not None:
        where.add(
            "t.id IN (SELECT track_id FROM track_genres JOIN genres g ON g.id = genre_id"
            " WHERE g.name_key = {})",
            genre_key(filters.genre),
        )
    if filters.path_prefix:
        # A range, since LIKE with a parameter does not use the index.
        where.add("f.path >= {}", filters.path_prefix)
        where.add("f.path < {}", filters.path_prefix + "\U0010ffff")


async def duplicates(pool: asyncpg.Pool, *, first: int, most: int) -> list[list[UUID]]:
    """Groups of tracks whose files hold the same sound, whatever their tags; the largest first.

    At most `first` groups, of each `most` tracks.
    """
    return [row["tracks"] for row in await pool.fetch(_DUPLICATES, first, most)]
