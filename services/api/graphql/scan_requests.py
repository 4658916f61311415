"""How mutations find or create the scan that a request names."""

from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID

import asyncpg

from services.api.graphql.types.payloads import UserError
from services.api.store import checks, scans
from services.api.store.checks import InvalidValue
from services.api.store.database.pool import in_transaction
from services.api.store.libraries.find import AllowedRoots
from services.api.store.reading.scans import Scan
from services.api.store.reading.scans import read as read_scans
from shared.contracts.events import ScanMode


async def scan_or_error(
    pool: asyncpg.Pool, work: Callable[[asyncpg.Connection], Awaitable[UUID]]
) -> tuple[Scan | None, UserError | None]:
    """Run `work` in a transaction; the scan whose id it returns, or the user's error."""
    try:
        scan = await in_transaction(pool, work)
    except InvalidValue as invalid:
        return None, UserError.of(invalid.problem)
    return (await read_scans(pool, [scan]))[scan], None


async def find_scan(
    connection: asyncpg.Connection, request: dict[str, Any], allowed_roots: AllowedRoots
) -> tuple[UUID, bool]:
    """The scan that a request names, and whether it is new."""
    return await scans.request(
        connection,
        library=checks.optional_text(request, "library", 200),
        root=checks.optional_text(request, "root", 8_192),
        folder=checks.optional_text(request, "folder", 8_192) or "",
        mode=request["mode"] or ScanMode.INCREMENTAL,
        accept_missing=bool(request["accept_missing"]),
        allowed_roots=allowed_roots,
        is_separate=bool(request.get("is_separate_library")),
    )
