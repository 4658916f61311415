"""Albums with their credits, upserted by place and owner: `services.api.identity`."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID

import asyncpg

from services.api.store.albums import refresh as album_claims
from services.api.store.albums.validate import AlbumCredit, AlbumRow, album_row
from services.api.store.checks import Item, Unfit
from services.api.store.new_ids import new_id
from services.api.store.results import Problem, ProblemCode, Status, Upserted, in_transaction

_NAMES = (
    "place_key", "owner_key", "title", "sort_key", "artist_credit", "artist_key",
    "release_date", "year", "original_date", "is_compilation", "disc_total", "release_type",
    "label", "catalogue_number", "barcode", "country", "media", "musicbrainz_release_id",
    "musicbrainz_release_group_id", "cover_sha256",
)  # fmt: skip
_COLUMNS = ", ".join(_NAMES)
_NEW_VALUES = ", ".join(f"EXCLUDED.{name}" for name in _NAMES)
_FIND = f"""
SELECT id, {_COLUMNS} FROM albums WHERE place_key = ANY($1) ORDER BY created_at, id
"""  # noqa: S608 - names above
_FIND_CREDITS = """
SELECT album_id, position, artist_id, credited_as, join_phrase FROM album_credits
WHERE album_id = ANY($1) ORDER BY album_id, position
"""
_ARTISTS = "SELECT id FROM artists WHERE id = ANY($1) ORDER BY id FOR KEY SHARE"
# Those who write take turns, so that reading, comparing and writing is one step.
_IN_TURN = "SELECT pg_advisory_xact_lock(hashtext('soniquebay.albums'))"
_WRITE = f"""
INSERT INTO albums (id, {_COLUMNS})
SELECT id, {_COLUMNS} FROM jsonb_populate_recordset(NULL::albums, $1)
ON CONFLICT (id) DO UPDATE SET ({_COLUMNS}, updated_at) = ROW ({_NEW_VALUES}, now())
"""  # noqa: S608 - names above
_OWN = """
UPDATE albums SET owner_key = new.owner_key, updated_at = now()
FROM unnest($1::uuid[], $2::text[]) AS new(id, owner_key)
WHERE albums.id = new.id AND albums.owner_key = ''
"""
_CLEAR_CREDITS = "DELETE FROM album_credits WHERE album_id = ANY($1)"
_WRITE_CREDITS = """
INSERT INTO album_credits (album_id, position, artist_id, credited_as, join_phrase)
SELECT * FROM unnest($1::uuid[], $2::smallint[], $3::uuid[], $4::text[], $5::text[])
"""
_PRUNE = """
DELETE FROM albums WHERE id IN (
    SELECT id FROM albums a
    WHERE updated_at < now() - $1::interval
        AND NOT EXISTS (SELECT FROM tracks WHERE album_id = a.id)
    FOR UPDATE SKIP LOCKED
)
"""
_KEPT = tuple(n for n in _NAMES if n not in {"place_key", "owner_key", "is_compilation"})


async def store(pool: asyncpg.Pool, items: Sequence[Item]) -> list[Upserted]:
    """Upsert a batch in one transaction; one result an item, in order.

    What an item leaves out (a cover, a label) stays as it was: other tracks of the album may
    have said it. An item with a claim makes an album that is not there yet; what an album is
    whose tracks refer to claims, `album_claims` decides by all of them.
    """
    wanted: list[AlbumRow | Problem] = []
    for item in items:
        try:
            wanted.append(album_row(item))
        except Unfit as unfit:
            wanted.append(unfit.problem)

    async def work(connection: asyncpg.Connection) -> list[Upserted]:
        told = await _known_artists_only(connection, wanted)
        results, changed, owners = _match(told, await _find(connection, told))
        if changed or owners:
            await connection.execute(_IN_TURN)
            results, changed, owners = _match(told, await _find(connection, told))
            await _write(connection, changed, owners)
        claims = [
            (result.id, one.claim, one.facts)
            for result, one in zip(results, told, strict=True)
            if isinstance(one, AlbumRow) and result.id and one.claim and one.facts
        ]
        await album_claims.claim(connection, claims)
        return results

    # The tracks that refer to them are durable, and so are these with them.
    return await in_transaction(pool, work, durable=False)


async def prune(connection: asyncpg.Connection, *, older_than: Any) -> None:
    """Remove albums without tracks, unchanged for `older_than` (a timedelta)."""
    await connection.execute(_PRUNE, older_than)


async def _known_artists_only(
    connection: asyncpg.Connection, wanted: list[AlbumRow | Problem]
) -> list[AlbumRow | Problem]:
    ids = {c[0] for one in wanted if isinstance(one, AlbumRow) for c in one.credits}
    known = {row["id"] for row in await connection.fetch(_ARTISTS, list(ids))} if ids else set()
    unknown = Problem(ProblemCode.NOT_FOUND, "there is no such artist", "credits")
    return [
        unknown
        if isinstance(one, AlbumRow) and any(credit[0] not in known for credit in one.credits)
        else one
        for one in wanted
    ]


async def _find(
    connection: asyncpg.Connection, wanted: list[AlbumRow | Problem]
) -> dict[str, list[AlbumRow]]:
    """The albums of the places that are wanted, oldest first."""
    keys = sorted({one.columns["place_key"] for one in wanted if isinstance(one, AlbumRow)})
    rows = await connection.fetch(_FIND, keys)
    credits_: dict[UUID, list[AlbumCredit]] = {}
    for row in await connection.fetch(_FIND_CREDITS, [row["id"] for row in rows]):
        told = (row["artist_id"], row["credited_as"], row["join_phrase"])
        credits_.setdefault(row["album_id"], []).append(told)
    found: dict[str, list[AlbumRow]] = {}
    for row in rows:
        columns = {name: row[name] for name in _NAMES}
        album = AlbumRow(columns, tuple(credits_.get(row["id"], ())), row["id"])
        found.setdefault(row["place_key"], []).append(album)
    return found


def _match(
    wanted: list[AlbumRow | Problem], known: dict[str, list[AlbumRow]]
) -> tuple[list[Upserted], list[AlbumRow], dict[UUID, str]]:
    """The results, the albums that have to be written, and owners of those that had none."""
    results: list[Upserted] = []
    changed: dict[UUID, AlbumRow] = {}
    owners: dict[UUID, str] = {}
    for one in wanted:
        if isinstance(one, Problem):
            results.append(Upserted(problem=one))
            continue
        here = known.setdefault(one.columns["place_key"], [])
        same = _home(here, one.columns["owner_key"])
        id_ = same.id if same and same.id else new_id()
        if same is None:
            made = replace(one, id=id_, claim=None, facts=None)
            here.append(made)
            status = Status.CREATED
        else:
            made = _merged(same, one) if one.claim is None else _owned(same, one)
            here[here.index(same)] = made
            status = Status.UNCHANGED if made == same else Status.UPDATED
        if status is Status.UPDATED and one.claim is not None and id_ not in changed:
            owners[id_] = made.columns["owner_key"]
        elif status is not Status.UNCHANGED:
            changed[id_] = made
        results.append(Upserted(id_, status))
    return results, list(changed.values()), owners


def _home(here: Sequence[AlbumRow], owner: str) -> AlbumRow | None:
    """The album of a place where a track of this owner belongs; None: to a new one.

    A track that does not tell whose its album is belongs to the one whose owner is known, if
    there is one only, whoever of them came first.
    """
    by_owner = {album.columns["owner_key"]: album for album in reversed(here)}
    owned = [album for key, album in by_owner.items() if key]
    if not owner and len(owned) == 1:
        return owned[0]
    return by_owner.get(owner) or (by_owner.get("") if not owned else None)


def _owned(old: AlbumRow, new: AlbumRow) -> AlbumRow:
    """The stored album, with an owner if it had none: all else its tracks decide."""
    owner = old.columns["owner_key"] or new.columns["owner_key"]
    return replace(old, columns={**old.columns, "owner_key": owner})


def _merged(old: AlbumRow, new: AlbumRow) -> AlbumRow:
    """The stored album with what the new one says; what it doesn't say stays."""
    columns = dict(old.columns)
    for name in _KEPT:
        if new.columns[name] not in (None, ""):
            columns[name] = new.columns[name]
    columns["is_compilation"] = old.columns["is_compilation"] or new.columns["is_compilation"]
    # Discs of a set may disagree; the largest number is independent of who comes last.
    totals = (old.columns["disc_total"] or 0, new.columns["disc_total"] or 0)
    columns["disc_total"] = max(totals) or None
    columns["owner_key"] = old.columns["owner_key"] or new.columns["owner_key"]
    return AlbumRow(columns, new.credits or old.credits, old.id)


async def _write(
    connection: asyncpg.Connection, albums: list[AlbumRow], owners: dict[UUID, str]
) -> None:
    if owners:
        await connection.execute(_OWN, sorted(owners), [owners[id_] for id_ in sorted(owners)])
    if not albums:
        return
    albums.sort(key=lambda album: album.id or UUID(int=0))
    await connection.execute(_WRITE, [_as_json(album) for album in albums])
    await connection.execute(_CLEAR_CREDITS, [album.id for album in albums])
    told = [
        (album.id, position, *credit)
        for album in albums
        for position, credit in enumerate(album.credits)
    ]
    if told:
        await connection.execute(_WRITE_CREDITS, *zip(*told, strict=True))


def _as_json(album: AlbumRow) -> dict[str, Any]:
    cover = album.columns["cover_sha256"]
    texts = {
        name: None if value is None else str(value)
        for name, value in album.columns.items()
        if name.startswith("musicbrainz_")
    }
    return {
        **album.columns,
        **texts,
        "id": str(album.id),
        "cover_sha256": cover and "\\x" + cover.hex(),
    }
