"""The plain fields of artists, albums and tracks: columns of their rows."""

from datetime import datetime
from typing import Any, Self
from uuid import UUID

import strawberry

from services.api.graphql.enums import TrackKind
from services.api.graphql.look_ahead import of_row
from services.api.graphql.scalars import BigInt
from services.api.graphql.types.relay import Node
from services.api.graphql.types.track_details import (
    FilePart,
    Movement,
    ReplayGain,
    TaggedKey,
    TrackStage,
)
from shared.contracts.identity import IdKind, display_path, format_id


def _text(value: UUID | None) -> str | None:
    """A MusicBrainz id as text."""
    return None if value is None else str(value)


@strawberry.type
class ArtistColumns(Node):
    """The columns of an artist's row."""

    key: strawberry.Private[UUID]
    image_sha256: strawberry.Private[bytes | None]
    name: str
    sort_name: str
    musicbrainz_artist_id: str | None

    @classmethod
    def of(cls, row: Any) -> Self:
        """The artist of a row."""
        return of_row(
            cls,
            row,
            id=format_id(IdKind.ARTIST, row["id"]),
            key=row["id"],
            musicbrainz_artist_id=_text(row["musicbrainz_artist_id"]),
        )


@strawberry.type
class AlbumColumns(Node):
    """The columns of an album's row."""

    key: strawberry.Private[UUID]
    cover_sha256: strawberry.Private[bytes | None]
    title: str
    artist_credit: str
    release_date: str | None
    original_date: str | None
    year: int | None
    is_compilation: bool
    disc_total: int | None
    release_type: str | None
    label: str | None
    catalogue_number: str | None
    barcode: str | None
    country: str | None
    media: str | None
    musicbrainz_release_id: str | None
    musicbrainz_release_group_id: str | None

    @classmethod
    def of(cls, row: Any) -> Self:
        """The album of a row."""
        return of_row(
            cls,
            row,
            id=format_id(IdKind.ALBUM, row["id"]),
            key=row["id"],
            musicbrainz_release_id=_text(row["musicbrainz_release_id"]),
            musicbrainz_release_group_id=_text(row["musicbrainz_release_group_id"]),
        )


@strawberry.type
class TrackColumns(Node):
    """The columns of a track's and its file's row."""

    row: strawberry.Private[Any]
    title: str
    title_is_file_name: bool
    artist_credit: str
    track_number: int | None
    track_total: int | None
    disc_number: int | None
    disc_total: int | None
    disc_subtitle: str | None
    release_date: str | None
    original_date: str | None
    year: int | None
    isrcs: list[str]
    tag_bpm: float | None
    comment: str | None
    language: str | None
    has_lyrics: bool
    kind: TrackKind
    work: str | None
    tempo_bpm: float | None = strawberry.field(
        description="The effective tempo: the correction, else the measured one. Null without"
        " either, or if the music has no pulse."
    )
    key: str | None = strawberry.field(
        description="The effective tonic: the correction, else the measured one. Null without"
        " either."
    )
    mode: str | None = strawberry.field(description="The mode of `key`: `major` or `minor`.")
    camelot: str | None = strawberry.field(
        description="`key` and `mode` as a place on the Camelot wheel, like 8A."
    )
    moods: list[str] = strawberry.field(description="The corrected moods, else those of the tags.")
    grouping: str | None
    copyright: str | None
    tag_key: str | None = strawberry.field(
        description="The key in the tags, as it is written there."
    )
    musicbrainz_recording_id: str | None
    musicbrainz_track_id: str | None
    container: str
    codec: str
    duration_s: float
    bitrate_bps: int | None
    sample_rate_hz: int | None
    channels: int | None
    bit_depth: int | None
    cover_problem: str | None = strawberry.field(
        description="Why an image in the file or its folder was refused."
    )
    cue_problem: str | None = strawberry.field(
        description="Why a cue sheet of the file was passed over."
    )
    part: FilePart | None = strawberry.field(
        description="Which part of its file the track is; null if it is the whole file."
    )
    path: str = strawberry.field(
        description="The path below the library's root; bytes that are not UTF-8 are U+F780 to"
        " U+F7FF."
    )
    size_bytes: BigInt
    mtime_ns: BigInt
    is_missing: bool
    revision: BigInt
    content_revision: int
    created_at: datetime
    updated_at: datetime

    @classmethod
    def of(cls, row: Any) -> Self:
        """The track of a row that also has the columns of its file."""
        return of_row(
            cls,
            row,
            id=format_id(IdKind.TRACK, row["id"]),
            row=row,
            part=FilePart.of(row),
            kind=TrackKind(row["kind"]),
            musicbrainz_recording_id=_text(row["musicbrainz_recording_id"]),
            musicbrainz_track_id=_text(row["musicbrainz_track_id"]),
        )

    @strawberry.field(description="The movement of the work; null if the tags name none.")
    def movement(self) -> Movement | None:
        """The movement, from the track's columns."""
        return Movement.of(self.row)

    @strawberry.field(description="`tagKey` in any notation: `Am`, `8A`, `1m`; null: no key.")
    def tagged_key(self) -> TaggedKey | None:
        """The key that the tags name."""
        return TaggedKey.of(self.row)

    @strawberry.field(description="ReplayGain as tagged; measured gains are in `analysis`.")
    def replaygain(self) -> ReplayGain:
        """The tagged values, from the track's columns."""
        return ReplayGain.of(self.row)

    @strawberry.field(
        description="The path for people: bytes that are not UTF-8 are shown as \\xNN."
    )
    def display_path(self) -> str:
        """The path to show; it cannot be opened."""
        return display_path(self.path)

    @strawberry.field(description="The last stage that the track's current content has passed.")
    def stage(self) -> TrackStage:
        """Derived from the revisions of the row."""
        return TrackStage.of(self.row)
