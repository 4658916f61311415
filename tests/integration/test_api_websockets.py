"""Websockets: progress, access, the end of scans and of the gateway."""

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
from tests.integration.api_write_items import begin_scan
from tests.integration.conftest import StoreTracks
from tests.integration.gateways import STORE, running_gateway


@asynccontextmanager
async def websocket(client: httpx.AsyncClient, **options: Any) -> AsyncIterator[ClientConnection]:
    address = str(client.base_url).replace("http", "ws") + "/graphql"
    subprotocols = [Subprotocol("graphql-transport-ws")]
    async with connect(address, subprotocols=subprotocols, proxy=None, **options) as opened:
        yield opened


async def send(opened: ClientConnection, **message: Any) -> None:
    await opened.send(json.dumps(message))


async def receive(opened: ClientConnection) -> dict[str, Any]:
    async with asyncio.timeout(10):
        message: dict[str, Any] = json.loads(await opened.recv())
        return message


async def begin(opened: ClientConnection, query: str, **variables: Any) -> None:
    await send(opened, type="connection_init")
    assert (await receive(opened))["type"] == "connection_ack"
    await send(opened, id="1", type="subscribe", payload={"query": query, "variables": variables})


async def store_elsewhere(pool: asyncpg.Pool, storing: Awaitable[object]) -> None:
    """Store something, and report it as another gateway process does."""
    await storing
    await pool.execute("SELECT pg_notify($1, 'another process')", CHANNEL)


PROGRESS = """subscription($id: ID) { scanProgress(scanId: $id) {
  isIdle scan { state filesRead library { name } } status { tracks pending }
  stages { stage done total ratePerS etaS }
} }"""


async def test_progress_is_sent_at_once_and_with_each_change(
    client: httpx.AsyncClient, pool: asyncpg.Pool, library_id: UUID, store_tracks: StoreTracks
) -> None:
    scan = await begin_scan(pool, 2)
    async with websocket(client) as opened:
        await begin(opened, PROGRESS, id=format_id(IdKind.SCAN, scan))
        first = (await receive(opened))["payload"]["data"]["scanProgress"]
        assert first["scan"] == {
            "state": "READING", "filesRead": 0, "library": {"name": "music"}
        }  # fmt: skip
        assert (first["isIdle"], first["status"]) == (False, {"tracks": 0, "pending": 2})
        assert first["stages"][0]["etaS"] is None
        await store_elsewhere(pool, store_tracks("a.mp3", "b.mp3", scan_id=scan))
        second = (await receive(opened))["payload"]["data"]["scanProgress"]
        assert (second["scan"]["state"], second["status"]["tracks"]) == ("FINISHED", 2)
        assert second["stages"][0]["ratePerS"] > 0
        assert second["stages"][0]["etaS"] == 0
        await send(opened, id="1", type="complete")
        # The same connection answers queries, each with what is there now.
        for number in (2, 3):
            query = "{ libraries { trackCount } tracks { edges { node { album { title } } } } }"
            await send(opened, id=f"q{number}", type="subscribe", payload={"query": query})
            answer = await receive(opened)
            assert answer["payload"]["data"]["libraries"] == [{"trackCount": number}]
            assert (await receive(opened))["type"] == "complete"
            await store_tracks("c.mp3")


async def test_progress_of_an_unknown_scan_is_refused(client: httpx.AsyncClient) -> None:
    async with websocket(client) as opened:
        await begin(opened, PROGRESS, id=format_id(IdKind.SCAN, UUID(int=1)))
        (error,) = (await receive(opened))["payload"]["errors"]
        assert error["extensions"] == {"code": "BAD_INPUT"}
        assert "there is no scan" in error["message"]


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://localhost:3000"])
async def test_a_web_page_of_another_site_gets_no_websocket(
    client: httpx.AsyncClient, guarded: httpx.AsyncClient, origin: str
) -> None:
    for gateway in (client, guarded):
        with pytest.raises(InvalidStatus):
            async with websocket(gateway, origin=origin):
                pass


@pytest.mark.parametrize("token", [None, "sesame"])
async def test_pages_of_the_gateway_and_of_named_origins_get_a_websocket(
    pool: asyncpg.Pool, database_settings: Settings, token: str | None
) -> None:
    changes = {"token": SecretStr(token) if token else None, "origins": ("https://music.example",)}
    async with running_gateway(database_settings, **changes) as client:
        for origin in (str(client.base_url), "https://music.example"):
            async with websocket(client, origin=origin) as opened:
                await send(
                    opened, type="connection_init", payload={"authorization": "bearer sesame"}
                )
                assert (await receive(opened))["type"] == "connection_ack"
        with pytest.raises(InvalidStatus):
            async with websocket(client, origin="https://music.example:8443"):
                pass


@pytest.mark.parametrize(
    ("message", "code", "reason"),
    [
        ("null", 4400, "Failed to parse message"),
        ("[]", 4400, "Failed to parse message"),
        ("{", 4400, "WebSocket message must be valid JSON"),
        ("[" * 50_000, 4400, "WebSocket message must be valid JSON"),
        ('{"type": "subscribe", "id": "1", "payload": null}', 4400, "Failed to parse message"),
        ('{"type": "complete", "id": []}', 4400, "Failed to parse message"),
        ('{"type": "' + "x" * 200 + '"}', 4400, "Unknown message type: xxx"),
        (b"{}", 4400, "WebSocket message type must be text"),
        (" " * 2_000_001, 1009, ""),
    ],
    ids=lambda value: str(value)[:50],
)
async def test_a_message_that_is_none_closes_the_connection_and_says_why(
    client: httpx.AsyncClient, message: str | bytes, code: int, reason: str
) -> None:
    async with websocket(client) as opened:
        await send(opened, type="connection_init")
        await receive(opened)
        await opened.send(message)
        with pytest.raises(ConnectionClosed) as closed:
            await receive(opened)
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == code
        assert closed.value.rcvd.reason.startswith(reason)


@pytest.mark.parametrize(
    ("payload", "message"),
    [
        ({"query": "query A { libraries { id } } query B { libraries { id } }"}, "operationName: "),
        ({"query": "{ libraries { id } }", "variables": {"i": [1] * 20_000}}, "$i: 20,000 items"),
        ({"query": "{ libraries { id } } #" + "x" * 100_000}, "query: "),
        ({"query": "{ lib }"}, "Cannot query field"),
        ({"query": "{ " + "é" * 200}, "Syntax Error"),
        ({"query": "query A { libraries { id } }", "operationName": "B"}, "operationName: Unknown"),
        ({"query": ""}, "query: send the text"),
    ],
    ids=["operations", "variables", "text", "field", "syntax", "name", "empty"],
)
async def test_a_refused_operation_leaves_the_connection_open(
    client: httpx.AsyncClient, payload: dict[str, Any], message: str
) -> None:
    async with websocket(client) as opened:
        await send(opened, type="connection_init")
        await receive(opened)
        for number in "12":
            await send(opened, id=number, type="subscribe", payload=payload)
            answer = await receive(opened)
            assert (answer["type"], answer["id"]) == ("error", number)
            (error,) = answer["payload"]
            assert error["extensions"] == {"code": "BAD_INPUT"}
            assert message in error["message"]


async def test_a_websocket_presents_the_token_in_its_header_or_its_first_message(
    guarded: httpx.AsyncClient,
) -> None:
    token = "Bearer sésame"
    for parameters in ({"authorization": token}, {"Authorization": token}):
        async with websocket(guarded) as opened:
            await send(opened, type="connection_init", payload=parameters)
            assert (await receive(opened))["type"] == "connection_ack"
    for invalid in ({}, {"authorization": "Bearer x"}, {"authorization": ["Bearer"]}):
        async with websocket(guarded) as opened:
            await send(opened, type="connection_init", payload=invalid)
            with pytest.raises(ConnectionClosed, match="4403"):
                await receive(opened)
    with pytest.raises(InvalidStatus):
        async with websocket(guarded, additional_headers={"authorization": "Bearer x"}):
            pass


async def response_to_store(opened: ClientConnection, **parameters: Any) -> dict[str, Any]:
    """Open a websocket with these connection parameters, and send a mutation of the services."""
    await send(opened, type="connection_init", payload=parameters)
    assert (await receive(opened))["type"] == "connection_ack"
    await send(opened, id="1", type="subscribe", payload={"query": STORE})
    payload: dict[str, Any] = (await receive(opened))["payload"]
    return payload


@pytest.mark.parametrize("person", [None, "person"])
async def test_only_the_services_may_store_through_a_websocket(
    pool: asyncpg.Pool, database_settings: Settings, person: str | None
) -> None:
    tokens = {"token": SecretStr(person) if person else None, "service_token": SecretStr("engines")}
    persons_headers = {"authorization": f"Bearer {person}"} if person else {}
    service_headers = {"authorization": "Bearer engines"}
    async with running_gateway(database_settings, **tokens) as client:
        for headers, refused in ((persons_headers, True), (service_headers, False)):
            async with websocket(client) as opened:
                assert ("errors" in await response_to_store(opened, **headers)) is refused
            async with websocket(client, additional_headers=headers) as opened:
                assert ("errors" in await response_to_store(opened)) is refused


async def test_stopping_the_gateway_closes_open_websockets(
    pool: asyncpg.Pool, database_settings: Settings
) -> None:
    async with running_gateway(database_settings) as client:
        address = str(client.base_url).replace("http", "ws") + "/graphql"
        subprotocols = [Subprotocol("graphql-transport-ws")]
        opened = await connect(address, subprotocols=subprotocols, proxy=None)
        await begin(opened, PROGRESS)
        assert (await receive(opened))["type"] == "next"
    with pytest.raises(ConnectionClosed):
        while True:
            await receive(opened)
    await opened.close()


ENDED = "subscription($id: ID!) { scanEnded(scanId: $id) { id state filesRead } }"


async def test_the_end_of_a_scan_is_sent_once_when_its_last_file_is_read(
    client: httpx.AsyncClient, pool: asyncpg.Pool, store_tracks: StoreTracks
) -> None:
    scan = await begin_scan(pool, 2)
    id_ = format_id(IdKind.SCAN, scan)
    for _ in range(2):  # the second time it is over already
        async with websocket(client) as opened:
            await begin(opened, ENDED, id=id_)
            await store_elsewhere(pool, store_tracks("a.mp3", "b.mp3", scan_id=scan))
            ended = (await receive(opened))["payload"]["data"]["scanEnded"]
            assert ended == {"id": id_, "state": "FINISHED", "filesRead": 2}
            assert (await receive(opened))["type"] == "complete"


async def test_the_end_of_an_unknown_scan_is_refused(client: httpx.AsyncClient) -> None:
    async with websocket(client) as opened:
        await begin(opened, ENDED, id=format_id(IdKind.SCAN, UUID(int=1)))
        assert "there is no scan" in str(await receive(opened))
