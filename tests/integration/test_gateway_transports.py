"""The gateway gives the same results over HTTP and in its own process."""

import hashlib
from collections.abc import AsyncIterator
from io import BytesIO
from uuid import UUID

import asyncpg
import httpx
import pytest
from msgspec import structs
from PIL import Image
from pytest_asyncio import fixture

from services.api.service import Api, build
from shared.bus.in_process import InProcessBus
from shared.contracts.errors import DependencyDown
from shared.contracts.identity import IdKind, format_id
from shared.embedding.wordllama_embedder import WordLlamaEmbedder
from shared.gateway.analysis import tracks_to_analyze
from shared.gateway.client import Gateway, GatewayRefused
from shared.gateway.extraction import (
    CREATE_ARTISTS,
    create_albums,
    create_artists,
    create_tracks,
    missing_covers,
)
from shared.gateway.http_transport import HttpTransport
from shared.gateway.indexing import tracks_to_index
from shared.gateway.inputs import (
    AlbumInput,
    ArtistInput,
    BeatGridMarkerInput,
    ChapterInput,
    CreditInput,
    CueInput,
    FilePartInput,
    ImportedFactInput,
    TrackInput,
)
from shared.gateway.scans import known_files, libraries, range_digests
from shared.runtime.settings import Settings
from shared.search.tantivy_index import TantivyIndex

TRACK = TrackInput(
    path="a.mp3", size_bytes=1, mtime_ns=1, title="A", artist_credit="", credits=(), genres=(),
    container="mp3", codec="mp3", duration_s=1,
)  # fmt: skip
_STATUS = "{ status { tracks } }"


def api_of(settings: Settings) -> Api:
    changed = settings.model_copy(update={"port": 0})
    search = TantivyIndex(settings.search_dir)
    return build(changed, bus=InProcessBus(), embedder=WordLlamaEmbedder(), search=search)


def gateway_of(api: Api, transport: str) -> tuple[httpx.AsyncClient, Gateway]:
    client = httpx.AsyncClient(transport=httpx.ASGITransport(api.app), base_url="http://soniquebay")
    return client, Gateway(HttpTransport(client) if transport == "http" else api.transport)


@fixture(params=["http", "local"])
async def gateway(
    request: pytest.FixtureRequest, pool: asyncpg.Pool, database_settings: Settings
) -> AsyncIterator[Gateway]:
    api = api_of(database_settings)
    client, gateway = gateway_of(api, request.param)
    async with client, api.service.lifespan():
        yield gateway


async def _library(pool: asyncpg.Pool) -> str:
    query = "INSERT INTO libraries (name, root) VALUES ('m', '/m') RETURNING id"
    return format_id(IdKind.LIBRARY, await pool.fetchval(query))


async def test_an_invalid_item_has_an_error_and_the_others_are_stored(gateway: Gateway) -> None:
    names = ["Björk", "  ", *(f"a{n}" for n in range(9))]
    items = [ArtistInput(name=name) for name in names]
    results = await create_artists(gateway, items)
    assert [result.status for result in results] == ["CREATED", None, *["CREATED"] * 9]
    error = results[1].error
    assert error is not None
    assert (error.code, error.field) == ("INVALID", "name")
    again = await create_artists(gateway, items)
    assert [result.id for result in again] == [result.id for result in results]


_SERATO = ImportedFactInput(
    source="serato",
    energy=7,
    key="8A",
    tempo_bpm=127.5,
    gain_db=-3.25,
    cues=[CueInput(kind="FADE_IN", start_s=1.5, end_s=2, index=0, name="a", color="#c02626")],
    beat_grid=[BeatGridMarkerInput(start_s=0.5, tempo_bpm=127.5, beats=4, beat_in_bar=1)],
    problem="p",
)


async def test_stored_tracks_are_known_afterwards(gateway: Gateway, pool: asyncpg.Pool) -> None:
    library_id = await _library(pool)
    (artist,) = await create_artists(gateway, [ArtistInput(name="Ann", sort_name="Ann, A.")])
    assert artist.id is not None
    credit = CreditInput(artist_id=artist.id, credited_as="Ann")
    player = CreditInput(
        artist_id=artist.id, role="PERFORMER", credited_as="Anne", instrument="viola"
    )
    (album,) = await create_albums(
        gateway,
        [
            AlbumInput(
                title="X", artist_credit="Ann", credits=[credit], folder="a",
                library_id=library_id, claim="c1",
            )
        ],
    )  # fmt: skip
    tracks = [
        structs.replace(
            TRACK, path="a/1.flac", title="One", artist_credit="Ann", credits=[credit, player],
            album_id=album.id, album_claim="c1", genres=["Folk"], kind="PODCAST",
            imported_facts=[ImportedFactInput(source="player", rating=80), _SERATO],
            chapters=[ChapterInput(title="Intro", start_s=0, end_s=9.5)],
            part=FilePartInput(number=1, count=2, start_s=7.5, cue_sheet="a.cue"),
            cue_problem="b.cue: it names no tracks",
            other_tags={"asin": ["B0"]}, tag_bpm=90.0, images_digest=7, content_hash="0" * 32,
        ),
        structs.replace(TRACK, path="a/2.flac", title=""),
        structs.replace(TRACK, path="a/3.flac"),
    ]  # fmt: skip
    stored = await create_tracks(gateway, library_id, None, tracks)
    assert [each.status for each in stored] == ["CREATED", "CREATED", "CREATED"]
    assert [(each.revision, each.content_revision) for each in stored] == [(1, 1)] * 3
    again = await create_tracks(gateway, library_id, None, tracks)
    assert [each.status for each in again] == ["UNCHANGED"] * 3
    assert dict(await pool.fetchrow("SELECT * FROM imported_facts WHERE energy = 7")) == {
        "track_id": UUID(hex=(stored[0].id or "").partition("_")[2]), "rating": None,
        "play_count": None, "is_collection": False, "import_id": None,
        **{
            name: getattr(_SERATO, name)
            for name in ("source", "energy", "key", "tempo_bpm", "gain_db", "problem")
        },
        "cues": [
            {"kind": "fade_in", "start_s": 1.5, "end_s": 2.0, "index": 0, "name": "a",
             "color": "#c02626"}
        ],
        "beat_grid": [{"start_s": 0.5, "tempo_bpm": 127.5, "beats": 4, "beat_in_bar": 1}],
    }  # fmt: skip
    ids = [each.id for each in stored if each.id is not None]
    found, unknown = (
        await tracks_to_index(gateway, [ids[0], ids[2]]),
        [format_id(IdKind.TRACK, UUID(int=5))],
    )
    assert await tracks_to_index(gateway, unknown) == []
    assert [(one.title, one.artist_credit, one.display_path) for one in found] == [
        ("One", "Ann", "a/1.flac"),
        ("A", "", "a/3.flac"),
    ]
    assert [(each.credited_as, each.artist.name) for each in found[0].credits] == [
        ("Ann", "Ann"),
        ("Anne", "Ann"),
    ]
    assert [chapter.title for chapter in found[0].chapters] == ["Intro"]
    (heard,) = await tracks_to_analyze(gateway, ids[:1])
    assert heard.part is not None
    assert (heard.part.start_s, heard.part.end_s) == (7.5, None)
    assert found[0].album is not None
    assert (found[0].album.title, [genre.name for genre in found[0].genres]) == ("X", ["Folk"])
    known = await known_files(gateway, library_id, "", None)
    assert (known.paths, known.sizes_bytes) == ([t.path for t in tracks], [1, 1, 1])
    assert (known.images_digests, known.missing) == ([7, None, None], [False] * 3)
    digests = await range_digests(gateway, library_id, "a", None)
    assert (digests.ends, digests.counts, digests.end_cursor) == (["a/3.flac"], [3], None)


async def test_an_undecided_track_has_candidates(gateway: Gateway, pool: asyncpg.Pool) -> None:
    library_id = await _library(pool)
    track = structs.replace(TRACK, path="old.mp3", content_hash="ab" * 16)
    (first,) = await create_tracks(gateway, library_id, None, [track])
    moved = structs.replace(track, path="new.mp3", mtime_ns=2)
    (undecided,) = await create_tracks(gateway, library_id, None, [moved])
    assert (undecided.status, undecided.id) == ("UNDECIDED", None)
    (candidate,) = undecided.candidates
    assert (candidate.track_id, candidate.path) == (first.id, "old.mp3")
    assert (candidate.library_id, candidate.is_same_content) == (library_id, True)
    moved.moved_from = first.id
    (stored,) = await create_tracks(gateway, library_id, None, [moved])
    assert (stored.id, stored.status) == (first.id, "UPDATED")


async def test_an_unknown_library_is_an_error_of_each_item(gateway: Gateway) -> None:
    unknown = format_id(IdKind.LIBRARY, UUID(int=5))
    (result,) = await create_tracks(gateway, unknown, None, [TRACK])
    assert result.error is not None
    assert (result.error.code, result.error.field) == ("NOT_FOUND", "libraryId")


async def test_covers_that_are_not_stored_are_reported_missing(gateway: Gateway) -> None:
    content = BytesIO()
    Image.new("RGB", (2, 2)).save(content, "PNG")
    assert await gateway.post_covers([content.getvalue()]) == [None]
    stored = hashlib.sha256(content.getvalue()).hexdigest()
    assert await missing_covers(gateway, [stored, "ab" * 32]) == {"ab" * 32}
    with pytest.raises(GatewayRefused, match="64 hex digits"):
        await missing_covers(gateway, ["no hash"])


async def test_a_batch_that_is_too_large_is_refused(gateway: Gateway) -> None:
    items = [ArtistInput(name="a")] * 2_001
    with pytest.raises(GatewayRefused, match="2,001 items are too many"):
        await gateway.execute(CREATE_ARTISTS, input=items)


@pytest.mark.parametrize("document", ["{ status { trax } }", "{ status {", "subscription { a }"])
async def test_an_invalid_document_is_refused(gateway: Gateway, document: str) -> None:
    with pytest.raises(GatewayRefused):
        await gateway.execute_document(document, {})


async def test_invalid_variables_are_refused(gateway: Gateway) -> None:
    with pytest.raises(GatewayRefused, match="trk_1"):
        await create_tracks(gateway, "trk_1", None, [TRACK])


async def test_an_invalid_image_has_an_error_and_the_others_are_stored(
    gateway: Gateway, pool: asyncpg.Pool
) -> None:
    content = BytesIO()
    Image.new("RGB", (2, 2)).save(content, "PNG")
    answers = await gateway.post_covers([content.getvalue(), b"<svg/>"])
    assert [answer is None for answer in answers] == [True, False]
    stored = await pool.fetch("SELECT sha256 FROM covers")
    assert [row["sha256"] for row in stored] == [hashlib.sha256(content.getvalue()).digest()]


@pytest.mark.parametrize("transport", ["http", "local"])
async def test_a_database_that_is_not_open_counts_as_a_dependency_that_is_down(
    database_settings: Settings, transport: str
) -> None:
    client, gateway = gateway_of(api_of(database_settings), transport)
    async with client:
        with pytest.raises(DependencyDown):
            await gateway.execute_document(_STATUS, {})
        with pytest.raises(DependencyDown):
            await gateway.post_covers([b""])


async def test_the_libraries_are_the_stored_ones(gateway: Gateway, pool: asyncpg.Pool) -> None:
    library_id = await _library(pool)
    await pool.execute(
        "INSERT INTO libraries (name, root, removal_requested_at) VALUES ('n', '/n', now())"
    )
    listed = [(each.id, each.name, each.root) for each in await libraries(gateway)]
    assert listed[0] == (library_id, "m", "/m")
    assert [each.is_being_removed for each in await libraries(gateway)] == [False, True]
