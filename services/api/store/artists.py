"""Artists, upserted by MusicBrainz id, and by folded name where there is none.

One id is one artist, whatever the spellings. Only MusicBrainz ids distinguish artists of one name:
a name without an id means the one artist of that name, whoever was there first, and that artist
gets the id once it is known.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from uuid import UUID, uuid4

import asyncpg

from services.api.identity import fold, sort_key
from services.api.store import checks
from services.api.store.checks import InvalidValue, Item
from services.api.store.database.pool import in_transaction
from services.api.store.results import Problem, Upserted
from shared.contracts.upserts import UpsertStatus

_FIND = """
SELECT id, name, sort_name, name_key, musicbrainz_artist_id, image_sha256 FROM artists
WHERE name_key = ANY($1) OR musicbrainz_artist_id = ANY($2) ORDER BY created_at, id
"""
# One batch writes at a time: whether an artist is new depends on all of that name.
_LOCK_WRITING = "SELECT pg_advisory_xact_lock(hashtext('soniquebay.artists'))"
_WRITE = """
INSERT INTO artists
    (id, name, sort_name, name_key, sort_key, musicbrainz_artist_id, image_sha256)
SELECT * FROM unnest(
    $1::uuid[], $2::text[], $3::text[], $4::text[], $5::text[], $6::uuid[], $7::bytea[]
)
ON CONFLICT (id) DO UPDATE SET
    sort_name = EXCLUDED.sort_name, sort_key = EXCLUDED.sort_key,
    musicbrainz_artist_id = EXCLUDED.musicbrainz_artist_id,
    image_sha256 = EXCLUDED.image_sha256, updated_at = now()
"""
# Artists left over from tags that were changed. Those that a transaction holds are skipped.
_PRUNE = """
DELETE FROM artists WHERE id IN (
    SELECT id FROM artists a
    WHERE updated_at < now() - $1::interval
        AND NOT EXISTS (SELECT FROM track_credits WHERE artist_id = a.id)
        AND NOT EXISTS (SELECT FROM album_credits WHERE artist_id = a.id)
        AND NOT EXISTS (SELECT FROM album_claims WHERE artist_ids @> ARRAY[a.id])
    FOR UPDATE SKIP LOCKED
)
"""
# Locked first, then compared again: a credit may have come in between.
_LOCK_UNUSED = "SELECT id FROM artists WHERE id = ANY($1) ORDER BY id FOR UPDATE SKIP LOCKED"
_DELETE_UNUSED = """
DELETE FROM artists a WHERE id = ANY($1)
    AND NOT EXISTS (SELECT FROM track_credits WHERE artist_id = a.id)
    AND NOT EXISTS (SELECT FROM album_credits WHERE artist_id = a.id)
    AND NOT EXISTS (SELECT FROM album_claims WHERE artist_ids @> ARRAY[a.id])
"""


@dataclass(frozen=True, slots=True)
class _Artist:
    """An artist, from an item or from the database; `id` is None of an item."""

    id: UUID | None
    name: str
    sort_name: str | None
    name_key: str
    musicbrainz_artist_id: UUID | None
    image_sha256: bytes | None


async def upsert(pool: asyncpg.Pool, items: Sequence[Item]) -> list[Upserted]:
    """Upsert a batch in one transaction; one result an item, in order.

    A new artist is called as in the item at first, then as most tracks spell it (`spelling`). A
    sort name, an id or an image that is left out stays.
    """
    rows = [_validate(item) for item in items]

    async def work(connection: asyncpg.Connection) -> list[Upserted]:
        results, changed = _match(rows, await _find(connection, rows))
        if changed:
            # Compared again under the lock: another batch may have written meanwhile.
            await connection.execute(_LOCK_WRITING)
            results, changed = _match(rows, await _find(connection, rows))
            await _write(connection, changed)
        return results

    # The tracks that refer to them are durable, and so are these with them.
    return await in_transaction(pool, work, durable=False)


async def prune(connection: asyncpg.Connection, *, older_than: timedelta) -> None:
    """Delete the artists that nothing refers to and that have not changed for this long."""
    await connection.execute(_PRUNE, older_than)


async def delete_unused(connection: asyncpg.Connection, ids: Iterable[UUID]) -> None:
    """Delete those of the artists that nothing refers to any longer."""
    locked = [row["id"] for row in await connection.fetch(_LOCK_UNUSED, list(set(ids)))]
    await connection.execute(_DELETE_UNUSED, locked)


def _validate(item: Item) -> _Artist | Problem:
    try:
        name = " ".join(checks.name_text(item, "name").split())
        return _Artist(
            id=None,
            name=name,
            sort_name=checks.optional_text(item, "sort_name", 2_000) or None,
            name_key=fold(name),
            musicbrainz_artist_id=checks.musicbrainz_id(item, "musicbrainz_artist_id"),
            image_sha256=checks.sha256(item, "image_sha256"),
        )
    except InvalidValue as invalid:
        return invalid.problem


@dataclass(slots=True)
class _Known:
    """Artists by the key of their name, oldest first, and by MusicBrainz id."""

    by_name: dict[str, list[_Artist]] = field(default_factory=dict)
    by_id: dict[UUID, _Artist] = field(default_factory=dict)

    def put(self, artist: _Artist, before: _Artist | None = None) -> None:
        """Add an artist, or put it where it was `before`."""
        namesakes = self.by_name.setdefault(artist.name_key, [])
        if before in namesakes:
            namesakes[namesakes.index(before)] = artist
        else:
            namesakes.append(artist)
        if artist.musicbrainz_artist_id is not None:
            self.by_id[artist.musicbrainz_artist_id] = artist


async def _find(connection: asyncpg.Connection, rows: list[_Artist | Problem]) -> _Known:
    """The stored artists of the rows' names and ids."""
    valid = [row for row in rows if isinstance(row, _Artist)]
    keys = {row.name_key for row in valid}
    ids = {row.musicbrainz_artist_id for row in valid} - {None}
    known = _Known()
    for row in await connection.fetch(_FIND, list(keys), list(ids)):
        known.put(_Artist(**row))
    return known


def _match(rows: list[_Artist | Problem], known: _Known) -> tuple[list[Upserted], list[_Artist]]:
    """The results, and the artists that have to be written."""
    results: list[Upserted] = []
    changed: dict[UUID, _Artist] = {}
    for row in rows:
        if isinstance(row, Problem):
            results.append(Upserted(problem=row))
            continue
        stored = _stored(row, known)
        if stored is None or stored.id is None:
            artist = replace(row, id=uuid4(), sort_name=row.sort_name or row.name)
            status = UpsertStatus.CREATED
        else:
            artist = replace(
                stored,
                sort_name=row.sort_name or stored.sort_name,
                musicbrainz_artist_id=row.musicbrainz_artist_id or stored.musicbrainz_artist_id,
                image_sha256=row.image_sha256 or stored.image_sha256,
            )
            status = UpsertStatus.UNCHANGED if artist == stored else UpsertStatus.UPDATED
        assert artist.id is not None
        if status is not UpsertStatus.UNCHANGED:
            known.put(artist, stored)
            changed[artist.id] = artist
        results.append(Upserted(artist.id, status))
    return results, list(changed.values())


def _stored(row: _Artist, known: _Known) -> _Artist | None:
    """The stored artist that an item means; None: a new one."""
    namesakes = known.by_name.get(row.name_key, [])
    without_id = next((a for a in namesakes if a.musicbrainz_artist_id is None), None)
    if row.musicbrainz_artist_id is not None:
        return known.by_id.get(row.musicbrainz_artist_id) or without_id
    with_id = [a for a in namesakes if a.musicbrainz_artist_id is not None]
    return with_id[0] if len(with_id) == 1 else without_id


async def _write(connection: asyncpg.Connection, artists: list[_Artist]) -> None:
    if not artists:
        return
    artists.sort(key=lambda artist: artist.id or UUID(int=0))
    rows = [
        (
            artist.id,
            artist.name,
            artist.sort_name,
            artist.name_key,
            sort_key(artist.name, artist.sort_name),
            artist.musicbrainz_artist_id,
            artist.image_sha256,
        )
        for artist in artists
    ]
    await connection.execute(_WRITE, *zip(*rows, strict=True))
