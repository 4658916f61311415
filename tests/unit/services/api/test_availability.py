"""A database that is away is waited for; a value that it cannot hold is not."""

import asyncpg
import pytest

from services.api.availability import waiting_for_database
from shared.contracts.errors import DependencyDown


@pytest.mark.parametrize(
    "error",
    [
        ConnectionRefusedError("refused"),
        TimeoutError(),
        asyncpg.CannotConnectNowError("the database system is shutting down"),
        asyncpg.AdminShutdownError("terminating connection"),
        asyncpg.ConnectionDoesNotExistError("closed in the middle of operation"),
        asyncpg.InterfaceError("pool is closed"),
        asyncpg.InternalClientError("cannot switch to state 15"),
        asyncpg.DiskFullError("no space left"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_it_is_waited_for(error: Exception) -> None:
    with pytest.raises(DependencyDown), waiting_for_database():
        raise error


@pytest.mark.parametrize(
    "error",
    [asyncpg.exceptions.DataError("invalid input"), asyncpg.UniqueViolationError("twice")],
    ids=lambda error: type(error).__name__,
)
def test_anything_else_is_what_it_is(error: Exception) -> None:
    with pytest.raises(type(error)), waiting_for_database():
        raise error
