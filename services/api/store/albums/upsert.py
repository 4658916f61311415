"""Upserts a batch of albums with their credits and claims: validates, matches and writes."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import asyncpg

from services.api.store.albums.claims import albums_of_claims, store_claims
from services.api.store.albums.validate import COLUMNS, AlbumCredit, AlbumRow, album_row
from services.api.store.checks import InvalidValue, Item
from services.api.store.database.pool import in_transaction, json_value
from services.api.store.results import Problem, Upserted
from shared.contracts.upserts import ErrorCode, UpsertStatus

_MERGED = tuple(n for n in COLUMNS if n not in {"place_key", "owner_key", "is_compilation"})
_NAMES = ", ".join(COLUMNS)
_NEW_VALUES = ", ".join(f"EXCLUDED.{name}" for name in COLUMNS)
_FIND = f"""
SELECT id, {_NAMES} FROM albums WHERE place_key = ANY($1) ORDER BY created_at, id
"""  # noqa: S608 - names of ours
_FIND_CREDITS = """
SELECT album_id, position, artist_id, credited_as, join_phrase FROM album_credits
WHERE album_id = ANY($1) ORDER BY album_id, position
"""
_LOCK_ARTISTS = "SELECT id FROM artists WHERE id = ANY($1) ORDER BY id FOR KEY SHARE"
# One batch writes at a time, so that reading, comparing and writing is one step.
_LOCK_WRITING = "SELECT pg_advisory_xact_lock(hashtext('soniquebay.albums'))"
_WRITE = f"""
INSERT INTO albums (id, {_NAMES})
SELECT id, {_NAMES} FROM jsonb_populate_recordset(NULL::albums, $1)
ON CONFLICT (id) DO UPDATE SET ({_NAMES}, updated_at) = ROW ({_NEW_VALUES}, now())
"""  # noqa: S608 - names of ours
_WRITE_OWNERS = """
WITH locked AS (
    SELECT id FROM albums WHERE id = ANY($1) ORDER BY id FOR NO KEY UPDATE
)
UPDATE albums SET owner_key = new.owner_key, updated_at = now()
FROM unnest($1::uuid[], $2::text[]) AS new(id, owner_key) JOIN locked USING (id)
WHERE albums.id = new.id AND albums.owner_key = ''
"""
_CLEAR_CREDITS = "DELETE FROM album_credits WHERE album_id = ANY($1)"
_WRITE_CREDITS = """
INSERT INTO album_credits (album_id, position, artist_id, credited_as, join_phrase)
SELECT * FROM unnest($1::uuid[], $2::smallint[], $3::uuid[], $4::text[], $5::text[])
"""
# Albums that a transaction at work holds are skipped.
_PRUNE = """
DELETE FROM albums WHERE id IN (
    SELECT id FROM albums a
    WHERE updated_at < now() - $1::interval
        AND NOT EXISTS (SELECT FROM tracks WHERE album_id = a.id)
    FOR UPDATE SKIP LOCKED
)
"""


async def upsert_albums(pool: asyncpg.Pool, items: Sequence[Item]) -> list[Upserted]:
    """Upsert a batch in one transaction; one result an item, in order.

    What an item leaves out (a cover, a label) stays as it was: other tracks of the album may
    have said it. An item with a claim only finds or creates the album: once tracks refer to claims,
    all claims together decide its fields (`refresh`), and which tracks it has (`regroup`).
    """
    rows = [_row_or_problem(item) for item in items]

    async def work(connection: asyncpg.Connection) -> list[Upserted]:
        valid = await _with_known_artists(connection, rows)
        claimed = await _find_claimed(connection, valid)
        results, changed, owners = _match(valid, claimed, await _find(connection, valid))
        if changed or owners:
            # Compared again under the lock: another batch may have written meanwhile.
            await connection.execute(_LOCK_WRITING)
            claimed = await _find_claimed(connection, valid)
            results, changed, owners = _match(valid, claimed, await _find(connection, valid))
            await _write(connection, changed, owners)
        claims = [
            (result.id, row.claim, row.title_key, row.facts)
            for result, row in zip(results, valid, strict=True)
            if isinstance(row, AlbumRow) and result.id and row.claim and row.title_key and row.facts
        ]
        await store_claims(connection, claims)
        return results

    # The tracks that refer to them are durable, and so are these with them.
    return await in_transaction(pool, work, durable=False)


def _row_or_problem(item: Item) -> AlbumRow | Problem:
    try:
        return album_row(item)
    except InvalidValue as invalid:
        return invalid.problem


async def prune_albums(connection: asyncpg.Connection, *, older_than: timedelta) -> None:
    """Delete the albums without tracks that have not changed for this long."""
    await connection.execute(_PRUNE, older_than)


async def _with_known_artists(
    connection: asyncpg.Connection, rows: list[AlbumRow | Problem]
) -> list[AlbumRow | Problem]:
    """The rows, with a problem instead of each one whose artists are not all known."""
    ids = {credit[0] for row in rows if isinstance(row, AlbumRow) for credit in row.credits}
    found = await connection.fetch(_LOCK_ARTISTS, list(ids)) if ids else []
    known = {row["id"] for row in found}
    unknown = Problem(ErrorCode.NOT_FOUND, "there is no such artist", "credits")
    return [
        unknown
        if isinstance(row, AlbumRow) and any(credit[0] not in known for credit in row.credits)
        else row
        for row in rows
    ]


async def _find_claimed(
    connection: asyncpg.Connection, rows: list[AlbumRow | Problem]
) -> dict[tuple[str, str], UUID]:
    """The albums that hold the rows' claims, by name and folder of the claim."""
    claims = ((r.claim, r.title_key) for r in rows if isinstance(r, AlbumRow))
    return await albums_of_claims(connection, [(c, title) for c, title in claims if c and title])


async def _find(
    connection: asyncpg.Connection, rows: list[AlbumRow | Problem]
) -> dict[str, list[AlbumRow]]:
    """The stored albums of the rows' places, oldest first."""
    keys = sorted({row.columns["place_key"] for row in rows if isinstance(row, AlbumRow)})
    found = await connection.fetch(_FIND, keys)
    credits_: dict[UUID, list[AlbumCredit]] = {}
    for row in await connection.fetch(_FIND_CREDITS, [row["id"] for row in found]):
        credit = (row["artist_id"], row["credited_as"], row["join_phrase"])
        credits_.setdefault(row["album_id"], []).append(credit)
    albums: dict[str, list[AlbumRow]] = {}
    for row in found:
        columns = {name: row[name] for name in COLUMNS}
        album = AlbumRow(columns, tuple(credits_.get(row["id"], ())), row["id"])
        albums.setdefault(row["place_key"], []).append(album)
    return albums


def _match(
    rows: Sequence[AlbumRow | Problem],
    claimed: Mapping[tuple[str, str], UUID],
    known: dict[str, list[AlbumRow]],
) -> tuple[list[Upserted], list[AlbumRow], dict[UUID, str]]:
    """The results, the albums that have to be written, and owners of those that had none.

    `claimed` are the albums of stored claims. `known` are the stored albums by place, oldest first;
    new ones are added to it.
    """
    results: list[Upserted] = []
    changed: dict[UUID, AlbumRow] = {}
    owners: dict[UUID, str] = {}
    for row in rows:
        if isinstance(row, Problem):
            results.append(Upserted(problem=row))
            continue
        claim = (row.claim or "", (row.facts or {}).get("folder", ""))
        if row.claim and claim in claimed:
            results.append(Upserted(claimed[claim], UpsertStatus.UNCHANGED))
            continue
        here = known.setdefault(row.columns["place_key"], [])
        stored = _find_owned(here, row.columns["owner_key"])
        id_ = stored.id if stored and stored.id else uuid4()
        if stored is None:
            album = replace(row, id=id_, claim=None, facts=None)
            here.append(album)
            status = UpsertStatus.CREATED
        else:
            album = _merged(stored, row) if row.claim is None else _owned(stored, row)
            here[here.index(stored)] = album
            status = UpsertStatus.UNCHANGED if album == stored else UpsertStatus.UPDATED
        if status is UpsertStatus.UPDATED and row.claim is not None and id_ not in changed:
            owners[id_] = album.columns["owner_key"]
        elif status is not UpsertStatus.UNCHANGED:
            changed[id_] = album
        results.append(Upserted(id_, status))
    return results, list(changed.values()), owners


def _find_owned(here: Sequence[AlbumRow], owner: str) -> AlbumRow | None:
    """The album of a place that a track of this owner belongs to; None: to a new one.

    A track that does not say whose its album is belongs to the one with an owner, if there is
    only one, whichever came first.
    """
    by_owner = {album.columns["owner_key"]: album for album in reversed(here)}
    owned = [album for key, album in by_owner.items() if key]
    if not owner and len(owned) == 1:
        return owned[0]
    return by_owner.get(owner) or (by_owner.get("") if not owned else None)


def _owned(stored: AlbumRow, new: AlbumRow) -> AlbumRow:
    """The stored album, with an owner if it had none: its tracks decide all else."""
    owner = stored.columns["owner_key"] or new.columns["owner_key"]
    return replace(stored, columns={**stored.columns, "owner_key": owner})


def _merged(stored: AlbumRow, new: AlbumRow) -> AlbumRow:
    """The stored album with the values of the new one; where that has none, they stay."""
    columns = dict(stored.columns)
    for name in _MERGED:
        if new.columns[name] not in (None, ""):
            columns[name] = new.columns[name]
    columns["is_compilation"] = stored.columns["is_compilation"] or new.columns["is_compilation"]
    # Discs of a set may disagree; the largest number is independent of who comes last.
    totals = (stored.columns["disc_total"] or 0, new.columns["disc_total"] or 0)
    columns["disc_total"] = max(totals) or None
    columns["owner_key"] = stored.columns["owner_key"] or new.columns["owner_key"]
    return AlbumRow(columns, new.credits or stored.credits, stored.id)


async def _write(
    connection: asyncpg.Connection, albums: list[AlbumRow], owners: dict[UUID, str]
) -> None:
    if owners:
        ids = sorted(owners)
        await connection.execute(_WRITE_OWNERS, ids, [owners[id_] for id_ in ids])
    if not albums:
        return
    albums.sort(key=lambda album: album.id or UUID(int=0))
    await connection.execute(_WRITE, [_as_json(album) for album in albums])
    await connection.execute(_CLEAR_CREDITS, [album.id for album in albums])
    rows = [
        (album.id, position, *credit)
        for album in albums
        for position, credit in enumerate(album.credits)
    ]
    if rows:
        await connection.execute(_WRITE_CREDITS, *zip(*rows, strict=True))


def _as_json(album: AlbumRow) -> dict[str, Any]:
    values = {name: json_value(value) for name, value in album.columns.items()}
    return {**values, "id": str(album.id)}
