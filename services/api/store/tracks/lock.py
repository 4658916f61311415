"""Who may make files, and beside whom.

Locks are taken in the order of the paths, but a file that another transaction just made can't be
locked yet: two that make each other's files would wait for each other. So those who make files take
turns. Those that lock no file, since all of theirs are new, share one.
"""

from collections.abc import Sequence
from enum import Enum
from uuid import UUID

import asyncpg

_LOCK_NAME = "hashtext('soniquebay.files')"
_TAKE = f"SELECT pg_advisory_xact_lock({_LOCK_NAME})"
_TAKE_IF_NEW = f"""
SELECT is_shared, CASE
    WHEN is_shared THEN pg_advisory_xact_lock_shared({_LOCK_NAME})::text
    ELSE pg_advisory_xact_lock({_LOCK_NAME})::text
END
FROM (
    SELECT count(*) AS known, count(*) = 0 AND NOT $3 AS is_shared FROM files
    WHERE library_id = $1 AND path = ANY($2)
) seen
WHERE known < cardinality($2)
"""  # noqa: S608 - the lock's name


class Turn(Enum):
    """How a transaction may make files."""

    NONE = "not at all"
    SHARED = "new ones only, beside others who do so"
    ALONE = "any"


async def take_turn_alone(connection: asyncpg.Connection) -> None:
    """Be the only one who makes files until this transaction ends.

    Turns are to be taken before any lock, by all who may make files.
    """
    await connection.execute(_TAKE)


async def take_turn(
    connection: asyncpg.Connection, library_id: UUID, paths: Sequence[str], *, may_move: bool
) -> Turn:
    """The turn that these paths need, each given once: none where all are known.

    `may_move`: known files may come to be at these paths. What is known may be more once the turn
    has come.
    """
    row = await connection.fetchrow(_TAKE_IF_NEW, library_id, paths, may_move)
    if row is None:
        return Turn.NONE
    return Turn.SHARED if row["is_shared"] else Turn.ALONE
