"""How mutations read what they are told, and who may tell it."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any
from uuid import UUID

import asyncpg
import strawberry
from strawberry import Info
from strawberry.permission import BasePermission

from services.api.graphql.errors import bad_input
from services.api.graphql.payloads import UserError
from services.api.graphql.plain_inputs import each_of, rows
from services.api.guard import FOR_SERVICES
from services.api.store import checks, scans
from services.api.store.batch_writes import in_transaction
from services.api.store.checks import InvalidValue
from shared.contracts.events import ScanMode
from shared.contracts.identity import IdKind

MOST_ITEMS = 2_000
# Names of the schema that would hide Python's own.
INPUT = strawberry.argument(name="input")


def checked_rows(
    items: Sequence[Any], read: Callable[[Sequence[Any]], list[dict[str, Any]]] = rows
) -> list[dict[str, Any]]:
    """Items as the store takes them, where they are not too many."""
    items = each_of(items)
    if len(items) > MOST_ITEMS:
        raise bad_input(f"{len(items):,} items are too many: send at most {MOST_ITEMS:,} a call")
    return read(items)


def required_uuid(name: str, value: str, kind: IdKind) -> UUID:
    """The argument `name` as the id of a thing of that kind."""
    try:
        return checks.identifier({name: value}, name, kind)
    except InvalidValue as invalid:
        raise bad_input(str(invalid)) from None


async def scan_or_error(
    pool: asyncpg.Pool, work: Callable[[asyncpg.Connection], Awaitable[UUID]]
) -> tuple[scans.Scan | None, UserError | None]:
    """Run `work` in a transaction; the scan whose id it returns, or what was wrong."""
    try:
        scan = await in_transaction(pool, work)
    except InvalidValue as invalid:
        return None, UserError.of(invalid.problem)
    return (await scans.read(pool, [scan]))[scan], None


async def find_scan(connection: asyncpg.Connection, told: dict[str, Any]) -> tuple[UUID, bool]:
    """The scan that is told, and whether it is new."""
    return await scans.request(
        connection,
        library=checks.optional_text(told, "library", 200),
        root=checks.optional_text(told, "root", 8_192),
        folder=checks.optional_text(told, "folder", 8_192) or "",
        mode=told["mode"] or ScanMode.INCREMENTAL,
        accept_missing=bool(told["accept_missing"]),
    )


class _ForServices(BasePermission):
    """What stores: for the services, where they have a token of their own."""

    message = f"This is for {FOR_SERVICES}"
    error_extensions = {"code": "FORBIDDEN"}  # noqa: RUF012 - strawberry declares it so

    def has_permission(self, source: Any, info: Info, **kwargs: Any) -> bool:
        """As the guard found."""
        may: bool = info.context.may_store
        return may


ONLY_SERVICES: list[type[BasePermission]] = [_ForServices]
