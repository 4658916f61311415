"""The GraphQL queries in README.md and docs/graphql.md are answered."""

import re
from pathlib import Path
from uuid import UUID

import asyncpg
import numpy as np
import pytest

from shared.runtime.settings import Settings
from shared.search.tantivy_index import TantivyIndex
from tests.integration.api_read_fixtures import (
    TEXT,
    FixedEmbedder,
    dropped_space_indexes,
    fill,
    schema_client,
)
from tests.integration.api_write_items import track_of

__all__ = ["dropped_space_indexes"]

ROOT = Path(__file__).parents[2]
QUERIES = [
    pytest.param(query, id=f"{page}-{number}")
    for page in ("README.md", "docs/graphql.md")
    for number, query in enumerate(
        re.findall(r"```graphql\n(.*?)```", (ROOT / page).read_text(), re.DOTALL)
    )
    if "subscription" not in query
]


@pytest.mark.parametrize("query", QUERIES)
async def test_the_queries_of_the_documents_are_answered(
    pool: asyncpg.Pool, library_id: UUID, database_settings: Settings, tmp_path: Path, query: str
) -> None:
    made = await fill(pool, library_id, 5)
    values = np.eye(TEXT["dimensions"], dtype=np.float32)[0]
    embedder = FixedEmbedder(values, TEXT["model"])
    ask = schema_client(pool, database_settings, search=TantivyIndex(tmp_path), embedder=embedder)
    ids = [track_of(one) for one in made]
    variables = {"id": ids[0], "ids": ids, "track": ids[0], "other": ids[1], "after": None}
    assert await ask(query, **{name: variables[name] for name in variables if f"${name}:" in query})
