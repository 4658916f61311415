"""An artist with a MusicBrainz id absorbs the artist without one whose name it gets.

Locks, in the order of all writes: tracks by id, albums by id.
"""

from collections.abc import Mapping
from uuid import UUID

import asyncpg

from services.api.store.artists import delete_unused

# $1: artists that are renamed; $2: the keys of their new names. A name without an id means the one
# artist of that name: not where MusicBrainz knows several.
_NAMESAKES = """
SELECT a.id, new.id AS absorbing_id FROM unnest($1::uuid[], $2::text[]) AS new(id, name_key)
JOIN artists a ON a.name_key = new.name_key AND a.musicbrainz_artist_id IS NULL
WHERE NOT EXISTS (
    SELECT FROM artists o
    WHERE o.name_key = new.name_key AND o.musicbrainz_artist_id IS NOT NULL AND o.id <> new.id
)
ORDER BY a.id
"""
_LOCK_TRACKS = """
SELECT id FROM tracks
WHERE id IN (SELECT track_id FROM track_credits WHERE artist_id = ANY($1)) ORDER BY id FOR UPDATE
"""
_TOUCH_TRACKS = """
UPDATE tracks SET revision = revision + 1, updated_at = now() WHERE id = ANY($1)
"""
_LOCK_ALBUMS = """
SELECT id FROM albums WHERE id IN (
    SELECT album_id FROM album_credits WHERE artist_id = ANY($1)
    UNION SELECT album_id FROM album_claims WHERE artist_ids && $1
)
ORDER BY id FOR NO KEY UPDATE
"""
_MOVE = (
    "UPDATE track_credits SET artist_id = $2 WHERE artist_id = $1",
    "UPDATE album_credits SET artist_id = $2 WHERE artist_id = $1",
    # The credits of a claim name artists by their ids in hexadecimal digits.
    "UPDATE album_claims SET artist_ids = array_replace(artist_ids, $1, $2), facts = replace("
    " facts::text, replace($1::text, '-', ''), replace($2::text, '-', ''))::jsonb"
    " WHERE artist_ids @> ARRAY[$1::uuid]",
)


async def absorb_namesakes(connection: asyncpg.Connection, keys: Mapping[UUID, str]) -> None:
    """Move the credits of artists without an id to those whose names get these keys."""
    found = await connection.fetch(_NAMESAKES, list(keys), list(keys.values()))
    if not found:
        return
    ids = [row["id"] for row in found]
    tracks = await connection.fetch(_LOCK_TRACKS, ids)
    await connection.execute(_LOCK_ALBUMS, ids)
    await connection.execute(_TOUCH_TRACKS, [row["id"] for row in tracks])
    for row in found:
        for statement in _MOVE:
            await connection.execute(statement, row["id"], row["absorbing_id"])
    await delete_unused(connection, ids)
