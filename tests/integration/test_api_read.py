"""The gateway's answers, over a real database and through the whole HTTP stack."""

import base64
import hashlib
from collections.abc import AsyncIterator, Sequence
from dataclasses import asdict
from typing import Any

import asyncpg
import httpx
import numpy as np
import pytest
from numpy.typing import NDArray
from pydantic import SecretStr
from pytest_asyncio import fixture

from services.api.graphql.context import Context
from services.api.graphql.schema import TEXT, build_schema
from services.api.guard import Guard, check_settings
from services.api.server import build_app
from services.api.store import albums, artists, vectors
from services.api.store.vectors import Space
from shared.bus.in_process import InProcessBus
from shared.contracts.errors import InvalidInput
from shared.contracts.identity import IdKind, format_id
from shared.embedding.port import EmbeddingSpace
from shared.runtime.settings import Settings
from shared.search.tantivy_index import TantivyIndex

JSON = dict[str, Any]
SPACE = Space("audio", "test", "1", 4)


class Words:
    """A tiny embedder: how often a text has each of four letters."""

    async def space(self) -> EmbeddingSpace:
        return EmbeddingSpace("letters", "1", 4)

    async def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        counts = np.array([[text.count(letter) + 0.01 for letter in "aeio"] for text in texts])
        unit: NDArray[np.float32] = (counts / np.linalg.norm(counts, axis=1, keepdims=True)).astype(
            np.float32
        )
        return unit


class Api:
    """The gateway in this process."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self.client = client

    async def answer(self, query: str, **variables: object) -> JSON:
        response = await self.client.post("/graphql", json={"query": query, "variables": variables})
        told: JSON = response.json()
        return told

    async def data(self, query: str, **variables: object) -> JSON:
        told = await self.answer(query, **variables)
        assert "errors" not in told, told
        data: JSON = told["data"]
        return data


def context_of(pool: asyncpg.Pool, settings: Settings) -> Context:
    search = TantivyIndex(settings.search_dir)
    return Context(pool, InProcessBus(), settings, search, Words())


@fixture
async def api(pool: asyncpg.Pool, database_settings: Settings) -> AsyncIterator[Api]:
    app = build_app(lambda: context_of(pool, database_settings))
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
        yield Api(client)


@fixture
async def counted_api(
    counted_pool: tuple[asyncpg.Pool, list[str]], database_settings: Settings
) -> AsyncIterator[tuple[Api, list[str]]]:
    counted, statements = counted_pool
    app = build_app(lambda: context_of(counted, database_settings))
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
        yield Api(client), statements


@fixture
async def library(pool: asyncpg.Pool, library_id: Any, store_tracks: Any) -> list[str]:
    """60 tracks by 3 artists on 6 albums, with ties and gaps in titles and years, and vectors."""
    made = await artists.store(pool, [{"name": f"Artist {n}"} for n in range(3)])
    names = [format_id(IdKind.ARTIST, each.id) for each in made if each.id]
    stored = await albums.store(
        pool,
        [
            {
                "title": f"Album {n}", "artist_credit": f"Artist {n % 3}",
                "credits": [{"artist_id": names[n % 3], "credited_as": f"Artist {n % 3}"}],
                "folder": f"a{n}", "library_id": format_id(IdKind.LIBRARY, library_id),
                "release_date": str(1990 + n) if n % 2 else None,
            }
            for n in range(6)
        ],
    )  # fmt: skip
    items = [
        {
            **_track(n),
            "album_id": format_id(IdKind.ALBUM, id_) if (id_ := stored[n % 6].id) else None,
            "credits": [{"artist_id": names[n % 3], "credited_as": f"Artist {n % 3}"}],
        }
        for n in range(60)
    ]
    done = await store_tracks(*items)
    await vectors.register(pool, [SPACE])
    random = np.random.default_rng(1)
    points = random.standard_normal((60, 4))
    points /= np.linalg.norm(points, axis=1, keepdims=True)
    told = [
        {
            "track_id": format_id(IdKind.TRACK, each.id), "content_revision": 1,
            "space": asdict(SPACE), "values": points[n].astype(np.float32),
        }
        for n, each in enumerate(done)
    ]  # fmt: skip
    assert all(each.problem is None for each in await vectors.store(pool, told))
    return [format_id(IdKind.TRACK, each.id) for each in done]


def _track(n: int) -> JSON:
    return {
        "path": f"a{n % 6}/{n:02d}.mp3", "size_bytes": 2**33, "mtime_ns": 1_700_000_000_000_000_000,
        "title": f"Title {n // 4}", "artist_credit": f"Artist {n % 3}",
        "genres": ["Jazz", "Rock"] if n % 2 else ["Électronique"],
        "release_date": str(1980 + n // 10) if n % 5 else None, "container": "mp3", "codec": "mp3",
        "duration_s": 100.0 + n % 7,
    }  # fmt: skip


PAGE = """
query Page($first: Int!, $after: String, $sort: TrackSort!, $direction: SortDirection!) {
  tracks(first: $first, after: $after, sort: $sort, direction: $direction) {
    totalCount pageInfo { hasNextPage endCursor hasPreviousPage }
    edges { node { id title year durationS artistCredit createdAt } }
  }
}
"""


@pytest.mark.parametrize("direction", ["ASC", "DESC"])
@pytest.mark.parametrize("sort", ["TITLE", "ARTIST", "YEAR", "CREATED", "DURATION"])
async def test_pages_show_every_track_once_in_order(
    api: Api, library: list[str], sort: str, direction: str
) -> None:
    seen: list[JSON] = []
    after = None
    while True:
        page = (await api.data(PAGE, first=7, after=after, sort=sort, direction=direction))[
            "tracks"
        ]
        assert page["totalCount"] == 60
        assert page["pageInfo"]["hasPreviousPage"] is (after is not None)
        seen += [edge["node"] for edge in page["edges"]]
        if not page["pageInfo"]["hasNextPage"]:
            break
        after = page["pageInfo"]["endCursor"]
    assert sorted(track["id"] for track in seen) == sorted(library)
    field = {"TITLE": "title", "ARTIST": "artistCredit", "YEAR": "year", "CREATED": "createdAt",
             "DURATION": "durationS"}[sort]  # fmt: skip
    values = [track[field] for track in seen]
    up = values if direction == "ASC" else values[::-1]
    given = [value for value in up if value is not None]
    assert given == sorted(given)
    assert up[len(given) :] == [None] * (len(up) - len(given)), "those without a year come last"


FULL = """
query Full($first: Int!) {
  tracks(first: $first) { edges { node {
    title artists credits { role creditedAs artist { name } } genres { name }
    album { title artists { creditedAs } } vectors { space dimensions values }
    analysis { tempoBpm } library { name } cover { url }
  } } }
}
"""


@pytest.mark.parametrize("first", [3, 60])
async def test_statements_of_a_request_do_not_grow_with_the_page(
    counted_api: tuple[Api, list[str]], library: list[str], first: int
) -> None:
    api, statements = counted_api
    await api.data("{ libraries { id } }")  # the connection's own set-up is over
    statements.clear()
    found = (await api.data(FULL, first=first))["tracks"]["edges"]
    assert len(found) == first
    asked = [
        text for text in statements if "set_config" not in text and "RESET" not in text.upper()
    ]
    # tracks, credits, artists, genres, albums, album credits, vectors, analyses, libraries
    assert len(asked) == 9, asked


async def test_related_things_are_those_of_the_track(api: Api, library: list[str]) -> None:
    query = """query T($ids: [ID!]!) { tracksById(ids: $ids) {
      id title artists year genres { name } album { title year } sizeBytes mtimeNs stage displayPath
      vectors { space dimensions values } library { name root } } }"""
    unknown = "trk_" + "0" * 32
    found = (await api.data(query, ids=[library[7], unknown, library[0], library[7]]))["tracksById"]
    assert found[1] is None
    assert found[0] == found[3]
    assert found[0]["title"] == "Title 1"
    assert found[0]["artists"] == ["Artist 1"]
    assert [genre["name"] for genre in found[0]["genres"]] == ["Jazz", "Rock"]
    assert found[0]["album"] == {"title": "Album 1", "year": 1991}
    assert found[0]["sizeBytes"] == 2**33
    assert found[0]["stage"] == "EXTRACTED"
    assert np.linalg.norm(found[0]["vectors"][0]["values"]) == pytest.approx(1, abs=1e-5)
    assert found[0]["library"] == {"name": "music", "root": "/music"}


@pytest.mark.parametrize(
    ("told", "count"),
    [
        ("{ genre: \"electronique\" }", 30),
        ("{ genre: \"JAZZ\" }", 30),
        ("{ year: { min: 1981, max: 1982 } }", 16),
        ("{ pathPrefix: \"a3/\" }", 10),
        ("{ pathPrefix: \"a3/%\" }", 0),
        ("{ durationS: { max: 100.5 } }", 9),
        ("{ tempoBpm: { min: 1 } }", 0),
        ("{ isMissing: true }", 0),
        ("{ isMissing: null }", 60),
    ],
)  # fmt: skip
async def test_filters_keep_what_fits(api: Api, library: list[str], told: str, count: int) -> None:
    found = await api.data(f"{{ tracks(first: 1, filter: {told}) {{ totalCount }} }}")
    assert found["tracks"]["totalCount"] == count


async def test_similar_is_the_order_of_the_cosines(
    api: Api, library: list[str], pool: asyncpg.Pool
) -> None:
    query = """query S($id: ID!) { node(id: $id) { ... on Track {
      vectors { values } similar(first: 59) { score track { id vectors { values } } } } } }"""
    node = (await api.data(query, id=library[5]))["node"]
    own = np.array(node["vectors"][0]["values"])
    truth = [float(own @ s["track"]["vectors"][0]["values"]) for s in node["similar"]]
    told = [s["score"] for s in node["similar"]]
    assert len(told) == 59
    assert told == pytest.approx(truth, abs=1e-5)
    assert told == sorted(told, reverse=True)
    assert library[5] not in [s["track"]["id"] for s in node["similar"]]


async def test_artists_albums_and_genres_are_listed_with_their_counts(
    api: Api, library: list[str]
) -> None:
    found = await api.data("""{
      artists { totalCount edges { node { name trackCount albums { totalCount }
        tracks(first: 2) { totalCount edges { node { title } } } } } }
      albums(sort: YEAR, direction: DESC) { edges { node { title year trackCount durationS
        tracks { title } } } }
      genres { edges { node { name trackCount } } } }""")
    shown = [edge["node"] for edge in found["artists"]["edges"]]
    assert [(a["name"], a["trackCount"], a["albums"]["totalCount"]) for a in shown] == [
        ("Artist 0", 20, 2), ("Artist 1", 20, 2), ("Artist 2", 20, 2)
    ]  # fmt: skip
    assert [a["tracks"]["totalCount"] for a in shown] == [20, 20, 20]
    listed = [edge["node"] for edge in found["albums"]["edges"]]
    assert [a["year"] for a in listed] == [None, None, None, 1995, 1993, 1991]
    assert all(a["trackCount"] == 10 == len(a["tracks"]) for a in listed)
    genres = [edge["node"] for edge in found["genres"]["edges"]]
    assert [(g["name"], g["trackCount"]) for g in genres] == [
        ("Électronique", 30), ("Jazz", 30), ("Rock", 30)
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("{ tracks(first: 0) { totalCount } }", "first: ask for 1 to 500"),
        ("{ tracks(first: 5000) { totalCount } }", "first: ask for 1 to 500"),
        ('{ tracks(after: "nonsense") { edges { cursor } } }', "after: no cursor of this list"),
        ('{ node(id: "x") { id } }', "is not an id of this library"),
        ('{ tracks(filter: { albumId: "art_' + "0" * 32 + '" }) { totalCount } }', "of something"),
        ("{ tracks(filter: { year: { min: 3, max: 1 } }) { totalCount } }", "is above max"),
        ("{ " + " ".join(f"a{n}: status {{ tracks }}" for n in range(40)) + " }", "liases"),
        ("{ tracks { edges { node {" + "album { tracks {" * 8 + "id" + "}}" * 8 + "}}}}", "depth"),
    ],
)  # fmt: skip
async def test_what_is_wrong_with_a_request_is_said(
    api: Api, library: list[str], query: str, words: str
) -> None:
    told = await api.answer(query)
    assert words in told["errors"][0]["message"], told


async def test_search_by_meaning_asks_the_text_space(
    api: Api, library: list[str], pool: asyncpg.Pool
) -> None:
    await vectors.register(pool, [SPACE, Space("text", "letters", "1", 4)])
    embedded = await Words().embed(["aaaa", "oooo"])
    told = [
        {"track_id": library[n], "content_revision": 1, "values": embedded[n],
         "space": asdict(Space("text", "letters", "1", 4))}
        for n in range(2)
    ]  # fmt: skip
    await vectors.store(pool, told)
    query = '{ search(text: "banana", mode: MEANING, first: 1) { hits { score track { id } } } }'
    found = (await api.data(query))["search"]["hits"]
    assert found[0]["track"]["id"] == library[0]
    assert found[0]["score"] > 0.99


async def test_covers_are_stored_under_their_hash_and_served_for_good(api: Api) -> None:
    picture = base64.b64decode(
        "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
    )

    told = hashlib.sha256(picture).hexdigest()
    missing = "query M($told: [String!]!) { missingCovers(sha256s: $told) }"
    assert (await api.data(missing, told=[told]))["missingCovers"] == [told]
    assert (await api.client.put(f"/covers/{'0' * 64}", content=picture)).status_code == 400
    assert (await api.client.put(f"/covers/{told}", content=picture)).status_code == 201
    assert (await api.client.put(f"/covers/{told}", content=picture)).status_code == 201
    assert (await api.data(missing, told=[told]))["missingCovers"] == []
    served = await api.client.get(f"/covers/{told}")
    assert served.content == picture
    assert served.headers["content-type"] == "image/png"
    again = await api.client.get(
        f"/covers/{told}", headers={"if-none-match": served.headers["etag"]}
    )
    assert again.status_code == 304
    assert (await api.client.get(f"/covers/{'1' * 64}")).status_code == 404
    large = b"\xff\xd8\xff" + bytes(20_000_001)
    too_large = await api.client.put(f"/covers/{hashlib.sha256(large).hexdigest()}", content=large)
    assert too_large.status_code == 413


def test_the_schema_is_the_one_that_was_agreed_on() -> None:
    told = "python -m services.api.graphql.schema writes it; review the difference"
    assert TEXT.read_text() == build_schema().as_str() + "\n", told


@pytest.mark.parametrize(
    ("settings", "headers", "status"),
    [
        ({}, {"host": "127.0.0.1:8707"}, 200),
        ({}, {"host": "localhost"}, 200),
        ({}, {"host": "[::1]:8707"}, 200),
        ({}, {"host": "evil.example"}, 403),
        ({}, {"host": "localhost", "origin": "https://evil.example"}, 403),
        ({}, {"host": "localhost", "origin": "http://localhost:8707"}, 200),
        ({"token": SecretStr("s3cret")}, {"host": "bay.example"}, 401),
        ({"token": SecretStr("s3cret")}, {"authorization": "Bearer wrong"}, 401),
        ({"token": SecretStr("s3cret")}, {"host": "x", "authorization": "Bearer s3cret"}, 200),
    ],
)
async def test_only_those_get_in_who_may(
    pool: asyncpg.Pool,
    database_settings: Settings,
    settings: JSON,
    headers: dict[str, str],
    status: int,
) -> None:
    app = build_app(lambda: context_of(pool, database_settings))
    transport = httpx.ASGITransport(Guard(app, Settings(**settings)))
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
        response = await client.post(
            "/graphql", json={"query": "{ status { tracks } }"}, headers=headers
        )
    assert response.status_code == status


def test_beyond_loopback_a_token_is_a_must() -> None:
    with pytest.raises(InvalidInput, match="SONIQUEBAY_TOKEN"):
        check_settings(Settings(host="0.0.0.0"))
    check_settings(Settings(host="0.0.0.0", token=SecretStr("s3cret")))
