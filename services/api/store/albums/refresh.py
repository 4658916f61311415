"""Decides anew what albums are after their tracks changed, and deletes those without tracks.

Locks: the caller has locked files, tracks and artists. Then albums are locked in the order of their
ids, in a mode that tracks which refer to them do not wait for. No track is locked after that: the
tracks of a renamed album are marked as changed later, by the reconciler (`store/renamed.py`).
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

import asyncpg

from services.api.identity import fold
from services.api.store import artists
from services.api.store.albums.claims import FIELDS, CountedClaim, decide
from services.api.store.albums.validate import AlbumCredit
from services.api.store.database.pool import json_value
from shared.contracts.credits import VARIOUS_ARTISTS

_DECIDED = (
    *FIELDS, "owner_key", "year", "artist_credit", "artist_key", "is_compilation", "disc_total",
    "cover_sha256",
)  # fmt: skip
_COLUMNS = ", ".join(_DECIDED)
# A transaction that decides about an album waits for others that do, and sees what they wrote.
_LOCK = f"""
SELECT id, {_COLUMNS} FROM albums WHERE id = ANY($1) ORDER BY id FOR NO KEY UPDATE
"""  # noqa: S608 - the column names above
# Missing tracks count only where no other is left. $2: tracks that the caller has just written.
_CLAIMS = """
SELECT t.album_id, c.facts, t.is_missing, count(*) AS tracks,
    greatest(max(t.disc_total), nullif(max(t.disc_number), 1)) AS disc_total,
    bool_or(t.id <> ALL($2)) AS has_others
FROM tracks t LEFT JOIN album_claims c ON c.album_id = t.album_id AND c.claim = t.album_claim
WHERE t.album_id = ANY($1) GROUP BY t.album_id, t.album_claim, c.facts, t.is_missing
"""
# The image that most tracks have; present tracks go before missing ones, folders before files.
_COVERS = """
SELECT DISTINCT ON (album_id) album_id, sha256 FROM (
    SELECT album_id, is_missing, folder_cover_sha256 IS NULL AS is_embedded,
        coalesce(folder_cover_sha256, cover_sha256) AS sha256, count(*) AS tracks
    FROM tracks WHERE album_id = ANY($1) GROUP BY 1, 2, 3, 4
) AS c
WHERE sha256 IS NOT NULL ORDER BY album_id, is_missing, is_embedded, tracks DESC, sha256
"""
_CREDITS = """
SELECT album_id, artist_id, credited_as, join_phrase FROM album_credits
WHERE album_id = ANY($1) ORDER BY album_id, position
"""
# $2: renamed albums with tracks that are still indexed by the old name.
_WRITE = f"""
UPDATE albums SET
    ({_COLUMNS}, updated_at) = ROW ({", ".join(f"new.{n}" for n in _DECIDED)}, now()),
    retitled_at = CASE WHEN new.id = ANY($2) THEN clock_timestamp() ELSE albums.retitled_at END
FROM jsonb_populate_recordset(NULL::albums, $1) new WHERE albums.id = new.id
"""  # noqa: S608 - the column names above
_CLEAR_CREDITS = "DELETE FROM album_credits WHERE album_id = ANY($1) RETURNING artist_id"
_WRITE_CREDITS = """
INSERT INTO album_credits (album_id, position, artist_id, credited_as, join_phrase)
SELECT * FROM unnest($1::uuid[], $2::smallint[], $3::uuid[], $4::text[], $5::text[])
"""
_ARTISTS = """
SELECT artist_id FROM album_credits WHERE album_id = ANY($1)
UNION SELECT unnest(artist_ids) FROM album_claims WHERE album_id = ANY($1)
"""
# Locked first, then compared again: a track may have come in between.
_LOCK_EMPTY = "SELECT id FROM albums WHERE id = ANY($1) ORDER BY id FOR UPDATE SKIP LOCKED"
_DELETE_EMPTY = """
DELETE FROM albums a WHERE id = ANY($1) AND NOT EXISTS (SELECT FROM tracks WHERE album_id = a.id)
"""
_VARIOUS = """
SELECT id FROM artists WHERE name_key = $1
ORDER BY musicbrainz_artist_id NULLS LAST, created_at, id LIMIT 1
"""
_MAKE_VARIOUS = """
INSERT INTO artists (name, sort_name, name_key, sort_key) VALUES ($1, $1, $2, $2)
ON CONFLICT (name_key) WHERE musicbrainz_artist_id IS NULL DO NOTHING
"""


async def refresh_albums(
    connection: asyncpg.Connection, ids: Iterable[UUID], *, just_written: Sequence[UUID] = ()
) -> None:
    """Decide anew what albums are, after tracks of theirs changed; delete those that have none.

    To be called when all tracks and files are written. `just_written`: tracks whose revision the
    caller has counted up.
    """
    wanted = list(set(ids))
    if not wanted:
        return
    known = {row["id"]: row for row in await connection.fetch(_LOCK, wanted)}
    claims, from_tracks, with_others = await _read_claims(connection, list(known), just_written)
    various_artists = None
    columns: dict[UUID, dict[str, Any]] = {}
    credits_: dict[UUID, list[AlbumCredit]] = {}
    for id_, counted in claims.items():
        decision = decide(counted)
        columns[id_] = from_tracks[id_] | decision.columns
        if decision.credits is None:
            various_artists = various_artists or await _various_artists(connection)
            credits_[id_] = [(various_artists, VARIOUS_ARTISTS, "")]
        else:
            credits_[id_] = [(UUID(artist), name, join) for artist, name, join in decision.credits]
    await _write(connection, known, columns, with_others)
    lost_artists = await _write_credits(connection, credits_)
    lost_artists |= await _delete_empty(connection, known.keys() - from_tracks.keys())
    if lost_artists:
        await artists.delete_unused(connection, lost_artists)


async def _read_claims(
    connection: asyncpg.Connection, ids: list[UUID], just_written: Sequence[UUID]
) -> tuple[dict[UUID, list[CountedClaim]], dict[UUID, dict[str, Any]], set[UUID]]:
    """The claims of albums, columns that their tracks decide, and which have other tracks too."""
    rows = await connection.fetch(_CLAIMS, ids, list(just_written))
    present = {row["album_id"] for row in rows if not row["is_missing"]}
    claims: dict[UUID, list[CountedClaim]] = {}
    from_tracks: dict[UUID, dict[str, Any]] = {}
    for row in rows:
        if row["is_missing"] and row["album_id"] in present:
            continue
        columns = from_tracks.setdefault(
            row["album_id"], {"disc_total": None, "cover_sha256": None}
        )
        columns["disc_total"] = max(columns["disc_total"] or 0, row["disc_total"] or 0) or None
        claims.setdefault(row["album_id"], []).append(CountedClaim(row["facts"], row["tracks"]))
    for row in await connection.fetch(_COVERS, ids):
        from_tracks[row["album_id"]]["cover_sha256"] = row["sha256"]
    # An album with a track that was stored without a claim stays as it is.
    claims = {id_: counted for id_, counted in claims.items() if all(c.facts for c in counted)}
    return claims, from_tracks, {row["album_id"] for row in rows if row["has_others"]}


async def _various_artists(connection: asyncpg.Connection) -> UUID:
    key = fold(VARIOUS_ARTISTS)
    found: UUID | None = await connection.fetchval(_VARIOUS, key)
    if found is None:
        await connection.execute(_MAKE_VARIOUS, VARIOUS_ARTISTS, key)
        found = await connection.fetchval(_VARIOUS, key)
    assert found is not None
    return found


async def _write(
    connection: asyncpg.Connection,
    known: Mapping[UUID, Mapping[str, Any]],
    new: Mapping[UUID, Mapping[str, Any]],
    with_others: set[UUID],
) -> None:
    changed: list[dict[str, Any]] = []
    renamed: list[UUID] = []
    for id_, columns in new.items():
        before = {name: json_value(known[id_][name]) for name in _DECIDED}
        after = before | {name: json_value(value) for name, value in columns.items()}
        if after != before:
            changed.append({"id": str(id_), **after})
            is_renamed = any(after[n] != before[n] for n in ("title", "artist_credit"))
            if is_renamed and id_ in with_others:
                renamed.append(id_)
    if changed:
        await connection.execute(_WRITE, changed, renamed)


async def _write_credits(
    connection: asyncpg.Connection, credits_: Mapping[UUID, Sequence[AlbumCredit]]
) -> set[UUID]:
    """Write the credits that differ; returns the artists that lost one."""
    before: dict[UUID, list[AlbumCredit]] = {}
    for row in await connection.fetch(_CREDITS, list(credits_)):
        before.setdefault(row["album_id"], []).append(tuple(row)[1:])
    changed = [id_ for id_ in credits_ if before.get(id_, []) != credits_[id_]]
    if not changed:
        return set()
    lost = {row["artist_id"] for row in await connection.fetch(_CLEAR_CREDITS, changed)}
    rows = [
        (id_, position, *credit) for id_ in changed for position, credit in enumerate(credits_[id_])
    ]
    if rows:
        await connection.execute(_WRITE_CREDITS, *zip(*rows, strict=True))
    return lost


async def _delete_empty(connection: asyncpg.Connection, ids: Iterable[UUID]) -> set[UUID]:
    """Delete those of the albums that have no tracks; returns the artists they referred to."""
    locked = [row["id"] for row in await connection.fetch(_LOCK_EMPTY, list(ids))] if ids else []
    if not locked:
        return set()
    lost = {row["artist_id"] for row in await connection.fetch(_ARTISTS, locked)}
    await connection.execute(_DELETE_EMPTY, locked)
    return lost
