"""The names of artists and genres: the spelling that most tracks have now.

Of spellings that equally many tracks have it is the smallest, by bytes. Who writes tracks marks the
artists and genres that may be called otherwise then (`mark_uncounted`); they are counted once the
files of a scan are read (`count_spellings`). Ids stay.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

import asyncpg

from services.api.identity import fold, sort_key
from services.api.store.absorbed_artists import absorb_namesakes
from services.api.store.database.pool import in_transaction

Spelling = tuple[UUID, str]
"""An artist or genre, as a track spells it."""

_MOST = 10_000
_MARK = """
INSERT INTO uncounted_spellings (id)
SELECT id FROM (
    SELECT unnest($1::uuid[]) AS id
    UNION
    SELECT a.id FROM album_credits c JOIN artists a ON a.id = c.artist_id
    WHERE c.album_id = ANY($2) AND c.credited_as <> a.name
) uncounted
ORDER BY id
ON CONFLICT (id) DO UPDATE SET changes = uncounted_spellings.changes + 1
"""
_SPELLED_BY = """
SELECT artist_id AS id FROM track_credits WHERE track_id = ANY($1)
UNION SELECT genre_id FROM track_genres WHERE track_id = ANY($1)
"""
_MARKED = "SELECT id, changes FROM uncounted_spellings ORDER BY id LIMIT $1"
# What was marked again meanwhile stays.
_UNMARK = """
DELETE FROM uncounted_spellings WHERE id IN (
    SELECT m.id FROM unnest($1::uuid[], $2::bigint[]) AS seen(id, changes)
    JOIN uncounted_spellings m ON m.id = seen.id AND m.changes = seen.changes
    ORDER BY m.id FOR UPDATE OF m
)
"""
# Performers' credits go before those of albums, these before other roles ("J. Doe" as composer).
# Missing tracks count only where no other is left.
_ARTISTS = """
SELECT DISTINCT ON (artist_id) artist_id AS id, credited_as AS name FROM (
    SELECT c.artist_id, c.credited_as, CASE c.role WHEN 'artist' THEN 1 ELSE 3 END AS rank,
        t.is_missing, count(DISTINCT t.id) AS tracks
    FROM track_credits c JOIN tracks t ON t.id = c.track_id
    WHERE c.artist_id = ANY($1) GROUP BY 1, 2, 3, 4
    UNION ALL
    SELECT c.artist_id, c.credited_as, 2, t.is_missing, count(*)
    FROM album_credits c JOIN tracks t USING (album_id)
    WHERE c.artist_id = ANY($1) GROUP BY 1, 2, 4
) spelled
WHERE credited_as <> ''
ORDER BY artist_id, is_missing, rank, tracks DESC, credited_as COLLATE "C"
"""
_GENRES = """
SELECT DISTINCT ON (genre_id) genre_id AS id, tagged_as AS name FROM (
    SELECT tg.genre_id, tg.tagged_as, t.is_missing, count(*) AS tracks
    FROM track_genres tg JOIN tracks t ON t.id = tg.track_id
    WHERE tg.genre_id = ANY($1) AND tg.tagged_as <> '' GROUP BY 1, 2, 3
) spelled
ORDER BY genre_id, is_missing, tracks DESC, tagged_as COLLATE "C"
"""
_READ_ARTISTS = """
SELECT id, name, sort_name, name_key, musicbrainz_artist_id FROM artists WHERE id = ANY($1)
"""
_LOCK_ARTISTS = _READ_ARTISTS + " ORDER BY id FOR NO KEY UPDATE"
_RENAME_ARTISTS = """
UPDATE artists SET
    name = new.name, sort_name = new.sort_name, name_key = new.name_key,
    sort_key = new.sort_key, renamed_at = clock_timestamp(), updated_at = now()
FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::text[])
    AS new(id, name, sort_name, name_key, sort_key)
WHERE artists.id = new.id
"""
_RENAME_GENRES = """
WITH locked AS (
    SELECT g.id, new.name FROM unnest($1::uuid[], $2::text[]) AS new(id, name)
    JOIN genres g ON g.id = new.id AND g.name <> new.name ORDER BY g.id FOR NO KEY UPDATE OF g
)
UPDATE genres SET name = locked.name, renamed_at = clock_timestamp()
FROM locked WHERE genres.id = locked.id
"""


def respelled(
    before: Iterable[Spelling], after: Iterable[Spelling], names: Mapping[UUID, str]
) -> set[UUID]:
    """Those that may be called otherwise now: another spelling came, or one went. Pure.

    Args:
        before: what some tracks had.
        after: what they have now.
        names: how artists or genres are called at present.
    """
    came = Counter(after)
    gone = Counter(before) - came
    return {id_ for id_, name in came if names.get(id_) != name} | {id_ for id_, _ in gone}


async def mark_uncounted(
    connection: asyncpg.Connection, ids: Iterable[UUID], *, album_ids: Iterable[UUID] = ()
) -> None:
    """Mark artists and genres, and artists that these albums spell otherwise, to be counted.

    To be called when all else is written: nothing is locked after that but the scan.
    """
    await connection.execute(_MARK, list(ids), list(album_ids))


async def spelled_by(connection: asyncpg.Connection, track_ids: Sequence[UUID]) -> set[UUID]:
    """The artists and genres of tracks, which are missing now: their spellings no longer count."""
    return {row["id"] for row in await connection.fetch(_SPELLED_BY, track_ids)}


async def count_spellings(pool: asyncpg.Pool) -> None:
    """Name the marked artists and genres as most of their tracks do."""

    async def work(connection: asyncpg.Connection) -> int:
        # Looked at first: what a track spells that is written later is marked again.
        marked = await connection.fetch(_MARKED, _MOST)
        if not marked:
            return 0
        ids = [row["id"] for row in marked]
        await _rename_artists(connection, ids)
        genres = [(row["id"], _clean(row)) for row in await connection.fetch(_GENRES, ids)]
        if genres:
            await connection.execute(_RENAME_GENRES, *zip(*genres, strict=True))
        await connection.execute(_UNMARK, *zip(*map(tuple, marked), strict=True))
        return len(marked)

    while await in_transaction(pool, work, durable=False) == _MOST:
        pass


async def _rename_artists(connection: asyncpg.Connection, ids: Sequence[UUID]) -> None:
    names = {row["id"]: _clean(row) for row in await connection.fetch(_ARTISTS, ids)}
    rows = await connection.fetch(_READ_ARTISTS, list(names))
    new_keys = {
        row["id"]: fold(names[row["id"]])
        for row in rows
        if row["musicbrainz_artist_id"] is not None and fold(names[row["id"]]) != row["name_key"]
    }
    if new_keys:
        await absorb_namesakes(connection, new_keys)
    rows = await connection.fetch(_LOCK_ARTISTS, list(names))
    renamed = [_renamed(row, names[row["id"]]) for row in rows if row["name"] != names[row["id"]]]
    if renamed:
        await connection.execute(_RENAME_ARTISTS, *zip(*renamed, strict=True))


def _renamed(artist: Mapping[str, Any], name: str) -> tuple[UUID, str, str, str, str]:
    """Id, name, sort name and their keys. A sort name of its own stays."""
    sort_name = name if artist["sort_name"] == artist["name"] else artist["sort_name"]
    # Without an id the name is the identity.
    key = artist["name_key"] if artist["musicbrainz_artist_id"] is None else fold(name)
    return artist["id"], name, sort_name, key, sort_key(name, sort_name)


def _clean(row: Mapping[str, Any]) -> str:
    return " ".join(row["name"].split())
