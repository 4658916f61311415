"""The analysis of a track."""

from collections.abc import Callable
from datetime import datetime
from typing import Any
from uuid import UUID

import strawberry

from services.api.graphql.enums import BandwidthKind
from services.api.graphql.look_ahead import loaded, of_row
from services.api.graphql.types.meaning import Meaning
from shared.contracts.analysis import (
    CONTRAST_BANDS,
    LOUDNESS_BINS,
    MFCC_COUNT,
    MOST_SECTIONS,
    WAVEFORM_POINTS,
)

_BEATS = 500  # of four minutes at 125 BPM; the longest lists have five times as many


@strawberry.type
class KeyChange:
    """A key, and the time from which it holds."""

    time_s: float
    key: str
    mode: str


def _key(analysis: "Analysis") -> tuple[UUID, str]:
    return analysis.track_key, analysis.analyzer_version


def _long(name: str, values: int = 1, convert: Callable[[Any], Any] = lambda value: value) -> Any:
    """A long column, which is read only if the request selects it, and its usual length."""
    return loaded(
        lambda loaders: loaders.long_of_analyses,
        _key,
        lambda _, row: convert(row[name]),
        values=values,
    )


def _meaning_absence(analysis: "Analysis", row: Any) -> str | None:
    if analysis.absence is not None or row:
        return analysis.absence
    return "an earlier version without meaning analysed this track: it will be analysed again"


@strawberry.type(
    description="Values measured from the audio. docs/analysis.md has units, methods and sources."
)
class Analysis:
    """An analysis; the fields of `shared.contracts.analysis`."""

    analyzer_version: str
    content_revision: int
    analyzed_at: datetime
    analyzed_duration_s: float
    tempo_bpm: float
    tempo_confidence: float
    tempo_alternative_bpm: float
    onset_rate_hz: float
    danceability: float
    beat_times_s: list[float] = _long("beat_times_s", _BEATS)
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
    key_changes: list[KeyChange] = _long(
        "key_changes", convert=lambda changes: [KeyChange(**change) for change in changes]
    )
    tuning_cents: float
    chroma_mean: list[float] = _long("chroma_mean", 12)
    loudness_lufs: float
    loudness_range_lu: float
    loudness_short_term_max_lufs: float
    loudness_histogram: list[int] = _long("loudness_histogram", LOUDNESS_BINS)
    loudness_histogram_lufs: list[float] = _long("loudness_histogram_lufs", LOUDNESS_BINS)
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
    spectral_contrast_db: list[float] = _long("spectral_contrast_db", CONTRAST_BANDS)
    zero_crossing_rate: float
    roughness: float
    mfcc_mean: list[float] = _long("mfcc_mean", MFCC_COUNT)
    mfcc_std: list[float] = _long("mfcc_std", MFCC_COUNT)
    silence_start_s: float
    silence_end_s: float
    silence_share: float
    heard_s: float
    fade_in_s: float
    fade_out_s: float
    section_boundaries_s: list[float] = _long("section_boundaries_s", MOST_SECTIONS)
    dc_offset: float
    stereo_width: float
    is_mono_in_stereo: bool
    bandwidth_hz: float
    bandwidth_kind: BandwidthKind
    clipping_share: float
    waveform: list[int] = _long("waveform", WAVEFORM_POINTS)
    fingerprint: str | None = _long("fingerprint")
    acoustid_id: str | None
    damaged: bool
    track_key: strawberry.Private[UUID]
    absence: strawberry.Private[str | None]

    meaning: Meaning | None = loaded(
        lambda loaders: loaders.meanings,
        _key,
        lambda _, row: Meaning.of(row) if row else None,
        description="What a trained model heard; null if `meaningAbsence` says why there is none.",
    )
    meaning_absence: str | None = loaded(
        lambda loaders: loaders.meanings,
        _key,
        _meaning_absence,
        description="Why there is no meaning, and what to do about it.",
    )

    @classmethod
    def of(cls, row: Any) -> "Analysis":
        """A stored analysis as the gateway shows it."""
        return of_row(
            cls,
            row,
            bandwidth_kind=BandwidthKind(row["bandwidth_kind"]),
            track_key=row["track_id"],
            absence=row["meaning_absence"],
        )
