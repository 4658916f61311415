"""Counts the analyses that were stored more than once, by polling the database."""

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
        """The number of analyses that were stored again."""

    def look(self) -> None:
        """Compare with the last call. While the database is down, nothing happens."""
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
