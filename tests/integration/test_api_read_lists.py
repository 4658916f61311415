"""Pages and orders of lists."""

from uuid import UUID

import asyncpg
import pytest

from shared.contracts.identity import IdKind, format_id
from tests.integration.api_list_fixtures import NUMBER, SORTS, ask, walk
from tests.integration.api_read_fixtures import SchemaClient, dropped_space_indexes

__all__ = ["ask", "dropped_space_indexes"]


@pytest.mark.parametrize("direction", ["ASC", "DESC"])
@pytest.mark.parametrize(
    ("sort", "size"), [*((sort, 5) for sort in SORTS), ("YEAR", 16), ("YEAR", 47), ("YEAR", 500)]
)
async def test_pages_of_tracks_have_each_row_once_in_order(
    ask: SchemaClient, sort: str, direction: str, size: int
) -> None:
    arguments = f", sort: {sort}, direction: {direction}"
    nodes = await walk(ask, "tracks", arguments, size, SORTS[sort])
    keys = [(node[SORTS[sort]], UUID(node["id"][4:])) for node in nodes]
    without = 10_000  # nulls are last in ascending order
    keys = [(without if value is None else value, id_) for value, id_ in keys]
    assert len(set(keys)) == NUMBER
    assert keys == sorted(keys, reverse=direction == "DESC")


@pytest.mark.parametrize("direction", ["ASC", "DESC"])
@pytest.mark.parametrize("condition", ['genre: "ALL"', 'genre: "genre 1"', "genreId: $"])
async def test_a_genre_sorted_by_year_has_the_tracks_of_the_filter(
    ask: SchemaClient, pool: asyncpg.Pool, condition: str, direction: str
) -> None:
    id_ = await pool.fetchval("SELECT id FROM genres WHERE name_key = 'all'")
    condition = condition.replace("$", f'"{format_id(IdKind.GENRE, id_)}"')
    options = f", sort: YEAR, direction: {direction}, filter: {{{condition}}}"
    nodes = await walk(ask, "tracks", options, 5, "year")
    by_title = await walk(ask, "tracks", f", filter: {{{condition}}}", 50, "year")
    assert {node["id"] for node in nodes} == {node["id"] for node in by_title}
    keys = [(node["year"] or 10_000, UUID(node["id"][4:])) for node in nodes]
    assert len(keys) == len(by_title) > 5
    assert keys == sorted(keys, reverse=direction == "DESC")


@pytest.mark.parametrize("direction", ["ASC", "DESC"])
@pytest.mark.parametrize(
    ("field", "show"),
    [("artists", "name"), ("genres", "name"), ("albums", "title"), ("albums", "year")],
)
async def test_pages_of_the_other_lists_have_each_row_once_in_order(
    ask: SchemaClient, pool: asyncpg.Pool, field: str, show: str, direction: str
) -> None:
    arguments = f", direction: {direction}" + (", sort: YEAR" if show == "year" else "")
    nodes = await walk(ask, field, arguments, 2, show)
    assert len({node["id"] for node in nodes}) == len(nodes)
    assert len(nodes) == await pool.fetchval(f"SELECT count(*) FROM {field}")
    values = [node[show] for node in nodes]
    assert values == sorted(values, reverse=direction == "DESC")


async def test_a_row_that_goes_between_two_pages_makes_no_row_repeat_or_be_skipped(
    ask: SchemaClient, pool: asyncpg.Pool, library_id: UUID
) -> None:
    document = (
        "query($after: String) { tracks(first: 20, after: $after, sort: DURATION)"
        " { edges { cursor node { id } } } }"
    )
    first = (await ask(document))["tracks"]["edges"]
    last = UUID(first[-1]["node"]["id"][4:])
    await pool.execute("UPDATE tracks SET is_missing = true WHERE id = $1", last)
    rest = (await ask(document, after=first[-1]["cursor"]))["tracks"]["edges"]
    seen = [edge["node"]["id"] for edge in first + rest]
    assert len(set(seen)) == len(seen) == 40


async def test_an_album_has_its_tracks_in_order_and_an_artist_has_pages(
    ask: SchemaClient,
) -> None:
    shown = (
        "{ albums(first: 1) { edges { node { trackCount durationS tracks { trackNumber } } } }"
        " artists { edges { node { name"
        " albums(first: 2) { totalCount edges { node { title } } pageInfo { endCursor } }"
        " tracks(first: 3) { totalCount edges { node { title } } pageInfo { endCursor } } } } } }"
    )
    data = await ask(shown)
    (album,) = [edge["node"] for edge in data["albums"]["edges"]]
    assert [track["trackNumber"] for track in album["tracks"]] == list(range(1, 11))
    assert (album["trackCount"], album["durationS"]) == (10, sum(60 + n % 4 for n in range(10)))
    one, two = [edge["node"] for edge in data["artists"]["edges"]]
    assert (one["tracks"]["totalCount"], two["tracks"]["totalCount"]) == (47, 17)
    assert (one["albums"]["totalCount"], two["albums"]["totalCount"]) == (3, 2)
    assert [edge["node"]["title"] for edge in one["albums"]["edges"]] == ["Album 000", "Album 001"]
    after = one["albums"]["pageInfo"]["endCursor"]
    rest = await ask(
        "query($after: String) { artists(first: 1) { edges { node"
        " { albums(after: $after) { edges { node { title } } } } } } }",
        after=after,
    )
    (artist,) = [edge["node"] for edge in rest["artists"]["edges"]]
    assert [edge["node"]["title"] for edge in artist["albums"]["edges"]] == ["Album 002"]
