"""What was measured of a track."""

from collections.abc import Callable
from datetime import datetime
from typing import Any
from uuid import UUID

import strawberry

from services.api.graphql.enums import BandwidthKind
from services.api.graphql.loading import loaded_field, of_row
from services.api.graphql.types.meaning import Meaning


@strawberry.type
class KeyChange:
    """From when on a key holds."""

    time_s: float
    key: str
    mode: str


def _key_of(analysis: "Analysis") -> tuple[UUID, str]:
    return analysis.track_key, analysis.analyzer_version


def _long(name: str, kind: object, show: Callable[[Any], Any] = lambda told: told) -> Any:
    """A field that is fetched only where it is asked for."""

    def told(_analysis: Any, row: Any) -> Any:
        return show(row[name])

    told.__annotations__ = {"return": kind}
    told.__name__ = name
    return loaded_field(lambda loaders: loaders.long_of_analyses, _key_of)(told)


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
    beat_times_s = _long("beat_times_s", list[float])
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
    key_changes = _long(
        "key_changes",
        list[KeyChange],
        lambda changes: [KeyChange(**change) for change in changes],
    )
    tuning_cents: float
    chroma_mean = _long("chroma_mean", list[float])
    loudness_lufs: float
    loudness_range_lu: float
    loudness_short_term_max_lufs: float
    loudness_histogram = _long("loudness_histogram", list[int])
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
    spectral_contrast_db = _long("spectral_contrast_db", list[float])
    zero_crossing_rate: float
    roughness: float
    mfcc_mean = _long("mfcc_mean", list[float])
    mfcc_std = _long("mfcc_std", list[float])
    silence_start_s: float
    silence_end_s: float
    silence_share: float
    heard_s: float
    fade_in_s: float
    fade_out_s: float
    section_boundaries_s = _long("section_boundaries_s", list[float])
    dc_offset: float
    stereo_width: float
    is_mono_in_stereo: bool
    bandwidth_hz: float
    bandwidth_kind: BandwidthKind
    clipping_share: float
    waveform = _long("waveform", list[int])
    fingerprint = _long("fingerprint", str | None)
    acoustid_id: str | None
    damaged: bool
    track_key: strawberry.Private[UUID]
    absence: strawberry.Private[str | None]

    @loaded_field(
        lambda loaders: loaders.meanings,
        _key_of,
        description="What a trained model hears; null where `meaningAbsence` is not.",
    )
    def meaning(self, row: Any) -> Meaning | None:
        """Words, moods, scales."""
        return Meaning.of(row) if row else None

    @loaded_field(
        lambda loaders: loaders.meanings,
        _key_of,
        description="Why there is no meaning, and what to do about it.",
    )
    def meaning_absence(self, row: Any) -> str | None:
        """Null where there is one."""
        if self.absence is not None or row:
            return self.absence
        return "an earlier version analysed this track, which heard no meaning: it is done anew"

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
