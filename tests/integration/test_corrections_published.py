"""A correction reaches the search document and the text vector of its track."""

from typing import Any

import asyncpg
import msgspec

from services.api import corrections
from services.api.store.results import TrackUpserted
from services.indexer.search_document import search_item
from services.vectorizer.text_description import text_description
from shared.bus.in_process import InProcessBus
from shared.bus.port import Outcome, Subscription
from shared.contracts.events import AudioAnalyzed, Event, TrackVectorized
from shared.contracts.topics import Stage, Topic
from shared.gateway.indexing import TRACKS_TO_INDEX, TrackToIndex
from shared.gateway.vectorization import TRACKS_TO_VECTORIZE, TrackToVectorize
from shared.search.port import SearchDocument
from tests.integration.api_read_fixtures import SchemaClient, ask
from tests.integration.api_write_items import track_of
from tests.integration.conftest import StoreTracks
from tests.integration.corrections_fixtures import CORRECTION, correct, track

__all__ = ["ask", "track"]


async def test_the_search_document_and_the_text_vector_use_corrected_values(
    pool: asyncpg.Pool, track: TrackUpserted, ask: SchemaClient
) -> None:
    await correct(pool, track, **CORRECTION)
    assert await pool.fetchval("SELECT vectorized_content_revision FROM tracks") is None
    revisions = await pool.fetch(
        "SELECT s.space, v.content_revision FROM track_vectors v"
        " JOIN vector_spaces s ON s.id = v.vector_space_id ORDER BY s.space"
    )
    assert [tuple(row) for row in revisions] == [("audio", 1), ("text", 0)], (
        "the audio vector stays"
    )
    (found,) = (await ask(TRACKS_TO_INDEX.document, ids=[track_of(track)]))["tracksById"]
    document = search_item(msgspec.convert(found, TrackToIndex))
    assert isinstance(document, SearchDocument)
    assert (document.tempo_bpm, document.key) == (60, "A# major")
    assert document.genres == ["Trip Hop", "Dub"]
    (found,) = (await ask(TRACKS_TO_VECTORIZE.document, ids=[track_of(track)]))["tracksById"]
    described = msgspec.convert(found, TrackToVectorize)
    assert described.analysis is not None
    words = text_description(described, described.analysis)
    for word in ("Trip Hop Dub", "calm", "very slow", "A# major"):
        assert word in words
    assert "minor" not in words


async def test_a_correction_is_published_to_its_readers_at_once(
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
        await corrections.correct(pool, bus, items)
    await bus.drain(5)
    assert {type(event) for event in seen} == {AudioAnalyzed, TrackVectorized}
    assert {(event.track_id, event.revision) for event in seen} == {  # type: ignore[attr-defined] # both have them
        (track_of(track), (track.revision or 0) + 1), (track_of(raw), 2),
    }  # fmt: skip
    assert len(seen) == 2, "a correction that changes nothing is not published"
