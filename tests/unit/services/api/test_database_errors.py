"""An unavailable database counts as down; an invalid value is an error."""

import asyncpg
import pytest

from services.api.store.database.pool import waiting_for_database
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
def test_an_unavailable_database_counts_as_down(error: Exception) -> None:
    with pytest.raises(DependencyDown), waiting_for_database():
        raise error


@pytest.mark.parametrize(
    "error",
    [asyncpg.exceptions.DataError("invalid input"), asyncpg.UniqueViolationError("twice")],
    ids=lambda error: type(error).__name__,
)
def test_other_errors_are_passed_on(error: Exception) -> None:
    with pytest.raises(type(error)), waiting_for_database():
        raise error
