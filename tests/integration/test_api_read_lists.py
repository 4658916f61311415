"""Lists: pages, orders, filters; and what they cost the database."""

from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import asyncpg
import pytest
from pytest_asyncio import fixture

from services.api.store import albums, artists, files
from services.api.store.embedded import EmbeddedPostgres
from services.api.store.postgres import register_codecs
from services.api.store.reading import nearest, track_lists
from shared.contracts.identity import IdKind, format_id
from shared.runtime.settings import Settings
from tests.integration.api_read_ground import Asker, asker, drop_space_indexes, fill
from tests.integration.conftest import StoreTracks

NUMBER = 47  # no multiple of a page


@fixture(autouse=True)
async def tidied(pool: asyncpg.Pool) -> AsyncIterator[None]:
    yield
    await drop_space_indexes(pool)


@fixture
async def ask(pool: asyncpg.Pool, library_id: UUID, database_settings: Settings) -> Asker:
    await fill(pool, library_id, NUMBER)
    return asker(pool, database_settings)


async def walk(ask: Asker, field: str, told: str, size: int, show: str) -> list[dict[str, Any]]:
    """All nodes, page by page."""
    nodes: list[dict[str, Any]] = []
    after, more = None, True
    document = (
        f"query($after: String) {{ {field}(first: {size}, after: $after{told}) {{ totalCount"
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


@pytest.mark.parametrize("direction", ["ASC", "DESC"])
@pytest.mark.parametrize(
    ("sort", "size"), [*((sort, 5) for sort in SORTS), ("YEAR", 16), ("YEAR", 47), ("YEAR", 500)]
)
async def test_pages_of_tracks_give_each_row_once_in_order(
    ask: Asker, sort: str, direction: str, size: int
) -> None:
    told = f", sort: {sort}, direction: {direction}"
    nodes = await walk(ask, "tracks", told, size, SORTS[sort])
    keys = [(node[SORTS[sort]], UUID(node["id"][4:])) for node in nodes]
    without = 10_000  # null is last going up
    keys = [(without if value is None else value, id_) for value, id_ in keys]
    assert len(set(keys)) == NUMBER
    assert keys == sorted(keys, reverse=direction == "DESC")


@pytest.mark.parametrize("direction", ["ASC", "DESC"])
@pytest.mark.parametrize("told", ['genre: "ALL"', 'genre: "genre 1"', "genreId: $"])
async def test_a_genre_by_year_is_what_the_filter_lets_through_in_that_order(
    ask: Asker, pool: asyncpg.Pool, told: str, direction: str
) -> None:
    id_ = await pool.fetchval("SELECT id FROM genres WHERE name_key = 'all'")
    told = told.replace("$", f'"{format_id(IdKind.GENRE, id_)}"')
    options = f", sort: YEAR, direction: {direction}, filter: {{{told}}}"
    nodes = await walk(ask, "tracks", options, 5, "year")
    by_title = await walk(ask, "tracks", f", filter: {{{told}}}", 50, "year")
    assert {node["id"] for node in nodes} == {node["id"] for node in by_title}
    keys = [(node["year"] or 10_000, UUID(node["id"][4:])) for node in nodes]
    assert len(keys) == len(by_title) > 5
    assert keys == sorted(keys, reverse=direction == "DESC")


@pytest.mark.parametrize("direction", ["ASC", "DESC"])
@pytest.mark.parametrize(
    ("field", "show"),
    [("artists", "name"), ("genres", "name"), ("albums", "title"), ("albums", "year")],
)
async def test_pages_of_the_other_lists_give_each_row_once_in_order(
    ask: Asker, pool: asyncpg.Pool, field: str, show: str, direction: str
) -> None:
    told = f", direction: {direction}" + (", sort: YEAR" if show == "year" else "")
    nodes = await walk(ask, field, told, 2, show)
    assert len({node["id"] for node in nodes}) == len(nodes)
    assert len(nodes) == await pool.fetchval(f"SELECT count(*) FROM {field}")
    values = [node[show] for node in nodes]
    assert values == sorted(values, reverse=direction == "DESC")


async def test_rows_that_come_and_go_meanwhile_repeat_and_skip_nothing(
    ask: Asker, pool: asyncpg.Pool, library_id: UUID
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


@fixture
async def gone(ask: Asker, pool: asyncpg.Pool, library_id: UUID, store_tracks: StoreTracks) -> None:
    """Two tracks more, whose files are missing."""
    await store_tracks("gone/a.mp3", "gone/b.mp3")
    await files.mark_missing(pool, library_id, ["gone/a.mp3", "gone/b.mp3"])


@pytest.mark.parametrize(
    ("told", "number"),
    [
        ('genre: "gENRE 1"', 12),
        ('genre: "none"', 0),
        ('pathPrefix: "1/"', 10),
        ('pathPrefix: "1"', 10),
        ("year: {min: 1992, max: 1992}", 6),
        ("durationS: {max: 60.5}", 12),
        ("durationS: {min: 61, max: 62}", 24),
        ("tempoBpm: {min: 80, max: 89}", 10),
        ("energy: {max: 0.05}", 5),
        ('key: "A", mode: "minor"', 16),
        ('camelot: "8A", loudnessLufs: {min: -20, max: -10}', 47),
        ('key: "A", pathPrefix: "0/", genre: "All"', 4),
        ('meaning: {genre: " Jazz"}', 24),
        ("meaning: {sad: {max: 0.191}}", 10),
        ('meaning: {genre: "rock", sad: {max: 0.191}}, energy: {max: 0.15}', 1),
        ("meaning: {party: {min: 0.6}}", 0),
        ("meaning: {}", 47),
        ("isMissing: true", 2),
        ("isMissing: null", 49),
        ("year: {}", 47),
    ],
)
async def test_a_filter_of_tracks_lets_through_what_fits(
    ask: Asker, gone: None, told: str, number: int
) -> None:
    found = await walk(ask, "tracks", f", filter: {{{told}}}", 10, "title")
    assert len(found) == number


CREDITED = "track_id) FROM track_credits WHERE artist_id"


async def test_tracks_are_found_by_the_ids_of_what_they_belong_to(
    ask: Asker, pool: asyncpg.Pool, library_id: UUID
) -> None:
    some = await pool.fetchrow(
        "SELECT t.album_id, c.artist_id, g.genre_id FROM tracks t"
        " JOIN track_credits c ON c.track_id = t.id AND c.role = 'artist'"
        " JOIN track_genres g ON g.track_id = t.id AND g.position = 0"
        " WHERE t.title = 'Title 0' ORDER BY t.id LIMIT 1"
    )
    for name, kind, key, column in (
        ("albumId", IdKind.ALBUM, some["album_id"], "id) FROM tracks WHERE album_id"),
        (
            "artistId",
            IdKind.ARTIST,
            some["artist_id"],
            CREDITED,
        ),
        ("genreId", IdKind.GENRE, some["genre_id"], "track_id) FROM track_genres WHERE genre_id"),
        ("libraryId", IdKind.LIBRARY, library_id, "track_id) FROM files WHERE library_id"),
    ):
        found = await walk(ask, "tracks", f', filter: {{{name}: "{format_id(kind, key)}"}}', 9, "")
        number = await pool.fetchval(f"SELECT count(DISTINCT {column} = $1", key)
        assert len(found) == number > 0, name


async def test_artists_and_albums_are_filtered_and_empty_ones_left_out(
    ask: Asker, pool: asyncpg.Pool, library_id: UUID
) -> None:
    await artists.store(pool, [{"name": "Nobody"}])
    empty = {
        "title": "Empty", "artist_credit": "x", "credits": [], "folder": "e",
        "library_id": format_id(IdKind.LIBRARY, library_id),
    }  # fmt: skip
    await albums.store(pool, [empty])
    prefix = await walk(ask, "artists", ', filter: {namePrefix: "ARTIST 001"}', 5, "name")
    assert [node["name"] for node in prefix] == ["Artist 001"]
    every = await walk(ask, "artists", "", 5, "name trackCount")
    assert [(n["name"], n["trackCount"]) for n in every] == [("Artist 000", 47), ("Artist 001", 17)]
    for told, number in (
        ('titlePrefix: "album 00"', 5),
        ("year: {min: 1991, max: 1991}", 2),
        ("isCompilation: true", 2),
        (f'artistId: "{every[1]["id"]}"', 2),
    ):
        assert len(await walk(ask, "albums", f", filter: {{{told}}}", 2, "")) == number, told


async def test_an_album_has_its_tracks_in_order_and_an_artist_pages_of_them(ask: Asker) -> None:
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
    ask: Asker, watched: tuple[asyncpg.Pool, Asked], sort: str, descending: bool
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
    ask: Asker, watched: tuple[asyncpg.Pool, Asked]
) -> None:
    pool, told = watched
    ids = [row["id"] for row in await pool.fetch("SELECT id FROM tracks LIMIT 5")]
    await nearest.of_tracks(pool, "audio", ids, 3)
    query = next(each for each in reversed(told) if "LATERAL" in each[0])
    assert "track_vectors_space_" in await plan(pool, query)


async def test_a_list_is_counted_only_when_asked(
    ask: Asker, watched: tuple[asyncpg.Pool, Asked], database_settings: Settings
) -> None:
    pool, told = watched
    one = asker(pool, database_settings)
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
        await asker(pool, database_settings)(document, n=number)
        costs.append(len(told))
    assert costs[2] <= costs[1] <= most, "\n".join(query for query, _ in told)


async def test_1000_tracks_by_id_with_all_fields_are_within_the_limits(
    pool: asyncpg.Pool, library_id: UUID, database_settings: Settings
) -> None:
    made = await fill(pool, library_id, 200)
    ids = [format_id(IdKind.TRACK, one.id) for one in made if one.id]
    unknown = format_id(IdKind.TRACK, UUID(int=0))
    document = f"query($ids: [ID!]!) {{ tracksById(ids: $ids) {{ {FULL} }} }}"
    found = (await asker(pool, database_settings)(document, ids=[*ids * 4, unknown]))["tracksById"]
    assert [one and one["id"] for one in found] == [*ids * 4, None]
