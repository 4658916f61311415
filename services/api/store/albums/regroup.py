"""Brings the albums of a title in line with what its tracks say (`grouping`), after tracks changed.

A title is marked in the transaction that changes its tracks (`mark_ungrouped`), and grouped in one
of its own, since that locks tracks of other batches. Whoever comes last sees all tracks: so the
albums are the same whatever the order of batches, and however many write at once.

Locks, in the order of all writes: the right to group, which nobody waits for who holds another
lock; tracks by id; marks; albums by id.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID, uuid4

import asyncpg

from services.api.identity import release_place_key
from services.api.store.albums.evidence import Claims, read_claims
from services.api.store.albums.grouping import Album, group
from services.api.store.albums.refresh import refresh_albums
from services.api.store.database.pool import LostRace, in_transaction
from services.api.store.vectors.spaces import outdate_text_vectors

_MOST_TITLES = 1_000
# One claim needs no grouping.
_MARK = """
INSERT INTO ungrouped_titles (title_key)
SELECT title_key FROM (
    SELECT DISTINCT title_key FROM album_claims WHERE album_id = ANY($1) AND title_key IS NOT NULL
) touched
WHERE EXISTS (SELECT FROM album_claims c WHERE c.title_key = touched.title_key OFFSET 1)
ORDER BY title_key
ON CONFLICT (title_key) DO UPDATE SET changes = ungrouped_titles.changes + 1
RETURNING title_key
"""
_LOCK_GROUPING = "SELECT pg_advisory_xact_lock(hashtext('soniquebay.grouping'))"
_MARKED = "SELECT title_key, changes FROM ungrouped_titles ORDER BY title_key LIMIT $1"
# A title of very many folders ("Unknown Album") waits for the end of the scan.
_MARKED_OF = """
SELECT title_key, changes FROM ungrouped_titles m
WHERE title_key = ANY($1)
    AND NOT EXISTS (SELECT FROM album_claims c WHERE c.title_key = m.title_key OFFSET 300)
"""
# Titles that changed again meanwhile stay marked.
_UNMARK = """
DELETE FROM ungrouped_titles WHERE title_key IN (
    SELECT m.title_key FROM unnest($1::text[], $2::bigint[]) AS seen(title_key, changes)
    JOIN ungrouped_titles m ON m.title_key = seen.title_key AND m.changes = seen.changes
    ORDER BY m.title_key FOR UPDATE OF m
)
"""
_ALBUMS = "SELECT id, place_key, created_at FROM albums WHERE id = ANY($1)"
_LOCK_TRACKS = """
SELECT id, album_id, album_claim FROM tracks WHERE id = ANY($1) ORDER BY id FOR UPDATE
"""
_LOCK_ALBUMS = "SELECT id FROM albums WHERE id = ANY($1) ORDER BY id FOR NO KEY UPDATE"
# What an album is called, its claims decide.
_CREATE = """
INSERT INTO albums (id, place_key, owner_key, title, sort_key, artist_credit, artist_key)
SELECT new.id, place_key, owner_key, title, sort_key, artist_credit, artist_key
FROM unnest($1::uuid[], $2::uuid[]) AS new(id, source) JOIN albums ON albums.id = new.source
"""
_MOVE_TRACKS = """
UPDATE tracks SET
    album_id = new.album_id, revision = revision + 1, vectorized_content_revision = NULL,
    updated_at = now()
FROM unnest($1::uuid[], $2::uuid[]) AS new(id, album_id) WHERE tracks.id = new.id
"""
# The claims stay with the old album too, until no track there refers to them any longer. An album
# that is left without tracks takes with it ($2 is null) what was claimed by a batch still at work.
_COPY_CLAIMS = """
INSERT INTO album_claims (album_id, claim, title_key, facts, artist_ids)
SELECT DISTINCT ON (new.to_id, c.claim) new.to_id, c.claim, c.title_key, c.facts, c.artist_ids
FROM unnest($1::uuid[], $2::text[], $3::uuid[]) AS new(from_id, claim, to_id)
JOIN album_claims c ON c.album_id = new.from_id AND (
    c.claim = new.claim OR new.claim IS NULL AND c.claimed_at > now() - interval '5 minutes'
)
ORDER BY new.to_id, c.claim, c.claimed_at DESC
ON CONFLICT (album_id, claim) DO UPDATE SET claimed_at = now()
"""


@dataclass(frozen=True, slots=True)
class _Move:
    """A track that belongs to another album than its own."""

    track_id: UUID
    claim: str
    from_id: UUID
    to_id: UUID


@dataclass(slots=True)
class _Plan:
    """What grouping makes of titles.

    Attributes:
        moves: tracks that go to another album.
        kept: the albums that groups of tracks have from now on.
        sources: of each of those that is new the album that it comes from.
    """

    moves: list[_Move] = field(default_factory=list)
    kept: set[UUID] = field(default_factory=set)
    sources: dict[UUID, UUID] = field(default_factory=dict)


async def mark_ungrouped(connection: asyncpg.Connection, album_ids: Iterable[UUID]) -> list[str]:
    """Mark the titles of albums whose tracks this transaction changed; the keys of the titles.

    To be called before albums are locked, and to be followed by `regroup` once it is committed.
    """
    rows = await connection.fetch(_MARK, list(set(album_ids)))
    return [row["title_key"] for row in rows]


async def regroup(pool: asyncpg.Pool, titles: Sequence[str] | None = None) -> None:
    """Group the tracks of marked titles into albums; None: of all that are marked."""

    async def work(connection: asyncpg.Connection) -> int:
        await connection.execute(_LOCK_GROUPING)
        # Looked at before the tracks are: a track that is written later marks its title again.
        if titles is None:
            marked = await connection.fetch(_MARKED, _MOST_TITLES)
        else:
            marked = await connection.fetch(_MARKED_OF, titles)
        if marked:
            await _regroup(connection, marked)
        return len(marked)

    if titles is None:
        while await in_transaction(pool, work, durable=False) == _MOST_TITLES:
            pass
    elif titles:
        await in_transaction(pool, work, durable=False)


async def _regroup(connection: asyncpg.Connection, marked: Sequence[asyncpg.Record]) -> None:
    titles = await read_claims(connection, [row["title_key"] for row in marked])
    albums = await _albums(connection, titles)
    plan = _Plan()
    for _, claims in sorted(titles.items()):
        _plan(claims, albums, plan)
    if plan.moves:
        ids = [move.track_id for move in plan.moves]
        tracks = {row["id"]: row for row in await connection.fetch(_LOCK_TRACKS, ids)}
        # A track that changed meanwhile has marked its title again.
        plan.moves = [m for m in plan.moves if _is_current(m, tracks.get(m.track_id))]
    await connection.execute(_UNMARK, *zip(*map(tuple, marked), strict=True))
    if plan.moves:
        await _write(connection, plan)


def _is_current(move: _Move, track: Mapping[str, Any] | None) -> bool:
    if track is None:
        return False
    return (track["album_id"], track["album_claim"]) == (move.from_id, move.claim)


async def _albums(
    connection: asyncpg.Connection, titles: Mapping[str, Claims]
) -> dict[UUID, asyncpg.Record]:
    ids = {track.album_id for claims in titles.values() for track in claims.tracks}
    return {row["id"]: row for row in await connection.fetch(_ALBUMS, list(ids))} if ids else {}


def _plan(claims: Claims, albums: Mapping[UUID, Mapping[str, Any]], plan: _Plan) -> None:
    """Add what grouping makes of a title."""
    groups = group(claims.evidence)
    number = {
        (each.claim, each.folder): n for n, album in enumerate(groups) for each in album.claims
    }
    tracks = [
        (number[track.claim, track.folder], track)
        for track in claims.tracks
        if (track.claim, track.folder) in number
    ]
    held: defaultdict[int, Counter[UUID]] = defaultdict(Counter)
    for n, track in tracks:
        held[n][track.album_id] += 1
    targets = _targets(groups, held, albums)
    for n in range(len(groups)):
        if n not in targets:
            targets[n] = uuid4()
            plan.sources[targets[n]] = held[n].most_common(1)[0][0]
    plan.kept.update(targets.values())
    plan.moves += [
        _Move(track.id, track.claim, track.album_id, targets[n])
        for n, track in tracks
        if track.album_id != targets[n]
    ]


def _targets(
    groups: Sequence[Album],
    held: Mapping[int, Counter[UUID]],
    albums: Mapping[UUID, Mapping[str, Any]],
) -> dict[int, UUID]:
    """The stored album that each group keeps: that of most of its tracks; of equal ones the oldest.

    Tracks of a MusicBrainz release are looked for at its place: that album goes first.
    """
    wanted = []
    for n, counts in held.items():
        places = {release_place_key(release) for release in groups[n].releases}
        for id_, tracks in counts.items():
            if id_ in albums:
                album = albums[id_]
                is_elsewhere = album["place_key"] not in places
                wanted.append((is_elsewhere, -tracks, album["created_at"], id_, n))
    targets: dict[int, UUID] = {}
    taken: set[UUID] = set()
    for *_, id_, n in sorted(wanted):
        if n not in targets and id_ not in taken:
            targets[n] = id_
            taken.add(id_)
    return targets


async def _write(connection: asyncpg.Connection, plan: _Plan) -> None:
    """Move locked tracks, with their claims, to the albums that they belong to."""
    moves, sources = plan.moves, plan.sources
    touched = {id_ for move in moves for id_ in (move.from_id, move.to_id)}
    new = sorted((id_, sources[id_]) for id_ in touched if id_ in sources)
    known = touched.difference(sources) | {source for _, source in new}
    if len(await connection.fetch(_LOCK_ALBUMS, list(known))) < len(known):
        raise LostRace
    if new:
        await connection.execute(_CREATE, *zip(*new, strict=True))
    copied: set[tuple[UUID, str | None, UUID]] = {(m.from_id, m.claim, m.to_id) for m in moves}
    copied |= {(m.from_id, None, m.to_id) for m in moves if m.from_id not in plan.kept}
    await connection.execute(_COPY_CLAIMS, *zip(*copied, strict=True))
    rows = [(move.track_id, move.to_id) for move in moves]
    await connection.execute(_MOVE_TRACKS, *zip(*rows, strict=True))
    ids = [move.track_id for move in moves]
    await outdate_text_vectors(connection, ids)
    await refresh_albums(connection, touched, just_written=ids)
