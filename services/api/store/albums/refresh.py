"""Albums as their tracks say: claims are stored, albums decided by them, and what is empty goes.

Locks: who decides comes from files, tracks and artists, and takes albums in the order of their
ids, in a mode that tracks which refer to them don't hold up. No track is locked after that: the
tracks of a renamed album are shown anew later, by the reconciler.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

import asyncpg

from services.api.identity import fold
from services.api.store import artists
from services.api.store.albums.decide import FIELDS, Said, decide
from services.api.store.albums.validate import AlbumCredit
from services.api.store.results import Raced, plain
from shared.contracts.credits import VARIOUS_ARTISTS

_DECIDED = (
    *FIELDS, "owner_key", "year", "artist_credit", "artist_key", "is_compilation", "disc_total",
    "cover_sha256",
)  # fmt: skip
_COLUMNS = ", ".join(_DECIDED)
# One that is told again is written again before it gets old enough to be forgotten.
_KNOWN_CLAIMS = """
SELECT album_id, claim, facts FROM album_claims
WHERE album_id = ANY($1) AND claimed_at > now() - interval '5 minutes'
"""
_HOLD = "SELECT id FROM albums WHERE id = ANY($1) ORDER BY id FOR KEY SHARE"
_WRITE_CLAIMS = """
INSERT INTO album_claims (album_id, claim, facts, artist_ids)
SELECT album_id, claim, facts, ARRAY(
    SELECT (credit ->> 0)::uuid FROM jsonb_array_elements(facts -> 'credits') AS credit
)
FROM unnest($1::uuid[], $2::text[], $3::jsonb[]) AS new(album_id, claim, facts)
ORDER BY album_id, claim
ON CONFLICT (album_id, claim) DO UPDATE SET
    facts = EXCLUDED.facts, artist_ids = EXCLUDED.artist_ids, claimed_at = now()
"""
_PRUNE = """
DELETE FROM album_claims c WHERE claimed_at < now() - $1::interval AND NOT EXISTS (
    SELECT FROM tracks t WHERE t.album_id = c.album_id AND t.album_claim = c.claim
)
"""
# Whoever decides about an album waits for others who do, and then sees what they wrote.
_LOCK = f"""
SELECT id, {_COLUMNS} FROM albums WHERE id = ANY($1) ORDER BY id FOR NO KEY UPDATE
"""  # noqa: S608 - the column names above
# Missing tracks count where no other is left. $2: tracks that are shown anew anyway.
_SAID = """
SELECT t.album_id, c.facts, t.is_missing, count(*) AS tracks,
    greatest(max(t.disc_total), nullif(max(t.disc_number), 1)) AS disc_total,
    bool_or(t.id <> ALL($2)) AS has_others
FROM tracks t LEFT JOIN album_claims c ON c.album_id = t.album_id AND c.claim = t.album_claim
WHERE t.album_id = ANY($1) GROUP BY t.album_id, t.album_claim, c.facts, t.is_missing
"""
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
# $2: those whose other tracks are searchable by what they were called before.
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
# First locked, then looked at again: a track may have come in between.
_LOCK_EMPTY = "SELECT id FROM albums WHERE id = ANY($1) ORDER BY id FOR UPDATE SKIP LOCKED"
_DROP_EMPTY = """
DELETE FROM albums a WHERE id = ANY($1) AND NOT EXISTS (SELECT FROM tracks WHERE album_id = a.id)
"""
_VARIOUS = """
SELECT id FROM artists WHERE name_key = $1
ORDER BY musicbrainz_artist_id NULLS LAST, created_at, id LIMIT 1
"""
_MAKE_VARIOUS = """
INSERT INTO artists (name, sort_name, name_key, sort_key) VALUES ($1, $1, $2, $2)
ON CONFLICT (name_key, musicbrainz_artist_id) DO NOTHING
"""

Claim = tuple[UUID, str, Mapping[str, Any]]


async def claim(connection: asyncpg.Connection, claims: Iterable[Claim]) -> None:
    """Keep what is said of albums: (album, claim, facts).

    Raises:
        Raced: one of the albums was dropped meanwhile.
    """
    told = {(album, name): dict(facts) for album, name, facts in claims}
    if not told:
        return
    ids = list({album for album, _ in told})
    for row in await connection.fetch(_KNOWN_CLAIMS, ids):
        if told.get((row["album_id"], row["claim"])) == row["facts"]:
            del told[row["album_id"], row["claim"]]
    if not told:
        return
    ids = list({album for album, _ in told})
    if len(await connection.fetch(_HOLD, ids)) < len(ids):
        raise Raced
    rows = [(*key, facts) for key, facts in told.items()]
    await connection.execute(_WRITE_CLAIMS, *zip(*rows, strict=True))


async def prune(connection: asyncpg.Connection, *, older_than: Any) -> None:
    """Forget what no track says any longer, for `older_than` (a timedelta)."""
    await connection.execute(_PRUNE, older_than)


async def refresh(
    connection: asyncpg.Connection, ids: Iterable[UUID], *, just_written: Sequence[UUID] = ()
) -> None:
    """Decide anew what albums are, after tracks of theirs changed; drop those that have none.

    To be called when all tracks and files are written. `just_written`: tracks that are shown
    anew anyway.
    """
    wanted = list(set(ids))
    if not wanted:
        return
    known = {row["id"]: row for row in await connection.fetch(_LOCK, wanted)}
    said, told, others = await _said(connection, list(known), just_written)
    various = None
    credits_: dict[UUID, list[AlbumCredit]] = {}
    for id_, facts in said.items():
        decided = decide(facts)
        told[id_] |= decided.columns
        if decided.credits is None:
            various = various or await _various(connection)
            credits_[id_] = [(various, VARIOUS_ARTISTS, "")]
        else:
            credits_[id_] = [(UUID(id_), name, join) for id_, name, join in decided.credits]
    decided_ones = {id_: told[id_] for id_ in said}
    await _write(connection, known, decided_ones, others)
    lost = await _write_credits(connection, credits_)
    lost |= await _drop_empty(connection, known.keys() - told.keys())
    await artists.drop_unused(connection, lost)


async def _said(
    connection: asyncpg.Connection, ids: list[UUID], just_written: Sequence[UUID]
) -> tuple[dict[UUID, list[Said]], dict[UUID, dict[str, Any]], set[UUID]]:
    """What is said of albums, what their tracks alone tell, and which have tracks besides."""
    rows = await connection.fetch(_SAID, ids, list(just_written))
    present = {row["album_id"] for row in rows if not row["is_missing"]}
    said: dict[UUID, list[Said]] = {}
    told: dict[UUID, dict[str, Any]] = {}
    for row in rows:
        if row["is_missing"] and row["album_id"] in present:
            continue
        album = told.setdefault(row["album_id"], {"disc_total": None, "cover_sha256": None})
        album["disc_total"] = max(album["disc_total"] or 0, row["disc_total"] or 0) or None
        said.setdefault(row["album_id"], []).append(Said(row["facts"], row["tracks"]))
    for row in await connection.fetch(_COVERS, ids):
        told[row["album_id"]]["cover_sha256"] = row["sha256"]
    # One with a track that was stored without a claim stays what it is.
    said = {id_: all_ for id_, all_ in said.items() if all(one.facts for one in all_)}
    return said, told, {row["album_id"] for row in rows if row["has_others"]}


async def _various(connection: asyncpg.Connection) -> UUID:
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
    told: Mapping[UUID, Mapping[str, Any]],
    others: set[UUID],
) -> None:
    changed: list[dict[str, Any]] = []
    retitled: list[UUID] = []
    for id_, columns in told.items():
        before = {name: plain(known[id_][name]) for name in _DECIDED}
        after = before | {name: plain(value) for name, value in columns.items()}
        if after != before:
            changed.append({"id": str(id_), **after})
            is_retitled = any(after[n] != before[n] for n in ("title", "artist_credit"))
            if is_retitled and id_ in others:
                retitled.append(id_)
    if changed:
        await connection.execute(_WRITE, changed, retitled)


async def _write_credits(
    connection: asyncpg.Connection, told: Mapping[UUID, Sequence[AlbumCredit]]
) -> set[UUID]:
    """Write those that differ; the artists that lost a credit by it."""
    before: dict[UUID, list[AlbumCredit]] = {}
    for row in await connection.fetch(_CREDITS, list(told)):
        before.setdefault(row["album_id"], []).append(tuple(row)[1:])
    changed = [id_ for id_ in told if before.get(id_, []) != told[id_]]
    if not changed:
        return set()
    lost = {row["artist_id"] for row in await connection.fetch(_CLEAR_CREDITS, changed)}
    rows = [
        (id_, position, *credit) for id_ in changed for position, credit in enumerate(told[id_])
    ]
    if rows:
        await connection.execute(_WRITE_CREDITS, *zip(*rows, strict=True))
    return lost


async def _drop_empty(connection: asyncpg.Connection, ids: Iterable[UUID]) -> set[UUID]:
    """Drop albums that have no tracks; the artists they spoke of."""
    locked = [row["id"] for row in await connection.fetch(_LOCK_EMPTY, list(ids))] if ids else []
    if not locked:
        return set()
    lost = {row["artist_id"] for row in await connection.fetch(_ARTISTS, locked)}
    await connection.execute(_DROP_EMPTY, locked)
    return lost
