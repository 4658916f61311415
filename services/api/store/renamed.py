"""Counts a change of the tracks of renamed albums, artists and genres, to index them anew.

Who renames marks what is renamed; the reconciler touches the tracks once all files of a scan are
read. So no track is locked after albums, artists or genres.
"""

from dataclasses import dataclass

import asyncpg

from services.api.store.vectors.spaces import outdate_text_vectors


@dataclass(frozen=True, slots=True)
class _Kind:
    """A table whose names tracks are found by.

    Attributes:
        table: the table.
        mark: the column that says when it was renamed.
        tracks: the condition of its tracks, with ids as $1.
        is_described: text vectors contain the name.
    """

    table: str
    mark: str
    tracks: str
    is_described: bool = True


_KINDS = (
    _Kind("albums", "retitled_at", "album_id = ANY($1)"),
    # Text vectors contain artists as credited, which a new name does not change.
    _Kind(
        "artists",
        "renamed_at",
        "id IN (SELECT track_id FROM track_credits WHERE artist_id = ANY($1))",
        is_described=False,
    ),
    _Kind(
        "genres",
        "renamed_at",
        "id IN (SELECT track_id FROM track_genres WHERE genre_id = ANY($1))",
    ),
)
_MOST = 1_000
_RENAMED = "SELECT id, {mark} FROM {table} WHERE {mark} IS NOT NULL ORDER BY id LIMIT $1"
_TOUCH_TRACKS = """
WITH renamed AS (
    SELECT id FROM tracks WHERE {tracks} ORDER BY id FOR UPDATE
)
UPDATE tracks SET
    revision = revision + 1, updated_at = now(),
    vectorized_content_revision = CASE WHEN $2 THEN NULL ELSE vectorized_content_revision END
FROM renamed WHERE tracks.id = renamed.id RETURNING tracks.id
"""
# $2: when they were renamed; one that was renamed again meanwhile stays marked.
_UNMARK = """
UPDATE {table} SET {mark} = NULL
FROM (
    SELECT a.id FROM unnest($1::uuid[], $2::timestamptz[]) AS renamed(id, at)
    JOIN {table} a ON a.id = renamed.id AND a.{mark} = renamed.at
    ORDER BY a.id FOR NO KEY UPDATE OF a
) AS done
WHERE {table}.id = done.id
"""


async def touch_renamed(connection: asyncpg.Connection) -> None:
    """Count a change of the tracks of what was renamed, a transaction a kind."""
    for kind in _KINDS:
        names = {"table": kind.table, "mark": kind.mark, "tracks": kind.tracks}
        async with connection.transaction():
            renamed = await connection.fetch(_RENAMED.format(**names), _MOST)
            if not renamed:
                continue
            ids, renamed_at = zip(*map(tuple, renamed), strict=True)
            tracks = await connection.fetch(_TOUCH_TRACKS.format(**names), ids, kind.is_described)
            if kind.is_described:
                await outdate_text_vectors(connection, [row["id"] for row in tracks])
            await connection.execute(_UNMARK.format(**names), ids, renamed_at)
