"""Which errors mean that the database is unavailable, and which that a value is invalid."""

from collections.abc import Iterator
from contextlib import contextmanager

import asyncpg

from shared.contracts.errors import DependencyDown


class DatabaseNotOpen(DependencyDown):
    """The service is starting or stopping: try again a moment later."""


DATABASE_DOWN = (
    OSError,
    asyncpg.InterfaceError,
    asyncpg.PostgresConnectionError,
    asyncpg.InsufficientResourcesError,  # disk full, out of memory, too many connections
    asyncpg.OperatorInterventionError,  # starting, stopping, crashed
    asyncpg.InternalClientError,  # the server ended a connection while it was being opened
)
"""Errors of a database that is out of reach or out of resources, except `INVALID_VALUES`."""

INVALID_VALUES = (
    asyncpg.exceptions.DataError,  # a value that its column cannot hold; an InterfaceError too
    asyncpg.CharacterNotInRepertoireError,  # NUL
    asyncpg.UntranslatableCharacterError,
    asyncpg.NumericValueOutOfRangeError,
    UnicodeEncodeError,  # half a surrogate pair
)
"""Errors of values that the database cannot hold: the request is at fault."""


@contextmanager
def waiting_for_database() -> Iterator[None]:
    """For event handlers: turn errors of an unavailable database into one that the bus waits for.

    Raises:
        DependencyDown: the database is unavailable.
    """
    try:
        yield
    except INVALID_VALUES:
        raise
    except DATABASE_DOWN as error:
        reason = str(error) or type(error).__name__
        raise DependencyDown(f"the database does not answer: {reason}") from error
