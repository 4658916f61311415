"""Access to the gateway over real sockets: hosts, origins and tokens; and its start."""

import asyncio
import hashlib
import json
import socket
from pathlib import Path
from uuid import UUID

import asyncpg
import httpx
import pytest
from pydantic import SecretStr

from services.api.service import build
from shared.bus.in_process import InProcessBus
from shared.contracts.errors import DependencyDown, InvalidInput
from shared.embedding.wordllama_embedder import WordLlamaEmbedder
from shared.gateway.client import Gateway
from shared.gateway.http_transport import HttpTransport
from shared.runtime.http import CannotListen, listening
from shared.runtime.settings import Settings
from tests.integration.api_read_fixtures import dropped_space_indexes, fill
from tests.integration.conftest import StoreTracks
from tests.integration.gateways import STATUS, STORE, api_of, is_empty, picture, running_gateway

__all__ = ["dropped_space_indexes"]

REPLAY = "mutation { replayFailures { replayed } }"
RESUME = "mutation { pauseAnalysis resumeAnalysis }"
CORRECT = "mutation { correctTracks(input: []) { results { id } } }"


async def test_the_gateway_answers_on_the_port_that_it_bound(
    client: httpx.AsyncClient, store_tracks: StoreTracks
) -> None:
    await store_tracks("a.mp3")
    answer = await client.post("/graphql", json={"query": STATUS})
    assert answer.json() == {"data": {"status": {"tracks": 1}}}
    assert [(await client.get(path)).status_code for path in ("/healthz", "/metrics")] == [200, 200]
    page = await client.get("/", headers={"accept": "text/html"}, follow_redirects=True)
    assert "graphiql" in page.text.lower()


async def test_a_small_response_is_sent_without_delay() -> None:
    """Without TCP_NODELAY a body waits 40 ms for the client's acknowledgement of the headers."""
    options: list[int] = []

    def record(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        accepted = writer.get_extra_info("socket")
        options.append(accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))
        writer.close()

    with listening("127.0.0.1", 0, ("host", "port")) as listener:
        async with await asyncio.start_server(record, sock=listener):
            reader, writer = await asyncio.open_connection(*listener.getsockname())
            await reader.read()
            writer.close()
    assert options == [1]


async def test_it_is_ready_when_the_bus_and_the_database_are(
    pool: asyncpg.Pool, database_settings: Settings
) -> None:
    api = api_of(database_settings)
    transport = httpx.ASGITransport(api.app)
    async with httpx.AsyncClient(transport=transport, base_url="http://soniquebay") as inside:
        assert (await inside.get("/readyz")).status_code == 503
        assert (await inside.get("/covers/" + "0" * 64)).status_code == 503
        with pytest.raises(DependencyDown):
            await Gateway(HttpTransport(inside)).execute_document(STATUS, {})
        async with api.service.lifespan():
            assert (await inside.get("/readyz")).text == "the bus is not connected"
            await api.bus.start()
            assert (await inside.get("/readyz")).text == "ready"
            assert await Gateway(HttpTransport(inside)).execute_document(STATUS, {}) == {
                "status": {"tracks": 0}
            }
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
async def test_without_a_token_only_clients_on_this_machine_have_access_and_no_web_page(
    client: httpx.AsyncClient, headers: dict[str, str], status: int
) -> None:
    sent = {"content-type": "application/json", **headers}
    body = json.dumps({"query": STATUS})
    assert (await client.post("/graphql", content=body, headers=sent)).status_code == status


async def test_a_get_request_from_a_web_page_runs_no_query(client: httpx.AsyncClient) -> None:
    answer = await client.get("/graphql", params={"query": STATUS})
    assert answer.status_code in {400, 404, 405}
    assert "tracks" not in answer.text


@pytest.mark.parametrize("path", ["/graphql", "/covers/" + "0" * 64, "/metrics", "/readyz"])
@pytest.mark.parametrize("credentials", ["", "Bearer sesame", "Basic sésame", "Bearer sésames"])
async def test_with_a_token_every_request_must_present_it(
    guarded: httpx.AsyncClient, path: str, credentials: str
) -> None:
    headers = [(b"authorization", credentials.encode())] if credentials else []
    answer = await guarded.get(path, headers=headers)
    assert answer.status_code == 401
    assert "SONIQUEBAY_TOKEN" in answer.json()["errors"][0]["message"]


async def test_with_the_token_any_host_name_is_accepted(guarded: httpx.AsyncClient) -> None:
    headers = [(b"authorization", "Bearer sésame".encode()), (b"host", b"music.example")]
    answer = await guarded.post("/graphql", json={"query": STATUS}, headers=headers)
    assert answer.json() == {"data": {"status": {"tracks": 0}}}


@pytest.mark.parametrize("token", [None, "sesame"])
async def test_pages_of_named_origins_may_read_answers_and_no_others(
    pool: asyncpg.Pool, database_settings: Settings, token: str | None
) -> None:
    named, other = "https://music.example", "https://music.example:8443"
    changes = {"token": SecretStr(token) if token else None, "origins": (named,)}
    headers = {"authorization": f"bearer {token}"} if token else {}
    preflight = {
        "access-control-request-method": "POST",
        "access-control-request-headers": "authorization, content-type, apollographql-client-name",
    }
    async with running_gateway(database_settings, **changes) as client:
        asked = await client.options("/graphql", headers={"origin": named, **preflight})
        assert asked.status_code == 200
        assert asked.headers["access-control-allow-origin"] == named
        assert "authorization" in asked.headers["access-control-allow-headers"]
        sent = {"origin": named, **headers}
        answer = await client.post("/graphql", json={"query": STATUS}, headers=sent)
        assert answer.json() == {"data": {"status": {"tracks": 0}}}
        assert answer.headers["access-control-allow-origin"] == named
        asked = await client.options("/graphql", headers={"origin": other, **preflight})
        assert asked.status_code == 400
        sent = {"origin": other, **headers}
        answer = await client.post("/graphql", json={"query": STATUS}, headers=sent)
        assert "access-control-allow-origin" not in answer.headers
        assert answer.status_code == (200 if token else 403)


async def test_by_default_no_page_of_another_origin_may_read_answers(
    client: httpx.AsyncClient,
) -> None:
    headers = {"origin": "http://localhost:3000"}
    answer = await client.post("/graphql", json={"query": STATUS}, headers=headers)
    assert "access-control-allow-origin" not in answer.headers


async def test_an_image_is_shown_by_its_signed_address_where_a_token_is_needed(
    guarded: httpx.AsyncClient, pool: asyncpg.Pool, library_id: UUID
) -> None:
    await fill(pool, library_id, 1)
    headers = [(b"authorization", "Bearer sésame".encode())]
    image = picture("png")
    sha256 = hashlib.sha256(image).hexdigest()
    assert (
        await guarded.put(f"/covers/{sha256}", content=image, headers=headers)
    ).status_code == 201
    await pool.execute("UPDATE tracks SET cover_sha256 = $1", bytes.fromhex(sha256))
    query = "{ tracks { edges { node { cover { url small: url(size: 64) } } } } }"
    answer = await guarded.post("/graphql", json={"query": query}, headers=headers)
    addresses = answer.json()["data"]["tracks"]["edges"][0]["node"]["cover"]
    for address in addresses.values():
        shown = await guarded.get(address)
        assert (shown.status_code, shown.headers["content-type"]) == (200, "image/png")
        assert shown.headers["cache-control"].startswith("private")
        assert "default-src 'none'" in shown.headers["content-security-policy"]
    path, parameters = addresses["url"].split("?")
    assert f"/covers/{sha256}" == path
    for refused in (path, "/covers/" + "0" * 64 + "?" + parameters, "/metrics?" + parameters):
        assert (await guarded.get(refused)).status_code == 401
    for method in ("PUT", "POST", "DELETE"):
        assert (await guarded.request(method, addresses["url"])).status_code == 401


async def test_without_a_token_addresses_of_images_are_plain(
    client: httpx.AsyncClient, pool: asyncpg.Pool, library_id: UUID
) -> None:
    await fill(pool, library_id, 1)
    query = "{ tracks { edges { node { cover { url } } } } }"
    answer = await client.post("/graphql", json={"query": query})
    cover = answer.json()["data"]["tracks"]["edges"][0]["node"]["cover"]
    assert cover == {"url": "/covers/" + "ab" * 32}


@pytest.mark.parametrize("persons_token", [None, "sésame"])
async def test_with_a_service_token_only_the_services_may_store(
    pool: asyncpg.Pool, database_settings: Settings, persons_token: str | None
) -> None:
    token = SecretStr(persons_token) if persons_token else None
    service_token = SecretStr("engines")
    persons_headers = (
        [(b"authorization", f"Bearer {persons_token}".encode())] if persons_token else []
    )
    service_headers = [(b"authorization", b"Bearer engines"), (b"host", b"api:8707")]
    image = picture("png")
    cover = "/covers/" + hashlib.sha256(image).hexdigest()
    async with running_gateway(database_settings, token=token, service_token=service_token) as one:
        for headers, code, status in (
            (persons_headers, "FORBIDDEN", 403),
            (service_headers, None, 201),
        ):
            answer = (await one.post("/graphql", json={"query": STORE}, headers=headers)).json()
            errors = answer.get("errors", [])
            assert [error["extensions"]["code"] for error in errors] == ([code] if code else [])
            assert (await one.put(cover, content=image, headers=headers)).status_code == status
            many = await one.post("/covers", files={"image": image}, headers=headers)
            assert many.status_code == (status if status == 403 else 200)
            for query in (STATUS, REPLAY, CORRECT, RESUME):
                answer = await one.post("/graphql", json={"query": query}, headers=headers)
                assert "errors" not in answer.json()


@pytest.mark.parametrize("persons_token", [None, "person"])
async def test_a_service_with_a_wrong_token_waits_and_does_not_give_up_its_records(
    pool: asyncpg.Pool, database_settings: Settings, persons_token: str | None
) -> None:
    tokens = {
        "token": SecretStr(persons_token) if persons_token else None,
        "service_token": SecretStr("engines"),
    }
    async with running_gateway(database_settings, **tokens) as client:
        client.headers["authorization"] = "Bearer engine"
        with pytest.raises(DependencyDown, match="SONIQUEBAY_SERVICE_TOKEN"):
            await Gateway(HttpTransport(client)).execute_document(STORE, {})
        with pytest.raises(DependencyDown, match="SONIQUEBAY_SERVICE_TOKEN"):
            await Gateway(HttpTransport(client)).post_covers([picture("png")])


@pytest.mark.parametrize("token", [None, "", " "])
@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.2"])
async def test_it_does_not_listen_beyond_loopback_without_a_token(
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
