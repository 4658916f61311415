"""Single things, neighbours, searches; what is refused, and with which words."""

import re
from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, nullcontext
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
import numpy as np
import pytest
from numpy.typing import NDArray
from pytest_asyncio import fixture

from services.api.graphql import limits
from services.api.handlers import keep_failures
from services.api.store import analyses, files, vectors
from services.api.store.outcomes import TrackUpserted
from shared.contracts.errors import DependencyDown
from shared.contracts.identity import IdKind, encode_path, format_id
from shared.contracts.topics import Stage
from shared.embedding.port import EmbeddingSpace
from shared.runtime.settings import Settings
from shared.search.port import SearchDocument, SearchHits, SearchQuery
from shared.search.tantivy_index import TantivyIndex
from tests.integration.api_read_ground import TEXT, Asker, asker, drop_space_indexes, fill
from tests.integration.conftest import StoreTracks, analysis_item, track_item
from tests.integration.test_api_write_stages import (
    begin_scan,
    extracted,
    letter,
    register_both,
    track_of,
    vector,
)

NOWHERE = UUID(int=7).hex


@fixture(autouse=True)
async def tidied(pool: asyncpg.Pool) -> AsyncIterator[None]:
    yield
    await drop_space_indexes(pool)


@fixture
async def ask(pool: asyncpg.Pool, database_settings: Settings) -> Asker:
    return asker(pool, database_settings)


async def test_node_finds_everything_that_has_an_id(
    ask: Asker, pool: asyncpg.Pool, library_id: UUID
) -> None:
    (made, *_) = await fill(pool, library_id, 3)
    scan = await begin_scan(pool, 1)
    await keep_failures(pool, [letter(extracted(made), Stage.ANALYZE)])
    ids = {
        "Track": track_of(made),
        "Scan": format_id(IdKind.SCAN, scan),
        **{
            name: format_id(kind, await pool.fetchval(f"SELECT id FROM {name.lower()}s LIMIT 1"))
            for name, kind in (
                ("Artist", IdKind.ARTIST), ("Album", IdKind.ALBUM),
                ("Genre", IdKind.GENRE), ("Failure", IdKind.FAILURE),
            )
        },
    }  # fmt: skip
    document = "query($id: ID!) { node(id: $id) { __typename id } }"
    for name, id_ in ids.items():
        assert (await ask(document, id=id_))["node"] == {"__typename": name, "id": id_}
        unknown = id_.partition("_")[0] + "_" + NOWHERE
        assert (await ask(document, id=unknown))["node"] is None


async def test_a_track_shows_what_was_stored(
    ask: Asker, store_tracks: StoreTracks, artist_id: str
) -> None:
    path = encode_path(b"caf\xe9/x.mp3")
    told = track_item(
        path, title="Hyperballad", isrcs=["GBAYE9600001"], replaygain_track_gain_db=-3.5,
        disc_number=1, size_bytes=2**40, musicbrainz_recording_id=str(UUID(int=3)),
        credits=[
            {"artist_id": artist_id, "credited_as": "B.", "role": "composer", "join_phrase": ""},
            {"artist_id": artist_id, "credited_as": "Björk", "role": "artist", "join_phrase": " &"},
        ],
    )  # fmt: skip
    await store_tracks(told)
    shown = await ask(
        "{ tracks { edges { node { title path displayPath sizeBytes mtimeNs isrcs stage artists"
        " musicbrainzRecordingId replaygain { trackGainDb albumGainDb } album { id }"
        " analysis { key } credits { role creditedAs joinPhrase artist { name } }"
        " vectors { model } cover { url }"
        " only: credits(role: COMPOSER) { creditedAs } library { name root trackCount } } } } }"
    )
    assert shown["tracks"]["edges"][0]["node"] == {
        "title": "Hyperballad", "path": path, "displayPath": "caf\\xe9/x.mp3",
        "sizeBytes": 2**40, "mtimeNs": told["mtime_ns"], "isrcs": ["GBAYE9600001"],
        "stage": "EXTRACTED", "artists": ["Björk"], "musicbrainzRecordingId": str(UUID(int=3)),
        "replaygain": {"trackGainDb": -3.5, "albumGainDb": None}, "album": None, "analysis": None,
        "credits": [
            {"role": "ARTIST", "creditedAs": "Björk", "joinPhrase": " &",
             "artist": {"name": "Björk"}},
            {"role": "COMPOSER", "creditedAs": "B.", "joinPhrase": "", "artist": {"name": "Björk"}},
        ],
        "only": [{"creditedAs": "B."}], "vectors": [], "cover": None,
        "library": {"name": "music", "root": "/music", "trackCount": 1},
    }  # fmt: skip


async def place_vectors(pool: asyncpg.Pool, made: Sequence[TrackUpserted]) -> NDArray[Any]:
    """Vectors of the text space on a fan: the first is nearest to the second, and so on."""
    await register_both(pool)
    angles = np.linspace(0, np.pi / 2, len(made))
    fan = np.stack([np.cos(angles), np.sin(angles), 0 * angles], axis=1).astype(np.float32)
    told = {"space": "TEXT", "model": "m", "version": "1", "dimensions": 3}
    items = [
        vector(one, told, values=values / np.linalg.norm(values))
        for one, values in zip(made, fan, strict=True)
    ]
    await vectors.store(pool, items)
    return fan


async def test_similar_tracks_are_the_nearest_without_itself_and_missing_ones(
    ask: Asker, pool: asyncpg.Pool, library_id: UUID, store_tracks: StoreTracks
) -> None:
    made = await store_tracks(*(f"{n}.mp3" for n in range(6)))
    fan = await place_vectors(pool, made)
    await files.mark_missing(pool, library_id, ["1.mp3"])
    document = (
        "query($ids: [ID!]!) { tracksById(ids: $ids)"
        " { similar(first: 3, space: TEXT) { score track { title } }"
        " other: similar(space: AUDIO) { score } } }"
    )
    found = (await ask(document, ids=[track_of(made[0]), track_of(made[5])]))["tracksById"]
    assert [one["track"]["title"] for one in found[0]["similar"]] == ["2", "3", "4"]
    assert [one["track"]["title"] for one in found[1]["similar"]] == ["4", "3", "2"]
    scores = [one["score"] for one in found[0]["similar"]]
    assert scores == pytest.approx([float(fan[0] @ fan[n]) for n in (2, 3, 4)], abs=1e-6)
    assert found[0]["other"] == []


async def test_neighbours_of_many_agree_with_comparing_all(
    ask: Asker, pool: asyncpg.Pool, library_id: UUID
) -> None:
    made = await fill(pool, library_id, 300)
    await pool.execute("ANALYZE")
    rows = await pool.fetch(
        "SELECT track_id, embedding FROM track_vectors v JOIN vector_spaces s"
        " ON s.id = v.vector_space_id WHERE s.space = 'audio'"
    )
    ids = [format_id(IdKind.TRACK, row["track_id"]) for row in rows]
    matrix = np.stack([row["embedding"].to_numpy() for row in rows])
    asked = [track_of(one) for one in made[:50]]
    document = (
        "query($i: [ID!]!) { tracksById(ids: $i) { id similar(first: 10) { track { id } } } }"
    )
    found = (await ask(document, i=asked))["tracksById"]
    right = 0
    for track in found:
        scores = matrix @ matrix[ids.index(track["id"])]
        best = {ids[n] for n in np.argsort(-scores)[1:11]}
        right += len(best & {one["track"]["id"] for one in track["similar"]})
    assert right >= 0.95 * 10 * len(found)


class OneWord:
    """An embedder whose texts all mean the same; or one whose server is down."""

    def __init__(self, values: NDArray[np.float32] | None, model: str = "m") -> None:
        self._values = values
        self._model = model

    async def space(self) -> EmbeddingSpace:
        return EmbeddingSpace(self._model, "1", 0 if self._values is None else len(self._values))

    async def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        if self._values is None:
            raise DependencyDown("Ollama does not answer: start it")
        return np.stack([self._values] * len(texts))


MEANING = (
    "query($t: String!) { search(text: $t, mode: MEANING, first: 2)"
    " { totalCount hits { score track { title } } facets { name } } }"
)


async def test_a_search_by_meaning_gives_the_tracks_nearest_to_the_text(
    pool: asyncpg.Pool, store_tracks: StoreTracks, database_settings: Settings
) -> None:
    made = await store_tracks(*(f"{n}.mp3" for n in range(5)))
    fan = await place_vectors(pool, made)
    ask = asker(pool, database_settings, embedder=OneWord(fan[4]))
    found = (await ask(MEANING, t="calm piano"))["search"]
    assert [hit["track"]["title"] for hit in found["hits"]] == ["4", "3"]
    assert found["hits"][0]["score"] == pytest.approx(1)
    assert (found["totalCount"], found["facets"]) == (2, [])
    assert (await ask(MEANING, t="  "))["search"]["hits"] == []
    for other in (OneWord(fan[4], "another"), OneWord(np.eye(4, dtype=np.float32)[0])):
        code, told = await asker(pool, database_settings, embedder=other).refused(MEANING, t="x")
        assert code == "UNAVAILABLE"
        assert told.startswith("the tracks have vectors of m (1), the text has one of")
    down = asker(pool, database_settings, embedder=OneWord(None))
    assert await down.refused(MEANING, t="x") == ("UNAVAILABLE", "Ollama does not answer: start it")


async def test_a_search_by_words_loads_the_hits_that_are_still_there(
    pool: asyncpg.Pool, library_id: UUID, store_tracks: StoreTracks, database_settings: Settings,
    tmp_path: Any,
) -> None:  # fmt: skip
    made = await store_tracks("Jóga.mp3", "Joga two.mp3", "Bachelorette.mp3")
    index = TantivyIndex(tmp_path)
    documents = [
        SearchDocument(track_of(one), 1, title, ("Björk",), genres=("Electronic",), year=1997)
        for one, title in zip(made, ("Jóga", "Joga two", "Bachelorette"), strict=True)
    ]
    ask = asker(pool, database_settings, search=index)
    document = (
        "query($t: String!, $f: SearchFilter) { search(text: $t, first: 10, filter: $f)"
        " { totalCount hits { score track { title } } facets { name counts { value count } } } }"
    )
    async with index.writing(), index.reading():
        await index.write(documents)
        found = (await ask(document, t="joga"))["search"]
        assert [hit["track"]["title"] for hit in found["hits"]] == ["Jóga", "Joga two"]
        facets = {facet["name"]: facet["counts"] for facet in found["facets"]}
        assert facets["artist"] == [{"value": "Björk", "count": 2}]
        assert facets["year"] == [{"value": "1997", "count": 2}]
        await files.mark_missing(pool, library_id, ["Jóga.mp3"])
        found = (await ask(document, t="joga"))["search"]
        assert [hit["track"]["title"] for hit in found["hits"]] == ["Joga two"]
        found = (await ask(document, t="björk", f={"year": {"max": 1990}}))["search"]
        assert (found["totalCount"], found["hits"]) == (0, [])


async def test_status_and_failures_tell_what_there_is(
    ask: Asker, pool: asyncpg.Pool, store_tracks: StoreTracks
) -> None:
    made = await store_tracks(*(f"{n}.mp3" for n in range(5)))
    letters = [letter(extracted(one), Stage.ANALYZE, f"broken {n}") for n, one in enumerate(made)]
    await keep_failures(pool, letters[:3])
    status = (await ask("{ status { tracks failed pending stages { stage done failed total } } }"))[
        "status"
    ]
    assert (status["tracks"], status["failed"], status["pending"]) == (5, 3, 2)
    assert status["stages"][1] == {"stage": "ANALYZED", "done": 0, "failed": 3, "total": 5}
    document = (
        "query($f: FailureFilter, $a: String) { failures(first: 2, after: $a, filter: $f)"
        " { totalCount pageInfo { endCursor hasNextPage }"
        " edges { node { stage kind message path displayPath trackId topic attempts } } } }"
    )
    page = (await ask(document))["failures"]
    assert (page["totalCount"], page["pageInfo"]["hasNextPage"]) == (3, True)
    rest = (await ask(document, a=page["pageInfo"]["endCursor"]))["failures"]
    nodes = [edge["node"] for edge in page["edges"] + rest["edges"]]
    assert {node["path"] for node in nodes} == {"0.mp3", "1.mp3", "2.mp3"}
    assert {(node["stage"], node["kind"]) for node in nodes} == {("analyzer", "INVALID")}
    for told, number in (
        ({"trackId": track_of(made[1])}, 1), ({"stage": "indexer"}, 0), ({"kind": "BUG"}, 0),
        ({"topic": "track.extracted", "includeResolved": True}, 3), ({"ids": []}, 3),
    ):  # fmt: skip
        assert (await ask(document, f=told))["failures"]["totalCount"] == number, told


async def test_known_files_come_in_columns_by_path_below_a_folder(
    ask: Asker, store_tracks: StoreTracks, library_id: UUID
) -> None:
    await store_tracks("a/1.mp3", "a/2.mp3", "a b/3.mp3", "a0.mp3")
    document = (
        "query($l: ID!, $f: String, $a: String) { knownFiles(libraryId: $l, folder: $f, after: $a,"
        " first: 3) { paths sizesBytes mtimesNs missing endCursor } }"
    )
    told = {"l": format_id(IdKind.LIBRARY, library_id)}
    first = (await ask(document, **told))["knownFiles"]
    rest = (await ask(document, **told, a=first["endCursor"]))["knownFiles"]
    assert first["paths"] + rest["paths"] == ["a b/3.mp3", "a/1.mp3", "a/2.mp3", "a0.mp3"]
    assert (rest["endCursor"], rest["sizesBytes"], rest["missing"]) == (None, [1_000], [False])
    below = (await ask(document, **told, f="a"))["knownFiles"]
    assert below["paths"] == ["a/1.mp3", "a/2.mp3"]


@pytest.mark.parametrize(
    ("document", "code", "told"),
    [
        ('{ node(id: "x") { id } }', "BAD_INPUT", "id: 'x' is not an id"),
        (f'{{ node(id: "lib_{NOWHERE}") {{ id }} }}', "BAD_INPUT", "libraries"),
        ('{ scan(id: "trk_x") { id } }', "BAD_INPUT", "id: "),
        (f'{{ scan(id: "trk_{NOWHERE}") {{ id }} }}', "BAD_INPUT", "begins with scn_"),
        ('{ tracksById(ids: ["1"]) { id } }', "BAD_INPUT", "ids: "),
        ("{ tracks(first: 0) { totalCount } }", "BAD_INPUT", "first: ask for 1 to 500 rows"),
        ("{ tracks(first: 501) { totalCount } }", "BAD_INPUT", "first: ask for 1 to 500 rows"),
        ("{ albums(first: -1) { totalCount } }", "BAD_INPUT", "first: "),
        ('{ tracks(after: "!") { totalCount } }', "BAD_INPUT", "after: no cursor of this list"),
        ('{ tracks(after: "W10=") { totalCount } }', "BAD_INPUT", "after: "),
        ('{ genres(after: "eyJhIjoxfQ==") { totalCount } }', "BAD_INPUT", "after: "),
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
        ('{ search(text: "a") { totalCount } }', "INTERNAL", "the log says more"),
    ],
)  # fmt: skip
async def test_what_cannot_be_answered_names_the_argument_and_what_to_do(
    ask: Asker, document: str, code: str, told: str
) -> None:
    found, message = await ask.refused(document)
    assert found == code
    assert told in message


@pytest.mark.parametrize("year", [{"min": -(2**31)}, {"max": 2**31 - 1}])
async def test_a_year_beyond_all_years_is_an_open_end(ask: Asker, year: dict[str, int]) -> None:
    document = "query($y: IntRange) { tracks(filter: {year: $y}) { totalCount } }"
    assert (await ask(document, y=year))["tracks"]["totalCount"] == 0


async def test_a_cursor_of_another_order_is_refused(
    ask: Asker, pool: asyncpg.Pool, library_id: UUID
) -> None:
    await fill(pool, library_id, 3, complete=False)
    page = await ask("{ tracks(first: 1, sort: TITLE) { pageInfo { endCursor } } }")
    document = "query($a: String) { tracks(after: $a, sort: ARTIST) { totalCount } }"
    told = await ask.refused(document, a=page["tracks"]["pageInfo"]["endCursor"])
    assert told[1] == "after: no cursor of this list in this order: start without one"


DEEP = "id"
for _ in range(5):
    DEEP = "album { tracks { " + DEEP + " } }"


@pytest.mark.parametrize(
    ("document", "told"),
    [
        ("{ tracks { edges { node { " + DEEP + " } } } }", "depth"),
        ("{ " + " ".join(f"a{n}: status {{ tracks }}" for n in range(31)) + " }", "31 aliases"),
        ("{ status { " + "tracks " * 3_000 + " } }", "tokens"),
        ("query($i: [ID!]!) { tracksById(ids: $i) { id } }", "at most 1,000"),
    ],
)
async def test_a_document_beyond_the_limits_is_refused(
    ask: Asker, document: str, told: str
) -> None:
    ids = [f"trk_{NOWHERE}"] * 1_001
    code, message = await ask.refused(document, **({"i": ids} if "$i" in document else {}))
    assert code == "BAD_INPUT"
    assert told in message


async def test_nested_lists_are_bounded_in_all(
    ask: Asker, pool: asyncpg.Pool, library_id: UUID
) -> None:
    await fill(pool, library_id, 300, complete=False)
    document = "{ tracks(first: 300) { edges { node { album { tracks { album { tracks { album {"
    document += " tracks { album { title } } } } } } } } } } }"
    code, message = await ask.refused(document)
    assert code == "BAD_INPUT"
    assert f"{limits.MOST_ROWS_IN_ALL:,} rows" in message


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
async def test_an_error_of_ours_is_hidden_and_one_that_passes_is_told(
    pool: asyncpg.Pool, database_settings: Settings, error: Exception, code: str, shown: bool
) -> None:
    ask = asker(pool, database_settings, search=Broken(error))
    found, message = await ask.refused('{ search(text: "x") { totalCount } }')
    assert found == code
    assert (str(error) in message) is shown


_SELECTION = """
query($name: String!) {
  __type(name: $name) { fields { name type { name kind ofType { name kind ofType {
    name kind ofType { name kind } } } } } }
}
"""


async def _every_field(ask: Asker, name: str) -> str:
    """A selection of all fields of a type, those of nested types too."""
    names = []
    for field in (await ask(_SELECTION, name=name))["__type"]["fields"]:
        type_ = field["type"]
        while type_.get("ofType"):
            type_ = type_["ofType"]
        inner = await _every_field(ask, type_["name"]) if type_["kind"] == "OBJECT" else ""
        names.append(field["name"] + inner)
    return f" {{ {' '.join(names)} }}"


async def test_the_analysis_shown_has_every_field(
    ask: Asker, pool: asyncpg.Pool, library_id: UUID
) -> None:
    (made,) = await fill(pool, library_id, 1)
    every = await _every_field(ask, "Analysis")
    document = f"query($i: [ID!]!) {{ tracksById(ids: $i) {{ analysis {every} }} }}"
    shown = (await ask(document, i=[track_of(made)]))["tracksById"][0]["analysis"]
    told = analysis_item(made)
    assert shown["mfccMean"] == told["mfcc_mean"]
    assert shown["waveform"] == told["waveform"]
    assert shown["meaning"]["relaxed"] == pytest.approx({"score": 0.5, "confidence": 0.1})
    assert shown["meaning"]["tags"][0] == {"name": "rock", "score": 0.4}
    empty = {name for name, value in shown.items() if value is None}
    assert empty == {"fingerprint", "acoustidId", "meaningAbsence"}
    assert None not in shown["meaning"].values()


async def test_an_album_has_the_loudness_of_its_tracks_together(
    ask: Asker, pool: asyncpg.Pool, library_id: UUID
) -> None:
    made = await fill(pool, library_id, 2)
    counts = [[0] * 100 + [n] + [0] * 59 for n in (3, 1)]
    counts[1][130] = 4
    for one, histogram in zip(made, counts, strict=True):
        await analyses.store(
            pool, [analysis_item(one, loudness_histogram=histogram, true_peak_dbtp=-1.5)]
        )
    document = (
        "{ albums { edges { node { loudness"
        " { integratedLufs replaygainAlbumGainDb truePeakDbtp tracks } } } } }"
    )
    (edge,) = (await ask(document))["albums"]["edges"]
    # Four blocks at -4.75 LUFS; those at -19.75 are below the gate of the album.
    assert edge["node"]["loudness"] == pytest.approx(
        {
            "integratedLufs": -4.75, "replaygainAlbumGainDb": -13.25, "truePeakDbtp": -1.5,
            "tracks": 2,
        }
    )  # fmt: skip


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
async def test_the_queries_of_the_documents_answer(
    pool: asyncpg.Pool, library_id: UUID, database_settings: Settings, tmp_path: Path, query: str
) -> None:
    made = await fill(pool, library_id, 5)
    values = np.eye(TEXT["dimensions"], dtype=np.float32)[0]
    embedder = OneWord(values, TEXT["model"])
    ask = asker(pool, database_settings, search=TantivyIndex(tmp_path), embedder=embedder)
    ids = [track_of(one) for one in made]
    told = {"id": ids[0], "ids": ids, "track": ids[0], "other": ids[1], "after": None}
    assert await ask(query, **{name: told[name] for name in told if f"${name}:" in query})
