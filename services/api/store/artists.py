"""Artists, upserted by folded name and MusicBrainz id.

Two artists of one name are two only where MusicBrainz says so: a name without an id means the
one artist of that name, whoever was there first, and the id is added to it when it gets known.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

import asyncpg

from services.api.identity import fold, sort_key
from services.api.store import checks
from services.api.store.checks import Item, Unfit
from services.api.store.new_ids import new_id
from services.api.store.results import Problem, Status, Upserted, in_transaction

_FIND = """
SELECT id, name, sort_name, name_key, musicbrainz_artist_id, image_sha256 FROM artists
WHERE name_key = ANY($1) ORDER BY created_at, id
"""
# Those who write take turns: whether an artist is new depends on all of that name.
_IN_TURN = "SELECT pg_advisory_xact_lock(hashtext('soniquebay.artists'))"
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
# Nobody's artists, left over from tags that were changed. Those in use are passed over.
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
# First locked, then looked at again: a credit may have come in between.
_LOCK_UNUSED = "SELECT id FROM artists WHERE id = ANY($1) ORDER BY id FOR UPDATE SKIP LOCKED"
_DROP_UNUSED = """
DELETE FROM artists a WHERE id = ANY($1)
    AND NOT EXISTS (SELECT FROM track_credits WHERE artist_id = a.id)
    AND NOT EXISTS (SELECT FROM album_credits WHERE artist_id = a.id)
    AND NOT EXISTS (SELECT FROM album_claims WHERE artist_ids @> ARRAY[a.id])
"""


@dataclass(frozen=True, slots=True)
class _Artist:
    """An artist, stored or wanted; `id` is None for one that is wanted."""

    id: UUID | None
    name: str
    sort_name: str | None
    name_key: str
    musicbrainz_artist_id: UUID | None
    image_sha256: bytes | None


async def store(pool: asyncpg.Pool, items: Sequence[Item]) -> list[Upserted]:
    """Upsert a batch in one transaction; one result an item, in order.

    The first spelling of a name stays. A sort name, an id or an image that is left out stays too.
    """
    wanted = [_check(item) for item in items]

    async def work(connection: asyncpg.Connection) -> list[Upserted]:
        results, changed = _match(wanted, await _find(connection, wanted))
        if changed:
            await connection.execute(_IN_TURN)
            results, changed = _match(wanted, await _find(connection, wanted))
            await _write(connection, changed)
        return results

    # The tracks that refer to them are durable, and so are these with them.
    return await in_transaction(pool, work, durable=False)


async def prune(connection: asyncpg.Connection, *, older_than: Any) -> None:
    """Remove artists that nothing refers to, unchanged for `older_than` (a timedelta)."""
    await connection.execute(_PRUNE, older_than)


async def drop_unused(connection: asyncpg.Connection, ids: Iterable[UUID]) -> None:
    """Remove those of the artists that nothing refers to any longer."""
    wanted = list(set(ids))
    if wanted:
        locked = [row["id"] for row in await connection.fetch(_LOCK_UNUSED, wanted)]
        await connection.execute(_DROP_UNUSED, locked)


def _check(item: Item) -> _Artist | Problem:
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
    except Unfit as unfit:
        return unfit.problem


async def _find(
    connection: asyncpg.Connection, wanted: list[_Artist | Problem]
) -> dict[str, list[_Artist]]:
    keys = sorted({one.name_key for one in wanted if isinstance(one, _Artist)})
    known: dict[str, list[_Artist]] = {}
    for row in await connection.fetch(_FIND, keys):
        known.setdefault(row["name_key"], []).append(_Artist(**row))
    return known


def _match(
    wanted: list[_Artist | Problem], known: dict[str, list[_Artist]]
) -> tuple[list[Upserted], list[_Artist]]:
    """The results, and the artists that have to be written."""
    results: list[Upserted] = []
    changed: dict[UUID, _Artist] = {}
    for one in wanted:
        if isinstance(one, Problem):
            results.append(Upserted(problem=one))
            continue
        namesakes = known.setdefault(one.name_key, [])
        same = _same(one, namesakes)
        if same is None or same.id is None:
            made = replace(one, id=new_id(), sort_name=one.sort_name or one.name)
            namesakes.append(made)
            status = Status.CREATED
        else:
            made = replace(
                same,
                sort_name=one.sort_name or same.sort_name,
                musicbrainz_artist_id=one.musicbrainz_artist_id or same.musicbrainz_artist_id,
                image_sha256=one.image_sha256 or same.image_sha256,
            )
            namesakes[namesakes.index(same)] = made
            status = Status.UNCHANGED if made == same else Status.UPDATED
        assert made.id is not None
        if status is not Status.UNCHANGED:
            changed[made.id] = made
        results.append(Upserted(made.id, status))
    return results, list(changed.values())


def _same(one: _Artist, namesakes: list[_Artist]) -> _Artist | None:
    id_ = one.musicbrainz_artist_id
    for artist in namesakes:
        if artist.musicbrainz_artist_id == id_:
            return artist
    if id_ is None:
        return namesakes[0] if len(namesakes) == 1 else None
    return next((a for a in namesakes if a.musicbrainz_artist_id is None), None)


async def _write(connection: asyncpg.Connection, artists: list[_Artist]) -> None:
    if not artists:
        return
    artists.sort(key=lambda artist: artist.id or UUID(int=0))
    told = [
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
    await connection.execute(_WRITE, *zip(*told, strict=True))
