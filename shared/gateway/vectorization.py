"""The operations of the vectorizer: tags and measures of tracks, and their vectors."""

from collections.abc import AsyncIterator, Sequence
from typing import Literal

import msgspec
import numpy as np
from numpy.typing import NDArray

from shared.gateway.analysis import MOST_IDS, TrackStage
from shared.gateway.client import Gateway, Operation, in_portions, operation
from shared.gateway.results import TrackResult, TrackResults


class Measures(msgspec.Struct, rename="camel"):
    """The values that the descriptor is computed from; units are those of the analysis."""

    tempo_bpm: float
    tempo_confidence: float
    onset_rate_hz: float
    danceability: float
    key: str
    mode: str
    key_confidence: float
    loudness_lufs: float
    loudness_range_lu: float
    dynamic_range_db: float
    crest_db: float
    energy: float
    brightness: float
    spectral_centroid_hz: float
    spectral_bandwidth_hz: float
    spectral_rolloff_hz: float
    spectral_flatness: float
    spectral_contrast_db: list[float]
    zero_crossing_rate: float
    mfcc_mean: list[float]
    mfcc_std: list[float]


class Score(msgspec.Struct):
    """A track's place on a scale, and how sure it is; both 0..1."""

    score: float
    confidence: float


class Heard(msgspec.Struct, rename="camel"):
    """What a trained model heard. `embedding`: little-endian float32 values."""

    model: str
    version: str
    embedding: bytes
    genre: str | None
    genre_confidence: float
    aggressive: Score
    relaxed: Score
    party: Score
    acoustic: Score
    electronic: Score
    instrumental: Score


class AnalysisToVectorize(Measures, rename="camel"):
    """An analysis. `meaning_absence` says why `meaning` is None."""

    content_revision: int
    meaning_absence: str | None
    meaning: Heard | None


class AlbumTitle(msgspec.Struct, rename="camel"):
    """An album's title and artist credit."""

    title: str
    artist_credit: str


class Named(msgspec.Struct):
    """A genre or artist."""

    name: str


class CreditedAs(msgspec.Struct, rename="camel"):
    """A name as it is credited."""

    credited_as: str


class CorrectedMoods(msgspec.Struct):
    """Corrected moods; None if they are not corrected."""

    moods: list[str] | None


class TrackToVectorize(msgspec.Struct, rename="camel"):
    """A track's tags and analysis. `credits` are its composers'."""

    id: str
    is_missing: bool
    content_revision: int
    stage: TrackStage
    title: str
    artists: list[str]
    year: int | None
    tempo_bpm: float | None
    key: str | None
    mode: str | None
    moods: list[str]
    album: AlbumTitle | None
    genres: list[Named]
    credits: list[CreditedAs]
    correction: CorrectedMoods | None
    analysis: AnalysisToVectorize | None


class VectorSpaceInput(msgspec.Struct, frozen=True):
    """A vector space: only vectors of the same model and version can be compared."""

    space: Literal["AUDIO", "TEXT"]
    model: str
    version: str
    dimensions: int


class VectorInput(msgspec.Struct, rename="camel"):
    """A vector of a track, of length 1. `values`: little-endian float32."""

    track_id: str
    content_revision: int
    space: VectorSpaceInput
    values: bytes


class AudioModel(msgspec.Struct):
    """The trained model that the analyzers use."""

    model: str
    version: str
    dimensions: int


class AnalysisOfNode(msgspec.Struct):
    """A track's measures, where it has an analysis."""

    analysis: Measures | None


class Edge(msgspec.Struct):
    """An edge of a page of tracks."""

    node: AnalysisOfNode


class PageInfo(msgspec.Struct, rename="camel"):
    """The end of a page."""

    has_next_page: bool
    end_cursor: str | None


class MeasuresPage(msgspec.Struct, rename="camel"):
    """A page of tracks."""

    edges: list[Edge]
    page_info: PageInfo


TRACKS_TO_VECTORIZE = operation("tracks_to_vectorize", list[TrackToVectorize | None], ids=list[str])
AUDIO_MODEL: Operation[AudioModel | None] = operation("audio_model", AudioModel | None)  # type: ignore[arg-type] # mypy knows no type of a union
MEASURES = operation("measures", MeasuresPage, after=str | None)
CREATE_VECTORS = operation("create_vectors", TrackResults, input=list[VectorInput])
REGISTER_VECTOR_SPACES = operation("register_vector_spaces", bool, input=list[VectorSpaceInput])


async def tracks_to_vectorize(gateway: Gateway, ids: Sequence[str]) -> list[TrackToVectorize]:
    """The tracks that exist, each once, in the order of the ids."""
    found: list[TrackToVectorize] = []
    for portion in in_portions(list(dict.fromkeys(ids)), MOST_IDS):
        tracks = await gateway.execute(TRACKS_TO_VECTORIZE, ids=portion)
        found += [track for track in tracks if track is not None]
    return found


async def audio_model(gateway: Gateway) -> AudioModel | None:
    """The trained model whose embeddings are the audio vectors; None without a model."""
    return await gateway.execute(AUDIO_MODEL)


async def measures(gateway: Gateway) -> AsyncIterator[Measures]:
    """The measures of every track that has an analysis."""
    after, has_next = None, True
    while has_next:
        page = await gateway.execute(MEASURES, after=after)
        for edge in page.edges:
            if edge.node.analysis is not None:
                yield edge.node.analysis
        after, has_next = page.page_info.end_cursor, page.page_info.has_next_page


async def create_vectors(gateway: Gateway, items: Sequence[VectorInput]) -> list[TrackResult]:
    """Store vectors; one result an item, in order."""
    return (await gateway.execute(CREATE_VECTORS, input=items)).results


async def register_vector_spaces(gateway: Gateway, spaces: Sequence[VectorSpaceInput]) -> None:
    """Register the spaces that are filled from now on."""
    await gateway.execute(REGISTER_VECTOR_SPACES, input=spaces)


def vector_bytes(values: NDArray[np.float32]) -> bytes:
    """A vector as `values` of `VectorInput`."""
    return values.astype("<f4").tobytes()
