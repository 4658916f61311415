"""Genres, by the key of their name (`services.api.identity.genre_key`)."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple
from uuid import UUID

import asyncpg

from services.api.identity import genre_key
from services.api.store import checks
from services.api.store.checks import InvalidValue, Item

MOST_GENRES = 100
_FIND = "SELECT name_key FROM genres WHERE name_key = ANY($1)"
_CREATE = """
INSERT INTO genres (name_key, name)
SELECT name_key, name FROM unnest($1::text[], $2::text[]) AS new(name_key, name)
ORDER BY name_key COLLATE "C"
ON CONFLICT DO NOTHING
"""
# Locked, so that they are not pruned until this transaction ends.
_LOCK = """
SELECT name_key, id, name FROM genres WHERE name_key = ANY($1) ORDER BY id FOR KEY SHARE
"""
_NAME = "SELECT name FROM genres WHERE name_key = $1"
_PRUNE = """
DELETE FROM genres WHERE id IN (
    SELECT id FROM genres g
    WHERE NOT EXISTS (SELECT FROM track_genres WHERE genre_id = g.id)
    FOR UPDATE SKIP LOCKED
)
"""
_CLEAR_TRACKS = """
DELETE FROM track_genres WHERE track_id = ANY($1) RETURNING genre_id, coalesce(tagged_as, '')
"""
_COLUMNS = ("track_id", "position", "genre_id", "year", "tagged_as")


class Genre(NamedTuple):
    """A stored genre, as it is called at present."""

    id: UUID
    name: str


TrackGenre = tuple[UUID, int, UUID, int | None, str]
"""Track, position from 0, genre, year of the track, genre as the track spells it."""


def genre_names(item: Item) -> dict[str, str]:
    """The names of a track's genres by key, in order."""
    names = item.get("genres") or []
    if len(names) > MOST_GENRES:
        raise InvalidValue(f"more than {MOST_GENRES} are too many", "genres")
    genres: dict[str, str] = {}
    for text in names:
        name = " ".join(checks.text({"genres": text}, "genres", 2_000).split())
        if name:
            genres.setdefault(genre_key(name), name)
    return genres


async def prune(connection: asyncpg.Connection) -> None:
    """Delete genres without tracks; those that a transaction at work holds are skipped."""
    await connection.execute(_PRUNE)


async def name_of(pool: asyncpg.Pool, spelling: str) -> str:
    """What a genre is called; the spelling itself of one that no track has."""
    found: str | None = await pool.fetchval(_NAME, genre_key(spelling))
    return spelling if found is None else found


async def ensure(connection: asyncpg.Connection, names: Mapping[str, str]) -> dict[str, Genre]:
    """The genres of names by key; new ones are created, called as here at first."""
    if not names:
        return {}
    keys = sorted(names)
    found = {row["name_key"] for row in await connection.fetch(_FIND, keys)}
    new = [key for key in keys if key not in found]
    if new:
        await connection.execute(_CREATE, new, [names[key] for key in new])
    rows = await connection.fetch(_LOCK, keys)
    return {row["name_key"]: Genre(row["id"], row["name"]) for row in rows}


async def clear_track_genres(
    connection: asyncpg.Connection, track_ids: Sequence[UUID]
) -> list[tuple[UUID, str]]:
    """Remove all genres from tracks; returns them, as the tracks spelled them."""
    return [tuple(row) for row in await connection.fetch(_CLEAR_TRACKS, track_ids)]


async def write_track_genres(connection: asyncpg.Connection, rows: Sequence[TrackGenre]) -> None:
    """Give genres to tracks that have none."""
    if rows:
        await connection.copy_records_to_table("track_genres", records=rows, columns=_COLUMNS)
