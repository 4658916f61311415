"""Which analyses were stored, and which of them again: looked up in the database itself."""

import asyncio
from collections.abc import Mapping
from datetime import datetime

import asyncpg


class StoredAnalyses:
    """Remembers when each track's analysis was stored. `dsn`: a URL, or asyncpg's arguments."""

    def __init__(self, dsn: Mapping[str, str] | str) -> None:
        self._dsn = {"dsn": dsn} if isinstance(dsn, str) else dict(dsn)
        self._known: dict[str, datetime] = {}
        self.again = 0
        """How many were seen to be stored another time."""

    def look(self) -> None:
        """Compare with the last look; a database that is away is looked at the next time."""
        try:
            found = asyncio.run(self._read())
        except (OSError, TimeoutError, asyncpg.PostgresError):
            return
        self.again += sum(1 for track, at in found.items() if self._known.get(track, at) != at)
        self._known |= found

    async def _read(self) -> dict[str, datetime]:
        connection = await asyncpg.connect(**self._dsn, timeout=10, command_timeout=10)
        try:
            rows = await connection.fetch("SELECT track_id::text, analyzed_at FROM analyses")
        finally:
            await connection.close()
        return dict(rows)
