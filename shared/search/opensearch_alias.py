"""The alias that is searched and written, and the indexes behind it, one a generation.

The indexes are named `<alias>-<schema version>-<id>`. The alias points to exactly one of them, and
is moved to another one in a single step.
"""

import time
import uuid
from collections.abc import Awaitable, Callable
from typing import Any

import structlog

from shared.contracts.errors import PipelineError, TransientError
from shared.search.fields import SCHEMA_VERSION
from shared.search.opensearch_mapping import body
from shared.search.opensearch_server import IndexMissing, OpenSearchServer

_REBUILD_TIMEOUT_S = 3_600
_ABANDONED_AFTER_S = 24 * 3_600
_ATTEMPTS = 5

_log = structlog.get_logger(__name__)


class IndexAlias:
    """The alias, for writers. Several processes may use it at the same time."""

    def __init__(self, server: OpenSearchServer, name: str) -> None:
        self._server = server
        self.name = name

    async def current(self) -> str:
        """Return the index that the alias points to; empty if there is none."""
        try:
            found = await self._server.request("GET", f"/_alias/{self.name}")
        except IndexMissing:
            return ""
        return str(next(iter(found), ""))

    async def ready(self) -> tuple[str, str]:
        """Make sure that the alias points to an index of the present schema.

        The content of an index of another schema is copied into a new one. It can be searched all
        the while; its writers wait until the copy is done.

        Returns:
            The index, and the one whose content this call copied, if any.
        """
        prefix = f"{self.name}-{SCHEMA_VERSION}-"

        async def ready() -> tuple[str, str]:
            there = await self.current()
            if there.startswith(prefix):
                await self._remove_abandoned(there)
                return there, ""
            return await self._replaced(there, copies=bool(there))

        return await self._retried(ready)

    async def replace(self) -> str:
        """Point the alias to a new, empty index, and remove the present one."""

        async def replace() -> tuple[str, str]:
            return await self._replaced(await self.current(), copies=False)

        return (await self._retried(replace))[0]

    async def _retried(self, work: Callable[[], Awaitable[tuple[str, str]]]) -> tuple[str, str]:
        """Do the work; do it again if another process was faster."""
        for _ in range(_ATTEMPTS - 1):
            try:
                return await work()
            except (IndexMissing, TransientError) as error:
                _log.info("search_index_changed_meanwhile", reason=str(error))
        try:
            return await work()
        except IndexMissing as error:
            raise TransientError(
                f"the search index was removed again and again: {error}"
            ) from error

    async def _replaced(self, old: str, *, copies: bool) -> tuple[str, str]:
        """Replace the old index by a new one. Returns the new one, and the old one if copied."""
        new = f"{self.name}-{SCHEMA_VERSION}-{uuid.uuid4().hex}"
        await self._server.request("PUT", f"/{new}", body())
        try:
            if old:
                # Waits for the writes in flight. Later ones are refused until the alias has moved.
                await self._server.request("PUT", f"/{old}/_block/write")
            copied = copies and await self._copied(old, new)
            # An alias has at most one write index: of two processes that add one, one is refused.
            added = {"index": new, "alias": self.name, "is_write_index": True}
            actions: list[dict[str, Any]] = [{"add": added}]
            if old:
                actions.insert(0, {"remove": {"index": old, "alias": self.name}})
            await self._server.request("POST", "/_aliases", {"actions": actions})
        except (IndexMissing, PipelineError):
            await self._removed(new)
            raise
        if old:
            await self._removed(old)
        return new, old if copied else ""

    async def _copied(self, old: str, new: str) -> bool:
        """Copy the documents of the old index with their versions; whether that succeeded."""
        request = {
            "source": {"index": old},
            "dest": {"index": new, "version_type": "external"},
        }
        _log.info("search_index_copied_to_new_schema", index=old)
        try:
            response = await self._server.request(
                "POST", "/_reindex", request, timeout_s=_REBUILD_TIMEOUT_S, refresh="true"
            )
        except TransientError as error:
            _log.warning("search_index_not_copied", reason=str(error))
            return False
        failures = response["failures"]
        if failures:
            _log.warning("search_index_not_copied", reason=str(failures[0]))
        return not failures

    async def _removed(self, index: str) -> None:
        try:
            await self._server.request("DELETE", f"/{index}")
        except (IndexMissing, PipelineError) as error:
            _log.info("search_index_removed_later", index=index, reason=str(error))

    async def _remove_abandoned(self, current: str) -> None:
        """Remove indexes of processes that were killed while they made them."""
        pattern = f"/{self.name}-v*/_settings/index.creation_date"
        indexes = await self._server.request("GET", pattern, flat_settings="true")
        oldest_s = time.time() - _ABANDONED_AFTER_S
        for index, each in indexes.items():
            created_s = int(each["settings"]["index.creation_date"]) / 1_000
            if index != current and created_s < oldest_s:
                await self._removed(index)
