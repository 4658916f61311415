"""Lists of artists, albums, genres and failures, a page at a time."""

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

import asyncpg

from services.api.identity import fold
from services.api.store.failures.queries import FailureSelection
from services.api.store.reading.pages import Conditions, Order, Page, page_of, page_query

ARTISTS = Order("t.sort_key")
GENRES = Order("t.name_key")
ALBUM_ORDERS = {"TITLE": Order("t.sort_key"), "YEAR": Order("t.year", int, may_be_null=True)}
"""By name of the schema's AlbumSort."""
FAILURES = Order("t.failed_at", datetime, descending=True)


async def page(
    pool: asyncpg.Pool,
    table: str,
    where: Conditions,
    order: Order,
    *,
    first: int,
    after: str | None,
) -> Page:
    """`first` rows of a table (aliased `t`) behind the cursor `after`."""
    query = page_query("t.*", f"{table} t", where, order, first=first, after=after)
    return page_of(await pool.fetch(query, *where.parameters), first, order)


async def count(pool: asyncpg.Pool, table: str, where: Conditions) -> int:
    """How many rows meet the conditions in all."""
    query = f"SELECT count(*) FROM {table} t WHERE {where.sql}"  # noqa: S608 - names of ours
    total: int = await pool.fetchval(query, *where.parameters)
    return total


def artists(name_prefix: str | None) -> Conditions:
    """Artists with a present track or album, whose sort name or name begins with the prefix."""
    where = Conditions()
    where.add(
        "(EXISTS (SELECT FROM track_credits c WHERE c.artist_id = t.id"
        " AND c.track_id NOT IN (SELECT id FROM tracks WHERE is_missing))"
        " OR EXISTS (SELECT FROM album_credits c JOIN tracks k USING (album_id)"
        " WHERE c.artist_id = t.id AND NOT k.is_missing))"
    )
    if name_prefix:
        start = fold(name_prefix)
        end = start + "\U0010ffff"
        where.add(
            "((t.sort_key >= {} AND t.sort_key < {}) OR (t.name_key >= {} AND t.name_key < {}))",
            start, end, start, end,
        )  # fmt: skip
    return where


def albums(
    *,
    artist_id: UUID | None = None,
    title_prefix: str | None = None,
    year: tuple[int | None, int | None] = (None, None),
    is_compilation: bool | None = None,
) -> Conditions:
    """Albums with a present track that meet the conditions; `artist_id` is an album artist's."""
    where = Conditions()
    where.add("EXISTS (SELECT FROM tracks k WHERE k.album_id = t.id AND NOT k.is_missing)")
    if artist_id is not None:
        where.add("t.id IN (SELECT album_id FROM album_credits WHERE artist_id = {})", artist_id)
    if title_prefix:
        start = fold(title_prefix)
        where.add("t.sort_key >= {} AND t.sort_key < {}", start, start + "\U0010ffff")
    lower, upper = year
    if lower is not None:
        where.add("t.year >= {}", lower)
    if upper is not None:
        where.add("t.year <= {}", upper)
    if is_compilation is not None:
        where.add("t.is_compilation = {}", is_compilation)
    return where


def genres() -> Conditions:
    """Genres that have a present track."""
    where = Conditions()
    where.add(
        "EXISTS (SELECT FROM track_genres g JOIN tracks k ON k.id = g.track_id"
        " WHERE g.genre_id = t.id AND NOT k.is_missing)"
    )
    return where


def failures(selection: FailureSelection, *, include_resolved: bool) -> Conditions:
    """The failures of a selection; its `until` is ignored."""
    where = Conditions()
    if not include_resolved:
        where.add("t.resolved_at IS NULL")
    clauses: Mapping[str, object] = {
        "t.stage = {}": selection.stage,
        "t.kind = {}": selection.kind,
        "t.event_topic = {}": selection.topic,
        "t.track_id = {}": selection.track_id,
        "t.id = ANY({})": selection.ids,
    }
    for clause, value in clauses.items():
        if value is not None:
            where.add(clause, value)
    return where
