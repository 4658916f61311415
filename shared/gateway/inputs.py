"""The inputs of artists, albums and tracks, as `schema.graphql` has them.

A field with its default value is left out of a request.
"""

from collections.abc import Mapping, Sequence

import msgspec


class ArtistInput(msgspec.Struct, kw_only=True, rename="camel", omit_defaults=True):
    """An artist."""

    name: str
    sort_name: str | None = None
    musicbrainz_artist_id: str | None = None
    image_sha256: str | None = None


class CreditInput(msgspec.Struct, kw_only=True, rename="camel", omit_defaults=True):
    """An artist's credit for a track or album. `role` is a name of the schema's `CreditRole`."""

    artist_id: str
    role: str | None = "ARTIST"
    credited_as: str
    join_phrase: str | None = ""
    instrument: str | None = None


class AlbumInput(msgspec.Struct, kw_only=True, rename="camel", omit_defaults=True):
    """An album."""

    title: str
    sort_title: str | None = None
    artist_credit: str
    credits: Sequence[CreditInput]
    folder: str
    library_id: str
    release_date: str | None = None
    original_date: str | None = None
    is_compilation: bool | None = False
    is_artist_told: bool | None = True
    claim: str | None = None
    disc_total: int | None = None
    release_type: str | None = None
    label: str | None = None
    catalogue_number: str | None = None
    barcode: str | None = None
    country: str | None = None
    media: str | None = None
    musicbrainz_release_id: str | None = None
    musicbrainz_release_group_id: str | None = None
    cover_sha256: str | None = None
    artist_image_sha256: str | None = None


class CueInput(msgspec.Struct, kw_only=True, rename="camel", omit_defaults=True):
    """A cue point or loop. `kind` is a name of the schema's `CueKind`."""

    kind: str
    start_s: float
    end_s: float | None = None
    index: int | None = None
    name: str | None = None
    color: str | None = None


class BeatGridMarkerInput(msgspec.Struct, kw_only=True, rename="camel", omit_defaults=True):
    """A beat from which on a tempo holds, until the next marker."""

    start_s: float
    tempo_bpm: float
    beats: int | None = None
    beat_in_bar: int | None = None


class ImportedFactInput(msgspec.Struct, kw_only=True, rename="camel", omit_defaults=True):
    """What another program says of a track: the fields are explained in `schema.graphql`."""

    source: str
    rating: int | None = None
    play_count: int | None = None
    energy: int | None = None
    key: str | None = None
    tempo_bpm: float | None = None
    gain_db: float | None = None
    cues: Sequence[CueInput] | None = ()
    beat_grid: Sequence[BeatGridMarkerInput] | None = ()
    problem: str | None = None


class ChapterInput(msgspec.Struct, kw_only=True, rename="camel", omit_defaults=True):
    """A chapter of a track."""

    title: str
    start_s: float
    end_s: float


class FilePartInput(msgspec.Struct, kw_only=True, rename="camel", omit_defaults=True):
    """A part of a file, by a cue sheet."""

    number: int
    count: int
    start_s: float
    end_s: float | None = None
    cue_sheet: str


class TrackInput(msgspec.Struct, kw_only=True, rename="camel", omit_defaults=True):
    """A track, by the path of its file and its part of it.

    `kind` is a name of the schema's `TrackKind`.
    """

    path: str
    part: FilePartInput | None = None
    size_bytes: int
    mtime_ns: int
    title: str
    title_is_file_name: bool | None = False
    sort_title: str | None = None
    artist_credit: str
    credits: Sequence[CreditInput]
    album_id: str | None = None
    album_claim: str | None = None
    genres: Sequence[str]
    track_number: int | None = None
    track_total: int | None = None
    disc_number: int | None = None
    disc_total: int | None = None
    disc_subtitle: str | None = None
    release_date: str | None = None
    original_date: str | None = None
    isrcs: Sequence[str] | None = ()
    tag_bpm: float | None = None
    comment: str | None = None
    language: str | None = None
    has_lyrics: bool | None = False
    kind: str | None = "MUSIC"
    work: str | None = None
    movement_name: str | None = None
    movement_number: int | None = None
    movement_total: int | None = None
    moods: Sequence[str] | None = ()
    grouping: str | None = None
    copyright: str | None = None
    tag_key: str | None = None
    lyrics_plain: str | None = None
    lyrics_synced: str | None = None
    lyrics_are_sidecar: bool | None = False
    other_tags: Mapping[str, Sequence[str]] | None = None
    imported_facts: Sequence[ImportedFactInput] | None = ()
    chapters: Sequence[ChapterInput] | None = ()
    musicbrainz_recording_id: str | None = None
    musicbrainz_track_id: str | None = None
    replaygain_track_gain_db: float | None = None
    replaygain_track_peak: float | None = None
    replaygain_album_gain_db: float | None = None
    replaygain_album_peak: float | None = None
    container: str
    codec: str
    duration_s: float
    bitrate_bps: int | None = None
    sample_rate_hz: int | None = None
    channels: int | None = None
    bit_depth: int | None = None
    cover_sha256: str | None = None
    folder_cover_sha256: str | None = None
    cover_problem: str | None = None
    cue_problem: str | None = None
    images_digest: int | None = None
    content_hash: str | None = None
    moved_from: str | None = None
    is_checked: bool | None = False
