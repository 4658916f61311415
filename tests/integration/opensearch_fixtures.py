"""An index of a test's own on a real OpenSearch."""

import uuid
from collections.abc import AsyncIterator, Callable, Coroutine
from typing import Any

import pytest
from pytest_asyncio import fixture

from shared.search.opensearch_index import OpenSearchIndex
from shared.search.opensearch_server import OpenSearchServer
from shared.search.port import SearchDocument, SearchQuery, SearchReader
from tests.engines.opensearch import Node

BATCH = 50
Ask = Callable[..., Coroutine[Any, Any, Any]]


@pytest.fixture
def alias() -> str:
    return f"test-{uuid.uuid4().hex}"


@pytest.fixture
def index(opensearch: Node, alias: str) -> OpenSearchIndex:
    return OpenSearchIndex(opensearch.url, alias=alias)


@fixture
async def ask(opensearch: Node) -> AsyncIterator[Ask]:
    """Sends any request to the server, as another client would."""
    server = OpenSearchServer(opensearch.url)
    async with server.connected():
        yield server.request


def track_id(number: int) -> str:
    return f"trk_{number:032x}"


def tracks(numbers: range, title: str = "Song", version: int = 1) -> list[SearchDocument]:
    return [SearchDocument(track_id(number), version, title, ["Someone"]) for number in numbers]


async def total(reader: SearchReader, text: str = "song") -> int:
    return (await reader.search(SearchQuery(text))).total


async def indexes(ask: Ask, alias: str) -> set[str]:
    return set(await ask("GET", f"/{alias}*"))
