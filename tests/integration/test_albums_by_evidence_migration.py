"""Migration 0019: artists of one MusicBrainz id and genres of one key become one each."""

from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import asyncpg
from pytest_asyncio import fixture

from services.api.migrations import FOLDER

_MIGRATION = (FOLDER / "0019_albums_by_evidence.sql").read_text(encoding="utf-8")
# What the migration makes is taken away first: the tests' database is of the newest version.
_BEFORE = """
DROP INDEX album_claims_title, album_claims_claim, artists_without_id, artists_musicbrainz,
    artists_name;
DROP TABLE ungrouped_titles, uncounted_spellings;
ALTER TABLE album_claims DROP COLUMN title_key;
ALTER TABLE artists DROP COLUMN renamed_at;
ALTER TABLE genres DROP COLUMN renamed_at;
ALTER TABLE track_genres DROP COLUMN tagged_as;
CREATE UNIQUE INDEX artists_natural_key ON artists (name_key, musicbrainz_artist_id)
    NULLS NOT DISTINCT;
CREATE INDEX artists_musicbrainz ON artists (musicbrainz_artist_id);
"""
_ARTIST = """
INSERT INTO artists (name, sort_name, name_key, sort_key, musicbrainz_artist_id)
VALUES ($1, $1, lower($1), lower($1), $2) RETURNING id
"""
_TRACK = """
INSERT INTO tracks (
    title, sort_key, artist_credit, artist_key, container, codec, duration_s, tags_digest
) VALUES ('T', 't', '', '', 'flac', 'flac', 1, '') RETURNING id
"""
_ALBUM = """
INSERT INTO albums (place_key, title, sort_key, artist_credit, artist_key)
VALUES ('p', 'X', 'x', '', '') RETURNING id
"""
_CLAIM = "INSERT INTO album_claims (album_id, claim, facts, artist_ids) VALUES ($1, 'c', $2, $3)"
_ID = UUID("dddddddd-0000-4000-8000-000000000004")


@fixture
async def connection(pool: asyncpg.Pool) -> AsyncIterator[asyncpg.Connection]:
    """One to a database as the version before left it; all changes are rolled back."""
    async with pool.acquire() as connection:
        transaction = connection.transaction()
        await transaction.start()
        await connection.execute(_BEFORE)
        yield connection
        await transaction.rollback()


async def test_artists_of_one_id_become_one_and_keep_their_credits(
    connection: asyncpg.Connection,
) -> None:
    kept, lost, other = [
        await connection.fetchval(_ARTIST, name, id_)
        for name, id_ in (("Rhapsode", _ID), ("Rhapsode of Ice", _ID), ("Rhapsode", None))
    ]
    await connection.execute("UPDATE artists SET created_at = 'yesterday' WHERE id = $1", kept)
    track, album = await connection.fetchval(_TRACK), await connection.fetchval(_ALBUM)
    await connection.execute(
        "INSERT INTO track_credits VALUES ($1, 'artist', 0, $2, 'r')", track, lost
    )
    await connection.execute("INSERT INTO album_credits VALUES ($1, 0, $2, 'r')", album, lost)
    credits_: list[Any] = [[other.hex, "Rhapsode", " & "], [lost.hex, "Rhapsode of Ice", ""]]
    await connection.execute(_CLAIM, album, {"credits": credits_, "title": "X"}, [other, lost])
    await connection.execute(_MIGRATION)
    left = {row["id"] for row in await connection.fetch("SELECT id FROM artists")}
    assert left == {kept, other}
    assert await connection.fetchval("SELECT artist_id FROM track_credits") == kept
    assert await connection.fetchval("SELECT artist_id FROM album_credits") == kept
    claim = await connection.fetchrow("SELECT facts, artist_ids FROM album_claims")
    credits_[1][0] = kept.hex
    assert claim["facts"] == {"credits": credits_, "title": "X"}
    assert claim["artist_ids"] == [other, kept]
    assert await connection.fetchval("SELECT id FROM uncounted_spellings") == kept


async def test_spellings_of_a_genre_become_one_and_are_counted(
    connection: asyncpg.Connection,
) -> None:
    names = ("hip hop", "hip-hop", "hiphop", "rock", "-")
    ids = [
        await connection.fetchval(
            "INSERT INTO genres (name, name_key) VALUES ($1, $1) RETURNING id", name
        )
        for name in names
    ]
    one, other = await connection.fetchval(_TRACK), await connection.fetchval(_TRACK)
    tagged = [(one, 0, ids[1]), (one, 1, ids[0]), (one, 2, ids[3]), (other, 0, ids[1])]
    await connection.executemany("INSERT INTO track_genres VALUES ($1, $2, $3)", tagged)
    await connection.execute(_MIGRATION)
    genres = await connection.fetch("SELECT id, name_key FROM genres ORDER BY name_key")
    assert [tuple(row) for row in genres] == [(ids[4], "-"), (ids[1], "hiphop"), (ids[3], "rock")]
    rows = await connection.fetch(
        "SELECT genre_id, tagged_as FROM track_genres WHERE track_id = $1 ORDER BY position", one
    )
    assert [tuple(row) for row in rows] == [(ids[1], "hip-hop"), (ids[3], "rock")]
    assert await connection.fetchval("SELECT id FROM uncounted_spellings") == ids[1]
