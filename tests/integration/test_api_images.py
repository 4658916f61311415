"""Images through the gateway: stored, served, resized."""

import asyncio
import hashlib
import io

import asyncpg
import httpx
import pytest
from PIL import Image

from services.api.images import MOST_BYTES
from services.api.store import covers
from shared.gateway.client import Gateway
from shared.gateway.http_transport import HttpTransport
from tests.integration.gateways import picture


@pytest.mark.parametrize(
    ("kind", "mime_type"),
    [("JPEG", "image/jpeg"), ("PNG", "image/png"), ("GIF", "image/gif"), ("WEBP", "image/webp")],
)
async def test_an_image_is_stored_under_its_hash_and_served_as_immutable(
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
    body = {"query": missing, "variables": {"h": [sha256, "00" * 32]}}
    answer = await client.post("/graphql", json=body)
    assert answer.json()["data"] == {"missingCovers": ["00" * 32]}


async def test_a_smaller_image_is_made_on_request_and_kept(
    client: httpx.AsyncClient, pool: asyncpg.Pool
) -> None:
    content = picture("JPEG", (800, 400))
    sha256 = hashlib.sha256(content).hexdigest()
    path = f"/covers/{sha256}"
    assert (await client.get(path, params={"size": 300})).status_code == 404
    await client.put(path, content=content)
    requests = [client.get(path, params={"size": 300}) for _ in range(5)]
    served, *others = await asyncio.gather(*requests)
    assert Image.open(io.BytesIO(served.content)).size == (300, 150)
    assert {one.content for one in others} == {served.content}
    assert "immutable" in served.headers["cache-control"]
    assert await pool.fetchval("SELECT count(*) FROM cover_variants") == 1
    tag = served.headers["etag"]
    assert tag != (await client.get(path)).headers["etag"]
    for etags in (tag, f'W/{tag}, "x"', "*"):
        again = await client.get(path, params={"size": 300}, headers={"if-none-match": etags})
        assert (again.status_code, again.content) == (304, b"")
    other = await client.get(path, params={"size": 64}, headers={"if-none-match": tag})
    assert other.status_code == 200
    assert (await client.get(path, params={"size": 1200})).content == content
    refused = await client.get(path, params={"size": 301})
    assert (refused.status_code, refused.text) == (400, "size is one of 64, 128, 300, 600, 1200")


async def test_an_image_that_cannot_be_decoded_is_served_unchanged(
    client: httpx.AsyncClient,
) -> None:
    content = picture("PNG", (800, 400))[:200]
    path = f"/covers/{hashlib.sha256(content).hexdigest()}"
    assert (await client.put(path, content=content)).status_code == 201
    assert (await client.get(path, params={"size": 64})).content == content


FILE = b'--x\r\ncontent-disposition: form-data; name="image"; filename="image"\r\n\r\n'
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
async def test_invalid_and_too_large_images_are_refused(
    client: httpx.AsyncClient, pool: asyncpg.Pool, content: bytes, status: int
) -> None:
    path = "/covers/" + hashlib.sha256(content).hexdigest()
    assert (await client.put(path, content=content)).status_code == status
    assert await pool.fetchval("SELECT count(*) FROM covers") == 0


async def test_many_images_are_sent_in_one_request_and_each_has_its_own_error(
    client: httpx.AsyncClient, pool: asyncpg.Pool
) -> None:
    images = [picture("PNG"), b"<svg/>", picture("JPEG"), b"", picture("PNG")]
    answers = await Gateway(HttpTransport(client)).post_covers(images)
    assert [answer is None for answer in answers] == [True, False, True, False, True]
    for image in (images[0], images[2]):
        shown = await client.get(f"/covers/{hashlib.sha256(image).hexdigest()}")
        assert (shown.status_code, shown.content) == (200, image)
    assert await pool.fetchval("SELECT count(*) FROM covers") == 2


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"--x--\r\n", 200),
        (b"\0\0", 400),
        (FILE + b"short", 400),
        (FILE + b"\0" * (MOST_BYTES + 1) + b"\r\n--x--\r\n", 200),
        (FILE + b"\0" * (2 * MOST_BYTES) + b"\r\n--x--\r\n", 413),
        (b'--x\r\ncontent-disposition: form-data; name="a"\r\n\r\nb\r\n--x--\r\n', 200),
    ],
    ids=["none", "no form", "cut", "large", "too much", "no image"],
)
async def test_a_malformed_body_of_images_stores_nothing(
    client: httpx.AsyncClient, pool: asyncpg.Pool, body: bytes, status: int
) -> None:
    headers = {"content-type": "multipart/form-data; boundary=x"}
    assert (await client.post("/covers", content=body, headers=headers)).status_code == status
    assert await pool.fetchval("SELECT count(*) FROM covers") == 0


async def test_images_are_sent_as_a_form_only(client: httpx.AsyncClient) -> None:
    answer = await client.post("/covers", content=picture("PNG"))
    assert (answer.status_code, "multipart/form-data" in answer.text) == (400, True)


@pytest.mark.parametrize("name", ["x", "0" * 63, "g" * 64, "0" * 64])
async def test_an_image_is_not_stored_under_another_hash(
    client: httpx.AsyncClient, name: str
) -> None:
    answer = await client.put(f"/covers/{name}", content=picture("PNG"))
    assert answer.status_code == 400


async def test_a_cover_is_stored_once(pool: asyncpg.Pool) -> None:
    sha = b"\1" * 32
    for _ in range(2):
        await covers.store(pool, sha256=sha, mime_type="image/png", content=b"png")
    assert await covers.missing(pool, [sha, b"\2" * 32]) == {b"\2" * 32}
    assert await covers.content(pool, sha) == covers.CoverContent("image/png", b"png")
