"""What a person says of a track: it wins in all that is read, and outlasts what comes later."""

from typing import Any
from uuid import UUID

import asyncpg
import pytest
from pytest_asyncio import fixture

from services.api import correcting
from services.api.store import analyses, corrections, tracks, vectors
from services.api.store.outcomes import ProblemCode, Status, TrackUpserted
from services.api.store.reading import track_lists
from services.indexer.document import search_item
from services.vectorizer.text_description import text_description
from shared.bus.in_process import InProcessBus
from shared.bus.port import Outcome, Subscription
from shared.contracts.events import AudioAnalyzed, Event, TrackVectorized
from shared.contracts.topics import Stage, Topic
from shared.contracts.versions import ANALYZER_VERSION
from shared.gateway.documents import TO_INDEX
from shared.gateway.vectors import TO_VECTORIZE
from shared.runtime.settings import Settings
from shared.search.port import SearchDocument
from tests.integration.api_read_ground import Asker, ask, asker
from tests.integration.api_write_ground import AUDIO, TEXT, register_both, track_of, vector
from tests.integration.conftest import StoreTracks, analysis_item, track_item

__all__ = ["ask"]

CORRECT = """
mutation($input: [CorrectionInput!]!) {
  correctTracks(input: $input) {
    results { id status revision contentRevision error { code field message } }
  }
}
"""
STANDS = """
query($ids: [ID!]!) {
  tracksById(ids: $ids) {
    tempoBpm key mode camelot genres { name } moods
    analysis { tempoBpm key mode camelot }
    correction { tempoBpm key mode camelot genres moods tagGenres tagMoods }
  }
}
"""
RIGHT = {
    "tempo_bpm": 60.0, "key": "Bb", "mode": "major", "genres": ["Trip  Hop", "trip hop", "Dub"],
    "moods": ["calm"],
}  # fmt: skip


@fixture
async def track(pool: asyncpg.Pool, store_tracks: StoreTracks) -> TrackUpserted:
    """`a.mp3`, analysed and vectorized."""
    await register_both(pool)
    (made,) = await store_tracks(track_item("a.mp3", moods=["tagged"]))
    (made,) = await analyses.store(pool, [analysis_item(made)])
    await vectors.store(pool, [vector(made, AUDIO), vector(made, TEXT)])
    return made


async def correct(pool: asyncpg.Pool, track: TrackUpserted, **told: Any) -> TrackUpserted:
    (one,) = await corrections.store(pool, [{"track_id": track_of(track), **told}])
    assert one.problem is None
    return one


async def stands(ask: Asker, track: TrackUpserted) -> dict[str, Any]:
    """What a client reads of tempo, key, genres and moods."""
    found: dict[str, Any] = (await ask(STANDS, ids=[track_of(track)]))["tracksById"][0]
    return found | {"genres": [genre["name"] for genre in found["genres"]]}


def in_short(found: dict[str, Any]) -> tuple[Any, ...]:
    return tuple(found[name] for name in ("tempoBpm", "key", "mode", "camelot", "genres", "moods"))


MEASURED = (120, "A", "minor", "8A", ["Electronic"], ["tagged"])
CORRECTED = (60, "A#", "major", "6B", ["Trip Hop", "Dub"], ["calm"])


async def test_a_correction_stands_and_what_was_measured_and_tagged_stays_readable(
    pool: asyncpg.Pool, track: TrackUpserted, ask: Asker
) -> None:
    assert in_short(await stands(ask, track)) == MEASURED
    assert (await stands(ask, track))["correction"] is None
    first = await correct(pool, track, **RIGHT)
    again = await correct(pool, track, **RIGHT)
    assert (first.status, again.status) == (Status.CREATED, Status.UNCHANGED)
    assert first.revision == again.revision == (track.revision or 0) + 1
    found = await stands(ask, track)
    assert in_short(found) == CORRECTED
    assert found["analysis"] == {"tempoBpm": 120, "key": "A", "mode": "minor", "camelot": "8A"}
    assert found["correction"]["tagGenres"] == ["Electronic"]
    assert found["correction"]["tagMoods"] == ["tagged"]


async def test_what_is_left_out_stays_and_null_takes_back(
    pool: asyncpg.Pool, track: TrackUpserted, ask: Asker
) -> None:
    await correct(pool, track, tempo_bpm=60)
    await correct(pool, track, key="D", mode="minor", genres=["Dub"])
    found = await stands(ask, track)
    assert (found["tempoBpm"], found["camelot"], found["genres"]) == (60, "7A", ["Dub"])
    await correct(pool, track, tempo_bpm=None, genres=None)
    found = await stands(ask, track)
    assert (found["tempoBpm"], found["camelot"], found["genres"]) == (120, "7A", ["Electronic"])
    last = await correct(pool, track, key=None, mode=None)
    assert last.status is Status.UPDATED
    found = await stands(ask, track)
    assert in_short(found) == MEASURED
    assert found["correction"] is None


async def test_a_correction_outlasts_analyses_tags_contents_and_moves(
    pool: asyncpg.Pool,
    library_id: UUID,
    track: TrackUpserted,
    store_tracks: StoreTracks,
    ask: Asker,
) -> None:
    await correct(pool, track, **RIGHT)
    await analyses.store(pool, [analysis_item(track, tempo_bpm=171, key="F", camelot="4A")])
    assert in_short(await stands(ask, track)) == CORRECTED
    tags: dict[str, Any] = {"genres": ["Jazz", "Soul"], "moods": ["new"], "title": "Retagged"}
    (retagged,) = await store_tracks(track_item("a.mp3", **tags))
    assert (retagged.id, retagged.status) == (track.id, Status.UPDATED)
    assert in_short(await stands(ask, track)) == CORRECTED
    hashed = {"content_hash": "ab" * 16}
    await store_tracks(track_item("a.mp3", size_bytes=7, **hashed, **tags))
    moved = track_item("b.mp3", size_bytes=7, moved_from=track_of(track), **hashed, **tags)
    (there,) = await tracks.store(pool, library_id, None, [moved])
    assert there.id == track.id
    (new,) = await analyses.store(pool, [analysis_item(there, tempo_bpm=99)])
    assert new.problem is None
    assert in_short(await stands(ask, track)) == CORRECTED
    await correct(pool, track, tempo_bpm=None, key=None, mode=None, genres=None, moods=None)
    assert in_short(await stands(ask, track)) == (
        99, "A", "minor", "8A", ["Jazz", "Soul"], ["new"]
    )  # fmt: skip


async def test_what_an_older_analyzer_version_measured_stands_until_there_is_a_newer(
    pool: asyncpg.Pool, track: TrackUpserted, ask: Asker
) -> None:
    await pool.execute("UPDATE analyses SET analyzer_version = 'older'")
    await pool.execute("UPDATE tracks SET analyzer_version = 'older'")
    await tracks.expect_analyzer(pool, ANALYZER_VERSION)
    assert await pool.fetchval("SELECT analyzed_content_revision FROM tracks") is None
    assert in_short(await stands(ask, track)) == MEASURED
    for told in ("tempoBpm: {min: 120, max: 120}", 'key: "A"', "energy: {min: 0.5}"):
        found = await ask("{ tracks(filter: {" + told + "}) { totalCount } }")
        assert found["tracks"]["totalCount"] == 1, told
    await correct(pool, track, tempo_bpm=60)
    assert (await stands(ask, track))["camelot"] == "8A"
    await analyses.store(pool, [analysis_item(track, tempo_bpm=99, key="C", camelot="8B")])
    found = await stands(ask, track)
    assert (found["tempoBpm"], found["camelot"], found["analysis"]["tempoBpm"]) == (60, "8B", 99)


async def test_lists_are_filtered_and_sorted_by_what_stands(
    pool: asyncpg.Pool, store_tracks: StoreTracks, ask: Asker
) -> None:
    made = await store_tracks("a.mp3", "b.mp3", "c.mp3", "unknown.mp3")
    await analyses.store(
        pool,
        [analysis_item(one, tempo_bpm=bpm) for one, bpm in zip(made, (80, 90, 0), strict=False)],
    )
    await correct(pool, made[0], **RIGHT | {"tempo_bpm": 160})
    await correct(pool, made[3], tempo_bpm=85)  # one that was never analysed, too

    async def titles(told: str) -> list[str]:
        found = await ask("{ tracks(" + told + ") { edges { node { title } } } }")
        return [edge["node"]["title"] for edge in found["tracks"]["edges"]]

    assert await titles("filter: {tempoBpm: {min: 75, max: 85}}") == ["unknown"]
    assert await titles("filter: {tempoBpm: {min: 155}}") == ["a"]
    assert await titles("filter: {tempoBpm: {max: 100}}, sort: TEMPO") == ["unknown", "b"]
    assert await titles('filter: {key: "A#", mode: "major", camelot: "6B"}') == ["a"]
    assert await titles('filter: {key: "A"}') == ["b", "c"]
    assert await titles('filter: {genre: "DUB"}') == ["a"]
    assert await titles('filter: {genre: "electronic"}') == ["b", "c", "unknown"]
    assert await titles("sort: TEMPO") == ["unknown", "b", "a", "c"]
    assert await titles("sort: TEMPO, direction: DESC") == ["c", "a", "b", "unknown"]


MANY_TRACKS = """
INSERT INTO tracks (title, sort_key, artist_credit, artist_key, container, codec, duration_s,
    tags_digest, tempo_bpm, key, mode, camelot)
SELECT 'T', 't', 'A', 'a', 'flac', 'flac', 60, '', 60 + n % 1200 / 10.0,
    (ARRAY['C','D','E','F','G','A','B'])[1 + n % 7], (ARRAY['major','minor'])[1 + n % 2],
    (1 + n % 12) || (ARRAY['A','B'])[1 + n % 2]
FROM generate_series(1, 5000) n;
ANALYZE tracks
"""


@pytest.mark.parametrize(
    ("filters", "index"),
    [
        (track_lists.TrackFilters(tempo_bpm=(80, 81)), "tracks_order_tempo"),
        (track_lists.TrackFilters(key="A", mode="minor"), "tracks_key"),
        (track_lists.TrackFilters(camelot="8A", tempo_bpm=(80, 90)), "tracks_camelot"),
    ],
)
async def test_filters_by_tempo_and_key_use_an_index(
    counted_pool: tuple[asyncpg.Pool, list[str]],
    filters: track_lists.TrackFilters,
    index: str,
) -> None:
    pool, told = counted_pool
    await track_lists.count(pool, filters)
    query = next(each for each in told if "count(*)" in each)
    asked: tuple[Any, ...] = (False, filters.key, filters.mode, filters.camelot, *filters.tempo_bpm)
    values = tuple(value for value in asked if value is not None)
    async with pool.acquire() as connection:
        begun = connection.transaction()
        await begun.start()
        try:
            await connection.execute(MANY_TRACKS)
            plan = await connection.fetch(f"EXPLAIN (COSTS OFF) {query}", *values)
        finally:
            await begun.rollback()  # with what the planner was told of them
    assert any(index in line[0] for line in plan), plan


async def test_search_document_and_text_vector_are_made_of_what_stands(
    pool: asyncpg.Pool, track: TrackUpserted, ask: Asker
) -> None:
    await correct(pool, track, **RIGHT)
    assert await pool.fetchval("SELECT vectorized_content_revision FROM tracks") is None
    revisions = await pool.fetch(
        "SELECT s.space, v.content_revision FROM track_vectors v"
        " JOIN vector_spaces s ON s.id = v.vector_space_id ORDER BY s.space"
    )
    assert [tuple(row) for row in revisions] == [("audio", 1), ("text", 0)], "the sound stays"
    (told,) = (await ask(TO_INDEX, ids=[track_of(track)]))["tracksById"]
    document = search_item(told)
    assert isinstance(document, SearchDocument)
    assert (document.tempo_bpm, document.key) == (60, "A# major")
    assert document.genres == ["Trip Hop", "Dub"]
    (told,) = (await ask(TO_VECTORIZE, ids=[track_of(track)]))["tracksById"]
    words = text_description(told)
    for word in ("Trip Hop Dub", "calm", "very slow", "A# major"):
        assert word in words
    assert "minor" not in words


async def test_who_reads_it_is_told_at_once(
    pool: asyncpg.Pool, track: TrackUpserted, store_tracks: StoreTracks
) -> None:
    seen: list[Event] = []

    async def handle(events: Any) -> Outcome:
        seen.extend(events)
        return Outcome()

    bus = InProcessBus()
    bus.subscribe(Subscription(Topic.AUDIO_ANALYZED, Stage.VECTORIZE, handle, batch_wait_s=0))
    bus.subscribe(Subscription(Topic.TRACK_VECTORIZED, Stage.INDEX, handle, batch_wait_s=0))
    await bus.start()
    (raw,) = await store_tracks("raw.mp3")
    for _ in range(2):
        items = [{"track_id": track_of(one), "tempo_bpm": 77.7} for one in (track, raw)]
        await correcting.correct(pool, bus, items)
    await bus.drain(5)
    assert {type(event) for event in seen} == {AudioAnalyzed, TrackVectorized}
    assert {(event.track_id, event.revision) for event in seen} == {  # type: ignore[attr-defined] # both have them
        (track_of(track), (track.revision or 0) + 1), (track_of(raw), 2),
    }  # fmt: skip
    assert len(seen) == 2, "what changes nothing is not told"


@pytest.mark.parametrize(
    ("told", "field", "words"),
    [
        ({"tempoBpm": 5}, "tempoBpm", "5 is not between 20 and 400"),
        ({"key": "H", "mode": "minor"}, "key", "'H' is no tonic"),
        ({"key": "A", "mode": "dorian"}, "mode", "major or minor"),
        ({"key": "A"}, "mode", "needs a `mode`"),
        ({"mode": "minor", "key": None}, "key", "needs a `key`"),
        ({"genres": []}, "genres", "null takes the correction back"),
        ({"genres": [" "]}, "genres", "empty"),
        ({"moods": ["x" * 201]}, "moods", "201 characters"),
        ({"moods": [str(n) for n in range(21)]}, "moods", "more than 20"),
        ({"trackId": "trk_" + "0" * 32}, "trackId", "no such track"),
        ({"trackId": "alb_" + "0" * 32}, "trackId", "not the id of this kind"),
    ],
)
async def test_what_cannot_be_is_refused_alone_with_its_field(
    pool: asyncpg.Pool, store_tracks: StoreTracks, told: dict[str, Any], field: str, words: str
) -> None:
    made = await store_tracks("a.mp3", "b.mp3")
    items = [{"trackId": track_of(made[0]), **told}, {"trackId": track_of(made[1]), "tempoBpm": 99}]
    bad, good = await results(pool, items)
    assert bad["error"]["field"] == field
    assert words in bad["error"]["message"]
    code = "NOT_FOUND" if "no such" in words else ProblemCode.INVALID
    assert (bad["error"]["code"], good["error"], good["status"]) == (code, None, "CREATED")
    assert await pool.fetchval("SELECT count(*) FROM corrections") == 1


async def results(pool: asyncpg.Pool, items: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """What the mutation answers."""
    ask = asker(pool, Settings())
    found: list[dict[str, Any]] = (await ask(CORRECT, input=items))["correctTracks"]["results"]
    return found


async def test_of_two_corrections_of_a_track_in_a_batch_the_later_counts(
    pool: asyncpg.Pool, track: TrackUpserted, ask: Asker
) -> None:
    id_ = track_of(track)
    told = [{"track_id": id_, "tempo_bpm": 70, "genres": ["X"]}, {"track_id": id_, "tempo_bpm": 71}]
    first, second = await corrections.store(pool, told)
    assert first.revision == second.revision
    found = await stands(ask, track)
    assert (found["tempoBpm"], found["genres"]) == (71, ["X"])
