"""Inputs of artists, albums and tracks, as the tags of files describe them."""

import strawberry
from strawberry import UNSET

from services.api.graphql.enums import CreditRole, CueKind, TrackKind
from services.api.graphql.plain_inputs import plain
from services.api.graphql.scalars import BigInt, KeyValues


@plain
@strawberry.input
class ArtistInput:
    """An artist."""

    name: str
    sort_name: str | None = UNSET
    musicbrainz_artist_id: str | None = UNSET
    image_sha256: str | None = UNSET


@plain
@strawberry.input
class CreditInput:
    """An artist's credit for a track or album."""

    artist_id: strawberry.ID
    role: CreditRole | None = CreditRole.ARTIST
    credited_as: str
    join_phrase: str | None = ""
    instrument: str | None = strawberry.field(
        default=UNSET, description="The instrument or voice of a performer."
    )


@plain
@strawberry.input
class AlbumInput:
    """An album."""

    title: str
    sort_title: str | None = UNSET
    artist_credit: str
    credits: list[CreditInput]
    folder: str = strawberry.field(
        description="The album's folder below its library's root, without disc folders. It tells"
        " editions apart."
    )
    library_id: strawberry.ID
    release_date: str | None = UNSET
    original_date: str | None = UNSET
    is_compilation: bool | None = False
    is_artist_told: bool | None = strawberry.field(
        default=True,
        description="True if the album artist is tagged, false if it is guessed from a track.",
    )
    claim: str | None = strawberry.field(
        default=UNSET,
        description="A name for these values of this folder. The tracks of an album refer to it"
        " (`albumClaim`), and the album gets the values that most of them claim.",
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
        default=UNSET,
        description="With a claim: the image of the album's artist, if the album has only one.",
    )


@plain
@strawberry.input
class CueInput:
    """A cue point or loop."""

    kind: CueKind
    start_s: float
    end_s: float | None = strawberry.field(default=UNSET, description="The end of a loop.")
    index: int | None = strawberry.field(
        default=UNSET, description="The button of a hot cue or loop, from 0."
    )
    name: str | None = strawberry.field(default=UNSET, description="At most 200 characters.")
    color: str | None = strawberry.field(default=UNSET, description="In the form `#c02626`.")


@plain
@strawberry.input
class BeatGridMarkerInput:
    """A beat from which on a tempo holds, until the next marker."""

    start_s: float
    tempo_bpm: float
    beats: int | None = strawberry.field(
        default=UNSET, description="The number of beats until the next marker."
    )
    beat_in_bar: int | None = strawberry.field(
        default=UNSET, description="Its number in its bar, from 1."
    )


@plain
@strawberry.input
class ImportedFactInput:
    """What another program says of a track."""

    source: str
    rating: int | None = strawberry.field(default=UNSET, description="0 to 100.")
    play_count: int | None = UNSET
    energy: int | None = strawberry.field(default=UNSET, description="1 to 10.")
    key: str | None = UNSET
    tempo_bpm: float | None = UNSET
    gain_db: float | None = UNSET
    cues: list[CueInput] | None = strawberry.field(default_factory=list, description="At most 256.")
    beat_grid: list[BeatGridMarkerInput] | None = strawberry.field(
        default_factory=list, description="At most 2,000 markers, in the order of time."
    )
    problem: str | None = strawberry.field(
        default=UNSET, description="Why something that the program wrote is left out."
    )


@plain
@strawberry.input
class ChapterInput:
    """A chapter of a track."""

    title: str
    start_s: float
    end_s: float


@plain
@strawberry.input
class FilePartInput:
    """A part of a file, by a cue sheet."""

    number: int = strawberry.field(description="The place among the tracks in the file, from 1.")
    count: int = strawberry.field(description="How many tracks are in the file.")
    start_s: float
    end_s: float | None = strawberry.field(default=UNSET, description="Null: the file's end.")
    cue_sheet: str = strawberry.field(
        description="The cue sheet's file; `embedded` if it is in the music file."
    )


@plain
@strawberry.input
class TrackInput:
    """A track, by the path of its file, and its part of it."""

    path: str
    part: FilePartInput | None = strawberry.field(
        default=UNSET, description="Null if the track is the whole file."
    )
    size_bytes: BigInt
    mtime_ns: BigInt
    title: str
    title_is_file_name: bool | None = False
    sort_title: str | None = UNSET
    artist_credit: str
    credits: list[CreditInput]
    album_id: strawberry.ID | None = UNSET
    album_claim: str | None = strawberry.field(
        default=UNSET,
        description="The `claim` of the album input that was made from the tags of this file.",
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
        default=UNSET, description="LRC: lines of the form `[mm:ss.mmm]words`."
    )
    lyrics_are_sidecar: bool | None = False
    other_tags: KeyValues | None = strawberry.field(
        default=UNSET, description="At most 64 names and 16,000 characters."
    )
    imported_facts: list[ImportedFactInput] | None = strawberry.field(default_factory=list)
    chapters: list[ChapterInput] | None = strawberry.field(
        default_factory=list, description="At most 1,000."
    )
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
        default=UNSET, description="The image in the album's folder, or else in the disc's folder."
    )
    cover_problem: str | None = strawberry.field(
        default=UNSET, description="Why an image in the file or its folder was refused."
    )
    cue_problem: str | None = strawberry.field(
        default=UNSET, description="Why a cue sheet of the file was passed over."
    )
    images_digest: int | None = strawberry.field(
        default=UNSET,
        description="A digest of the images and cue sheets beside the file. The extractor compares"
        " it with that of `knownFiles` to notice changed ones.",
    )
    content_hash: str | None = strawberry.field(
        default=UNSET,
        description="Hash of the sound without the tags, 32 hex digits. It identifies the track"
        " after its file was moved.",
    )
    moved_from: strawberry.ID | None = strawberry.field(
        default=UNSET,
        description="The candidate whose old file is gone or has other content: this file"
        " continues it.",
    )
    is_checked: bool | None = strawberry.field(
        default=False,
        description="The files of all candidates were checked and are unchanged: none of them"
        " moved here.",
    )
