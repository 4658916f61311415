"""Albums with their credits, upserted by the key that `services.api.identity.album_key` makes."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

import asyncpg

from services.api.identity import album_key, fold, sort_key, year_of
from services.api.store import checks
from services.api.store.checks import Item, Unfit
from services.api.store.outcomes import (
    Problem,
    ProblemCode,
    Status,
    Upserted,
    in_transaction,
)
from services.api.store.track_rows import Credit, credit_rows
from shared.contracts.identity import IdKind

_NAMES = (
    "natural_key", "title", "sort_key", "artist_credit", "artist_key", "release_date", "year",
    "original_date", "is_compilation", "disc_total", "release_type", "label", "catalogue_number",
    "barcode", "country", "media", "musicbrainz_release_id", "musicbrainz_release_group_id",
    "cover_sha256",
)  # fmt: skip
_COLUMNS = ", ".join(_NAMES)
_NEW_VALUES = ", ".join(f"EXCLUDED.{name}" for name in _NAMES)
_FIND = f"SELECT id, {_COLUMNS} FROM albums WHERE natural_key = ANY($1)"  # noqa: S608 - names above
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
_KEPT = tuple(name for name in _NAMES if name not in {"natural_key", "is_compilation"})


@dataclass(frozen=True, slots=True)
class _Album:
    """An album, stored or wanted."""

    columns: dict[str, Any]
    credits: tuple[tuple[UUID, str, str], ...]
    """Artist, as credited, join phrase."""
    id: UUID | None = None


async def store(pool: asyncpg.Pool, items: Sequence[Item]) -> list[Upserted]:
    """Upsert a batch in one transaction; one result an item, in order.

    What an item leaves out (a cover, a label) stays as it was: other tracks of the album may
    have said it.
    """
    wanted = [_check(item) for item in items]

    async def work(connection: asyncpg.Connection) -> list[Upserted]:
        told = await _known_artists_only(connection, wanted)
        results, changed = _match(told, await _find(connection, told))
        if changed:
            await connection.execute(_IN_TURN)
            results, changed = _match(told, await _find(connection, told))
            await _write(connection, changed)
        return results

    return await in_transaction(pool, work)


async def prune(connection: asyncpg.Connection, *, older_than: Any) -> None:
    """Remove albums without tracks, unchanged for `older_than` (a timedelta)."""
    await connection.execute(_PRUNE, older_than)


def _check(item: Item) -> _Album | Problem:
    try:
        return _Album(_columns(item), tuple(_credit(credit) for credit in credit_rows(item)))
    except Unfit as unfit:
        return unfit.problem


def _credit(credit: Credit) -> tuple[UUID, str, str]:
    return credit.artist_id, credit.credited_as, credit.join_phrase


def _columns(item: Item) -> dict[str, Any]:
    title = checks.text(item, "title")
    artist = checks.text(item, "artist_credit")
    date = checks.optional_text(item, "release_date", 100)
    release = checks.musicbrainz_id(item, "musicbrainz_release_id")
    is_compilation = checks.flag(item, "is_compilation")
    return {
        "natural_key": album_key(
            title=title,
            artist_credit=artist,
            folder=checks.text(item, "folder"),
            library_id=checks.identifier(item, "library_id", IdKind.LIBRARY),
            is_compilation=is_compilation,
            release_date=date,
            musicbrainz_release_id=release,
        ),
        "title": title,
        "sort_key": sort_key(title, checks.optional_text(item, "sort_title")),
        "artist_credit": artist,
        "artist_key": fold(artist),
        "release_date": date,
        "year": year_of(date),
        "original_date": checks.optional_text(item, "original_date", 100),
        "is_compilation": is_compilation,
        "disc_total": checks.optional_integer(item, "disc_total", 0, checks.SMALLINT_LIMIT),
        **{
            name: checks.optional_text(item, name)
            for name in (
                "release_type",
                "label",
                "catalogue_number",
                "barcode",
                "country",
                "media",
            )
        },
        "musicbrainz_release_id": release,
        "musicbrainz_release_group_id": checks.musicbrainz_id(item, "musicbrainz_release_group_id"),
        "cover_sha256": checks.sha256(item, "cover_sha256"),
    }


async def _known_artists_only(
    connection: asyncpg.Connection, wanted: list[_Album | Problem]
) -> list[_Album | Problem]:
    ids = {c[0] for one in wanted if isinstance(one, _Album) for c in one.credits}
    known = {row["id"] for row in await connection.fetch(_ARTISTS, list(ids))} if ids else set()
    unknown = Problem(ProblemCode.NOT_FOUND, "there is no such artist", "credits")
    return [
        unknown
        if isinstance(one, _Album) and any(credit[0] not in known for credit in one.credits)
        else one
        for one in wanted
    ]


async def _find(
    connection: asyncpg.Connection, wanted: list[_Album | Problem]
) -> dict[str, _Album]:
    keys = sorted({one.columns["natural_key"] for one in wanted if isinstance(one, _Album)})
    rows = await connection.fetch(_FIND, keys)
    credits_: dict[UUID, list[tuple[UUID, str, str]]] = {}
    for row in await connection.fetch(_FIND_CREDITS, [row["id"] for row in rows]):
        told = (row["artist_id"], row["credited_as"], row["join_phrase"])
        credits_.setdefault(row["album_id"], []).append(told)
    return {
        row["natural_key"]: _Album(
            {name: row[name] for name in _NAMES}, tuple(credits_.get(row["id"], ())), row["id"]
        )
        for row in rows
    }


def _match(
    wanted: list[_Album | Problem], known: dict[str, _Album]
) -> tuple[list[Upserted], list[_Album]]:
    """The results, and the albums that have to be written."""
    results: list[Upserted] = []
    changed: dict[str, _Album] = {}
    for one in wanted:
        if isinstance(one, Problem):
            results.append(Upserted(problem=one))
            continue
        key = one.columns["natural_key"]
        same = known.get(key)
        if same is None:
            made = _Album(one.columns, one.credits, uuid4())
            status = Status.CREATED
        else:
            made = _merged(same, one)
            status = Status.UNCHANGED if made == same else Status.UPDATED
        known[key] = made
        if status is not Status.UNCHANGED:
            changed[key] = made
        results.append(Upserted(made.id, status))
    return results, list(changed.values())


def _merged(old: _Album, new: _Album) -> _Album:
    """The stored album with what the new one says; what it doesn't say stays."""
    columns = dict(old.columns)
    for name in _KEPT:
        if new.columns[name] not in (None, ""):
            columns[name] = new.columns[name]
    columns["is_compilation"] = old.columns["is_compilation"] or new.columns["is_compilation"]
    # Discs of a set may disagree; the largest number is independent of who comes last.
    totals = (old.columns["disc_total"] or 0, new.columns["disc_total"] or 0)
    columns["disc_total"] = max(totals) or None
    return _Album(columns, new.credits or old.credits, old.id)


async def _write(connection: asyncpg.Connection, albums: list[_Album]) -> None:
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


def _as_json(album: _Album) -> dict[str, Any]:
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
