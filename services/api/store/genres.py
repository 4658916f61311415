"""Genres by folded name."""

from collections.abc import Mapping, Sequence
from uuid import UUID

import asyncpg

from services.api.identity import fold
from services.api.store import checks
from services.api.store.checks import InvalidValue, Item

MOST_GENRES = 100
_FIND = "SELECT name_key, id FROM genres WHERE name_key = ANY($1)"
_CREATE = """
INSERT INTO genres (name_key, name)
SELECT name_key, name FROM unnest($1::text[], $2::text[]) AS new(name_key, name)
ORDER BY name_key COLLATE "C"
ON CONFLICT DO NOTHING
"""
# Locked, so that they are not pruned until this transaction ends.
_LOCK = "SELECT name_key, id FROM genres WHERE name_key = ANY($1) ORDER BY id FOR KEY SHARE"
_PRUNE = """
DELETE FROM genres WHERE id IN (
    SELECT id FROM genres g
    WHERE NOT EXISTS (SELECT FROM track_genres WHERE genre_id = g.id)
    FOR UPDATE SKIP LOCKED
)
"""
_CLEAR_TRACKS = "DELETE FROM track_genres WHERE track_id = ANY($1)"
_COLUMNS = ("track_id", "position", "genre_id", "year")


def genre_names(item: Item) -> dict[str, str]:
    """The names of a track's genres by folded name, in order."""
    names = item.get("genres") or []
    if len(names) > MOST_GENRES:
        raise InvalidValue(f"more than {MOST_GENRES} are too many", "genres")
    genres: dict[str, str] = {}
    for text in names:
        name = " ".join(checks.text({"genres": text}, "genres", 2_000).split())
        if name:
            genres.setdefault(fold(name), name)
    return genres


async def prune(connection: asyncpg.Connection) -> None:
    """Delete genres without tracks; those that a transaction at work holds are skipped."""
    await connection.execute(_PRUNE)


async def ensure(connection: asyncpg.Connection, names: Mapping[str, str]) -> dict[str, UUID]:
    """The ids of genres by folded name; new ones are created. The first spelling stays."""
    if not names:
        return {}
    keys = sorted(names)
    found = {row["name_key"] for row in await connection.fetch(_FIND, keys)}
    new = [key for key in keys if key not in found]
    if new:
        await connection.execute(_CREATE, new, [names[key] for key in new])
    return {row["name_key"]: row["id"] for row in await connection.fetch(_LOCK, keys)}


async def clear_track_genres(connection: asyncpg.Connection, track_ids: Sequence[UUID]) -> None:
    """Remove all genres from tracks."""
    await connection.execute(_CLEAR_TRACKS, track_ids)


async def write_track_genres(
    connection: asyncpg.Connection, rows: Sequence[tuple[UUID, int, UUID, int | None]]
) -> None:
    """Give genres to tracks that have none.

    `rows`: track, position from 0, genre, year of the track.
    """
    if rows:
        await connection.copy_records_to_table("track_genres", records=rows, columns=_COLUMNS)
