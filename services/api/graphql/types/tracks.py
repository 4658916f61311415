"""Tracks."""

from datetime import datetime
from enum import Enum
from typing import Any
from uuid import UUID

import strawberry
from strawberry import Info

from services.api.graphql.arguments import page_size
from services.api.graphql.enums import CreditRole, TrackKind, VectorSpace
from services.api.graphql.loading import loaded_field, of_row
from services.api.graphql.scalars import BigInt, KeyValues
from services.api.graphql.types.albums import Album
from services.api.graphql.types.analysis import Analysis
from services.api.graphql.types.corrections import Correction
from services.api.graphql.types.covers import Cover, cover_of
from services.api.graphql.types.details import ImportedFact, Lyrics, Movement
from services.api.graphql.types.libraries import Library
from services.api.graphql.types.music import Credit, Genre, text_or_none
from services.api.graphql.types.node import Node
from shared.contracts.identity import IdKind, display_path, format_id

MOST_SIMILAR = 200


@strawberry.enum(description="How far a track is on its way.")
class TrackStage(Enum):
    """The stages, in their order."""

    EXTRACTED = "extracted"
    ANALYZED = "analyzed"
    VECTORIZED = "vectorized"
    INDEXED = "indexed"


@strawberry.type
class ReplayGain:
    """What the tags say; what was measured is in the analysis."""

    track_gain_db: float | None
    track_peak: float | None
    album_gain_db: float | None
    album_peak: float | None


@strawberry.type
class TrackVector:
    """A track's vector in a space."""

    space: VectorSpace
    model: str
    version: str
    dimensions: int
    content_revision: int
    values: list[float]

    @classmethod
    def of(cls, row: Any) -> "TrackVector":
        """A stored vector as the gateway shows it."""
        return cls(
            space=VectorSpace(row["space"]),
            model=row["model"],
            version=row["version"],
            dimensions=row["dimensions"],
            content_revision=row["content_revision"],
            values=[float(value) for value in row["embedding"].to_list()],
        )


@strawberry.type(description="`score` is the cosine similarity, -1..1.")
class SimilarTrack:
    """A track and how similar it is."""

    score: float
    track: "Track"


def _key_of(track: "Track") -> UUID:
    key: UUID = track.row["id"]
    return key


@strawberry.type
class Track(Node):
    """A recording in a file."""

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
        description="What stands: the correction, else what was measured; null where neither is"
        " there, or no pulse."
    )
    key: str | None = strawberry.field(
        description="The tonic, as `tempoBpm` stands; null where no key is heard."
    )
    mode: str | None = strawberry.field(description="`major` or `minor`, with `key`.")
    camelot: str | None = strawberry.field(description="The key's place on the Camelot wheel.")
    moods: list[str] = strawberry.field(description="The correction's, else the tags'.")
    grouping: str | None
    copyright: str | None
    tag_key: str | None = strawberry.field(description="As it is tagged.")
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
        description="Why an image of the file, or beside it, is not shown."
    )
    path: str = strawberry.field(
        description="Below the library's root; bytes that are no UTF-8 as U+F780 to U+F7FF."
    )
    size_bytes: BigInt
    mtime_ns: BigInt
    is_missing: bool
    revision: BigInt
    content_revision: int
    created_at: datetime
    updated_at: datetime

    @classmethod
    def of(cls, row: Any) -> "Track":
        """A stored track as the gateway shows it."""
        return of_row(
            cls,
            row,
            id=strawberry.ID(format_id(IdKind.TRACK, row["id"])),
            row=row,
            kind=TrackKind(row["kind"]),
            musicbrainz_recording_id=text_or_none(row["musicbrainz_recording_id"]),
            musicbrainz_track_id=text_or_none(row["musicbrainz_track_id"]),
        )

    @strawberry.field(description="All credits, in order, or those of a role.")
    async def credits(self, info: Info, role: CreditRole | None = None) -> list[Credit]:
        """Performing artists first."""
        rows = await info.context.loaders.track_credits.load(_key_of(self))
        return [Credit.of(row) for row in rows if role is None or row["role"] == role.value]

    @loaded_field(
        lambda loaders: loaders.track_credits,
        _key_of,
        description="Names of the performing artists.",
    )
    def artists(self, rows: Any) -> list[str]:
        """As credited; the credit as a whole where it was not taken apart."""
        names = [row["credited_as"] for row in rows if row["role"] == CreditRole.ARTIST.value]
        return names or ([self.artist_credit] if self.artist_credit else [])

    @strawberry.field(description="Of a work; null where the tags name none.")
    def movement(self) -> Movement | None:
        """The part of the work."""
        told = [self.row[f"movement_{name}"] for name in ("name", "number", "total")]
        return Movement(name=told[0], number=told[1], total=told[2]) if any(told) else None

    @loaded_field(lambda loaders: loaders.lyrics, _key_of, description="Null where there are none.")
    def lyrics(self, row: Any) -> Lyrics | None:
        """The words."""
        return Lyrics.of(row) if row else None

    @loaded_field(
        lambda loaders: loaders.other_tags,
        _key_of,
        description="Tags that have no field, by name.",
    )
    def other_tags(self, row: Any) -> KeyValues:
        """As they are in the file, within limits."""
        return KeyValues(row["tags"] if row else {})

    @loaded_field(
        lambda loaders: loaders.imported_facts,
        _key_of,
        description="Ratings and play counts that other programs left in the file.",
    )
    def imported_facts(self, rows: Any) -> list[ImportedFact]:
        """By source."""
        return [ImportedFact.of(row) for row in rows]

    @loaded_field(lambda loaders: loaders.albums, lambda track: track.row["album_id"])
    def album(self, row: Any) -> Album | None:
        """The album; null where the tags name none."""
        return Album.of(row) if row else None

    @loaded_field(lambda loaders: loaders.track_genres, _key_of)
    def genres(self, rows: Any) -> list[Genre]:
        """The correction's genres, else the tags'."""
        return [Genre.of(row) for row in rows]

    @strawberry.field
    def replaygain(self) -> ReplayGain:
        """What the tags say."""
        names = ("track_gain_db", "track_peak", "album_gain_db", "album_peak")
        return ReplayGain(**{name: self.row[f"replaygain_{name}"] for name in names})

    @strawberry.field(description="The image beside the file, else the embedded one, the album's.")
    async def cover(self, info: Info) -> Cover | None:
        """The image to show."""
        beside = await cover_of(info, self.row["folder_cover_sha256"])
        found = beside or await cover_of(info, self.row["cover_sha256"])
        if found is None and self.row["album_id"] is not None:
            album = await info.context.loaders.albums.load(self.row["album_id"])
            found = await cover_of(info, album["cover_sha256"]) if album else None
        return found

    @loaded_field(lambda loaders: loaders.libraries, lambda track: track.row["library_id"])
    def library(self, found: Any) -> Library:
        """Where its file is."""
        return Library.of(found)

    @strawberry.field(description="The path for people: such bytes as \\xNN.")
    def display_path(self) -> str:
        """For showing only."""
        return display_path(self.path)

    @strawberry.field
    def stage(self) -> TrackStage:
        """The last stage that its present content is through."""
        row, content = self.row, self.row["content_revision"]
        if row["analyzed_content_revision"] != content:
            return TrackStage.EXTRACTED
        if row["vectorized_content_revision"] != content:
            return TrackStage.ANALYZED
        indexed = row["indexed_revision"] >= row["revision"]
        return TrackStage.INDEXED if indexed else TrackStage.VECTORIZED

    @loaded_field(
        lambda loaders: loaders.analyses,
        _key_of,
        description="What was measured, whatever is corrected; null until there is an analysis.",
    )
    def analysis(self, row: Any) -> Analysis | None:
        """While a new one is made, the one before."""
        return Analysis.of(row) if row else None

    @loaded_field(
        lambda loaders: loaders.corrections,
        _key_of,
        description="What a person says of it; null where nothing is corrected.",
    )
    def correction(self, row: Any) -> Correction | None:
        """It wins: `tempoBpm`, `key`, `genres`, `moods` have it already."""
        return Correction.of(row) if row else None

    @loaded_field(lambda loaders: loaders.vectors, _key_of)
    def vectors(self, rows: Any) -> list[TrackVector]:
        """In the current spaces."""
        return [TrackVector.of(row) for row in rows]

    @strawberry.field
    async def similar(
        self,
        info: Info,
        first: int | None = 20,
        space: VectorSpace | None = VectorSpace.AUDIO,
    ) -> list[SimilarTrack]:
        """Nearest tracks, best first."""
        size = page_size(first, MOST_SIMILAR)
        loader = info.context.loaders.similar((space or VectorSpace.AUDIO).value, size)
        near = await loader.load(_key_of(self))
        info.context.budget.spend(len(near))
        rows = await info.context.loaders.tracks.load_many([each.track_id for each in near])
        return [
            SimilarTrack(score=each.score, track=Track.of(row))
            for each, row in zip(near, rows, strict=True)
            if row
        ]
