"""The alias that is searched and written, and the indexes behind it: one a generation.

`<alias>-<schema version>-<id>` are the indexes; the alias stands for exactly one of them, and
moves to another one in a single step.
"""

import time
import uuid
from collections.abc import Awaitable, Callable
from typing import Any

import structlog

from shared.contracts.errors import PipelineError, TransientError
from shared.search.fields import SCHEMA_VERSION
from shared.search.opensearch_mapping import body
from shared.search.opensearch_server import NotThere, OpenSearchServer

_REBUILD_TIMEOUT_S = 3_600
_LEFT_BEHIND_AFTER_S = 24 * 3_600
_ATTEMPTS = 5

_log = structlog.get_logger(__name__)


class IndexAlias:
    """The alias, for those who write. Several processes may use it at the same time."""

    def __init__(self, server: OpenSearchServer, name: str) -> None:
        self._server = server
        self.name = name

    async def current(self) -> str:
        """The index that the alias stands for; empty where there is none."""
        try:
            found = await self._server.ask("GET", f"/_alias/{self.name}")
        except NotThere:
            return ""
        return str(next(iter(found), ""))

    async def ready(self) -> tuple[str, str]:
        """An index of the present schema behind the alias, made where there is none.

        Where there is one of another schema, its content is taken over, and is found all the
        while; its writers wait until that is done.

        Returns:
            The index, and the one whose content it took over by this call, if any.
        """
        made = f"{self.name}-{SCHEMA_VERSION}-"

        async def ready() -> tuple[str, str]:
            there = await self.current()
            if there.startswith(made):
                await self._remove_left_behind(there)
                return there, ""
            return await self._replaced(there, copies=bool(there))

        return await self._tried(ready)

    async def anew(self) -> str:
        """An empty index behind the alias; the one before is removed."""

        async def anew() -> tuple[str, str]:
            return await self._replaced(await self.current(), copies=False)

        return (await self._tried(anew))[0]

    async def _tried(self, work: Callable[[], Awaitable[tuple[str, str]]]) -> tuple[str, str]:
        """Look again, and do it then, where another process was quicker."""
        for _ in range(_ATTEMPTS - 1):
            try:
                return await work()
            except (NotThere, TransientError) as error:
                _log.info("the search index was looked at in vain", reason=str(error))
        try:
            return await work()
        except NotThere as error:
            raise TransientError(f"the search index vanished again and again: {error}") from error

    async def _replaced(self, old: str, *, copies: bool) -> tuple[str, str]:
        """A new index in place of the old one; whether it was copied is told by the second name."""
        new = f"{self.name}-{SCHEMA_VERSION}-{uuid.uuid4().hex}"
        await self._server.ask("PUT", f"/{new}", body())
        try:
            if old:
                # Waits for the writes in flight; later ones are refused until the alias has moved.
                await self._server.ask("PUT", f"/{old}/_block/write")
            copied = copies and await self._copied(old, new)
            # An alias has one index to write to at most: of two that add one, one is refused.
            added = {"index": new, "alias": self.name, "is_write_index": True}
            actions: list[dict[str, Any]] = [{"add": added}]
            if old:
                actions.insert(0, {"remove": {"index": old, "alias": self.name}})
            await self._server.ask("POST", "/_aliases", {"actions": actions})
        except (NotThere, PipelineError):
            await self._removed(new)
            raise
        if old:
            await self._removed(old)
        return new, old if copied else ""

    async def _copied(self, old: str, new: str) -> bool:
        """Copy what the old index has, with its versions; whether that went well."""
        request = {
            "source": {"index": old},
            "dest": {"index": new, "version_type": "external"},
        }
        _log.info("the search index is taken over into one of the present schema", index=old)
        try:
            told = await self._server.ask(
                "POST", "/_reindex", request, timeout_s=_REBUILD_TIMEOUT_S, refresh="true"
            )
        except TransientError as error:
            _log.warning("the search index cannot be taken over", reason=str(error))
            return False
        if told["failures"]:
            _log.warning("the search index cannot be taken over", reason=str(told["failures"][0]))
        return not told["failures"]

    async def _removed(self, index: str) -> None:
        try:
            await self._server.ask("DELETE", f"/{index}")
        except (NotThere, PipelineError) as error:
            _log.info("an index is left behind, and removed later", index=index, reason=str(error))

    async def _remove_left_behind(self, current: str) -> None:
        """Remove the indexes of processes that were killed while they made them."""
        pattern = f"/{self.name}-v*/_settings/index.creation_date"
        told = await self._server.ask("GET", pattern, flat_settings="true")
        oldest_s = time.time() - _LEFT_BEHIND_AFTER_S
        for index, each in told.items():
            made_s = int(each["settings"]["index.creation_date"]) / 1_000
            if index != current and made_s < oldest_s:
                await self._removed(index)
