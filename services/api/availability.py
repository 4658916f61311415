"""When the database does not answer, and what of its errors says so."""

from collections.abc import Iterator
from contextlib import contextmanager

import asyncpg

from shared.contracts.errors import DependencyDown


class DatabaseNotOpen(DependencyDown):
    """The service is starting or stopping: ask again a moment later."""


DATABASE_DOWN = (
    OSError,
    asyncpg.InterfaceError,
    asyncpg.PostgresConnectionError,
    asyncpg.InsufficientResourcesError,  # disk full, out of memory, too many connections
    asyncpg.OperatorInterventionError,  # starting, stopping, crashed
    asyncpg.InternalClientError,  # a connection that was ended from there while it was taken up
)
"""Errors of a database that is out of reach or out of means; less `INVALID_VALUES`."""

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
    """For what the bus calls: a database that is away is waited for.

    Raises:
        DependencyDown: it is away.
    """
    try:
        yield
    except INVALID_VALUES:
        raise
    except DATABASE_DOWN as error:
        told = str(error) or type(error).__name__
        raise DependencyDown(f"the database does not answer: {told}") from error
