"""What a batch write answers for each item."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, TypeVar
from uuid import UUID

import asyncpg

from shared.contracts.upserts import ErrorCode as ProblemCode
from shared.contracts.upserts import UpsertStatus as Status

__all__ = ["Problem", "ProblemCode", "Raced", "Status"]

T = TypeVar("T")
_TRIES = 5


@dataclass(frozen=True, slots=True)
class Problem:
    """What was wrong, in words for people; `field` as the GraphQL input names it."""

    code: ProblemCode
    message: str
    field: str | None = None


@dataclass(frozen=True, slots=True)
class Upserted:
    """The result of one item: an id and a status, or a problem."""

    id: UUID | None = None
    status: Status | None = None
    problem: Problem | None = None


@dataclass(frozen=True, slots=True)
class Candidate:
    """A track that a file may be the file of, and where that track's file was last."""

    track_id: UUID
    library_id: UUID
    path: str
    is_same_content: bool
    """By the content; otherwise by what the tags say."""


@dataclass(slots=True)  # frozen, making one takes three times as long
class TrackUpserted:
    """The result of one item that concerns a track, with the track's numbers afterwards."""

    id: UUID | None = None
    status: Status | None = None
    revision: int | None = None
    content_revision: int | None = None
    problem: Problem | None = None
    candidates: tuple[Candidate, ...] = ()
    """Of an UNDECIDED item: nothing was stored."""


class Raced(Exception):
    """Another transaction made the same row first: run this one again."""


async def in_transaction(
    pool: asyncpg.Pool, work: Callable[[asyncpg.Connection], Awaitable[T]], *, durable: bool = True
) -> T:
    """Run `work` in a transaction; again where it lost against another one.

    One that is not `durable` may be lost if the server dies within a second, but not once a
    durable one that began later has ended: the log is written in order.

    Locks are taken in one order, so a deadlock is not expected; one that comes about all the
    same (with statements of an administrator, say) costs a repetition.
    """
    for left in reversed(range(_TRIES)):
        try:
            async with pool.acquire() as connection, connection.transaction():
                if not durable:
                    await connection.execute("SET LOCAL synchronous_commit TO off")
                return await work(connection)
        except (Raced, asyncpg.DeadlockDetectedError, asyncpg.SerializationError):
            if not left:
                raise
    raise AssertionError("unreachable")


def rows(items: list[dict[str, Any]], *names: str) -> list[list[Any]]:
    """Columns of equal length out of rows, for `unnest`."""
    return [[item[name] for item in items] for name in names]


def plain(value: Any) -> Any:
    """A value as JSON has it, for `jsonb_populate_recordset`."""
    if isinstance(value, bytes):
        return "\\x" + value.hex()
    return str(value) if isinstance(value, UUID) else value
