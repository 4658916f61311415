"""Inputs of analyses, vectors, and the models that they are made with."""

import strawberry
from strawberry import UNSET

from services.api.graphql.enums import BandwidthKind, VectorSpace
from services.api.graphql.plain_inputs import plain
from services.api.graphql.scalars import Shares, Vector


@plain
@strawberry.input
class ScoreInput:
    """A score and how sure it is."""

    score: float
    confidence: float


@plain
@strawberry.input
class MeaningInput:
    """What a trained model heard; fields and ranges are those of `shared.contracts.meaning`."""

    model: str
    version: str
    patches: int
    tags: Shares
    genre: str | None = UNSET
    genre_confidence: float
    aggressive: ScoreInput
    relaxed: ScoreInput
    party: ScoreInput
    happy: ScoreInput
    sad: ScoreInput
    acoustic: ScoreInput
    electronic: ScoreInput
    instrumental: ScoreInput
    energy: ScoreInput
    valence: ScoreInput
    arousal: ScoreInput
    embedding: Vector


@plain
@strawberry.input
class AudioModelInput:
    """The trained model that analyses are made with now."""

    model: str
    version: str
    dimensions: int


@plain
@strawberry.input
class KeyChangeInput:
    """A key, and the time from which it holds."""

    time_s: float
    key: str
    mode: str


@plain
@strawberry.input
class AnalysisInput:
    """An analysis; fields, units and ranges are those of `shared.contracts.analysis`."""

    track_id: strawberry.ID
    analyzer_version: str
    content_revision: int
    analyzed_duration_s: float
    tempo_bpm: float
    tempo_confidence: float
    tempo_alternative_bpm: float
    onset_rate_hz: float
    danceability: float
    beat_times_s: list[float]
    beats_per_bar: int
    first_downbeat: int
    downbeat_confidence: float
    tempo_stability: float
    key: str
    mode: str
    key_confidence: float
    camelot: str
    open_key: str
    second_key: str
    second_mode: str
    key_changes: list[KeyChangeInput]
    tuning_cents: float
    chroma_mean: list[float]
    loudness_lufs: float
    loudness_range_lu: float
    loudness_short_term_max_lufs: float
    loudness_histogram: list[int]
    loudness_histogram_lufs: list[float]
    true_peak_dbtp: float
    peak_dbfs: float
    replaygain_track_gain_db: float
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
    roughness: float
    mfcc_mean: list[float]
    mfcc_std: list[float]
    silence_start_s: float
    silence_end_s: float
    silence_share: float
    heard_s: float
    fade_in_s: float
    fade_out_s: float
    section_boundaries_s: list[float]
    dc_offset: float
    stereo_width: float
    is_mono_in_stereo: bool
    bandwidth_hz: float
    bandwidth_kind: BandwidthKind
    clipping_share: float
    waveform: list[int]
    fingerprint: str | None = UNSET
    acoustid_id: str | None = UNSET
    damaged: bool | None = False
    meaning: MeaningInput | None = strawberry.field(
        default=UNSET, description="Either this or `meaningAbsence` must be given."
    )
    meaning_absence: str | None = UNSET


@plain
@strawberry.input
class VectorSpaceInput:
    """A vector space: only vectors of the same model and version can be compared."""

    space: VectorSpace
    model: str
    version: str
    dimensions: int


@plain
@strawberry.input(
    description="`space` must be the registered space of its kind, with the same model, version and"
    " dimensions."
)
class VectorInput:
    """A vector of a track, of length 1."""

    track_id: strawberry.ID
    content_revision: int
    space: VectorSpaceInput
    values: Vector
