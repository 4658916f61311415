"""The analysis of a track: every field with its unit and range.

All fields have values if the track decodes to at least a second of sound; silence has defined
values with confidence 0. Only the AcoustID fields, the fingerprint and the meaning depend
on what is installed and configured.
"""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, model_validator

from shared.contracts.meaning import Meaning, Share

PITCH_CLASSES = ("C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B")
MFCC_COUNT = 20
CONTRAST_BANDS = 7
WAVEFORM_POINTS = 1_000
MOST_BEATS = 2_600
MOST_HEARD_S = 600.0
"""How much of a track is analysed where the spectrum is needed: ten slices of a longer track."""
MOST_SECTIONS = 64
MOST_KEY_CHANGES = 64
LOUDNESS_BIN_LU, LOUDNESS_BINS = 0.5, 160
"""The width and number of the loudness histogram's bins, from -70 to +10 LUFS."""
PitchClass = Annotated[str, Field(pattern=r"^[A-G]#?$")]
Mode = Annotated[str, Field(pattern=r"^(major|minor)$")]
Seconds = Annotated[float, Field(ge=0)]


class KeyChange(BaseModel):
    """A key, and the time from which it holds."""

    model_config = ConfigDict(frozen=True, allow_inf_nan=False)

    time_s: Seconds
    key: PitchClass
    mode: Mode


class Analysis(BaseModel):
    """A track's analysis. Floats are finite; lists have the given lengths."""

    model_config = ConfigDict(frozen=True, allow_inf_nan=False)

    analyzed_duration_s: float = Field(gt=0, description="Decoded length of the whole track.")
    heard_s: float = Field(
        gt=0,
        description="Length that was analysed where the spectrum is needed; levels cover all.",
    )

    tempo_bpm: float = Field(ge=0, le=400, description="0 where there is no pulse.")
    tempo_confidence: Share
    tempo_alternative_bpm: float = Field(
        ge=0, le=800, description="Half or double, whichever fits better."
    )
    onset_rate_hz: float = Field(ge=0, le=100, description="Onsets a second.")
    danceability: Share
    beat_times_s: list[Seconds] = Field(
        max_length=MOST_BEATS,
        description="Times of the beats; of a long track, those within the analysed ten minutes.",
    )
    beats_per_bar: int = Field(ge=0, le=12, description="A guess; 0 where there is none.")
    first_downbeat: int = Field(ge=0, le=12, description="Which beat, from 0, begins a bar.")
    downbeat_confidence: Share
    tempo_stability: Share = Field(description="Share of the track that has this pulse.")

    key: PitchClass = Field(description="Tonic, sharps only.")
    mode: Mode
    key_confidence: Share
    camelot: str = Field(pattern=r"^(1[0-2]|[1-9])[AB]$")
    open_key: str = Field(pattern=r"^(1[0-2]|[1-9])[dm]$")
    second_key: PitchClass = Field(description="The key that fits second best.")
    second_mode: Mode
    key_changes: list[KeyChange] = Field(
        max_length=MOST_KEY_CHANGES, description="Keys over time, the first at 0."
    )
    tuning_cents: float = Field(ge=-50, le=50, description="Offset from A4 = 440 Hz.")
    chroma_mean: list[Share] = Field(min_length=12, max_length=12, description="From C up.")

    loudness_lufs: float = Field(ge=-70, le=10, description="Integrated, ITU-R BS.1770-4.")
    loudness_range_lu: float = Field(ge=0, le=80, description="EBU Tech 3342.")
    loudness_short_term_max_lufs: float = Field(ge=-70, le=10, description="The loudest 3 s.")
    loudness_histogram: list[Annotated[int, Field(ge=0)]] = Field(
        min_length=LOUDNESS_BINS,
        max_length=LOUDNESS_BINS,
        description="Blocks of 400 ms by loudness, half an LU each from -70 LUFS: for albums.",
    )
    loudness_histogram_lufs: list[Annotated[float, Field(ge=-70, le=10)]] = Field(
        min_length=LOUDNESS_BINS,
        max_length=LOUDNESS_BINS,
        description="Mean loudness of the blocks in each bin, 0 where there are none.",
    )
    true_peak_dbtp: float = Field(ge=-120, le=30, description="ITU-R BS.1770-4, Annex 2.")
    peak_dbfs: float = Field(ge=-120, le=20, description="Largest sample.")
    replaygain_track_gain_db: float = Field(ge=-40, le=60, description="-18 LUFS reference.")
    dynamic_range_db: float = Field(ge=0, le=120, description="P95 - P10 of short-term RMS.")
    crest_db: float = Field(ge=0, le=120, description="Peak over RMS.")
    energy: Share

    brightness: Share = Field(description="Share of the power above 1.5 kHz.")
    spectral_centroid_hz: float = Field(ge=0, le=11_025)
    spectral_bandwidth_hz: float = Field(ge=0, le=11_025)
    spectral_rolloff_hz: float = Field(ge=0, le=11_025, description="85% of the power is below.")
    spectral_flatness: Share
    spectral_contrast_db: list[float] = Field(min_length=CONTRAST_BANDS, max_length=CONTRAST_BANDS)
    zero_crossing_rate: Share
    roughness: Share = Field(description="How much partials beat against each other.")
    mfcc_mean: list[float] = Field(min_length=MFCC_COUNT, max_length=MFCC_COUNT)
    mfcc_std: list[float] = Field(min_length=MFCC_COUNT, max_length=MFCC_COUNT)

    silence_start_s: float = Field(ge=0)
    silence_end_s: float = Field(ge=0)
    silence_share: Share
    fade_in_s: Seconds
    fade_out_s: Seconds
    section_boundaries_s: list[Seconds] = Field(
        max_length=MOST_SECTIONS, description="Times at which a new section begins."
    )
    dc_offset: float = Field(ge=-1, le=1, description="Mean of the samples; 1 is full scale.")
    stereo_width: Share = Field(
        description="The side signal's share of the power: 0 is mono, .5 unrelated channels."
    )
    is_mono_in_stereo: bool = Field(description="Both channels are equal.")
    bandwidth_hz: float = Field(ge=0, le=1_000_000, description="The highest frequency with sound.")
    bandwidth_kind: str = Field(
        pattern=r"^(natural|resampled|lossy)$", description="What limits the bandwidth."
    )
    clipping_share: Share = Field(description="Samples in runs at full scale.")
    waveform: list[Annotated[int, Field(ge=0, le=255)]] = Field(
        min_length=WAVEFORM_POINTS,
        max_length=WAVEFORM_POINTS,
        description="Peaks for a preview, evenly spaced.",
    )

    fingerprint: str | None = Field(None, description="Chromaprint of the first 120 s.")
    acoustid_id: str | None = None
    damaged: bool = Field(False, description="A decoder complained, or sound is missing.")

    meaning: Meaning | None = Field(None, description="What a trained model heard.")
    meaning_absence: str | None = Field(
        None, max_length=1_000, description="Why there is no meaning, and what to do about it."
    )

    @model_validator(mode="after")
    def _check_meaning(self) -> "Analysis":
        """There is either a meaning or the reason why there is none."""
        if (self.meaning is None) == (self.meaning_absence is None):
            raise ValueError("either `meaning` or `meaning_absence` is needed")
        return self
