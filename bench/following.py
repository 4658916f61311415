"""Hears from the gateway when a scan is over, as a client with an open websocket does."""

import json
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.typing import Subprotocol

_PROTOCOL = Subprotocol("graphql-transport-ws")
_ENDED = "subscription Ended($id: ID!) { scanEnded(scanId: $id) { id state message } }"


class Follower:
    """Subscriptions over one websocket."""

    def __init__(self, opened: ClientConnection) -> None:
        self._opened = opened

    async def ended(self, scans: Iterable[str]) -> list[dict[str, Any]]:
        """Wait until all of these scans are over; how each of them ended.

        Raises:
            RuntimeError: the gateway told an error.
        """
        waiting = set(scans)
        for id_ in waiting:
            await self._say(id=id_, type="subscribe", payload=_asked(id_))
        ends = []
        while waiting:
            heard = json.loads(await self._opened.recv())
            if heard["type"] == "complete":
                waiting.discard(heard["id"])
            elif heard["type"] == "next" and heard["payload"].get("data"):
                ends.append(heard["payload"]["data"]["scanEnded"])
            elif heard["type"] in {"next", "error"}:
                raise RuntimeError(str(heard["payload"]))
        return ends

    async def _say(self, **message: object) -> None:
        await self._opened.send(json.dumps(message))


def _asked(id_: str) -> dict[str, object]:
    return {"query": _ENDED, "variables": {"id": id_}}


@asynccontextmanager
async def follower(url: str) -> AsyncIterator[Follower]:
    """One of the gateway at `url`; nothing is subscribed yet."""
    address = f"{url.replace('http', 'ws', 1)}/graphql"
    async with connect(
        address, subprotocols=[_PROTOCOL], proxy=None, compression=None, ping_interval=None
    ) as opened:
        await opened.send(json.dumps({"type": "connection_init"}))
        await opened.recv()  # connection_ack
        yield Follower(opened)
