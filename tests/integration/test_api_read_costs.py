"""The cost of lists and requests in the database: the number of statements, and their indexes."""

from typing import Any
from uuid import UUID

import asyncpg
import pytest
from pytest_asyncio import fixture

from services.api.store.database.embedded import EmbeddedPostgres
from services.api.store.database.pool import register_codecs
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


# The statements of one connection, with their arguments.
Statements = list[tuple[str, tuple[Any, ...]]]


@fixture
async def recorded_pool(pool: asyncpg.Pool, database_settings: Settings) -> Any:
    statements: Statements = []

    async def init(connection: asyncpg.Connection) -> None:
        await register_codecs(connection)
        connection.add_query_logger(record)

    def record(query: Any) -> None:
        if "pg_advisory_unlock_all" not in query.query:  # the pool sends it between requests
            statements.append((query.query, query.args))

    server = EmbeddedPostgres(database_settings.data_dir / "postgres")
    async with asyncpg.create_pool(**server.dsn, min_size=1, max_size=1, init=init) as one:
        yield one, statements


async def plan(pool: asyncpg.Pool, statement: tuple[str, tuple[Any, ...]]) -> str:
    """The plan of a statement when sequential scans and sorts are disabled."""
    query, arguments = statement
    async with pool.acquire() as connection, connection.transaction():
        await connection.execute("SET LOCAL enable_seqscan = off; SET LOCAL enable_sort = off")
        rows = await connection.fetch("EXPLAIN (COSTS OFF) " + query, *arguments)
    return "\n".join(row[0] for row in rows)


@pytest.mark.parametrize("descending", [False, True])
@pytest.mark.parametrize("sort", SORTS)
async def test_a_later_page_starts_inside_the_index_of_its_order(
    ask: SchemaClient, recorded_pool: tuple[asyncpg.Pool, Statements], sort: str, descending: bool
) -> None:
    pool, statements = recorded_pool
    order = track_lists.ORDERS[sort]
    order = type(order)(
        order.column, order.kind, may_be_null=order.may_be_null, descending=descending
    )
    filters, after = track_lists.TrackFilters(), None
    for _ in range(4):  # in descending order, the first pages have nulls
        page = await track_lists.page(pool, filters, order, first=10, after=after)
        after = page.cursors[-1]
        shown = await plan(pool, statements[-1])
        assert f"tracks_order_{sort.lower()}" in shown, shown
    assert "Index Cond: (ROW(" in shown or "IS NULL) AND (id" in shown, shown


async def test_nearest_neighbours_use_the_index_of_their_space(
    ask: SchemaClient, recorded_pool: tuple[asyncpg.Pool, Statements]
) -> None:
    pool, statements = recorded_pool
    ids = [row["id"] for row in await pool.fetch("SELECT id FROM tracks LIMIT 5")]
    await nearest.of_tracks(pool, "audio", ids, 3)
    query = next(each for each in reversed(statements) if "LATERAL" in each[0])
    assert "track_vectors_space_" in await plan(pool, query)


async def test_a_list_is_counted_only_on_request(
    ask: SchemaClient, recorded_pool: tuple[asyncpg.Pool, Statements], database_settings: Settings
) -> None:
    pool, statements = recorded_pool
    one = schema_client(pool, database_settings)
    for document, number in (
        ("{ tracks { edges { node { id } } } }", 1),
        ("{ tracks { totalCount edges { node { id } } } }", 2),
        ("{ artists { edges { node { id } } } }", 1),
    ):
        statements.clear()
        await one(document)
        assert len(statements) == number, statements


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
async def test_a_request_takes_as_many_statements_for_200_rows_as_for_10(
    recorded_pool: tuple[asyncpg.Pool, Statements], library_id: UUID, database_settings: Settings,
    document: str, most: int,
) -> None:  # fmt: skip
    pool, statements = recorded_pool
    await fill(pool, library_id, 240)
    costs = []
    for number in (1, 10, 200):  # the first request makes the connection learn types
        statements.clear()
        await schema_client(pool, database_settings)(document, n=number)
        costs.append(len(statements))
    assert costs[2] <= costs[1] <= most, "\n".join(query for query, _ in statements)


async def test_1000_tracks_by_id_with_all_but_long_lists_are_within_the_limits(
    pool: asyncpg.Pool, library_id: UUID, database_settings: Settings
) -> None:
    made = await fill(pool, library_id, 200)
    ids = [format_id(IdKind.TRACK, one.id) for one in made if one.id]
    unknown = format_id(IdKind.TRACK, UUID(int=0))
    short = FULL.replace(" waveform", "").replace(" values", "")
    document = f"query($ids: [ID!]!) {{ tracksById(ids: $ids) {{ {short} }} }}"
    found = (await schema_client(pool, database_settings)(document, ids=[*ids * 4, unknown]))[
        "tracksById"
    ]
    assert [one and one["id"] for one in found] == [*ids * 4, None]
