"""Claims: what the tags of an album's tracks say of it, each kept once.

`decide` makes the album's fields of all its claims: of each the value that most tracks have.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

import asyncpg

from services.api.identity import fold, year_of
from services.api.store.database.pool import LostRace
from shared.contracts.credits import VARIOUS_ARTISTS

FIELDS = (
    "title", "sort_key", "release_date", "original_date", "release_type", "label",
    "catalogue_number", "barcode", "country", "media", "musicbrainz_release_group_id",
)  # fmt: skip
"""Columns of albums that are decided one by one."""

# Claims that no track refers to are deleted once they are old (`prune_claims`). So an equal claim
# is written again too, unless it is this young.
_KNOWN = """
SELECT album_id, claim, title_key, facts FROM album_claims
WHERE album_id = ANY($1) AND claimed_at > now() - interval '5 minutes'
"""
_LOCK_ALBUMS = "SELECT id FROM albums WHERE id = ANY($1) ORDER BY id FOR KEY SHARE"
_WRITE = """
INSERT INTO album_claims (album_id, claim, title_key, facts, artist_ids)
SELECT album_id, claim, title_key, facts, ARRAY(
    SELECT (credit ->> 0)::uuid FROM jsonb_array_elements(facts -> 'credits') AS credit
)
FROM unnest($1::uuid[], $2::text[], $3::text[], $4::jsonb[])
    AS new(album_id, claim, title_key, facts)
ORDER BY album_id, claim
ON CONFLICT (album_id, claim) DO UPDATE SET
    title_key = EXCLUDED.title_key, facts = EXCLUDED.facts, artist_ids = EXCLUDED.artist_ids,
    claimed_at = now()
"""
# Of a claim that was moved to another album the newest row counts; the older one is pruned.
_ALBUMS_OF_CLAIMS = """
SELECT DISTINCT ON (claim, facts ->> 'folder') claim, facts ->> 'folder' AS folder, album_id
FROM album_claims WHERE claim = ANY($1) AND title_key = ANY($2)
ORDER BY claim, facts ->> 'folder', claimed_at DESC, album_id
"""
_PRUNE = """
DELETE FROM album_claims c WHERE claimed_at < now() - $1::interval AND NOT EXISTS (
    SELECT FROM tracks t WHERE t.album_id = c.album_id AND t.album_claim = c.claim
)
"""

Claim = tuple[UUID, str, str, Mapping[str, Any]]
"""Album, name of the claim, key of the title, facts."""


async def albums_of_claims(
    connection: asyncpg.Connection, claims: Iterable[tuple[str, str]]
) -> dict[tuple[str, str], UUID]:
    """The albums that hold claims (name, key of the title), by name and folder."""
    wanted = list(claims)
    if not wanted:
        return {}
    names, titles = zip(*wanted, strict=True)
    found = await connection.fetch(_ALBUMS_OF_CLAIMS, list(names), list(set(titles)))
    return {(row["claim"], row["folder"]): row["album_id"] for row in found}


async def store_claims(connection: asyncpg.Connection, claims: Iterable[Claim]) -> None:
    """Keep what is said of albums.

    Raises:
        LostRace: one of the albums was deleted meanwhile.
    """
    new = {(album_id, name): (title, dict(facts)) for album_id, name, title, facts in claims}
    if not new:
        return
    for row in await connection.fetch(_KNOWN, list({album_id for album_id, _ in new})):
        if new.get((row["album_id"], row["claim"])) == (row["title_key"], row["facts"]):
            del new[row["album_id"], row["claim"]]
    if not new:
        return
    ids = list({album_id for album_id, _ in new})
    if len(await connection.fetch(_LOCK_ALBUMS, ids)) < len(ids):
        raise LostRace
    rows = [(*key, title, facts) for key, (title, facts) in new.items()]
    await connection.execute(_WRITE, *zip(*rows, strict=True))


async def prune_claims(connection: asyncpg.Connection, *, older_than: timedelta) -> None:
    """Delete the claims that no track refers to and that are older than this."""
    await connection.execute(_PRUNE, older_than)


@dataclass(frozen=True, slots=True)
class CountedClaim:
    """What some tracks of an album say of it.

    Attributes:
        facts: columns of `albums`, `credits` (artist's id, as credited, join phrase) and
            `is_artist_told`: whether the album artist is tagged, or guessed from the track.
        tracks: how many say it.
    """

    facts: Mapping[str, Any]
    tracks: int


@dataclass(frozen=True, slots=True)
class Decision:
    """The album's fields. `credits` is None for Various Artists, which the caller looks up."""

    columns: dict[str, Any]
    credits: list[list[str]] | None


def decide(claims: Sequence[CountedClaim]) -> Decision:
    """The album's fields; the same whatever the order of `claims`, which are not empty.

    Of values that equally many tracks have the smallest counts. Where no album artist is tagged, it
    is the artist of more than half of the tracks that have one, else Various Artists; so it is if a
    track is flagged as of a compilation.
    """
    columns = {name: _most_frequent(claims, name) for name in FIELDS}
    columns["year"] = year_of(columns["release_date"])
    columns["is_compilation"] = any(claim.facts["is_compilation"] for claim in claims)
    tagged = [claim for claim in claims if claim.facts["is_artist_told"]]
    counted = tagged or claims
    columns["owner_key"] = _most_frequent(counted, "owner_key") or ""
    key = _most_frequent(counted, "artist_key") or ""
    agreeing = [claim for claim in counted if claim.facts["artist_key"] == key]
    named = [claim for claim in counted if claim.facts["artist_key"]]
    is_mixed = named and 2 * _tracks(agreeing) <= _tracks(named)
    if not tagged and (is_mixed or columns["is_compilation"]):
        columns |= {
            "artist_credit": VARIOUS_ARTISTS,
            "artist_key": fold(VARIOUS_ARTISTS),
            "is_compilation": True,
        }
        return Decision(columns, None)
    # One artist may be credited in several ways: the credit's text and its parts are taken from the
    # same claim, so that they agree.
    credit = _most_frequent(agreeing, "artist_credit") or ""
    equal = [claim for claim in agreeing if claim.facts["artist_credit"] == credit]
    chosen = max(equal, key=lambda claim: (claim.tracks, repr(claim.facts["credits"])))
    columns |= {"artist_credit": credit, "artist_key": key}
    return Decision(columns, [list(row) for row in chosen.facts["credits"]])


def _tracks(claims: Iterable[CountedClaim]) -> int:
    return sum(claim.tracks for claim in claims)


def _most_frequent(claims: Sequence[CountedClaim], name: str) -> Any:
    """The value that most tracks have, of those that have one."""
    if len(claims) == 1:  # as of most albums
        return claims[0].facts.get(name) or None
    counts: Counter[Any] = Counter()
    for claim in claims:
        if claim.facts.get(name) not in {None, ""}:
            counts[claim.facts[name]] += claim.tracks
    if not counts:
        return None
    most = max(counts.values())
    return min(value for value, count in counts.items() if count == most)
