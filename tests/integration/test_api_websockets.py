"""Websockets: progress, who gets in, the end of scans and of the gateway."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

import asyncpg
import httpx
import pytest
from pydantic import SecretStr
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.typing import Subprotocol

from services.api.change_notifier import CHANNEL
from shared.contracts.identity import IdKind, format_id
from shared.runtime.settings import Settings
from tests.integration.api_write_ground import begin_scan
from tests.integration.conftest import StoreTracks
from tests.integration.gateways import STORE, running


@asynccontextmanager
async def websocket(client: httpx.AsyncClient, **options: Any) -> AsyncIterator[ClientConnection]:
    address = str(client.base_url).replace("http", "ws") + "/graphql"
    subprotocols = [Subprotocol("graphql-transport-ws")]
    async with connect(address, subprotocols=subprotocols, proxy=None, **options) as opened:
        yield opened


async def say(opened: ClientConnection, **message: Any) -> None:
    await opened.send(json.dumps(message))


async def hear(opened: ClientConnection) -> dict[str, Any]:
    async with asyncio.timeout(10):
        heard: dict[str, Any] = json.loads(await opened.recv())
        return heard


async def begin(opened: ClientConnection, query: str, **variables: Any) -> None:
    await say(opened, type="connection_init")
    assert (await hear(opened))["type"] == "connection_ack"
    await say(opened, id="1", type="subscribe", payload={"query": query, "variables": variables})


async def store_elsewhere(pool: asyncpg.Pool, storing: Awaitable[object]) -> None:
    """Store something, and report it as another gateway process does."""
    await storing
    await pool.execute("SELECT pg_notify($1, 'another process')", CHANNEL)


PROGRESS = """subscription($id: ID) { scanProgress(scanId: $id) {
  isIdle scan { state filesRead library { name } } status { tracks pending }
  stages { stage done total ratePerS etaS }
} }"""


async def test_progress_is_told_at_once_and_with_each_change(
    client: httpx.AsyncClient, pool: asyncpg.Pool, library_id: UUID, store_tracks: StoreTracks
) -> None:
    scan = await begin_scan(pool, 2)
    async with websocket(client) as opened:
        await begin(opened, PROGRESS, id=format_id(IdKind.SCAN, scan))
        first = (await hear(opened))["payload"]["data"]["scanProgress"]
        assert first["scan"] == {
            "state": "READING", "filesRead": 0, "library": {"name": "music"}
        }  # fmt: skip
        assert (first["isIdle"], first["status"]) == (False, {"tracks": 0, "pending": 2})
        assert first["stages"][0]["etaS"] is None
        await store_elsewhere(pool, store_tracks("a.mp3", "b.mp3", scan_id=scan))
        second = (await hear(opened))["payload"]["data"]["scanProgress"]
        assert (second["scan"]["state"], second["status"]["tracks"]) == ("FINISHED", 2)
        assert second["stages"][0]["ratePerS"] > 0
        assert second["stages"][0]["etaS"] == 0
        await say(opened, id="1", type="complete")
        # The same connection answers queries, each with what is there now.
        for number in (2, 3):
            query = "{ libraries { trackCount } tracks { edges { node { album { title } } } } }"
            await say(opened, id=f"q{number}", type="subscribe", payload={"query": query})
            answer = await hear(opened)
            assert answer["payload"]["data"]["libraries"] == [{"trackCount": number}]
            assert (await hear(opened))["type"] == "complete"
            await store_tracks("c.mp3")


async def test_progress_of_no_scan_is_refused_in_words(client: httpx.AsyncClient) -> None:
    async with websocket(client) as opened:
        await begin(opened, PROGRESS, id=format_id(IdKind.SCAN, UUID(int=1)))
        (error,) = (await hear(opened))["payload"]["errors"]
        assert error["extensions"] == {"code": "BAD_INPUT"}
        assert "there is no scan" in error["message"]


@pytest.mark.parametrize("origin", ["https://evil.example", "null"])
async def test_a_web_page_elsewhere_gets_no_websocket(
    client: httpx.AsyncClient, origin: str
) -> None:
    with pytest.raises(InvalidStatus):
        async with websocket(client, origin=origin):
            pass


async def test_a_websocket_presents_the_token_in_its_header_or_its_first_message(
    guarded: httpx.AsyncClient,
) -> None:
    token = "Bearer sésame"
    for payload in ({"authorization": token}, {"Authorization": token}):
        async with websocket(guarded) as opened:
            await say(opened, type="connection_init", payload=payload)
            assert (await hear(opened))["type"] == "connection_ack"
    for wrong in ({}, {"authorization": "Bearer x"}, {"authorization": ["Bearer"]}):
        async with websocket(guarded) as opened:
            await say(opened, type="connection_init", payload=wrong)
            with pytest.raises(ConnectionClosed, match="4403"):
                await hear(opened)
    with pytest.raises(InvalidStatus):
        async with websocket(guarded, additional_headers={"authorization": "Bearer x"}):
            pass


async def stored(opened: ClientConnection, **params: Any) -> dict[str, Any]:
    """Begin a websocket with these parameters, and store something through it."""
    await say(opened, type="connection_init", payload=params)
    assert (await hear(opened))["type"] == "connection_ack"
    await say(opened, id="1", type="subscribe", payload={"query": STORE})
    payload: dict[str, Any] = (await hear(opened))["payload"]
    return payload


@pytest.mark.parametrize("person", [None, "person"])
async def test_through_a_websocket_too_only_the_services_may_store(
    pool: asyncpg.Pool, database_settings: Settings, person: str | None
) -> None:
    tokens = {"token": SecretStr(person) if person else None, "service_token": SecretStr("engines")}
    mine = {"authorization": f"Bearer {person}"} if person else {}
    theirs = {"authorization": "Bearer engines"}
    async with running(database_settings, **tokens) as client:
        for credentials, refused in ((mine, True), (theirs, False)):
            async with websocket(client) as opened:
                assert ("errors" in await stored(opened, **credentials)) is refused
            async with websocket(client, additional_headers=credentials) as opened:
                assert ("errors" in await stored(opened)) is refused


async def test_a_stop_ends_open_websockets(pool: asyncpg.Pool, database_settings: Settings) -> None:
    async with running(database_settings) as client:
        address = str(client.base_url).replace("http", "ws") + "/graphql"
        subprotocols = [Subprotocol("graphql-transport-ws")]
        opened = await connect(address, subprotocols=subprotocols, proxy=None)
        await begin(opened, PROGRESS)
        assert (await hear(opened))["type"] == "next"
    with pytest.raises(ConnectionClosed):
        while True:
            await hear(opened)
    await opened.close()


ENDED = "subscription($id: ID!) { scanEnded(scanId: $id) { id state filesRead } }"


async def test_the_end_of_a_scan_is_told_once_when_its_last_file_is_read(
    client: httpx.AsyncClient, pool: asyncpg.Pool, store_tracks: StoreTracks
) -> None:
    scan = await begin_scan(pool, 2)
    id_ = format_id(IdKind.SCAN, scan)
    for _ in range(2):  # the second time it is over already
        async with websocket(client) as opened:
            await begin(opened, ENDED, id=id_)
            await store_elsewhere(pool, store_tracks("a.mp3", "b.mp3", scan_id=scan))
            ended = (await hear(opened))["payload"]["data"]["scanEnded"]
            assert ended == {"id": id_, "state": "FINISHED", "filesRead": 2}
            assert (await hear(opened))["type"] == "complete"


async def test_the_end_of_no_scan_is_refused_in_words(client: httpx.AsyncClient) -> None:
    async with websocket(client) as opened:
        await begin(opened, ENDED, id=format_id(IdKind.SCAN, UUID(int=1)))
        assert "there is no scan" in str(await hear(opened))
