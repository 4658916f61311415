"""Refused documents and failing requests, with their codes and messages."""

import base64
from contextlib import AbstractAsyncContextManager, nullcontext
from uuid import UUID

import asyncpg
import pytest

from services.api.graphql import context
from shared.runtime.settings import Settings
from shared.search.port import SearchHits, SearchQuery
from tests.integration.api_read_fixtures import (
    UNKNOWN_UUID,
    SchemaClient,
    ask,
    dropped_space_indexes,
    fill,
    schema_client,
)

__all__ = ["ask", "dropped_space_indexes"]


DEEP_CURSOR = base64.urlsafe_b64encode(b"[" * 60_000).decode()


@pytest.mark.parametrize(
    ("document", "code", "text"),
    [
        ('{ node(id: "x") { id } }', "BAD_INPUT", "id: 'x' is not an id"),
        (f'{{ node(id: "lib_{UNKNOWN_UUID}") {{ id }} }}', "BAD_INPUT", "libraries"),
        ('{ scan(id: "trk_x") { id } }', "BAD_INPUT", "id: "),
        (f'{{ scan(id: "trk_{UNKNOWN_UUID}") {{ id }} }}', "BAD_INPUT", "those begin with scn_"),
        ('{ tracksById(ids: ["1"]) { id } }', "BAD_INPUT", "ids: "),
        ("{ tracks(first: 0) { totalCount } }", "BAD_INPUT", "first: ask for 1 to 500 rows"),
        ("{ tracks(first: 501) { totalCount } }", "BAD_INPUT", "first: ask for 1 to 500 rows"),
        ("{ albums(first: -1) { totalCount } }", "BAD_INPUT", "first: "),
        ('{ tracks(after: "!") { totalCount } }', "BAD_INPUT", "after: no cursor of this list"),
        ('{ tracks(after: "W10=") { totalCount } }', "BAD_INPUT", "after: "),
        ('{ genres(after: "eyJhIjoxfQ==") { totalCount } }', "BAD_INPUT", "after: "),
        (f'{{ tracks(after: "{DEEP_CURSOR}") {{ totalCount }} }}', "BAD_INPUT", "after: no cursor"),
        ("{ tracks { ...Trak } }", "BAD_INPUT", "Unknown fragment 'Trak'"),
        ("query A { status { tracks } } mutation B { resumeAnalysis }", "BAD_INPUT",
         "name one of A, B"),
        ('{ tracks(filter: {albumId: "alb_1"}) { totalCount } }', "BAD_INPUT", "albumId: "),
        (
            "{ tracks(filter: {year: {min: 3, max: 1}}) { totalCount } }",
            "BAD_INPUT",
            "year: min 3 is above max 1",
        ),
        ('{ tracks(filter: {key: "\\u0000"}) { totalCount } }', "BAD_INPUT", "NUL"),
        ('{ tracks(filter: {genre: "\\ud800"}) { totalCount } }', "BAD_INPUT", ""),
        ('{ missingCovers(sha256s: ["zz"]) }', "BAD_INPUT", "64 hex digits"),
        ("{ tracks { ", "BAD_INPUT", "Syntax Error"),
        ("{ nothing }", "BAD_INPUT", "Cannot query field"),
        ('{ search(text: "a", mode: MEANING, filter: {key: "A"}) { totalCount } }', "BAD_INPUT",
         "takes no filter"),
        ('{ search(text: "a") { totalCount } }', "INTERNAL", "its log says why"),
    ],
)  # fmt: skip
async def test_an_error_names_the_argument_and_what_to_do(
    ask: SchemaClient, document: str, code: str, text: str
) -> None:
    found, message = await ask.execute_refused(document)
    assert found == code
    assert text in message


@pytest.mark.parametrize("year", [{"min": -(2**31)}, {"max": 2**31 - 1}])
async def test_a_year_out_of_range_is_no_limit(ask: SchemaClient, year: dict[str, int]) -> None:
    document = "query($y: IntRange) { tracks(filter: {year: $y}) { totalCount } }"
    assert (await ask(document, y=year))["tracks"]["totalCount"] == 0


async def test_a_cursor_of_another_order_is_refused(
    ask: SchemaClient, pool: asyncpg.Pool, library_id: UUID
) -> None:
    await fill(pool, library_id, 3, complete=False)
    page = await ask("{ tracks(first: 1, sort: TITLE) { pageInfo { endCursor } } }")
    document = "query($a: String) { tracks(after: $a, sort: ARTIST) { totalCount } }"
    _, message = await ask.execute_refused(document, a=page["tracks"]["pageInfo"]["endCursor"])
    assert message == "after: no cursor of this list in this order: start without one"


DEEP = "id"
for _ in range(5):
    DEEP = "album { tracks { " + DEEP + " } }"


@pytest.mark.parametrize(
    ("document", "text"),
    [
        ("{ tracks { edges { node { " + DEEP + " } } } }", "depth"),
        ("{ " + " ".join(f"a{n}: status {{ tracks }}" for n in range(31)) + " }", "31 aliases"),
        ("{ status { " + "tracks " * 3_000 + " } }", "tokens"),
        ("query($i: [ID!]!) { tracksById(ids: $i) { id } }", "at most 1,000"),
    ],
)
async def test_a_document_beyond_the_limits_is_refused(
    ask: SchemaClient, document: str, text: str
) -> None:
    ids = [f"trk_{UNKNOWN_UUID}"] * 1_001
    code, message = await ask.execute_refused(document, **({"i": ids} if "$i" in document else {}))
    assert code == "BAD_INPUT"
    assert text in message


async def test_the_rows_of_nested_lists_have_a_limit_in_total(
    ask: SchemaClient, pool: asyncpg.Pool, library_id: UUID
) -> None:
    await fill(pool, library_id, 300, complete=False)
    document = "{ tracks(first: 300) { edges { node { album { tracks { album { tracks { album {"
    document += " tracks { album { title } } } } } } } } } } }"
    code, message = await ask.execute_refused(document)
    assert code == "BAD_INPUT"
    assert f"{context.MOST_ROWS_IN_ALL:,} rows" in message


class Broken:
    """A search index that fails."""

    def __init__(self, error: Exception) -> None:
        self._error = error

    def reading(self) -> AbstractAsyncContextManager[None]:
        return nullcontext()

    async def search(self, query: SearchQuery) -> SearchHits:
        raise self._error


@pytest.mark.parametrize(
    ("error", "code", "shown"),
    [
        (ValueError("secret"), "INTERNAL", False),
        (asyncpg.InterfaceError("pool is closing"), "UNAVAILABLE", True),
        (ConnectionRefusedError(111, "refused"), "UNAVAILABLE", True),
        (asyncpg.TooManyConnectionsError("too many"), "UNAVAILABLE", True),
        (asyncpg.UndefinedTableError("relation x"), "INTERNAL", False),
    ],
)
async def test_an_internal_error_is_hidden_and_a_temporary_one_is_shown(
    pool: asyncpg.Pool, database_settings: Settings, error: Exception, code: str, shown: bool
) -> None:
    ask = schema_client(pool, database_settings, search=Broken(error))
    found, message = await ask.execute_refused('{ search(text: "x") { totalCount } }')
    assert found == code
    assert (str(error) in message) is shown
