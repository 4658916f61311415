"""The vectorizer and the indexer with a real gateway: vectors and documents are stored."""

from uuid import UUID

from services.api.store.analyses import meanings
from services.api.store.analyses.upsert import upsert_analyses
from shared.contracts.events import AudioAnalyzed
from shared.contracts.identity import IdKind, format_id
from shared.contracts.meaning import AudioModel
from tests.integration.conftest import StoreTracks, analysis_item, meaning_item, track_item
from tests.integration.vectorizer_indexer_setup import Start, engine, rows, start, track_of

__all__ = ["engine", "start"]

CALM = {"energy": 0.1, "tempo_bpm": 60, "loudness_lufs": -28, "mfcc_mean": [-300.0, *[5.0] * 19]}
LOUD = {"energy": 0.9, "tempo_bpm": 160, "loudness_lufs": -7, "mfcc_mean": [-20.0, *[-5.0] * 19]}


async def test_a_track_is_searchable_at_once_and_complete_after_its_analysis(
    start: Start, store_tracks: StoreTracks
) -> None:
    pipeline = await start()
    (track,) = await store_tracks(track_item("a/Jóga.flac", title="Jóga"))
    await pipeline.extracted(track)
    await pipeline.idle()
    assert await pipeline.found("joga") == [track_of(track)]
    await pipeline.analyzed(analysis_item(track))
    await pipeline.idle()
    (row,) = (await rows(pipeline.pool)).values()
    assert row["vectorized_content_revision"] == row["content_revision"]
    assert row["indexed_revision"] == row["revision"]
    facets = (await pipeline.execute('{search(text: "joga") {facets {name counts {value}}}}'))[
        "search"
    ]
    assert {"name": "key", "counts": [{"value": "A minor"}]} in facets["facets"]


async def test_tracks_are_compared_by_sound_and_by_meaning(
    start: Start, store_tracks: StoreTracks
) -> None:
    pipeline = await start()
    names = ["calm one", "calm two", "loud one", "loud two"]
    tracks = await store_tracks(
        *(track_item(f"{name}.mp3", title=f"Piece {number}") for number, name in enumerate(names))
    )
    sounds = [CALM, {**CALM, "tempo_bpm": 64}, LOUD, {**LOUD, "tempo_bpm": 150}]
    await pipeline.analyzed(
        *(analysis_item(track, **sound) for track, sound in zip(tracks, sounds, strict=True))
    )
    await pipeline.idle()
    ids = [track_of(track) for track in tracks]
    data = await pipeline.execute(
        "query($ids: [ID!]!) {tracksById(ids: $ids) {similar(first: 1) {score track {id}}"
        " vectors {space model dimensions}}}", ids=ids,
    )  # fmt: skip
    nearest = [track["similar"][0]["track"]["id"] for track in data["tracksById"]]
    assert nearest == [ids[1], ids[0], ids[3], ids[2]]
    spaces = sorted((each["space"], each["model"]) for each in data["tracksById"][0]["vectors"])
    assert spaces == [("AUDIO", "soniquebay-descriptor"), ("TEXT", "wordllama")]
    assert set((await pipeline.found("calm quiet slow", "MEANING"))[:2]) == set(ids[:2])
    assert set((await pipeline.found("loud intense very fast", "MEANING"))[:2]) == set(ids[2:])


TRAINED_MODEL = AudioModel(model="ear", version="1", dimensions=2)


async def test_with_a_trained_model_its_embeddings_are_the_audio_vectors(
    start: Start, store_tracks: StoreTracks
) -> None:
    pipeline = await start()
    names = ("one.mp3", "two.mp3", "three.mp3", "four.mp3")
    tracks = one, two, three, four = await store_tracks(*names)
    await pipeline.analyzed(analysis_item(one))
    await pipeline.idle()
    await meanings.register(pipeline.pool, TRAINED_MODEL)
    (row,) = await pipeline.pool.fetch(
        "SELECT * FROM tracks WHERE analyzed_content_revision IS NOT NULL"
        " OR vectorized_content_revision IS NOT NULL OR id = $1", one.id,
    )  # fmt: skip
    assert row["analyzed_content_revision"] is None  # it was analysed without the model

    embeddings = [[0.6, 0.8], [0.8, 0.6], [-0.6, 0.8]]
    await pipeline.analyzed(
        *(
            analysis_item(track, meaning=meaning_item(embedding=embedding), meaning_absence=None)
            for track, embedding in zip((one, two, three), embeddings, strict=True)
        ),
        analysis_item(four, meaning_absence="the package is not installed"),
    )
    await pipeline.idle()
    ids = [track_of(track) for track in tracks]
    data = await pipeline.execute(
        "query($ids: [ID!]!) {audioModel {model version dimensions} tracksById(ids: $ids)"
        " {similar(first: 1) {track {id}} vectors {space model dimensions}}}", ids=ids,
    )  # fmt: skip
    assert data["audioModel"] == TRAINED_MODEL.model_dump()
    spaces = {each["model"] for each in data["tracksById"][0]["vectors"]}
    assert spaces == {"ear", "wordllama"}
    nearest = [track["similar"][0]["track"]["id"] for track in data["tracksById"][:2]]
    assert nearest == [ids[1], ids[0]]
    (failure,) = await pipeline.pool.fetch("SELECT * FROM failures WHERE resolved_at IS NULL")
    assert failure["track_id"] == four.id
    assert "no embedding by ear 1" in failure["message"]
    assert "the package is not installed" in failure["message"]


async def test_repeated_late_and_unknown_events_change_nothing(
    start: Start, store_tracks: StoreTracks
) -> None:
    pipeline = await start()
    (track,) = await store_tracks("song.mp3")
    item = analysis_item(track)
    await pipeline.analyzed(item)
    await pipeline.idle()
    before = dict((await rows(pipeline.pool))[track_of(track)])
    late = AudioAnalyzed(
        track_id=track_of(track), analyzer_version="0", content_revision=1, revision=1
    )
    unknown = late.model_copy(update={"track_id": format_id(IdKind.TRACK, UUID(int=1))})
    await pipeline.bus.publish([late, unknown, late])
    await pipeline.idle()
    assert dict((await rows(pipeline.pool))[track_of(track)]) == before
    assert await pipeline.pool.fetchval("SELECT count(*) FROM failures") == 0


async def test_a_track_without_an_analysis_of_its_content_gets_no_vectors(
    start: Start, store_tracks: StoreTracks
) -> None:
    pipeline = await start()
    (track,) = await store_tracks("song.mp3")
    (changed,) = await upsert_analyses(pipeline.pool, [analysis_item(track)])
    await store_tracks(track_item("song.mp3", size_bytes=5, mtime_ns=5))
    event = AudioAnalyzed(
        track_id=track_of(changed), analyzer_version="1", content_revision=1, revision=1
    )
    await pipeline.bus.publish([event])
    await pipeline.idle()
    assert await pipeline.pool.fetchval("SELECT count(*) FROM track_vectors") == 0
