"""The gateway answers the same over HTTP and within its process."""

import hashlib
from collections.abc import AsyncIterator
from io import BytesIO

import asyncpg
import httpx
import pytest
from PIL import Image
from pytest_asyncio import fixture

from services.api.service import Api, build
from shared.bus.in_process import InProcessBus
from shared.contracts.errors import DependencyDown
from shared.embedding.wordllama_embedder import WordLlamaEmbedder
from shared.gateway.client import Gateway, GatewayRefused
from shared.gateway.extraction import create_artists, create_tracks
from shared.runtime.settings import Settings
from shared.search.tantivy_index import TantivyIndex

_TRACK = {
    "path": "a.mp3", "sizeBytes": 1, "mtimeNs": 1, "title": "A", "artistCredit": "", "credits": [],
    "genres": [], "container": "mp3", "codec": "mp3", "durationS": 1,
}  # fmt: skip
_STATUS = "{ status { tracks } }"


def api_of(settings: Settings) -> Api:
    told = settings.model_copy(update={"port": 0})
    search = TantivyIndex(settings.search_dir)
    return build(told, bus=InProcessBus(), embedder=WordLlamaEmbedder(), search=search)


def gateway_of(api: Api, line: str) -> tuple[httpx.AsyncClient, Gateway]:
    client = httpx.AsyncClient(transport=httpx.ASGITransport(api.app), base_url="http://soniquebay")
    return client, Gateway(client if line == "http" else api.transport)


@fixture(params=["http", "within"])
async def gateway(
    request: pytest.FixtureRequest, pool: asyncpg.Pool, database_settings: Settings
) -> AsyncIterator[Gateway]:
    api = api_of(database_settings)
    client, gateway = gateway_of(api, request.param)
    async with client, api.service.lifespan():
        yield gateway


async def test_one_item_at_fault_is_told_and_the_others_are_stored(gateway: Gateway) -> None:
    items = [{"name": "Björk"}, {"name": "  "}, *({"name": f"a{n}"} for n in range(9))]
    results = await create_artists(gateway, items)
    assert [result["status"] for result in results] == ["CREATED", None, *["CREATED"] * 9]
    assert results[1]["error"]["field"] == "name"
    again = await create_artists(gateway, items)
    assert [result["id"] for result in again] == [result["id"] for result in results]


@pytest.mark.parametrize("document", ["{ status { trax } }", "{ status {", "subscription { a }"])
async def test_a_document_that_cannot_be_is_refused(gateway: Gateway, document: str) -> None:
    with pytest.raises(GatewayRefused):
        await gateway.execute_document(document, {})


async def test_variables_that_cannot_be_are_refused(gateway: Gateway) -> None:
    with pytest.raises(GatewayRefused, match="trk_1"):
        await create_tracks(gateway, "trk_1", None, [_TRACK])


async def test_an_image_that_is_none_is_told_and_the_others_are_stored(
    gateway: Gateway, pool: asyncpg.Pool
) -> None:
    told = BytesIO()
    Image.new("RGB", (2, 2)).save(told, "PNG")
    answers = await gateway.post_covers([told.getvalue(), b"<svg/>"])
    assert [answer is None for answer in answers] == [True, False]
    stored = await pool.fetch("SELECT sha256 FROM covers")
    assert [row["sha256"] for row in stored] == [hashlib.sha256(told.getvalue()).digest()]


@pytest.mark.parametrize("line", ["http", "within"])
async def test_while_the_database_is_not_open_it_is_waited_for(
    database_settings: Settings, line: str
) -> None:
    client, gateway = gateway_of(api_of(database_settings), line)
    async with client:
        with pytest.raises(DependencyDown):
            await gateway.execute_document(_STATUS, {})
        with pytest.raises(DependencyDown):
            await gateway.post_covers([b""])
