"""What lists and requests cost the database: statements, and the indexes these use."""

from typing import Any
from uuid import UUID

import asyncpg
import pytest
from pytest_asyncio import fixture

from services.api.store.database.embedded import EmbeddedPostgres
from services.api.store.database.postgres import register_codecs
from services.api.store.reading import nearest, track_lists
from shared.contracts.identity import IdKind, format_id
from shared.runtime.settings import Settings
from tests.integration.api_list_fixtures import SORTS, ask
from tests.integration.api_read_fixtures import (
    SchemaClient,
    dropped_space_indexes,
    fill,
    schema_client,
)

__all__ = ["ask", "dropped_space_indexes"]


# What is asked of the database: the queries with their arguments, over one connection.
Asked = list[tuple[str, tuple[Any, ...]]]


@fixture
async def watched(pool: asyncpg.Pool, database_settings: Settings) -> Any:
    told: Asked = []

    async def init(connection: asyncpg.Connection) -> None:
        await register_codecs(connection)
        connection.add_query_logger(note)

    def note(query: Any) -> None:
        if "pg_advisory_unlock_all" not in query.query:  # the pool's own, between requests
            told.append((query.query, query.args))

    server = EmbeddedPostgres(database_settings.data_dir / "postgres")
    async with asyncpg.create_pool(**server.dsn, min_size=1, max_size=1, init=init) as one:
        yield one, told


async def plan(pool: asyncpg.Pool, asked: tuple[str, tuple[Any, ...]]) -> str:
    """How the database would do it if it had to avoid reading whole tables and sorting."""
    query, arguments = asked
    async with pool.acquire() as connection, connection.transaction():
        await connection.execute("SET LOCAL enable_seqscan = off; SET LOCAL enable_sort = off")
        rows = await connection.fetch("EXPLAIN (COSTS OFF) " + query, *arguments)
    return "\n".join(row[0] for row in rows)


@pytest.mark.parametrize("descending", [False, True])
@pytest.mark.parametrize("sort", SORTS)
async def test_a_page_deep_in_a_list_starts_within_the_index_of_its_order(
    ask: SchemaClient, watched: tuple[asyncpg.Pool, Asked], sort: str, descending: bool
) -> None:
    pool, told = watched
    order = track_lists.ORDERS[sort]
    order = type(order)(
        order.column, order.kind, may_be_null=order.may_be_null, descending=descending
    )
    filters, after = track_lists.TrackFilters(), None
    for _ in range(4):  # with nulls going down, the first pages stand among them
        page = await track_lists.page(pool, filters, order, first=10, after=after)
        after = page.cursors[-1]
        shown = await plan(pool, told[-1])
        assert f"tracks_order_{sort.lower()}" in shown, shown
    assert "Index Cond: (ROW(" in shown or "IS NULL) AND (id" in shown, shown


async def test_nearest_neighbours_come_from_the_index_of_their_space(
    ask: SchemaClient, watched: tuple[asyncpg.Pool, Asked]
) -> None:
    pool, told = watched
    ids = [row["id"] for row in await pool.fetch("SELECT id FROM tracks LIMIT 5")]
    await nearest.of_tracks(pool, "audio", ids, 3)
    query = next(each for each in reversed(told) if "LATERAL" in each[0])
    assert "track_vectors_space_" in await plan(pool, query)


async def test_a_list_is_counted_only_when_asked(
    ask: SchemaClient, watched: tuple[asyncpg.Pool, Asked], database_settings: Settings
) -> None:
    pool, told = watched
    one = schema_client(pool, database_settings)
    for document, number in (
        ("{ tracks { edges { node { id } } } }", 1),
        ("{ tracks { totalCount edges { node { id } } } }", 2),
        ("{ artists { edges { node { id } } } }", 1),
    ):
        told.clear()
        await one(document)
        assert len(told) == number, told


FULL = """
  id title artists credits { role artist { name image { url } } } genres { name }
  album { title cover { url } artists { artist { name } } trackCount durationS tracks { title } }
  cover { url width } library { name trackCount } replaygain { trackGainDb } stage displayPath
  analysis { tempoBpm waveform mfccMean } vectors { space values }
  similar(first: 3) { score track { title artists album { title } analysis { key } } }
"""


@pytest.mark.parametrize(
    ("document", "most"),
    [
        (
            "query($n: Int) { tracks(first: $n) { totalCount edges { node {" + FULL + "} } } }",
            24,
        ),
        (
            "query($n: Int) { tracks(first: $n) { edges { node { title artists album { title }"
            " genres { name } vectors { values } } } } }",
            5,
        ),
        (
            "query($n: Int) { albums(first: $n) { edges { node { title trackCount cover { url }"
            " artists { artist { name trackCount } } tracks { title genres { name } } } } } }",
            9,
        ),
        (
            "query($n: Int) { artists(first: $n) { edges { node { name trackCount image { url }"
            " albums(first: 3) { totalCount edges { node { title trackCount } } }"
            " tracks(first: 3) { totalCount edges { node { title album { title } } } } } } } }",
            8,
        ),
        ("query($n: Int) { genres(first: $n) { edges { node { name trackCount } } } }", 2),
        ("query($n: Int) { scans(first: $n) { id library { name root } } }", 1),
    ],
    ids=["full", "tracks", "albums", "artists", "genres", "scans"],
)
async def test_a_request_costs_as_many_statements_for_200_rows_as_for_10(
    watched: tuple[asyncpg.Pool, Asked], library_id: UUID, database_settings: Settings,
    document: str, most: int,
) -> None:  # fmt: skip
    pool, told = watched
    await fill(pool, library_id, 240)
    costs = []
    for number in (1, 10, 200):  # the first one makes the connection learn types
        told.clear()
        await schema_client(pool, database_settings)(document, n=number)
        costs.append(len(told))
    assert costs[2] <= costs[1] <= most, "\n".join(query for query, _ in told)


async def test_1000_tracks_by_id_with_all_fields_are_within_the_limits(
    pool: asyncpg.Pool, library_id: UUID, database_settings: Settings
) -> None:
    made = await fill(pool, library_id, 200)
    ids = [format_id(IdKind.TRACK, one.id) for one in made if one.id]
    unknown = format_id(IdKind.TRACK, UUID(int=0))
    document = f"query($ids: [ID!]!) {{ tracksById(ids: $ids) {{ {FULL} }} }}"
    found = (await schema_client(pool, database_settings)(document, ids=[*ids * 4, unknown]))[
        "tracksById"
    ]
    assert [one and one["id"] for one in found] == [*ids * 4, None]
