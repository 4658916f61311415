"""A real database: started once, migrated, and emptied before each test."""

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
import httpx
import pytest
from pydantic import SecretStr
from pytest_asyncio import fixture

from services.api.store import artists
from services.api.store.database.embedded import EmbeddedPostgres
from services.api.store.database.pool import register_codecs
from services.api.store.database.postgres import open_pool
from services.api.store.results import TrackUpserted
from services.api.store.tracks.upsert import upsert_tracks
from shared.contracts.analysis import Analysis, KeyChange
from shared.contracts.identity import IdKind, format_id
from shared.contracts.meaning import SCORES, Meaning, Score
from shared.contracts.versions import ANALYZER_VERSION
from shared.runtime.settings import Settings
from tests.integration.gateways import running_gateway


@pytest.fixture(scope="session")
def database_settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    return Settings(data_dir=tmp_path_factory.mktemp("data"))


@fixture(scope="session")
async def database(database_settings: Settings) -> AsyncIterator[asyncpg.Pool]:
    """A pool on the one real PostgreSQL of all tests; the tables are not emptied."""
    async with open_pool(database_settings) as pool:
        yield pool


@fixture
async def pool(database: asyncpg.Pool) -> asyncpg.Pool:
    """The pool with all tables empty."""
    names = await database.fetch(
        "SELECT quote_ident(tablename) AS name FROM pg_tables"
        " WHERE schemaname = 'public' AND tablename <> 'alembic_version'"
    )
    # Much faster than TRUNCATE for a few rows.
    async with database.acquire() as connection, connection.transaction():
        await connection.execute("SET LOCAL session_replication_role = replica")
        await connection.execute(";".join(f"DELETE FROM {row['name']}" for row in names))
    return database


@fixture
async def counted_pool(
    pool: asyncpg.Pool, database_settings: Settings
) -> AsyncIterator[tuple[asyncpg.Pool, list[str]]]:
    """A pool of one connection on the same (empty) tables, and the list of its statements."""
    statements: list[str] = []

    async def init(connection: asyncpg.Connection) -> None:
        await register_codecs(connection)
        connection.add_query_logger(lambda query: statements.append(query.query))

    server = EmbeddedPostgres(database_settings.data_dir / "postgres")
    async with asyncpg.create_pool(**server.dsn, min_size=1, max_size=1, init=init) as counted:
        yield counted, statements


@fixture
async def library_id(pool: asyncpg.Pool) -> UUID:
    """A library named `music`."""
    id_: UUID = await pool.fetchval(
        "INSERT INTO libraries (name, root) VALUES ('music', '/music') RETURNING id"
    )
    return id_


def track_item(path: str, **changes: Any) -> dict[str, Any]:
    """An item of `createTracks` in snake case, with all required fields."""
    return {
        "path": path,
        "size_bytes": 1_000,
        "mtime_ns": 1_700_000_000_000_000_000,
        "title": Path(path).stem,
        "artist_credit": "Björk",
        "credits": [],
        "genres": ["Electronic"],
        "container": "mp3",
        "codec": "mp3",
        "duration_s": 61.5,
        **changes,
    }


def analysis_item(track: TrackUpserted, **changes: Any) -> dict[str, Any]:
    """An item of `createAnalyses` for a stored track, all fields filled."""
    assert track.id is not None
    analysis = Analysis(
        analyzed_duration_s=61.5, tempo_bpm=120, tempo_confidence=0.9, tempo_alternative_bpm=60,
        onset_rate_hz=2, danceability=0.5, key="A", mode="minor", key_confidence=0.7,
        camelot="8A", tuning_cents=1.5, chroma_mean=[0.1] * 12, loudness_lufs=-14,
        loudness_range_lu=5, peak_dbfs=-1, replaygain_track_gain_db=-4, dynamic_range_db=9,
        crest_db=12, energy=0.6, brightness=0.3, spectral_centroid_hz=1500,
        spectral_bandwidth_hz=1200, spectral_rolloff_hz=4000, spectral_flatness=0.1,
        spectral_contrast_db=[10.0] * 7, zero_crossing_rate=0.05, mfcc_mean=[1.0] * 20,
        mfcc_std=[0.5] * 20, silence_start_s=0.1, silence_end_s=0.2, silence_share=0.01,
        heard_s=180.0,
        clipping_share=0, waveform=[7] * 1_000, meaning_absence="no model",
        beat_times_s=[0.5, 1.0], beats_per_bar=4, first_downbeat=1, downbeat_confidence=0.4,
        tempo_stability=0.9, open_key="1m", second_key="C", second_mode="major",
        key_changes=[KeyChange(time_s=0, key="A", mode="minor")], loudness_histogram=[1] * 160,
        loudness_histogram_lufs=[-69.75 + n / 2 for n in range(160)],
        loudness_short_term_max_lufs=-11, true_peak_dbtp=-0.5, roughness=0.2, fade_in_s=0,
        fade_out_s=5, section_boundaries_s=[30.5], dc_offset=0, stereo_width=0.1,
        is_mono_in_stereo=False, bandwidth_hz=20_000, bandwidth_kind="natural",
    )  # fmt: skip
    return {
        **analysis.model_dump(),
        "track_id": format_id(IdKind.TRACK, track.id),
        "analyzer_version": ANALYZER_VERSION,
        "content_revision": track.content_revision,
        **changes,
    }


def meaning_item(**changes: Any) -> dict[str, Any]:
    """A `meaning` of `createAnalyses`: average scores, except for the changes."""
    average = Score(score=0.5, confidence=0.1)
    scores: dict[str, Any] = dict.fromkeys(SCORES, average)
    fields: dict[str, Any] = {
        "model": "ear", "version": "1", "patches": 8, "tags": {"rock": 0.4, "jazz": 0.1},
        "genre": "rock", "genre_confidence": 0.3, "embedding": [0.6, 0.8],
    }  # fmt: skip
    meaning = Meaning(**fields | scores | changes)
    return meaning.model_dump()


StoreTracks = Callable[..., Awaitable[list[TrackUpserted]]]


@pytest.fixture
def store_tracks(pool: asyncpg.Pool, library_id: UUID) -> StoreTracks:
    """Store tracks of the library `music`: paths or items, optionally for a scan."""

    async def store(*items: str | dict[str, Any], scan_id: UUID | None = None) -> Any:
        rows = [track_item(item) if isinstance(item, str) else item for item in items]
        return await upsert_tracks(pool, library_id, scan_id, rows)

    return store


@fixture
async def artist_id(pool: asyncpg.Pool) -> str:
    """The gateway's id of a stored artist."""
    (made,) = await artists.upsert(pool, [{"name": "Björk"}])
    assert made.id is not None
    return format_id(IdKind.ARTIST, made.id)


@fixture
async def client(
    pool: asyncpg.Pool, database_settings: Settings
) -> AsyncIterator[httpx.AsyncClient]:
    async with running_gateway(database_settings) as one:
        yield one


@fixture
async def guarded(
    pool: asyncpg.Pool, database_settings: Settings
) -> AsyncIterator[httpx.AsyncClient]:
    async with running_gateway(database_settings, token=SecretStr("sésame")) as one:
        yield one
