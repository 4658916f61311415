"""What mutations take. The names are the store's, so a value is handed on as it is.

Strawberry resolves the type of each field of each item anew, which costs more than storing it;
the `_plain` hook takes the values as graphql-core has checked them (measured: 3 times the rows).
"""

import dataclasses
from collections.abc import Mapping, Sequence
from enum import Enum
from typing import Any, TypeVar

import strawberry
from strawberry import UNSET
from strawberry.types.base import get_object_definition

from services.api.graphql.enums import (
    BandwidthKind,
    CreditRole,
    FailureKind,
    ScanMode,
    TrackKind,
    VectorSpace,
)
from services.api.graphql.scalars import BigInt, KeyValues, Shares, Vector

T = TypeVar("T")


def _camel(name: str) -> str:
    head, *tail = name.split("_")
    return head + "".join(part[:1].upper() + part[1:] for part in tail)


def _plain(cls: type[T]) -> type[T]:
    """Build values of this input without strawberry's conversion; left out means None."""
    names = [(_camel(field.name), field.name) for field in dataclasses.fields(cls)]  # type: ignore[arg-type] # strawberry.input makes a dataclass

    def from_input(kind: type[T], value: Mapping[str, Any], _context: Any) -> T:
        made = kind.__new__(kind)
        made.__dict__.update({name: value.get(told) for told, name in names})
        return made

    get_object_definition(cls, strict=True).from_input = from_input
    return cls


@_plain
@strawberry.input
class ArtistInput:
    """An artist."""

    name: str
    sort_name: str | None = UNSET
    musicbrainz_artist_id: str | None = UNSET
    image_sha256: str | None = UNSET


@_plain
@strawberry.input
class CreditInput:
    """An artist's part in a track or album."""

    artist_id: strawberry.ID
    role: CreditRole | None = CreditRole.ARTIST
    credited_as: str
    join_phrase: str | None = ""
    instrument: str | None = strawberry.field(
        default=UNSET, description="Of a performer: an instrument or a voice."
    )


@_plain
@strawberry.input
class AlbumInput:
    """An album."""

    title: str
    sort_title: str | None = UNSET
    artist_credit: str
    credits: list[CreditInput]
    folder: str = strawberry.field(
        description="The album's folder below its library's root, disc folders stripped:"
        " tells editions apart."
    )
    library_id: strawberry.ID
    release_date: str | None = UNSET
    original_date: str | None = UNSET
    is_compilation: bool | None = False
    is_artist_told: bool | None = strawberry.field(
        default=True, description="Whether the artist is tagged, or guessed from a track."
    )
    claim: str | None = strawberry.field(
        default=UNSET,
        description="A name for what is said here. Tracks that refer to it (`albumClaim`) decide"
        " together what the album is.",
    )
    disc_total: int | None = UNSET
    release_type: str | None = UNSET
    label: str | None = UNSET
    catalogue_number: str | None = UNSET
    barcode: str | None = UNSET
    country: str | None = UNSET
    media: str | None = UNSET
    musicbrainz_release_id: str | None = UNSET
    musicbrainz_release_group_id: str | None = UNSET
    cover_sha256: str | None = UNSET
    artist_image_sha256: str | None = strawberry.field(
        default=UNSET, description="With a claim: the image of the album's one artist near it."
    )


@_plain
@strawberry.input
class ImportedFactInput:
    """What another program noted about a file."""

    source: str
    rating: int | None = strawberry.field(default=UNSET, description="0 to 100.")
    play_count: int | None = UNSET


@_plain
@strawberry.input
class TrackInput:
    """A track, by the path of its file."""

    path: str
    size_bytes: BigInt
    mtime_ns: BigInt
    title: str
    title_is_file_name: bool | None = False
    sort_title: str | None = UNSET
    artist_credit: str
    credits: list[CreditInput]
    album_id: strawberry.ID | None = UNSET
    album_claim: str | None = strawberry.field(
        default=UNSET, description="What the file says of the album: the `claim` of an item."
    )
    genres: list[str]
    track_number: int | None = UNSET
    track_total: int | None = UNSET
    disc_number: int | None = UNSET
    disc_total: int | None = UNSET
    disc_subtitle: str | None = UNSET
    release_date: str | None = UNSET
    original_date: str | None = UNSET
    isrcs: list[str] | None = strawberry.field(default_factory=list)
    tag_bpm: float | None = UNSET
    comment: str | None = UNSET
    language: str | None = UNSET
    has_lyrics: bool | None = False
    kind: TrackKind | None = TrackKind.MUSIC
    work: str | None = UNSET
    movement_name: str | None = UNSET
    movement_number: int | None = UNSET
    movement_total: int | None = UNSET
    moods: list[str] | None = strawberry.field(default_factory=list)
    grouping: str | None = UNSET
    copyright: str | None = UNSET
    tag_key: str | None = UNSET
    lyrics_plain: str | None = UNSET
    lyrics_synced: str | None = strawberry.field(
        default=UNSET, description="LRC: `[mm:ss.mmm]words`, a line a stamp."
    )
    lyrics_are_sidecar: bool | None = False
    other_tags: KeyValues | None = strawberry.field(
        default=UNSET, description="At most 64 names and 16,000 characters."
    )
    imported_facts: list[ImportedFactInput] | None = strawberry.field(default_factory=list)
    musicbrainz_recording_id: str | None = UNSET
    musicbrainz_track_id: str | None = UNSET
    replaygain_track_gain_db: float | None = UNSET
    replaygain_track_peak: float | None = UNSET
    replaygain_album_gain_db: float | None = UNSET
    replaygain_album_peak: float | None = UNSET
    container: str
    codec: str
    duration_s: float
    bitrate_bps: int | None = UNSET
    sample_rate_hz: int | None = UNSET
    channels: int | None = UNSET
    bit_depth: int | None = UNSET
    cover_sha256: str | None = strawberry.field(default=UNSET, description="The embedded image.")
    folder_cover_sha256: str | None = strawberry.field(
        default=UNSET, description="The image that lies in the album's folder, or in its own."
    )
    cover_problem: str | None = strawberry.field(
        default=UNSET, description="Why an image of the file, or beside it, is not shown."
    )
    images_digest: int | None = strawberry.field(
        default=UNSET,
        description="Tells whether images beside the file changed: `knownFiles` gives it back.",
    )
    content_hash: str | None = strawberry.field(
        default=UNSET,
        description="Of the sound, tags apart, 32 hex digits: by it the track is known wherever"
        " its file goes.",
    )
    moved_from: strawberry.ID | None = strawberry.field(
        default=UNSET,
        description="The candidate whose file no longer is what it was: this is its file now.",
    )
    is_checked: bool | None = strawberry.field(
        default=False, description="All candidates' files are still what they were."
    )


@_plain
@strawberry.input
class ScoreInput:
    """A score and how sure it is."""

    score: float
    confidence: float


@_plain
@strawberry.input
class MeaningInput:
    """What a trained model heard; fields and ranges as `Meaning` has them."""

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


@_plain
@strawberry.input
class AudioModelInput:
    """The trained model that analyses are made with now."""

    model: str
    version: str
    dimensions: int


@_plain
@strawberry.input
class KeyChangeInput:
    """From when on a key holds."""

    time_s: float
    key: str
    mode: str


@_plain
@strawberry.input
class AnalysisInput:
    """An analysis; fields, units and ranges as `Analysis` has them."""

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
    fingerprint: str | None = UNSET
    acoustid_id: str | None = UNSET
    damaged: bool | None = False
    meaning: MeaningInput | None = strawberry.field(
        default=UNSET, description="It, or the reason why it is absent."
    )
    meaning_absence: str | None = UNSET


@_plain
@strawberry.input
class VectorSpaceInput:
    """What makes vectors comparable."""

    space: VectorSpace
    model: str
    version: str
    dimensions: int


@_plain
@strawberry.input(
    description="Into the current space of its kind, whose model, version and dimensions must"
    " agree."
)
class VectorInput:
    """A vector of a track, of length 1."""

    track_id: strawberry.ID
    content_revision: int
    space: VectorSpaceInput
    values: Vector


@_plain
@strawberry.input
class FailureInput:
    """Something that a stage gave up."""

    stage: str
    kind: FailureKind
    message: str
    detail: str | None = ""
    attempts: int | None = 1
    topic: str = strawberry.field(
        description="The record that failed, for the replay: topic, and base64 of key and value."
    )
    key_base64: str
    value_base64: str


@_plain
@strawberry.input
class RequestScanInput:
    """What to scan."""

    library: str | None = UNSET
    root: str | None = UNSET
    folder: str | None = ""
    mode: ScanMode | None = ScanMode.INCREMENTAL
    accept_missing: bool | None = strawberry.field(
        default=False,
        description="Files that are not seen are really gone, however many: a person says so.",
    )


@_plain
@strawberry.input
class BeginScanInput:
    """What an event asks to scan."""

    scan_id: strawberry.ID | None = UNSET
    library: str | None = UNSET
    root: str | None = UNSET
    folder: str | None = ""
    mode: ScanMode | None = ScanMode.INCREMENTAL
    accept_missing: bool | None = False


@_plain
@strawberry.input
class ReportWalkInput:
    """How far a walk is."""

    scan_id: strawberry.ID
    files_seen: BigInt
    files_to_read: BigInt
    files_unchanged: BigInt
    files_missing: BigInt
    files_held: BigInt | None = UNSET
    is_finished: bool
    is_refused: bool | None = False
    message: str | None = UNSET


@_plain
@strawberry.input
class FailureFilter:
    """Which failures; what is left out does not matter."""

    ids: list[strawberry.ID] | None = UNSET
    stage: str | None = UNSET
    kind: FailureKind | None = UNSET
    topic: str | None = UNSET
    track_id: strawberry.ID | None = UNSET
    include_resolved: bool | None = False


@strawberry.input(
    description="What is left out stays as it is; null takes a correction back, and what was"
    " measured or tagged stands again."
)
class CorrectionInput:
    """What a person says of a track."""

    track_id: strawberry.ID
    tempo_bpm: float | None = strawberry.field(default=UNSET, description="20 to 400.")
    key: str | None = strawberry.field(
        default=UNSET, description="The tonic: C, C#, D, ... B; flats are told as sharps."
    )
    mode: str | None = strawberry.field(
        default=UNSET, description="`major` or `minor`: with a key always."
    )
    genres: list[str] | None = strawberry.field(default=UNSET, description="At most 20.")
    moods: list[str] | None = strawberry.field(default=UNSET, description="At most 20.")


def given(items: Sequence[Any]) -> list[dict[str, Any]]:
    """Inputs as the store takes them, without what was left out."""
    return [{n: v for n, v in vars(item).items() if v is not UNSET} for item in items]


def rows(items: Sequence[Any]) -> list[dict[str, Any]]:
    """Inputs as the store takes them: mappings, enumerations as their values."""
    return [_row(item) for item in items]


def _row(item: Any) -> dict[str, Any]:
    row: dict[str, Any] = dict(item if isinstance(item, dict) else vars(item))
    for name in row.keys() & _UNLIKE_THE_STORES:
        row[name] = _value(row[name])
    return row


_NESTED_INPUTS = (
    CreditInput, ImportedFactInput, KeyChangeInput, MeaningInput, ScoreInput, VectorSpaceInput,
)  # fmt: skip
_NESTED = {
    _camel(field.name): field.name for kind in _NESTED_INPUTS for field in dataclasses.fields(kind)
}
_UNLIKE_THE_STORES = frozenset((
    "bandwidth_kind", "credits", "imported_facts", "key_changes", "kind", "meaning", "mode", "role",
    "space",
))  # fmt: skip
"""Fields of inputs that hold enumerations or nested inputs."""


def _value(value: Any) -> Any:
    if isinstance(value, Enum):
        return value._value_  # `.value` is looked up slowly
    # Nested inputs come as graphql-core made them, with GraphQL's names.
    if type(value) is dict:
        return {_NESTED[told]: _value(inner) for told, inner in value.items()}
    if type(value) is list:
        return [_value(one) for one in value]
    return value
