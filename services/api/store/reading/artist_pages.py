"""The tracks and albums of many artists, a page of each: one statement for all artists."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

import asyncpg

from services.api.store.reading import lists, track_lists
from services.api.store.reading.pages import Conditions, Order, Page, page_of, page_query

TRACKS, ALBUMS = "tracks", "albums"
_COLUMNS: Mapping[str, str] = {TRACKS: track_lists.COLUMNS, ALBUMS: "t.*"}
_SOURCES: Mapping[str, str] = {TRACKS: track_lists.FROM, ALBUMS: "albums t"}
_ORDERS: Mapping[str, Order] = {
    TRACKS: track_lists.ORDERS["TITLE"],
    ALBUMS: lists.ALBUM_ORDERS["TITLE"],
}
_OF_OWNER: Mapping[str, Sequence[str]] = {
    TRACKS: (
        "NOT t.is_missing",
        "t.id IN (SELECT c.track_id FROM track_credits c WHERE c.artist_id = o.owner)",
    ),
    ALBUMS: (
        "EXISTS (SELECT FROM tracks k WHERE k.album_id = t.id AND NOT k.is_missing)",
        "t.id IN (SELECT c.album_id FROM album_credits c WHERE c.artist_id = o.owner)",
    ),
}


async def pages(
    pool: asyncpg.Pool, of: str, first: int, after: str | None, ids: Sequence[UUID]
) -> list[Page]:
    """Each artist's tracks or albums by title, `first` of them behind the cursor `after`."""
    order, where = _ORDERS[of], Conditions(list(_OF_OWNER[of]), [list(ids)])
    page = page_query(_COLUMNS[of], _SOURCES[of], where, order, first=first, after=after)
    query = (
        "SELECT o.owner, rest.* FROM unnest($1::uuid[]) AS o(owner)"  # noqa: S608 - names of ours
        f" CROSS JOIN LATERAL ({page}) AS rest ORDER BY o.owner, page_value, id"
    )
    found: dict[UUID, list[Any]] = {id_: [] for id_ in ids}
    for row in await pool.fetch(query, *where.parameters):
        found[row["owner"]].append(row)
    return [page_of(found[id_], first, order) for id_ in ids]


async def counts(pool: asyncpg.Pool, of: str, ids: Sequence[UUID]) -> list[int]:
    """How many tracks or albums each artist has in all."""
    where = " AND ".join(_OF_OWNER[of])
    query = (
        "SELECT o.owner, (SELECT count(*) FROM"  # noqa: S608 - names of ours
        f" {_SOURCES[of]} WHERE {where}) AS n FROM unnest($1::uuid[]) AS o(owner)"
    )
    found = {row["owner"]: row["n"] for row in await pool.fetch(query, list(ids))}
    return [found[id_] for id_ in ids]
