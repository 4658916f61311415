"""Libraries are removed and missing files purged: nothing else is touched, in spite of crashes."""

import asyncio
import json
import sys
from collections.abc import Sequence
from typing import Any
from uuid import UUID

import asyncpg
import httpx
import pytest

from services.api.corrections import correct
from services.api.handlers import note_indexed
from services.api.housekeeper import Housekeeper
from services.api.reconciler import Reconciler
from services.api.store import artists
from services.api.store.albums.upsert import upsert_albums
from services.api.store.analyses.upsert import upsert_analyses
from services.api.store.database.embedded import EmbeddedPostgres
from services.api.store.failures.write import store_failures
from services.api.store.files.missing import mark_missing
from services.api.store.results import TrackUpserted
from services.api.store.scan_end import decide
from services.api.store.tracks.upsert import upsert_tracks
from services.api.store.vectors.upsert import upsert_vectors
from shared.bus.in_process import InProcessBus
from shared.bus.port import Outcome, Subscription
from shared.contracts.events import Event, TrackChange, TrackExtracted, TrackIndexed
from shared.contracts.identity import IdKind, format_id
from shared.contracts.topics import CONSUMERS, Stage
from shared.runtime.settings import Settings
from tests.integration.api_write_items import (
    AUDIO,
    TEXT,
    begin_scan,
    extracted,
    found,
    letter,
    part_item,
    register_both,
    track_of,
    vector,
)
from tests.integration.conftest import analysis_item, meaning_item, track_item

_TABLES = (
    "libraries", "files", "tracks", "albums", "album_claims", "album_credits", "artists",
    "track_credits", "track_genres", "analyses", "meanings", "track_vectors", "corrections",
    "track_lyrics", "track_other_tags", "imported_facts", "failures", "scans", "covers",
)  # fmt: skip
_REMOVE = """
mutation ($id: ID!, $name: String, $dryRun: Boolean) {
  removeLibrary(id: $id, name: $name, dryRun: $dryRun) {
    library { name isBeingRemoved } contents { files tracks missing corrected }
    error { code message field }
  }
}
"""
_PURGE = """
mutation ($days: Int!, $library: ID, $dryRun: Boolean) {
  purgeMissingTracks(olderThanDays: $days, libraryId: $library, dryRun: $dryRun) {
    purged remaining error { code field }
  }
}
"""
Rows = dict[str, list[Any]]


async def read_tables(pool: asyncpg.Pool, names: Sequence[str] = _TABLES) -> Rows:
    return {
        name: [tuple(row) for row in await pool.fetch(f"SELECT * FROM {name} x ORDER BY x::text")]
        for name in names
    }


async def make_library(pool: asyncpg.Pool, name: str) -> UUID:
    id_: UUID = await pool.fetchval(
        "INSERT INTO libraries (name, root) VALUES ($1, '/' || $1) RETURNING id", name
    )
    return id_


async def fill(pool: asyncpg.Pool, library: UUID, tracks: int = 3) -> list[TrackUpserted]:
    """Tracks with everything that a track can have; one is missing, one failed, one is corrected.

    Artist, genre and cover are shared by all libraries; each has an album and an artist of its own.
    """
    shared, own = await artists.upsert(pool, [{"name": "Everywhere"}, {"name": f"Of {library}"}])
    credit = {"credited_as": "x", "role": "artist", "join_phrase": ""}
    credits_ = [
        {**credit, "artist_id": format_id(IdKind.ARTIST, each.id)}
        for each in (shared, own)
        if each.id
    ]
    album = {
        "title": "Album", "artist_credit": "x", "folder": "a", "credits": credits_, "claim": "c",
        "library_id": format_id(IdKind.LIBRARY, library), "is_artist_told": True,
    }  # fmt: skip
    (stored,) = await upsert_albums(pool, [album])
    assert stored.id is not None, stored
    items = [
        track_item(
            f"a/{number}.mp3", album_id=format_id(IdKind.ALBUM, stored.id), album_claim="c",
            credits=credits_, lyrics="la", other_tags={"mood": ["x"]},
            imported_facts=[{"source": "player", "play_count": 2}],
        )
        for number in range(tracks)
    ]  # fmt: skip
    made = await upsert_tracks(pool, library, None, items)
    assert all(one.id for one in made), made
    await register_both(pool)
    heard = {"meaning": meaning_item(), "meaning_absence": None}
    made = await upsert_analyses(pool, [analysis_item(one, **heard) for one in made])
    await upsert_vectors(pool, [vector(one, kind) for one in made for kind in (AUDIO, TEXT)])
    bus = InProcessBus()
    await correct(pool, bus, [{"track_id": track_of(made[0]), "tempo_bpm": 90}])
    await store_failures(pool, [letter(extracted(made[1]), Stage.ANALYZE)])
    await mark_missing(pool, library, [f"a/{tracks - 1}.mp3"])
    return made


class Recorder:
    """A bus, and all events that were published on it."""

    def __init__(self) -> None:
        self.bus = InProcessBus()
        self.seen: list[Event] = []
        self._started = False
        for topic, stages in CONSUMERS.items():
            for stage in stages:
                self.bus.subscribe(Subscription(topic, stage, self._handle))

    async def _handle(self, events: Sequence[Event]) -> Outcome:
        self.seen += events
        return Outcome()

    async def removed(self) -> set[str]:
        """The tracks whose removal was published, once all is handled."""
        if not self._started:
            self._started = True
            await self.bus.start()
        while any(lag.records for lag in await self.bus.lag()):  # noqa: ASYNC110 - it is polled
            await asyncio.sleep(0.01)
        return {
            event.track_id
            for event in self.seen
            if isinstance(event, TrackExtracted) and event.change is TrackChange.REMOVED
        }


def housekeeper(pool: asyncpg.Pool, settings: Settings, recorder: Recorder) -> Housekeeper:
    return Housekeeper(pool, recorder.bus, settings)


async def ask(client: httpx.AsyncClient, document: str, **variables: Any) -> Any:
    answer = await client.post("/graphql", json={"query": document, "variables": variables})
    body = answer.json()
    assert "errors" not in body, body
    return body["data"]


async def request_removal(pool: asyncpg.Pool, library: UUID) -> None:
    await pool.execute("UPDATE libraries SET removal_requested_at = now() WHERE id = $1", library)


async def test_a_removed_library_leaves_the_tables_as_if_it_had_never_been(
    pool: asyncpg.Pool, database_settings: Settings
) -> None:
    kept = await make_library(pool, "kept")
    await fill(pool, kept)
    before = await read_tables(pool)
    removed = await make_library(pool, "removed")
    tracks = await fill(pool, removed)
    # A MusicBrainz release may have tracks in both.
    of_kept = "SELECT id FROM albums WHERE starts_with(place_key, $1)"
    album = format_id(IdKind.ALBUM, await pool.fetchval(of_kept, kept.hex))
    shared = track_item("b/1.mp3", album_id=album, album_claim="c")
    tracks += await upsert_tracks(pool, removed, None, [shared])
    await pool.execute(
        "INSERT INTO scans (library_id, root, mode) VALUES ($1, '/removed', 'full')", removed
    )
    await request_removal(pool, removed)
    recorder = Recorder()
    await housekeeper(pool, database_settings, recorder).look()
    assert await read_tables(pool) == before
    assert await recorder.removed() == {track_of(track) for track in tracks}


async def test_artists_are_spelled_as_by_the_tracks_that_stay(
    pool: asyncpg.Pool, database_settings: Settings
) -> None:
    (artist,) = await artists.upsert(pool, [{"name": "Björk"}])
    assert artist.id is not None
    credit = {"artist_id": format_id(IdKind.ARTIST, artist.id), "role": "artist", "join_phrase": ""}
    name = "SELECT name FROM artists"
    libraries = {}
    for spelling, tracks in (("Björk", 1), ("BJÖRK", 3)):
        libraries[spelling] = await make_library(pool, spelling)
        credits_ = [{**credit, "credited_as": spelling}]
        items = [track_item(f"{number}.mp3", credits=credits_) for number in range(tracks)]
        await upsert_tracks(pool, libraries[spelling], None, items)
    await decide(pool)
    assert await pool.fetchval(name) == "BJÖRK"
    await request_removal(pool, libraries["BJÖRK"])
    await housekeeper(pool, database_settings, Recorder()).look()
    await decide(pool)
    assert await pool.fetchval(name) == "Björk"


_REMOVE_ALL = """
import asyncio, json, sys, uuid
import asyncpg
from services.api.store.database.pool import register_codecs
from services.api.store.libraries.remove import remove_batch

async def main(dsn, library):
    async with asyncpg.create_pool(**dsn, min_size=1, max_size=1, init=register_codecs) as pool:
        while await remove_batch(pool, library):
            print("batch", flush=True)

asyncio.run(main(json.loads(sys.argv[1]), uuid.UUID(sys.argv[2])))
"""


async def test_removing_goes_on_after_its_process_was_killed(
    pool: asyncpg.Pool, database_settings: Settings
) -> None:
    kept = await make_library(pool, "kept")
    await fill(pool, kept)
    before = await read_tables(pool)
    removed = await make_library(pool, "removed")
    tracks = await fill(pool, removed, 1_700)
    await request_removal(pool, removed)
    dsn = json.dumps(EmbeddedPostgres(database_settings.data_dir / "postgres").dsn)
    left = 1_700
    for delay_s in (0.0, 0.05):  # between two batches, and within one
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-c", _REMOVE_ALL, dsn, str(removed), stdout=asyncio.subprocess.PIPE
        )
        assert process.stdout is not None
        await process.stdout.readline()
        await asyncio.sleep(delay_s)
        process.kill()
        await process.wait()
        count = "SELECT count(*) FROM files WHERE library_id = $1"
        # A batch is whole or not there. The server may still end the one that was at work.
        now = await pool.fetchval(count, removed)
        assert now < left
        assert now in {0, 200, 700, 1_200}
        left = now
    recorder = Recorder()
    await housekeeper(pool, database_settings, recorder).look()
    assert await read_tables(pool) == before
    assert await recorder.removed() == {track_of(track) for track in tracks}


async def test_a_scan_that_stores_while_its_library_is_removed_leaves_nothing(
    pool: asyncpg.Pool, database_settings: Settings
) -> None:
    library = await make_library(pool, "busy")
    await fill(pool, library, 100)
    refusals: list[str] = []

    async def scan(name: str) -> None:
        for number in range(40):
            items = [track_item(f"{name}/{number}-{one}.mp3") for one in range(10)]
            results = await upsert_tracks(pool, library, None, items)
            refusals.extend(str(one.problem.field) for one in results if one.problem)
            await asyncio.sleep(0)

    scans = [asyncio.create_task(scan(name)) for name in ("x", "y", "z")]
    await asyncio.sleep(0.05)
    await request_removal(pool, library)
    recorder = Recorder()
    await housekeeper(pool, database_settings, recorder).look()
    await asyncio.gather(*scans)
    await housekeeper(pool, database_settings, recorder).look()
    assert set(refusals) == {"libraryId"}
    left = await read_tables(pool, ("libraries", "files", "tracks", "failures"))
    assert left == {"libraries": [], "files": [], "tracks": [], "failures": []}


async def test_late_results_of_a_removed_library_leave_no_open_failure(
    pool: asyncpg.Pool, database_settings: Settings
) -> None:
    library = await make_library(pool, "music")
    (track, *_) = await fill(pool, library)
    scan = await begin_scan(pool, 1)
    await request_removal(pool, library)
    await store_failures(pool, [letter(found(library, scan, "b/new.mp3"), Stage.READ)])
    recorder = Recorder()
    await housekeeper(pool, database_settings, recorder).look()
    (analysis,) = await upsert_analyses(pool, [analysis_item(track)])
    assert analysis.problem is not None
    await store_failures(pool, [letter(extracted(track), Stage.ANALYZE)])
    assert await pool.fetchval("SELECT count(*) FROM files") == 0
    open_ = await pool.fetch("SELECT stage, path FROM failures WHERE track_id IS NOT NULL")
    assert open_ == []
    stage = "SELECT count(*) FROM failures WHERE resolved_at IS NULL AND stage = $1"
    assert await pool.fetchval(stage, Stage.ANALYZE) == 0


async def test_the_reconciler_repeats_the_removal_until_the_index_confirms_it(
    pool: asyncpg.Pool, database_settings: Settings
) -> None:
    library = await make_library(pool, "music")
    tracks = await fill(pool, library)
    await request_removal(pool, library)
    lost = Recorder()
    await housekeeper(pool, database_settings, lost).look()
    recorder = Recorder()
    await recorder.removed()
    reconciler = Reconciler(pool, recorder.bus, interval_s=60, grace_s=0)
    events = await reconciler.reconcile()
    assert {getattr(event, "track_id", None) for event in events} == {
        track_of(track) for track in tracks
    }
    await recorder.removed()
    stale = [TrackIndexed(track_id=track_of(track), revision=1) for track in tracks]
    await note_indexed(pool, stale)
    assert len(await reconciler.reconcile()) == len(tracks)
    await recorder.removed()
    confirmed = [
        TrackIndexed(track_id=event.track_id, revision=event.revision)
        for event in events
        if isinstance(event, TrackExtracted)
    ]
    await note_indexed(pool, confirmed)
    assert await reconciler.reconcile() == []
    assert await pool.fetchval("SELECT count(*) FROM removed_tracks") == 0


async def test_a_removal_has_to_be_confirmed_by_name(
    client: httpx.AsyncClient, pool: asyncpg.Pool
) -> None:
    library = await make_library(pool, "music")
    await fill(pool, library, 4)
    id_ = format_id(IdKind.LIBRARY, library)
    before = await read_tables(pool)
    contents = {"files": 4, "tracks": 3, "missing": 1, "corrected": 1}

    counted = (await ask(client, _REMOVE, id=id_, dryRun=True))["removeLibrary"]
    assert counted["contents"] == contents
    assert counted["error"] is None
    for name in (None, "Music", ""):
        refused = (await ask(client, _REMOVE, id=id_, name=name))["removeLibrary"]
        assert (refused["error"]["code"], refused["error"]["field"]) == ("CONFLICT", "name")
        assert refused["library"] == {"name": "music", "isBeingRemoved": False}
    assert await read_tables(pool) == before

    done = (await ask(client, _REMOVE, id=id_, name="music"))["removeLibrary"]
    assert done["library"] == {"name": "music", "isBeingRemoved": True}
    assert done["contents"] == contents
    again = (await ask(client, _REMOVE, id=id_, name="music"))["removeLibrary"]
    assert again["error"]["code"] == "CONFLICT"
    scan = 'mutation { requestScan(input: {root: "/music"}) { error { code message } } }'
    error = (await ask(client, scan))["requestScan"]["error"]
    assert "being removed" in error["message"]


@pytest.fixture
async def missing(pool: asyncpg.Pool) -> dict[str, UUID]:
    """Two libraries with a file missing for 1 day and one for 100 days each."""
    made = {}
    for name in ("one", "two"):
        made[name] = await make_library(pool, name)
        await fill(pool, made[name], 5)
        await mark_missing(pool, made[name], ["a/0.mp3", "a/1.mp3", "a/4.mp3"])
        for path, days in (("a/0.mp3", 1), ("a/1.mp3", 100), ("a/4.mp3", 5)):
            await pool.execute(
                "UPDATE files SET missing_since = now() - make_interval(days => $3)"
                " WHERE library_id = $1 AND path = $2",
                made[name], path, days,
            )  # fmt: skip
    return made


async def paths(pool: asyncpg.Pool) -> set[str]:
    return {
        row["name"]
        for row in await pool.fetch(
            "SELECT l.name || ':' || path AS name FROM files JOIN libraries l ON l.id = library_id"
        )
    }


async def test_only_files_that_are_missing_for_long_are_purged(
    client: httpx.AsyncClient, pool: asyncpg.Pool, missing: dict[str, UUID]
) -> None:
    before = await paths(pool)
    counted = (await ask(client, _PURGE, days=5, dryRun=True))["purgeMissingTracks"]
    assert counted == {"purged": 0, "remaining": 4, "error": None}
    assert await paths(pool) == before
    one = format_id(IdKind.LIBRARY, missing["one"])
    done = (await ask(client, _PURGE, days=5, library=one))["purgeMissingTracks"]
    assert done == {"purged": 2, "remaining": 0, "error": None}
    assert before - await paths(pool) == {"one:a/1.mp3", "one:a/4.mp3"}
    await ask(client, _PURGE, days=0)
    gone = {f"{name}:a/{number}.mp3" for name in ("one", "two") for number in (0, 1, 4)}
    assert before - await paths(pool) == gone
    assert await pool.fetchval("SELECT count(*) FROM tracks") == 4
    assert await pool.fetchval("SELECT count(*) FROM tracks WHERE is_missing") == 0
    assert await pool.fetchval("SELECT count(*) FROM albums") == 2
    assert await pool.fetchval("SELECT count(*) FROM removed_tracks") == 6


async def fill_with_parts(pool: asyncpg.Pool, library: UUID, path: str) -> None:
    """A file that was whole, and has three parts by a cue sheet now."""
    await upsert_tracks(pool, library, None, [track_item(path)])
    items = [part_item(number, 3, path, is_checked=True) for number in (1, 2, 3)]
    made = await upsert_tracks(pool, library, None, items)
    assert all(one.id for one in made), made


async def test_a_library_is_removed_with_all_parts_of_its_files(
    client: httpx.AsyncClient, pool: asyncpg.Pool, database_settings: Settings
) -> None:
    library = await make_library(pool, "music")
    await fill_with_parts(pool, library, "a.flac")
    id_ = format_id(IdKind.LIBRARY, library)
    done = (await ask(client, _REMOVE, id=id_, name="music"))["removeLibrary"]
    assert done["contents"] == {"files": 1, "tracks": 3, "missing": 0, "corrected": 0}
    recorder = Recorder()
    await housekeeper(pool, database_settings, recorder).look()
    left = await read_tables(pool, ("libraries", "files", "tracks"))
    assert left == {"libraries": [], "files": [], "tracks": []}
    assert len(await recorder.removed()) == 4


async def test_all_parts_of_a_missing_file_are_purged(
    client: httpx.AsyncClient, pool: asyncpg.Pool
) -> None:
    library = await make_library(pool, "music")
    for path in ("gone.flac", "here.flac"):
        await fill_with_parts(pool, library, path)
    # One more file whose cue sheet went away: its parts may return.
    await upsert_tracks(pool, library, None, [track_item("here.flac")])
    await mark_missing(pool, library, ["gone.flac"])
    counted = (await ask(client, _PURGE, days=0, dryRun=True))["purgeMissingTracks"]
    assert counted["remaining"] == 1
    done = (await ask(client, _PURGE, days=0))["purgeMissingTracks"]
    assert done == {"purged": 1, "remaining": 0, "error": None}
    rows = await pool.fetch("SELECT path, part, state FROM files ORDER BY path, part")
    assert [tuple(row) for row in rows] == [
        ("here.flac", 0, "present"),
        *(("here.flac", part, "replaced") for part in (1, 2, 3)),
    ]
    assert await pool.fetchval("SELECT count(*) FROM tracks") == 4


@pytest.mark.parametrize("days", [-1, 40_000])
async def test_a_purge_of_no_possible_age_is_refused(client: httpx.AsyncClient, days: int) -> None:
    error = (await ask(client, _PURGE, days=days))["purgeMissingTracks"]["error"]
    assert error == {"code": "INVALID", "field": "olderThanDays"}


async def test_a_file_that_returns_while_it_is_purged_is_a_track(
    pool: asyncpg.Pool, missing: dict[str, UUID], client: httpx.AsyncClient
) -> None:
    async def store() -> None:
        for _ in range(5):
            (one,) = await upsert_tracks(pool, missing["one"], None, [track_item("a/1.mp3")])
            assert one.id is not None, one

    await asyncio.gather(store(), ask(client, _PURGE, days=0))
    rows = await pool.fetch(
        "SELECT state FROM files JOIN tracks t ON t.id = track_id"
        " WHERE library_id = $1 AND path = 'a/1.mp3' AND NOT t.is_missing", missing["one"],
    )  # fmt: skip
    assert [row["state"] for row in rows] == ["present"]
