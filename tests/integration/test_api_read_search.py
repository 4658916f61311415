"""Similar tracks, and searches by meaning and by words."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import asyncpg
import numpy as np
import pytest
from numpy.typing import NDArray

from services.api.store.files.missing import mark_missing
from services.api.store.results import TrackUpserted
from services.api.store.vectors.upsert import upsert_vectors
from shared.contracts.identity import IdKind, format_id
from shared.runtime.settings import Settings
from shared.search.port import SearchDocument
from shared.search.tantivy_index import TantivyIndex
from tests.integration.api_read_fixtures import (
    FixedEmbedder,
    SchemaClient,
    ask,
    dropped_space_indexes,
    fill,
    schema_client,
)
from tests.integration.api_write_items import register_both, track_of, vector
from tests.integration.conftest import StoreTracks

__all__ = ["ask", "dropped_space_indexes"]


async def store_fan(pool: asyncpg.Pool, made: Sequence[TrackUpserted]) -> NDArray[Any]:
    """Store text vectors in a fan: the first is nearest to the second, and so on."""
    await register_both(pool)
    angles = np.linspace(0, np.pi / 2, len(made))
    fan = np.stack([np.cos(angles), np.sin(angles), 0 * angles], axis=1).astype(np.float32)
    space = {"space": "TEXT", "model": "m", "version": "1", "dimensions": 3}
    items = [
        vector(one, space, values=values / np.linalg.norm(values))
        for one, values in zip(made, fan, strict=True)
    ]
    await upsert_vectors(pool, items)
    return fan


async def test_similar_tracks_are_the_nearest_without_the_track_itself_and_missing_ones(
    ask: SchemaClient, pool: asyncpg.Pool, library_id: UUID, store_tracks: StoreTracks
) -> None:
    made = await store_tracks(*(f"{n}.mp3" for n in range(6)))
    fan = await store_fan(pool, made)
    await mark_missing(pool, library_id, ["1.mp3"])
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


async def test_similar_tracks_agree_with_an_exact_comparison(
    ask: SchemaClient, pool: asyncpg.Pool, library_id: UUID
) -> None:
    made = await fill(pool, library_id, 300)
    await pool.execute("ANALYZE")
    rows = await pool.fetch(
        "SELECT track_id, embedding FROM track_vectors v JOIN vector_spaces s"
        " ON s.id = v.vector_space_id WHERE s.space = 'audio'"
    )
    ids = [format_id(IdKind.TRACK, row["track_id"]) for row in rows]
    matrix = np.stack([row["embedding"].to_numpy() for row in rows])
    ids_of_50 = [track_of(one) for one in made[:50]]
    document = (
        "query($i: [ID!]!) { tracksById(ids: $i) { id similar(first: 10) { track { id } } } }"
    )
    found = (await ask(document, i=ids_of_50))["tracksById"]
    correct = 0
    for track in found:
        scores = matrix @ matrix[ids.index(track["id"])]
        best = {ids[n] for n in np.argsort(-scores)[1:11]}
        correct += len(best & {one["track"]["id"] for one in track["similar"]})
    assert correct >= 0.95 * 10 * len(found)


MEANING = (
    "query($t: String!) { search(text: $t, mode: MEANING, first: 2)"
    " { totalCount hits { score track { title } } facets { name } } }"
)


async def test_a_search_by_meaning_finds_the_tracks_nearest_to_the_text(
    pool: asyncpg.Pool, store_tracks: StoreTracks, database_settings: Settings
) -> None:
    made = await store_tracks(*(f"{n}.mp3" for n in range(5)))
    fan = await store_fan(pool, made)
    ask = schema_client(pool, database_settings, embedder=FixedEmbedder(fan[4]))
    found = (await ask(MEANING, t="calm piano"))["search"]
    assert [hit["track"]["title"] for hit in found["hits"]] == ["4", "3"]
    assert found["hits"][0]["score"] == pytest.approx(1)
    assert (found["totalCount"], found["facets"]) == (2, [])
    assert (await ask(MEANING, t="  "))["search"]["hits"] == []
    for other in (FixedEmbedder(fan[4], "another"), FixedEmbedder(np.eye(4, dtype=np.float32)[0])):
        code, message = await schema_client(
            pool, database_settings, embedder=other
        ).execute_refused(MEANING, t="x")
        assert code == "UNAVAILABLE"
        assert message.startswith("the tracks have vectors of m (1), the text has one of")
    down = schema_client(pool, database_settings, embedder=FixedEmbedder(None))
    assert await down.execute_refused(MEANING, t="x") == (
        "UNAVAILABLE",
        "Ollama does not answer: start it",
    )


async def test_a_search_by_words_leaves_out_missing_tracks(
    pool: asyncpg.Pool, library_id: UUID, store_tracks: StoreTracks, database_settings: Settings,
    tmp_path: Any,
) -> None:  # fmt: skip
    made = await store_tracks("Jóga.mp3", "Joga two.mp3", "Bachelorette.mp3")
    index = TantivyIndex(tmp_path)
    documents = [
        SearchDocument(track_of(one), 1, title, ("Björk",), genres=("Electronic",), year=1997)
        for one, title in zip(made, ("Jóga", "Joga two", "Bachelorette"), strict=True)
    ]
    ask = schema_client(pool, database_settings, search=index)
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
        await mark_missing(pool, library_id, ["Jóga.mp3"])
        found = (await ask(document, t="joga"))["search"]
        assert [hit["track"]["title"] for hit in found["hits"]] == ["Joga two"]
        for spelling in ("electronic", "ELEC-tronic", "Elec Tronic"):
            found = (await ask(document, t="joga", f={"genre": spelling}))["search"]
            assert [hit["track"]["title"] for hit in found["hits"]] == ["Joga two"], spelling
        found = (await ask(document, t="björk", f={"year": {"max": 1990}}))["search"]
        assert (found["totalCount"], found["hits"]) == (0, [])
