"""What was measured of a track."""

from datetime import datetime
from typing import Any

import strawberry

from shared.contracts.analysis import Analysis as Measured


@strawberry.type(description="See docs/analysis.md for methods.")
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
    key: str
    mode: str
    key_confidence: float
    camelot: str
    tuning_cents: float
    chroma_mean: list[float]
    loudness_lufs: float
    loudness_range_lu: float
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
    mfcc_mean: list[float]
    mfcc_std: list[float]
    silence_start_s: float
    silence_end_s: float
    silence_share: float
    clipping_share: float
    waveform: list[int]
    fingerprint: str | None
    acoustid_id: str | None
    damaged: bool

    @classmethod
    def of(cls, row: Any) -> "Analysis":
        """A stored analysis as the gateway shows it."""
        names = ("analyzer_version", "content_revision", "analyzed_at", *Measured.model_fields)
        return cls(**{name: row[name] for name in names})
