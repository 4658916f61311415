"""The gateway and the extractor, running in this process."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

import asyncpg
import httpx

from services.api import handlers as api_handlers
from services.api.graphql.context import Context
from services.api.reconciler import Reconciler
from services.api.server import build_app
from services.extractor import service as extractor
from shared.bus.in_process import InProcessBus
from shared.contracts.topics import Stage
from shared.embedding.wordllama_embedder import WordLlamaEmbedder
from shared.gateway.client import Gateway
from shared.gateway.http_transport import HttpTransport
from shared.runtime.settings import Settings
from shared.search.tantivy_index import TantivyIndex

_SCAN = (
    "{ id state message filesSeen filesToRead filesRead filesFailed filesUnchanged filesMissing"
    " filesHeld }"
)
_REQUEST = f"""
mutation ($root: String!, $folder: String, $mode: ScanMode, $accept: Boolean) {{
  requestScan(input: {{root: $root, folder: $folder, mode: $mode, acceptMissing: $accept}}) {{
    scan {_SCAN} error {{ message }}
  }}
}}
"""
_FOLLOW = f"query ($id: ID!) {{ scan(id: $id) {_SCAN} }}"
_FAILURES = "{ failures { edges { node { stage kind message displayPath } } } }"
_TRACKS = """
query ($missing: Boolean) {
  tracks(first: 100, filter: {isMissing: $missing}) {
    edges { node {
      id path title artistCredit artists revision contentRevision sizeBytes trackNumber
      genres { name } cover { sha256 }
      album { title artistCredit discTotal cover { sha256 } artists { artist { name } } }
    } }
  }
}
"""


_UNRESOLVED = "{ status { unresolvedScans { state } } }"


class LibraryClient:
    """Scans the library below a root, and reads its tracks and failures."""

    def __init__(self, gateway: Gateway, root: Path) -> None:
        self.gateway = gateway
        self.root = root

    async def scan(
        self, folder: str = "", mode: str = "INCREMENTAL", root: str = "", *, accept: bool = False
    ) -> Any:
        """Request a scan and wait for its end."""
        variables = {
            "root": root or str(self.root),
            "folder": folder,
            "mode": mode,
            "accept": accept,
        }
        payload = (await self.gateway.execute_document(_REQUEST, variables))["requestScan"]
        assert payload["error"] is None, payload
        scan = payload["scan"]
        while scan["state"] not in {"FINISHED", "HELD", "REFUSED"}:
            await asyncio.sleep(0.05)
            scan = (await self.gateway.execute_document(_FOLLOW, {"id": scan["id"]}))["scan"]
        return scan

    async def unresolved(self) -> list[str]:
        """The states of the scans that a person has to look at."""
        found = await self.gateway.execute_document(_UNRESOLVED, {})
        return [scan["state"] for scan in found["status"]["unresolvedScans"]]

    async def tracks(self, *, missing: bool = False) -> dict[str, Any]:
        """The tracks, by path."""
        found = await self.gateway.execute_document(_TRACKS, {"missing": missing})
        nodes = [edge["node"] for edge in found["tracks"]["edges"]]
        return {node["path"]: node for node in nodes}

    async def until_missing(self, path: str) -> None:
        """Wait until a track is missing: `file.missing` events are handled after a scan's end."""
        async with asyncio.timeout(20):
            while path not in await self.tracks(missing=True):  # noqa: ASYNC110 - it is polled
                await asyncio.sleep(0.05)

    async def failures(self) -> dict[str, tuple[str, str]]:
        """The kind and message of each failure, by path."""
        found = await self.gateway.execute_document(_FAILURES, {})
        nodes = [edge["node"] for edge in found["failures"]["edges"]]
        return {node["displayPath"]: (node["kind"], node["message"]) for node in nodes}


@asynccontextmanager
async def running_extractor(
    pool: asyncpg.Pool, settings: Settings, bus: InProcessBus | None = None
) -> AsyncIterator[Gateway]:
    """Run gateway, extractor and reconciler on one bus; yields a client of the gateway."""
    bus = bus or InProcessBus()
    search, embedder = TantivyIndex(settings.search_dir), WordLlamaEmbedder()
    app = build_app(lambda: Context(pool, bus, settings, search, embedder))
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app), base_url="http://gateway", timeout=60
    ) as client:
        gateway = Gateway(HttpTransport(client))
        service = extractor.build(settings, gateway=gateway, publish=bus.publish)
        async with service.lifespan():
            service.subscribe(bus)
            bus.subscribe_dead_letters(Stage.FAILURES, partial(api_handlers.keep_failures, pool))
            await bus.start()
            reconciler = asyncio.create_task(Reconciler(pool, bus, interval_s=0.2).run())
            yield gateway
            reconciler.cancel()
            await bus.drain(10)
