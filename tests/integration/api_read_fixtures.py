"""Fixtures for reading through the GraphQL schema: a full library, and a client."""

from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any
from uuid import UUID

import asyncpg
import numpy as np
from numpy.typing import NDArray
from pytest_asyncio import fixture

from services.api.graphql.context import Context
from services.api.graphql.schema import build_schema
from services.api.store import artists, covers
from services.api.store.albums.upsert import upsert_albums
from services.api.store.analyses.upsert import upsert_analyses
from services.api.store.results import TrackUpserted
from services.api.store.tracks.upsert import upsert_tracks
from services.api.store.vectors.spaces import register_spaces, validate_space
from services.api.store.vectors.upsert import upsert_vectors
from shared.bus.in_process import InProcessBus
from shared.contracts.errors import DependencyDown
from shared.contracts.identity import IdKind, format_id
from shared.embedding.port import EmbeddingSpace, TextEmbedder
from shared.runtime.settings import Settings
from shared.search.port import SearchReader
from tests.integration.conftest import analysis_item, meaning_item, track_item

AUDIO: dict[str, Any] = {"space": "AUDIO", "model": "m", "version": "1", "dimensions": 8}
TEXT: dict[str, Any] = {"space": "TEXT", "model": "t", "version": "1", "dimensions": 4}
SCHEMA = build_schema()
UNKNOWN_UUID = UUID(int=7).hex


class SchemaClient:
    """Executes documents on the schema, each with a context of its own, as a request has."""

    def __init__(self, make_context: Callable[[], Context]) -> None:
        self._make_context = make_context

    async def __call__(self, document: str, **variables: Any) -> dict[str, Any]:
        result = await SCHEMA.execute(document, variables, self._make_context())
        assert not result.errors, result.errors
        assert result.data is not None
        return result.data

    async def execute_refused(self, document: str, **variables: Any) -> tuple[str, str]:
        """Execute a document that must fail with one error; its code and message."""
        result = await SCHEMA.execute(document, variables, self._make_context())
        assert result.errors is not None
        (error,) = result.errors
        assert error.extensions is not None
        return error.extensions["code"], error.message


def schema_client(
    pool: asyncpg.Pool,
    settings: Settings,
    *,
    search: SearchReader | None = None,
    embedder: TextEmbedder | None = None,
) -> SchemaClient:
    bus: Any = InProcessBus()
    index: Any = search
    text_embedder: Any = embedder
    return SchemaClient(lambda: Context(pool, bus, settings, index, text_embedder))


@fixture
async def ask(pool: asyncpg.Pool, database_settings: Settings) -> SchemaClient:
    """A client on an empty library."""
    return schema_client(pool, database_settings)


class FixedEmbedder:
    """An embedder with the same vector for every text; without a vector, its server is down."""

    def __init__(self, values: NDArray[np.float32] | None, model: str = "m") -> None:
        self._values = values
        self._model = model

    async def space(self) -> EmbeddingSpace:
        return EmbeddingSpace(self._model, "1", 0 if self._values is None else len(self._values))

    async def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        if self._values is None:
            raise DependencyDown("Ollama does not answer: start it")
        return np.stack([self._values] * len(texts))


async def fill(
    pool: asyncpg.Pool, library_id: UUID, number: int, *, complete: bool = True
) -> list[TrackUpserted]:
    """Store tracks: 10 per album, 3 albums per artist; titles, years and lengths repeat.

    Every third track has no year. `complete` adds covers, analyses and vectors.
    """
    names = [f"Artist {n:03}" for n in range((number + 29) // 30)]
    made_artists = await artists.upsert(pool, [{"name": name} for name in names])
    ids = [format_id(IdKind.ARTIST, one.id) for one in made_artists if one.id]
    sha256 = "ab" * 32
    if complete:
        await covers.store(
            pool, sha256=bytes.fromhex(sha256), mime_type="image/png", content=b"x", width=3
        )
    albums = [
        {
            "title": f"Album {n:03}", "artist_credit": names[n // 3], "folder": f"{n}",
            "credits": [{"artist_id": ids[n // 3], "credited_as": names[n // 3]}],
            "library_id": format_id(IdKind.LIBRARY, library_id),
            "release_date": f"{1990 + n % 3}", "cover_sha256": sha256,
            "is_compilation": n % 2 == 1,
        }
        for n in range((number + 9) // 10)
    ]  # fmt: skip
    made_albums = await upsert_albums(pool, albums)
    album_ids = [format_id(IdKind.ALBUM, one.id) for one in made_albums if one.id]
    items = [
        track_item(
            f"{n // 10}/{n:04}.mp3", title=f"Title {n % 7}", artist_credit=names[n // 30],
            credits=[
                {"artist_id": ids[n // 30], "credited_as": names[n // 30], "role": "artist"},
                {"artist_id": ids[0], "credited_as": "Composer", "role": "composer"},
            ],
            album_id=album_ids[n // 10], track_number=10 - n % 10, genres=[f"Genre {n % 4}", "All"],
            release_date=None if n % 3 == 0 else f"{1990 + n % 5}", duration_s=60.0 + n % 4,
        )
        for n in range(number)
    ]  # fmt: skip
    made = await upsert_tracks(pool, library_id, None, items)
    if complete:
        await upsert_analyses(
            pool,
            [
                analysis_item(
                    one,
                    analyzed_duration_s=60.0 + n % 4,
                    tempo_bpm=80 + n % 60,
                    energy=(n % 10) / 10,
                    key="ACD"[n % 3],
                    meaning=meaning_item(
                        genre=("jazz", "rock")[n % 2],
                        sad={"score": min(1, n / 50), "confidence": 0.3},
                    ),
                    meaning_absence=None,
                )
                for n, one in enumerate(made)
            ],
        )
        await store_vectors(pool, made)
    return made


async def store_vectors(pool: asyncpg.Pool, made: list[TrackUpserted]) -> None:
    """Store random vectors in both spaces, the same each time."""
    await register_spaces(pool, [validate_space(AUDIO), validate_space(TEXT)])
    random = np.random.default_rng(1)
    items: list[dict[str, Any]] = []
    for one in made:
        assert one.id is not None
        for space in (AUDIO, TEXT):
            values = random.normal(size=space["dimensions"]).astype(np.float32)
            items.append(
                {
                    "track_id": format_id(IdKind.TRACK, one.id), "content_revision": 1,
                    "space": space, "values": values / np.linalg.norm(values),
                }
            )  # fmt: skip
    results = await upsert_vectors(pool, items)
    assert all(result.problem is None for result in results)


async def drop_space_indexes(pool: asyncpg.Pool) -> None:
    """Drop the index that each vector space leaves; it would slow down all later tests."""
    names = await pool.fetch(
        "SELECT indexname FROM pg_indexes WHERE indexname LIKE 'track\\_vectors\\_space\\_%'"
    )
    for row in names:
        await pool.execute(f"DROP INDEX {row['indexname']}")


@fixture(autouse=True)
async def dropped_space_indexes(pool: asyncpg.Pool) -> AsyncIterator[None]:
    """Drop the indexes of vector spaces after each test of a module that imports this."""
    yield
    await drop_space_indexes(pool)
