"""Who gets into the gateway over real sockets; its start."""

import asyncio
import hashlib
import json
import socket
from pathlib import Path

import asyncpg
import httpx
import pytest
from pydantic import SecretStr

from services.api.service import build
from shared.bus.in_process import InProcessBus
from shared.contracts.errors import DependencyDown, InvalidInput
from shared.embedding.wordllama_embedder import WordLlamaEmbedder
from shared.gateway.client import Gateway
from shared.runtime.http import CannotListen, listening
from shared.runtime.settings import Settings
from tests.integration.conftest import StoreTracks
from tests.integration.gateways import STATUS, STORE, api_of, is_empty, picture, running

REPLAY = "mutation { replayFailures { replayed } }"
RESUME = "mutation { pauseAnalysis resumeAnalysis }"
CORRECT = "mutation { correctTracks(input: []) { results { id } } }"


async def test_the_gateway_answers_on_the_port_it_took(
    client: httpx.AsyncClient, store_tracks: StoreTracks
) -> None:
    await store_tracks("a.mp3")
    answer = await client.post("/graphql", json={"query": STATUS})
    assert answer.json() == {"data": {"status": {"tracks": 1}}}
    assert [(await client.get(path)).status_code for path in ("/healthz", "/metrics")] == [200, 200]
    page = await client.get("/", headers={"accept": "text/html"}, follow_redirects=True)
    assert "graphiql" in page.text.lower()


async def test_a_small_answer_waits_for_nobody() -> None:
    """Without TCP_NODELAY a body waits 40 ms for the client's word that it had the headers."""
    options: list[int] = []

    def note(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        accepted = writer.get_extra_info("socket")
        options.append(accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))
        writer.close()

    with listening("127.0.0.1", 0, ("host", "port")) as listener:
        async with await asyncio.start_server(note, sock=listener):
            reader, writer = await asyncio.open_connection(*listener.getsockname())
            await reader.read()
            writer.close()
    assert options == [1]


async def test_it_is_ready_when_bus_and_database_are(
    pool: asyncpg.Pool, database_settings: Settings
) -> None:
    api = api_of(database_settings)
    transport = httpx.ASGITransport(api.app)
    async with httpx.AsyncClient(transport=transport, base_url="http://soniquebay") as inside:
        assert (await inside.get("/readyz")).status_code == 503
        assert (await inside.get("/covers/" + "0" * 64)).status_code == 503
        with pytest.raises(DependencyDown):
            await Gateway(inside).execute_document(STATUS, {})
        async with api.service.lifespan():
            assert (await inside.get("/readyz")).text == "the bus is not connected"
            await api.bus.start()
            assert (await inside.get("/readyz")).text == "ready"
            assert await Gateway(inside).execute_document(STATUS, {}) == {"status": {"tracks": 0}}
            await api.bus.drain(5)
        assert (await inside.get("/readyz")).status_code == 503


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),
        ({"host": "localhost:8707"}, 200),
        ({"host": "[::1]"}, 200),
        ({"origin": "http://localhost:3000"}, 200),
        ({"host": "music.example"}, 403),
        ({"host": "127.0.0.1.example:8707"}, 403),
        ({"host": ""}, 403),
        ({"origin": "https://evil.example"}, 403),
        ({"origin": "null"}, 403),
        ({"content-type": "text/plain"}, 400),
        ({"content-type": "application/x-www-form-urlencoded"}, 400),
    ],
)
async def test_without_a_token_only_this_machine_and_no_web_page_gets_in(
    client: httpx.AsyncClient, headers: dict[str, str], status: int
) -> None:
    merged = {"content-type": "application/json", **headers}
    body = json.dumps({"query": STATUS})
    assert (await client.post("/graphql", content=body, headers=merged)).status_code == status


async def test_a_link_or_image_of_a_web_page_asks_nothing(client: httpx.AsyncClient) -> None:
    answer = await client.get("/graphql", params={"query": STATUS})
    assert answer.status_code in {400, 404, 405}
    assert "tracks" not in answer.text


@pytest.mark.parametrize("path", ["/graphql", "/covers/" + "0" * 64, "/metrics", "/readyz"])
@pytest.mark.parametrize("header", ["", "Bearer sesame", "Basic sésame", "Bearer sésames"])
async def test_with_a_token_every_request_must_present_it(
    guarded: httpx.AsyncClient, path: str, header: str
) -> None:
    headers = [(b"authorization", header.encode())] if header else []
    answer = await guarded.get(path, headers=headers)
    assert answer.status_code == 401
    assert "SONIQUEBAY_TOKEN" in answer.json()["errors"][0]["message"]


async def test_with_the_token_any_host_gets_in(guarded: httpx.AsyncClient) -> None:
    headers = [(b"authorization", "Bearer sésame".encode()), (b"host", b"music.example")]
    answer = await guarded.post("/graphql", json={"query": STATUS}, headers=headers)
    assert answer.json() == {"data": {"status": {"tracks": 0}}}


@pytest.mark.parametrize("person", [None, "sésame"])
async def test_where_the_services_have_a_token_only_they_may_store(
    pool: asyncpg.Pool, database_settings: Settings, person: str | None
) -> None:
    token = SecretStr(person) if person else None
    service_token = SecretStr("engines")
    mine = [(b"authorization", f"Bearer {person}".encode())] if person else []
    theirs = [(b"authorization", b"Bearer engines"), (b"host", b"api:8707")]
    image = picture("png")
    cover = "/covers/" + hashlib.sha256(image).hexdigest()
    async with running(database_settings, token=token, service_token=service_token) as one:
        for headers, code, status in ((mine, "FORBIDDEN", 403), (theirs, None, 201)):
            answer = (await one.post("/graphql", json={"query": STORE}, headers=headers)).json()
            errors = answer.get("errors", [])
            assert [error["extensions"]["code"] for error in errors] == ([code] if code else [])
            assert (await one.put(cover, content=image, headers=headers)).status_code == status
            many = await one.post("/covers", files={"image": image}, headers=headers)
            assert many.status_code == (status if status == 403 else 200)
            for query in (STATUS, REPLAY, CORRECT, RESUME):
                answer = await one.post("/graphql", json={"query": query}, headers=headers)
                assert "errors" not in answer.json()


@pytest.mark.parametrize("person", [None, "person"])
async def test_a_service_with_a_wrong_token_waits_instead_of_giving_its_records_up(
    pool: asyncpg.Pool, database_settings: Settings, person: str | None
) -> None:
    tokens = {"token": SecretStr(person) if person else None, "service_token": SecretStr("engines")}
    async with running(database_settings, **tokens) as client:
        client.headers["authorization"] = "Bearer engine"
        with pytest.raises(DependencyDown, match="SONIQUEBAY_SERVICE_TOKEN"):
            await Gateway(client).execute_document(STORE, {})
        with pytest.raises(DependencyDown, match="SONIQUEBAY_SERVICE_TOKEN"):
            await Gateway(client).post_covers([picture("png")])


@pytest.mark.parametrize("token", [None, "", " "])
@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.2"])
async def test_beyond_loopback_it_does_not_start_without_a_token(
    tmp_path: Path, host: str, token: str | None
) -> None:
    secret = None if token is None else SecretStr(token)
    settings = Settings(data_dir=tmp_path, host=host, token=secret)
    api = build(settings, bus=InProcessBus(), embedder=WordLlamaEmbedder())
    with pytest.raises(InvalidInput, match="SONIQUEBAY_TOKEN"):
        async with api.service.lifespan():
            pass
    assert is_empty(tmp_path)


async def test_a_port_in_use_is_one_clear_error_before_anything_starts(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        settings = Settings(data_dir=tmp_path, port=port)
        api = build(settings, bus=InProcessBus(), embedder=WordLlamaEmbedder())
        with pytest.raises(CannotListen, match=f"port {port} is in use.*SONIQUEBAY_PORT"):
            async with api.service.lifespan():
                pass
    assert is_empty(tmp_path)
