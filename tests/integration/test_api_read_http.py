"""The gateway over real sockets: who gets in, images, progress over a websocket, start and stop."""

import asyncio
import hashlib
import io
import json
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
import httpx
import pytest
from PIL import Image
from pydantic import SecretStr
from pytest_asyncio import fixture
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.typing import Subprotocol

from services.api.images import MOST_BYTES
from services.api.service import Api, build
from shared.bus.in_process import InProcessBus
from shared.contracts.errors import DependencyDown, InvalidInput
from shared.contracts.identity import IdKind, format_id
from shared.embedding.wordllama_embedder import WordLlamaEmbedder
from shared.gateway.client import Gateway
from shared.runtime.http import CannotListen, listening
from shared.runtime.settings import Settings
from tests.integration.conftest import StoreTracks
from tests.integration.test_api_write_stages import begin_scan

STATUS = "{ status { tracks } }"


def api_of(settings: Settings, **changes: Any) -> Api:
    told = settings.model_copy(update={"port": 0, **changes})
    return build(told, bus=InProcessBus(), embedder=WordLlamaEmbedder())


@asynccontextmanager
async def running(settings: Settings, **changes: Any) -> AsyncIterator[httpx.AsyncClient]:
    api = api_of(settings, **changes)
    async with api.service.lifespan(), httpx.AsyncClient(base_url=api.url) as client:
        yield client


@fixture
async def client(
    pool: asyncpg.Pool, database_settings: Settings
) -> AsyncIterator[httpx.AsyncClient]:
    async with running(database_settings) as one:
        yield one


@fixture
async def guarded(
    pool: asyncpg.Pool, database_settings: Settings
) -> AsyncIterator[httpx.AsyncClient]:
    async with running(database_settings, token=SecretStr("sésame")) as one:
        yield one


def picture(kind: str, size: tuple[int, int] = (40, 30)) -> bytes:
    made = io.BytesIO()
    Image.new("RGB", size, "red").save(made, kind)
    return made.getvalue()


def is_empty(folder: Path) -> bool:
    return not list(folder.iterdir())


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
            await Gateway(inside).execute(STATUS, {})
        async with api.service.lifespan():
            assert (await inside.get("/readyz")).text == "the bus is not connected"
            await api.bus.start()
            assert (await inside.get("/readyz")).text == "ready"
            assert await Gateway(inside).execute(STATUS, {}) == {"status": {"tracks": 0}}
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
    told = {"content-type": "application/json", **headers}
    body = json.dumps({"query": STATUS})
    assert (await client.post("/graphql", content=body, headers=told)).status_code == status


async def test_a_link_or_image_of_a_web_page_asks_nothing(client: httpx.AsyncClient) -> None:
    answer = await client.get("/graphql", params={"query": STATUS})
    assert answer.status_code in {400, 404, 405}
    assert "tracks" not in answer.text


@pytest.mark.parametrize("path", ["/graphql", "/covers/" + "0" * 64, "/metrics", "/readyz"])
@pytest.mark.parametrize("told", ["", "Bearer sesame", "Basic sésame", "Bearer sésames"])
async def test_with_a_token_every_request_must_present_it(
    guarded: httpx.AsyncClient, path: str, told: str
) -> None:
    headers = [(b"authorization", told.encode())] if told else []
    answer = await guarded.get(path, headers=headers)
    assert answer.status_code == 401
    assert "SONIQUEBAY_TOKEN" in answer.json()["errors"][0]["message"]


async def test_with_the_token_any_host_gets_in(guarded: httpx.AsyncClient) -> None:
    headers = [(b"authorization", "Bearer sésame".encode()), (b"host", b"music.example")]
    answer = await guarded.post("/graphql", json={"query": STATUS}, headers=headers)
    assert answer.json() == {"data": {"status": {"tracks": 0}}}


STORE = 'mutation { registerSearchGeneration(generation: "g") }'
REPLAY = "mutation { replayFailures { replayed } }"
RESUME = "mutation { pauseAnalysis resumeAnalysis }"
CORRECT = "mutation { correctTracks(input: []) { results { id } } }"


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
            many = await one.post("/covers", content=b"", headers=headers)
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
            await Gateway(client).execute(STORE, {})
        with pytest.raises(DependencyDown, match="SONIQUEBAY_SERVICE_TOKEN"):
            await Gateway(client).post_covers([picture("png")])


@pytest.mark.parametrize("token", [None, "", " "])
@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.2"])
async def test_beyond_loopback_it_does_not_start_without_a_token(
    tmp_path: Path, host: str, token: str | None
) -> None:
    secret = None if token is None else SecretStr(token)
    told = Settings(data_dir=tmp_path, host=host, token=secret)
    api = build(told, bus=InProcessBus(), embedder=WordLlamaEmbedder())
    with pytest.raises(InvalidInput, match="SONIQUEBAY_TOKEN"):
        async with api.service.lifespan():
            pass
    assert is_empty(tmp_path)


async def test_a_port_in_use_is_one_clear_error_before_anything_starts(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        told = Settings(data_dir=tmp_path, port=port)
        api = build(told, bus=InProcessBus(), embedder=WordLlamaEmbedder())
        with pytest.raises(CannotListen, match=f"port {port} is in use.*SONIQUEBAY_PORT"):
            async with api.service.lifespan():
                pass
    assert is_empty(tmp_path)


@pytest.mark.parametrize(
    ("kind", "mime_type"),
    [("JPEG", "image/jpeg"), ("PNG", "image/png"), ("GIF", "image/gif"), ("WEBP", "image/webp")],
)
async def test_an_image_is_stored_under_its_hash_and_served_for_good(
    client: httpx.AsyncClient, pool: asyncpg.Pool, kind: str, mime_type: str
) -> None:
    content = picture(kind)
    sha256 = hashlib.sha256(content).hexdigest()
    path = f"/covers/{sha256}"
    assert (await client.get(path)).status_code == 404
    for _ in range(2):
        assert (await client.put(path, content=content)).status_code == 201
    served = await client.get(path)
    assert (served.content, served.headers["content-type"]) == (content, mime_type)
    assert "immutable" in served.headers["cache-control"]
    assert served.headers["x-content-type-options"] == "nosniff"
    again = await client.get(path, headers={"if-none-match": served.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    row = await pool.fetchrow("SELECT width, height, size_bytes FROM covers")
    assert tuple(row) == (40, 30, len(content))
    missing = "query($h: [String!]!) { missingCovers(sha256s: $h) }"
    told = {"query": missing, "variables": {"h": [sha256, "00" * 32]}}
    answer = await client.post("/graphql", json=told)
    assert answer.json()["data"] == {"missingCovers": ["00" * 32]}


async def test_a_smaller_image_is_made_when_it_is_asked_for_and_kept(
    client: httpx.AsyncClient, pool: asyncpg.Pool
) -> None:
    content = picture("JPEG", (800, 400))
    sha256 = hashlib.sha256(content).hexdigest()
    path = f"/covers/{sha256}"
    assert (await client.get(path, params={"size": 300})).status_code == 404
    await client.put(path, content=content)
    asked = [client.get(path, params={"size": 300}) for _ in range(5)]
    served, *others = await asyncio.gather(*asked)
    assert Image.open(io.BytesIO(served.content)).size == (300, 150)
    assert {one.content for one in others} == {served.content}
    assert "immutable" in served.headers["cache-control"]
    assert await pool.fetchval("SELECT count(*) FROM cover_variants") == 1
    tag = served.headers["etag"]
    assert tag != (await client.get(path)).headers["etag"]
    for told in (tag, f'W/{tag}, "x"', "*"):
        again = await client.get(path, params={"size": 300}, headers={"if-none-match": told})
        assert (again.status_code, again.content) == (304, b"")
    other = await client.get(path, params={"size": 64}, headers={"if-none-match": tag})
    assert other.status_code == 200
    assert (await client.get(path, params={"size": 1200})).content == content
    wrong = await client.get(path, params={"size": 301})
    assert (wrong.status_code, wrong.text) == (400, "size is one of 64, 128, 300, 600, 1200")


async def test_an_image_that_cannot_be_decoded_is_served_as_it_is(
    client: httpx.AsyncClient,
) -> None:
    content = picture("PNG", (800, 400))[:200]
    path = f"/covers/{hashlib.sha256(content).hexdigest()}"
    assert (await client.put(path, content=content)).status_code == 201
    assert (await client.get(path, params={"size": 64})).content == content


HUGE = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\xff\xff\0\0\xff\xff\x08\x02\0\0\0" + b"\0" * 99


@pytest.mark.parametrize(
    ("content", "status"),
    [
        (b"\xff\xd8\xff but no picture", 400),
        (HUGE, 400),
        (b"<svg xmlns='http://www.w3.org/2000/svg'><script/></svg>", 400),
        (b"", 400),
        (b"\xff\xd8\xff" + b"\0" * MOST_BYTES, 413),
    ],
    ids=["broken", "bomb", "svg", "empty", "large"],
)
async def test_what_is_no_image_or_too_large_is_refused(
    client: httpx.AsyncClient, pool: asyncpg.Pool, content: bytes, status: int
) -> None:
    path = "/covers/" + hashlib.sha256(content).hexdigest()
    assert (await client.put(path, content=content)).status_code == status
    assert await pool.fetchval("SELECT count(*) FROM covers") == 0


async def test_many_images_are_sent_at_once_and_what_is_wrong_with_one_is_its_answer(
    client: httpx.AsyncClient, pool: asyncpg.Pool
) -> None:
    images = [picture("PNG"), b"<svg/>", picture("JPEG"), b"", picture("PNG")]
    answers = await Gateway(client).post_covers(images)
    assert [answer is None for answer in answers] == [True, False, True, False, True]
    for image in (images[0], images[2]):
        shown = await client.get(f"/covers/{hashlib.sha256(image).hexdigest()}")
        assert (shown.status_code, shown.content) == (200, image)
    assert await pool.fetchval("SELECT count(*) FROM covers") == 2


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 200),
        (b"\0\0", 400),
        (b"\0\0\0\x09short", 400),
        ((MOST_BYTES + 1).to_bytes(4, "big") + b"\0" * (MOST_BYTES + 1), 200),
        (b"\0" * (2 * MOST_BYTES + 1), 413),
    ],
    ids=["none", "cut", "short", "large", "too much"],
)
async def test_a_body_of_images_that_is_none_is_refused(
    client: httpx.AsyncClient, pool: asyncpg.Pool, body: bytes, status: int
) -> None:
    assert (await client.post("/covers", content=body)).status_code == status
    assert await pool.fetchval("SELECT count(*) FROM covers") == 0


@pytest.mark.parametrize("name", ["x", "0" * 63, "g" * 64, "0" * 64])
async def test_an_image_is_not_stored_under_another_address(
    client: httpx.AsyncClient, name: str
) -> None:
    answer = await client.put(f"/covers/{name}", content=picture("PNG"))
    assert answer.status_code == 400


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
        await store_tracks("a.mp3", "b.mp3", scan_id=scan)
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
    for told in ({"authorization": token}, {"Authorization": token}):
        async with websocket(guarded) as opened:
            await say(opened, type="connection_init", payload=told)
            assert (await hear(opened))["type"] == "connection_ack"
    for wrong in ({}, {"authorization": "Bearer x"}, {"authorization": ["Bearer"]}):
        async with websocket(guarded) as opened:
            await say(opened, type="connection_init", payload=wrong)
            with pytest.raises(ConnectionClosed, match="4403"):
                await hear(opened)
    with pytest.raises(InvalidStatus):
        async with websocket(guarded, additional_headers={"authorization": "Bearer x"}):
            pass


async def stored(opened: ClientConnection, **told: Any) -> dict[str, Any]:
    """Begin a websocket with what is told, and store something through it."""
    await say(opened, type="connection_init", payload=told)
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
        for told, refused in ((mine, True), (theirs, False)):
            async with websocket(client) as opened:
                assert ("errors" in await stored(opened, **told)) is refused
            async with websocket(client, additional_headers=told) as opened:
                assert ("errors" in await stored(opened)) is refused


async def test_a_stop_ends_open_websockets(pool: asyncpg.Pool, database_settings: Settings) -> None:
    async with running(database_settings) as client:
        address = str(client.base_url).replace("http", "ws") + "/graphql"
        told = [Subprotocol("graphql-transport-ws")]
        opened = await connect(address, subprotocols=told, proxy=None)
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
            await store_tracks("a.mp3", "b.mp3", scan_id=scan)
            told = (await hear(opened))["payload"]["data"]["scanEnded"]
            assert told == {"id": id_, "state": "FINISHED", "filesRead": 2}
            assert (await hear(opened))["type"] == "complete"


async def test_the_end_of_no_scan_is_refused_in_words(client: httpx.AsyncClient) -> None:
    async with websocket(client) as opened:
        await begin(opened, ENDED, id=format_id(IdKind.SCAN, UUID(int=1)))
        assert "there is no scan" in str(await hear(opened))
