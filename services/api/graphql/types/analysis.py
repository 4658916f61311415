"""What was measured of a track."""

from datetime import datetime
from typing import Any
from uuid import UUID

import strawberry
from strawberry import Info

from services.api.graphql.enums import BandwidthKind
from services.api.graphql.types.meaning import Meaning
from shared.contracts.analysis import Analysis as Measured


@strawberry.type
class KeyChange:
    """From when on a key holds."""

    time_s: float
    key: str
    mode: str


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
    key_changes: list[KeyChange]
    tuning_cents: float
    chroma_mean: list[float]
    loudness_lufs: float
    loudness_range_lu: float
    loudness_short_term_max_lufs: float
    loudness_histogram: list[int]
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
    fingerprint: str | None
    acoustid_id: str | None
    damaged: bool
    track_key: strawberry.Private[UUID]
    absence: strawberry.Private[str | None]

    @strawberry.field(description="What a trained model hears; null where `meaningAbsence` is not.")
    async def meaning(self, info: Info) -> Meaning | None:
        """Words, moods, scales."""
        row = await info.context.loaders.meanings.load((self.track_key, self.analyzer_version))
        return Meaning.of(row) if row else None

    @strawberry.field(description="Why there is no meaning, and what to do about it.")
    async def meaning_absence(self, info: Info) -> str | None:
        """Null where there is one."""
        key = (self.track_key, self.analyzer_version)
        if self.absence is not None or await info.context.loaders.meanings.load(key):
            return self.absence
        return "an earlier version analysed this track, which heard no meaning: it is done anew"

    @classmethod
    def of(cls, row: Any) -> "Analysis":
        """A stored analysis as the gateway shows it."""
        names = ("analyzer_version", "content_revision", "analyzed_at", *Measured.model_fields)
        told = {name: row[name] for name in names if not name.startswith("meaning")}
        told["key_changes"] = [KeyChange(**change) for change in row["key_changes"]]
        told["bandwidth_kind"] = BandwidthKind(row["bandwidth_kind"])
        return cls(track_key=row["track_id"], absence=row["meaning_absence"], **told)
