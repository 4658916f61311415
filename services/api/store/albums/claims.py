"""Claims: what the tags of an album's tracks say of it, each kept once."""

from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Any
from uuid import UUID

import asyncpg

from services.api.store.batch_writes import LostRace

# Claims that no track refers to are deleted once they are old (`prune_claims`). So an equal claim
# is written again too, unless it is this young.
_KNOWN = """
SELECT album_id, claim, facts FROM album_claims
WHERE album_id = ANY($1) AND claimed_at > now() - interval '5 minutes'
"""
_LOCK_ALBUMS = "SELECT id FROM albums WHERE id = ANY($1) ORDER BY id FOR KEY SHARE"
_WRITE = """
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

Claim = tuple[UUID, str, Mapping[str, Any]]
"""Album, name of the claim, facts."""


async def store_claims(connection: asyncpg.Connection, claims: Iterable[Claim]) -> None:
    """Keep what is said of albums.

    Raises:
        LostRace: one of the albums was deleted meanwhile.
    """
    new = {(album_id, name): dict(facts) for album_id, name, facts in claims}
    if not new:
        return
    for row in await connection.fetch(_KNOWN, list({album_id for album_id, _ in new})):
        if new.get((row["album_id"], row["claim"])) == row["facts"]:
            del new[row["album_id"], row["claim"]]
    if not new:
        return
    ids = list({album_id for album_id, _ in new})
    if len(await connection.fetch(_LOCK_ALBUMS, ids)) < len(ids):
        raise LostRace
    rows = [(*key, facts) for key, facts in new.items()]
    await connection.execute(_WRITE, *zip(*rows, strict=True))


async def prune_claims(connection: asyncpg.Connection, *, older_than: timedelta) -> None:
    """Delete the claims that no track refers to and that are older than this."""
    await connection.execute(_PRUNE, older_than)
