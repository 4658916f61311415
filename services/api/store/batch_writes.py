"""What all batch writes share: the result of an item, the transaction, values for `jsonb`."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, TypeVar
from uuid import UUID

import asyncpg

from shared.contracts.upserts import ErrorCode, UpsertStatus

T = TypeVar("T")
_ATTEMPTS = 5


@dataclass(frozen=True, slots=True)
class Problem:
    """Why an item was refused, in words for people; `field` as the GraphQL input names it."""

    code: ErrorCode
    message: str
    field: str | None = None


@dataclass(frozen=True, slots=True)
class Upserted:
    """The result of one item: an id and a status, or a problem."""

    id: UUID | None = None
    status: UpsertStatus | None = None
    problem: Problem | None = None


@dataclass(frozen=True, slots=True)
class Candidate:
    """A track that a file may belong to, and the last known path of that track's file."""

    track_id: UUID
    library_id: UUID
    path: str
    is_same_content: bool
    """Whether the content matched; otherwise the tags did."""


@dataclass(slots=True)  # frozen, making one takes three times as long
class TrackUpserted:
    """The result of one item that concerns a track, with the track's revisions afterwards."""

    id: UUID | None = None
    status: UpsertStatus | None = None
    revision: int | None = None
    content_revision: int | None = None
    problem: Problem | None = None
    candidates: tuple[Candidate, ...] = ()
    """Of an UNDECIDED item: nothing was stored."""


class LostRace(Exception):
    """Another transaction made the same row first: run this one again."""


async def in_transaction(
    pool: asyncpg.Pool, work: Callable[[asyncpg.Connection], Awaitable[T]], *, durable: bool = True
) -> T:
    """Run `work` in a transaction, and run it again where it lost a race with another one.

    A transaction that is not `durable` may be lost if the server dies within a second, but not
    once a durable one that began later has ended: the log is written in order.
    """
    for attempts_left in reversed(range(_ATTEMPTS)):
        try:
            async with pool.acquire() as connection, connection.transaction():
                if not durable:
                    await connection.execute("SET LOCAL synchronous_commit TO off")
                return await work(connection)
        # All writes lock in one order, so they do not deadlock with each other. A statement of an
        # administrator may still cause a deadlock, which then costs one repetition.
        except (LostRace, asyncpg.DeadlockDetectedError, asyncpg.SerializationError):
            if not attempts_left:
                raise
    raise AssertionError("unreachable")


def json_value(value: Any) -> Any:
    """A value as JSON has it, for `jsonb_populate_recordset`."""
    if isinstance(value, bytes):
        return "\\x" + value.hex()
    return str(value) if isinstance(value, UUID) else value
