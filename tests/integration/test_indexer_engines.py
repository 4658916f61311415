"""The indexer with each search engine: missing tracks; a lost, foreign or outdated index."""

from uuid import UUID

import asyncpg
import httpx
import pytest

from services.api.housekeeper import removal_event
from services.api.store import search_index
from services.api.store.libraries.remove import remove_batch
from services.api.store.tracks.delete import unannounced
from shared.contracts.identity import IdKind, format_id
from shared.search.port import SearchDocument
from tests.engines.opensearch import Node
from tests.integration.conftest import StoreTracks, track_item
from tests.integration.vectorizer_indexer_setup import (
    BOTH_ENGINES,
    Engine,
    Start,
    engine,
    rows,
    start,
    track_of,
)

__all__ = ["engine", "start"]


@BOTH_ENGINES
async def test_a_missing_track_is_no_longer_found(start: Start, store_tracks: StoreTracks) -> None:
    pipeline = await start()
    (track,) = await store_tracks(track_item("song.mp3", title="Gone"))
    await pipeline.extracted(track)
    await pipeline.idle()
    await pipeline.pool.execute("UPDATE tracks SET is_missing = true, revision = revision + 1")
    await pipeline.extracted(track)
    await pipeline.idle()
    assert await pipeline.found("gone") == []
    (row,) = (await rows(pipeline.pool)).values()
    assert row["indexed_revision"] == row["revision"]


@BOTH_ENGINES
async def test_after_an_index_was_lost_all_tracks_are_indexed_again(
    start: Start, store_tracks: StoreTracks, engine: Engine
) -> None:
    pipeline = await start()
    (track,) = await store_tracks("song.mp3")
    await pipeline.extracted(track)
    await pipeline.idle()
    pipeline = await start()
    (row,) = (await rows(pipeline.pool)).values()
    assert (
        row["indexed_revision"] == row["revision"]
    )  # with the same index nothing is indexed again
    await engine.lose()
    pipeline = await start()
    (row,) = (await rows(pipeline.pool)).values()
    assert row["indexed_revision"] == 0
    await pipeline.extracted(track)
    await pipeline.idle()
    assert await pipeline.found("song") == [track_of(track)]


@BOTH_ENGINES
async def test_an_index_that_was_filled_for_another_database_is_cleared(
    start: Start, store_tracks: StoreTracks, engine: Engine
) -> None:
    foreign = engine.make()
    async with foreign.writing():
        await foreign.write([SearchDocument(format_id(IdKind.TRACK, UUID(int=9)), 9, "Song", [])])
    pipeline = await start()
    (track,) = await store_tracks("song.mp3")
    await pipeline.extracted(track)
    await pipeline.idle()
    assert (await pipeline.execute('{search(text: "song") {totalCount}}'))["search"][
        "totalCount"
    ] == 1


@pytest.mark.parametrize("engine", ["opensearch"], indirect=True)
async def test_after_an_upgrade_tracks_are_found_while_they_wait_for_the_new_index(
    start: Start,
    store_tracks: StoreTracks,
    engine: Engine,
    opensearch: Node,
    pool: asyncpg.Pool,
) -> None:
    (track,) = await store_tracks("song.mp3")
    assert track.id is not None
    assert track.revision is not None
    index = engine.make()
    async with httpx.AsyncClient(base_url=opensearch.url) as client:
        async with index.writing():
            await index.write([SearchDocument(track_of(track), track.revision, "Song", [])])
            current = index.generation
        alias = current.rsplit("-", 2)[0]
        older = f"{alias}-v0-older"
        copy = {"source": {"index": current}, "dest": {"index": older}}
        (await client.post("/_reindex?refresh=true", json=copy)).raise_for_status()
        actions = [
            {"remove_index": {"index": current}},
            {"add": {"index": older, "alias": alias}},
        ]
        (await client.post("/_aliases", json={"actions": actions})).raise_for_status()
    await search_index.register_generation(pool, older)
    await search_index.mark_indexed(pool, {track.id: track.revision}, stage="index")

    pipeline = await start()
    assert await pipeline.found("song") == [track_of(track)]
    (row,) = (await rows(pipeline.pool)).values()
    assert row["indexed_revision"] == 0


@BOTH_ENGINES
async def test_a_track_of_a_removed_library_is_no_longer_found(
    start: Start, store_tracks: StoreTracks, library_id: UUID
) -> None:
    pipeline = await start()
    gone, late = await store_tracks(
        track_item("song.mp3", title="Gone"), track_item("late.mp3", title="Gone too")
    )
    await pipeline.extracted(gone, late)
    await pipeline.idle()
    assert len(await pipeline.found("gone")) == 2
    await remove_batch(pipeline.pool, library_id)
    await pipeline.bus.publish(
        [removal_event(each) for each in await unannounced(pipeline.pool, 9)]
    )
    await pipeline.extracted(late)  # an event that was on its way
    await pipeline.idle()
    assert await pipeline.found("gone") == []
    total = await pipeline.execute('{search(text: "gone") {totalCount}}')
    assert total["search"]["totalCount"] == 0
    assert await pipeline.pool.fetchval("SELECT count(*) FROM removed_tracks") == 0
