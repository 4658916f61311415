"""Fixtures for lists: a full library, and a function that reads all pages."""

from typing import Any
from uuid import UUID

import asyncpg
from pytest_asyncio import fixture

from shared.runtime.settings import Settings
from tests.integration.api_read_fixtures import SchemaClient, fill, schema_client

NUMBER = 47  # no multiple of a page


@fixture
async def ask(pool: asyncpg.Pool, library_id: UUID, database_settings: Settings) -> SchemaClient:
    """A client on a library of `NUMBER` tracks."""
    await fill(pool, library_id, NUMBER)
    return schema_client(pool, database_settings)


async def walk(
    ask: SchemaClient, field: str, arguments: str, size: int, show: str
) -> list[dict[str, Any]]:
    """Read all nodes page by page. `arguments` are further ones, each with a comma before it."""
    nodes: list[dict[str, Any]] = []
    after, more = None, True
    document = (
        f"query($after: String) {{ {field}(first: {size}, after: $after{arguments}) {{ totalCount"
        f" edges {{ cursor node {{ id {show} }} }}"
        " pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } }"
    )
    while more:
        page = (await ask(document, after=after))[field]
        info = page["pageInfo"]
        assert info["hasPreviousPage"] == (after is not None)
        assert info["endCursor"] == (page["edges"][-1]["cursor"] if page["edges"] else None)
        nodes += [edge["node"] for edge in page["edges"]]
        after, more = info["endCursor"], info["hasNextPage"]
        assert not more or len(page["edges"]) == size
    assert page["totalCount"] == len(nodes)
    return nodes


SORTS = {
    "TITLE": "title",
    "ARTIST": "artistCredit",
    "YEAR": "year",
    "CREATED": "createdAt",
    "DURATION": "durationS",
}
