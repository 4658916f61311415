"""Housekeeping deletes what nothing refers to, after the time that the settings name; no more."""

import asyncio
import hashlib
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from services.api.housekeeper import Housekeeper
from services.api.store import artists, covers, retention
from services.api.store.albums.upsert import upsert_albums
from services.api.store.analyses.current import expect_analyzer
from services.api.store.analyses.upsert import upsert_analyses
from services.api.store.covers import CoverContent
from services.api.store.failures.write import store_failures
from services.api.store.results import TrackUpserted
from services.api.store.tracks.upsert import upsert_tracks
from services.api.store.vectors.spaces import register_spaces, validate_space
from services.api.store.vectors.upsert import upsert_vectors
from shared.bus.in_process import InProcessBus
from shared.contracts.events import TrackIndexed
from shared.contracts.identity import IdKind, format_id
from shared.contracts.topics import Stage
from shared.contracts.versions import ANALYZER_VERSION
from shared.runtime.settings import Settings
from tests.integration.api_write_items import (
    AUDIO,
    TEXT,
    extracted,
    letter,
    register_both,
    track_of,
    vector,
)
from tests.integration.conftest import StoreTracks, analysis_item, meaning_item, track_item
from tests.integration.gateways import picture

WEEK = timedelta(days=7)
_EVERYTHING = (
    "covers", "cover_contents", "cover_variants", "tracks", "files", "albums", "album_claims",
    "artists", "failures", "analyses", "meanings", "vector_spaces", "track_vectors",
)  # fmt: skip
Delete = Callable[[asyncpg.Pool, timedelta], Awaitable[int]]


async def delete_all(pool: asyncpg.Pool, delete: Delete, kept: timedelta) -> int:
    total = 0
    while rows := await delete(pool, kept):
        total += rows
    return total


async def read_tables(pool: asyncpg.Pool) -> dict[str, list[str]]:
    return {
        name: [
            row["t"] for row in await pool.fetch(f"SELECT x::text AS t FROM {name} x ORDER BY 1")
        ]
        for name in _EVERYTHING
    }


async def store_cover(pool: asyncpg.Pool, name: str, *, days_ago: float = 30) -> str:
    """An image that was needed some days ago last, with a smaller one; its hash in hex."""
    content = picture("PNG") + name.encode()
    sha256 = hashlib.sha256(content).digest()
    await covers.store(pool, sha256=sha256, mime_type="image/png", content=content)
    await covers.keep_smaller(pool, sha256, 64, CoverContent("image/png", b"small"))
    await pool.execute(
        "UPDATE covers SET needed_at = now() - make_interval(secs => $2) WHERE sha256 = $1",
        sha256, days_ago * 86_400,
    )  # fmt: skip
    return sha256.hex()


async def stored_covers(pool: asyncpg.Pool) -> set[str]:
    rows = await pool.fetch("SELECT sha256 FROM covers JOIN cover_contents USING (sha256)")
    return {row["sha256"].hex() for row in rows}


async def test_images_go_that_nothing_names_and_nobody_asked_for(
    pool: asyncpg.Pool, library_id: UUID
) -> None:
    embedded, folder, of_album, of_artist, of_claim, young, unused = [
        await store_cover(pool, name, days_ago=1 if name == "young" else 30)
        for name in ("embedded", "folder", "album", "artist", "claim", "young", "unused")
    ]
    (artist,) = await artists.upsert(pool, [{"name": "Björk", "image_sha256": of_artist}])
    assert artist.id is not None
    album = {
        "title": "Post", "artist_credit": "Björk", "folder": "a",
        "library_id": format_id(IdKind.LIBRARY, library_id), "cover_sha256": of_album,
        "credits": [{"artist_id": format_id(IdKind.ARTIST, artist.id), "credited_as": "Björk"}],
    }  # fmt: skip
    claim = {**album, "folder": "b", "claim": "c", "artist_image_sha256": of_claim}
    made = await upsert_albums(pool, [album, claim])
    assert all(one.id for one in made), made
    items = [
        track_item("a/1.mp3", cover_sha256=embedded),
        track_item("a/2.mp3", folder_cover_sha256=folder),
    ]
    assert all(one.id for one in await upsert_tracks(pool, library_id, None, items))
    before = await read_tables(pool)

    assert await delete_all(pool, retention.delete_unused_covers, WEEK) == 1
    assert await stored_covers(pool) == {embedded, folder, of_album, of_artist, of_claim, young}
    after = await read_tables(pool)
    assert len(after["cover_variants"]) == 6
    assert unused not in str(after)
    rest = _EVERYTHING[3:]
    assert {name: after[name] for name in rest} == {name: before[name] for name in rest}


async def test_an_image_that_a_scan_asks_for_stays(pool: asyncpg.Pool) -> None:
    sha256 = await store_cover(pool, "asked for")
    assert await covers.missing(pool, [bytes.fromhex(sha256)]) == set()
    assert await delete_all(pool, retention.delete_unused_covers, WEEK) == 0
    again = await store_cover(pool, "sent again")
    content = picture("PNG") + b"sent again"
    await covers.store(pool, sha256=bytes.fromhex(again), mime_type="image/png", content=content)
    assert await delete_all(pool, retention.delete_unused_covers, WEEK) == 0


async def test_scans_that_store_images_meanwhile_lose_none(
    pool: asyncpg.Pool, library_id: UUID
) -> None:
    """As the extractor does it: ask which are missing, send those, then store tracks with them."""
    images = {await store_cover(pool, str(n)): picture("PNG") + str(n).encode() for n in range(60)}
    hashes = sorted(images)
    done = asyncio.Event()

    async def scan(mine: list[str], folder: str) -> None:
        for start in range(0, len(mine), 5):
            portion = mine[start : start + 5]
            missing = await covers.missing(pool, [bytes.fromhex(one) for one in portion])
            for sha256 in sorted(missing):
                await covers.store(
                    pool, sha256=sha256, mime_type="image/png", content=images[sha256.hex()]
                )
            items = [track_item(f"{folder}/{one}.mp3", cover_sha256=one) for one in portion]
            results = await upsert_tracks(pool, library_id, None, items)
            assert all(one.id for one in results), results

    async def tidy() -> None:
        while not done.is_set():
            await retention.delete_unused_covers(pool, WEEK)
            await asyncio.sleep(0)

    async def scan_all() -> None:
        try:
            await asyncio.gather(scan(hashes, "a"), scan(hashes[::-1], "b"), scan(hashes, "c"))
        finally:
            done.set()

    await asyncio.gather(tidy(), tidy(), scan_all())
    named = await pool.fetch("SELECT DISTINCT cover_sha256 FROM tracks")
    assert {row["cover_sha256"].hex() for row in named} == set(images)
    assert await stored_covers(pool) == set(images)


async def test_a_smaller_image_of_one_that_is_gone_is_not_kept(pool: asyncpg.Pool) -> None:
    sha256 = bytes.fromhex(await store_cover(pool, "x"))
    await delete_all(pool, retention.delete_unused_covers, WEEK)
    await covers.keep_smaller(pool, sha256, 64, CoverContent("image/png", b"small"))
    assert await pool.fetchval("SELECT count(*) FROM cover_variants") == 0


async def test_resolved_failures_and_letters_about_nothing_go_after_their_time(
    pool: asyncpg.Pool, library_id: UUID, store_tracks: StoreTracks
) -> None:
    one, two, three = await store_tracks("1.mp3", "2.mp3", "3.mp3")
    foreign = TrackIndexed(track_id="trk_" + "9" * 32, revision=1)
    events = [extracted(track) for track in (one, two, three)]
    await store_failures(pool, [letter(event, Stage.ANALYZE) for event in events])
    await store_failures(pool, [letter(foreign, Stage.INDEX), letter(foreign, Stage.PROGRESS)])
    age = "UPDATE failures SET {} = now() - interval '{} days' WHERE {}"
    await pool.execute(age.format("failed_at", 400, "true"))
    await pool.execute("UPDATE failures SET resolved_at = NULL")
    await pool.execute(age.format("failed_at", 1, f"stage = '{Stage.PROGRESS}'"))
    await pool.execute(age.format("resolved_at", 8, "track_id = $1"), one.id)
    await pool.execute(age.format("resolved_at", 6, "track_id = $1"), two.id)

    assert await delete_all(pool, retention.delete_resolved_failures, WEEK) == 1
    assert await delete_all(pool, retention.delete_dead_letters, WEEK) == 1
    left = await pool.fetch("SELECT track_id, stage FROM failures")
    assert {(row["track_id"], row["stage"]) for row in left} == {
        (two.id, Stage.ANALYZE),  # resolved a moment ago
        (three.id, Stage.ANALYZE),  # open: it says what is wrong with a track
        (None, Stage.PROGRESS),  # young
    }


async def analyzed_before(
    pool: asyncpg.Pool, track: TrackUpserted, version: str, days: int
) -> None:
    """Add an analysis of another version, some days old, to an analysed track."""
    for table in ("analyses", "meanings"):
        await pool.execute(
            f"INSERT INTO {table} SELECT new.* FROM {table} s, LATERAL jsonb_populate_record(s,"
            " jsonb_build_object('analyzer_version', $2::text)) new WHERE s.track_id = $1"
            " AND s.analyzer_version = $3", track.id, version, ANALYZER_VERSION,
        )  # fmt: skip
    await pool.execute(
        "UPDATE analyses SET analyzed_at = now() - make_interval(days => $3)"
        " WHERE track_id = $1 AND analyzer_version = $2", track.id, version, days,
    )  # fmt: skip


async def test_an_earlier_analysis_goes_when_the_current_one_has_counted_for_long(
    pool: asyncpg.Pool, store_tracks: StoreTracks
) -> None:
    replaced, just_replaced, waiting, later = await store_tracks(*"1234")
    heard = {"meaning": meaning_item(), "meaning_absence": None}
    made = await upsert_analyses(
        pool, [analysis_item(one, **heard) for one in (replaced, just_replaced, waiting, later)]
    )
    assert all(one.id for one in made)
    current = (
        "UPDATE analyses SET analyzed_at = now() - make_interval(days => $2) WHERE track_id = $1"
    )
    for track, days in ((replaced, 8), (just_replaced, 6), (waiting, 8), (later, 8)):
        await pool.execute(current, track.id, days)
        await analyzed_before(pool, track, "5", 100)
        await analyzed_before(pool, track, "4", 200)
    await analyzed_before(pool, later, "99", 1)  # of a process that is newer than this one
    await pool.execute(
        "UPDATE tracks SET analyzer_version = '5', analyzed_content_revision = NULL WHERE id = $1",
        waiting.id,
    )
    before = await read_tables(pool)

    assert await delete_all(pool, retention.delete_old_analyses, WEEK) == 4
    rows = await pool.fetch("SELECT track_id, analyzer_version FROM analyses")
    left: dict[Any, set[str]] = {}
    for row in rows:
        left.setdefault(row["track_id"], set()).add(row["analyzer_version"])
    assert left == {
        replaced.id: {ANALYZER_VERSION},
        just_replaced.id: {ANALYZER_VERSION, "5", "4"},
        waiting.id: {ANALYZER_VERSION, "5", "4"},
        later.id: {ANALYZER_VERSION, "99"},
    }
    after = await read_tables(pool)
    assert len(before["meanings"]) - len(after["meanings"]) == 4
    assert after["tracks"] == before["tracks"]
    await expect_analyzer(pool, ANALYZER_VERSION)


async def index_names(pool: asyncpg.Pool) -> set[str]:
    rows = await pool.fetch(
        "SELECT indexname FROM pg_indexes WHERE indexname LIKE 'track_vectors_space_%'"
    )
    return {row["indexname"] for row in rows}


@pytest.fixture
async def retired(pool: asyncpg.Pool, store_tracks: StoreTracks) -> int:
    """Two tracks with vectors in a space that was retired 8 days ago, and in the current ones."""
    await register_both(pool)
    tracks = await upsert_analyses(pool, [analysis_item(one) for one in await store_tracks(*"12")])
    await upsert_vectors(pool, [vector(one, kind) for one in tracks for kind in (AUDIO, TEXT)])
    await register_spaces(pool, [validate_space({**AUDIO, "version": "2"})])
    newer = {**AUDIO, "version": "2"}
    await upsert_vectors(pool, [vector(one, newer) for one in tracks])
    await pool.execute(
        "UPDATE vector_spaces SET retired_at = now() - interval '8 days' WHERE NOT is_current"
    )
    id_: int = await pool.fetchval("SELECT id FROM vector_spaces WHERE NOT is_current")
    return id_


async def test_a_retired_space_goes_with_its_vectors_and_index(
    pool: asyncpg.Pool, retired: int
) -> None:
    before = await pool.fetch(
        "SELECT track_id, vector_space_id FROM track_vectors WHERE vector_space_id <> $1"
        " ORDER BY 1, 2",
        retired,
    )
    assert await delete_all(pool, retention.delete_retired_vectors, timedelta(days=9)) == 0
    assert f"track_vectors_space_{retired}" in await index_names(pool)
    await delete_all(pool, retention.delete_retired_vectors, WEEK)
    assert f"track_vectors_space_{retired}" not in await index_names(pool)
    assert await pool.fetchval("SELECT count(*) FROM vector_spaces WHERE NOT is_current") == 0
    left = await pool.fetch("SELECT track_id, vector_space_id FROM track_vectors ORDER BY 1, 2")
    assert left == before
    assert await pool.fetchval("SELECT bool_and(vectorized_content_revision = 1) FROM tracks")


async def test_a_space_that_is_current_again_before_all_is_deleted_makes_its_tracks_wait(
    pool: asyncpg.Pool, retired: int
) -> None:
    await pool.execute(
        "DELETE FROM track_vectors WHERE vector_space_id = $1 AND track_id ="
        " (SELECT min(track_id::text)::uuid FROM track_vectors)", retired,
    )  # fmt: skip
    await pool.execute(f"DROP INDEX track_vectors_space_{retired}")
    await register_spaces(pool, [validate_space(AUDIO)])
    await delete_all(pool, retention.delete_retired_vectors, WEEK)
    assert f"track_vectors_space_{retired}" in await index_names(pool)
    rows = await pool.fetch("SELECT vectorized_content_revision FROM tracks")
    assert sorted(row[0] or 0 for row in rows) == [0, 1]


async def test_a_table_in_use_is_left_for_later(
    pool: asyncpg.Pool, retired: int, database_settings: Settings
) -> None:
    failure = letter(TrackIndexed(track_id="trk_" + "9" * 32, revision=1), Stage.INDEX)
    await store_failures(pool, [failure])
    await pool.execute("UPDATE failures SET resolved_at = now() - interval '90 days'")
    keeper = Housekeeper(
        pool, InProcessBus(), database_settings.model_copy(update={"retired_vectors_kept_days": 7})
    )
    async with pool.acquire() as reader, reader.transaction():
        await reader.execute("SELECT count(*) FROM track_vectors")
        deleted = await keeper.tidy()
    assert deleted["failures"] == 1
    assert "vectors" not in deleted
    assert (await keeper.tidy())["vectors"] > 0


async def test_a_library_in_use_loses_nothing_by_the_default_settings(
    pool: asyncpg.Pool, store_tracks: StoreTracks, database_settings: Settings
) -> None:
    sha256 = await store_cover(pool, "cover", days_ago=0)
    (track,) = await store_tracks(track_item("1.mp3", cover_sha256=sha256))
    await register_both(pool)
    (track,) = await upsert_analyses(pool, [analysis_item(track)])
    await upsert_vectors(pool, [vector(track, AUDIO), vector(track, TEXT)])
    await store_failures(pool, [letter(extracted(track), Stage.INDEX)])
    before = await read_tables(pool)
    deleted = await Housekeeper(pool, InProcessBus(), database_settings).tidy()
    assert set(deleted.values()) == {0}
    assert await read_tables(pool) == before
    assert track_of(track)
