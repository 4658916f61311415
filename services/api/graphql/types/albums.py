"""Albums."""

from operator import attrgetter
from typing import TYPE_CHECKING, Annotated, Any
from uuid import UUID

import strawberry
from strawberry import Info

from services.api.graphql.loading import loaded_field
from services.api.graphql.types.covers import Cover, cover_of
from services.api.graphql.types.music import Credit, text_or_none
from services.api.graphql.types.node import Node
from services.api.loudness import integrated_lufs, replaygain_db
from shared.contracts.identity import IdKind, format_id

if TYPE_CHECKING:
    from services.api.graphql.types.tracks import Track

LazyTrack = Annotated["Track", strawberry.lazy("services.api.graphql.types.tracks")]
_PLAIN = (
    "title", "artist_credit", "release_date", "original_date", "year", "is_compilation",
    "disc_total", "release_type", "label", "catalogue_number", "barcode", "country", "media",
)  # fmt: skip


@strawberry.type
class AlbumLoudness:
    """How loud the tracks of an album are together."""

    integrated_lufs: float = strawberry.field(
        description="ITU-R BS.1770-4 with both gates over all tracks, within 0.1 LU; -70: silence."
    )
    replaygain_album_gain_db: float = strawberry.field(description="ReplayGain 2.")
    true_peak_dbtp: float = strawberry.field(description="The highest of its tracks.")
    tracks: int = strawberry.field(description="How many tracks are analysed so far.")


@strawberry.type
class Album(Node):
    """A release, as far as the tags tell."""

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
    def of(cls, row: Any) -> "Album":
        """A stored album as the gateway shows it."""
        return cls(
            id=strawberry.ID(format_id(IdKind.ALBUM, row["id"])),
            key=row["id"],
            cover_sha256=row["cover_sha256"],
            musicbrainz_release_id=text_or_none(row["musicbrainz_release_id"]),
            musicbrainz_release_group_id=text_or_none(row["musicbrainz_release_group_id"]),
            **{name: row[name] for name in _PLAIN},
        )

    @loaded_field(lambda loaders: loaders.album_credits, attrgetter("key"))
    def artists(self, rows: Any) -> list[Credit]:
        """The album's artists."""
        return [Credit.of(row) for row in rows]

    @strawberry.field
    async def cover(self, info: Info) -> Cover | None:
        """The album's cover."""
        return await cover_of(info, self.cover_sha256)

    @loaded_field(lambda loaders: loaders.album_sums, attrgetter("key"))
    def track_count(self, sums: Any) -> int:
        """Tracks that are there."""
        return int(sums[0])

    @loaded_field(lambda loaders: loaders.album_sums, attrgetter("key"))
    def duration_s(self, sums: Any) -> float:
        """Length of the tracks that are there."""
        return float(sums[1])

    @strawberry.field(
        description="Of all its tracks together, as measured; null until one is analysed."
    )
    async def loudness(self, info: Info) -> AlbumLoudness | None:
        """What a player needs to play the album at one level."""
        row = await info.context.loaders.album_loudness.load(self.key)
        if row is None or not row["histograms"]:
            return None
        lufs = integrated_lufs(row["histograms"])
        return AlbumLoudness(
            integrated_lufs=lufs,
            replaygain_album_gain_db=replaygain_db(lufs),
            true_peak_dbtp=row["true_peak_dbtp"],
            tracks=row["analyzed"],
        )

    @strawberry.field(description="In disc and track order.")
    async def tracks(self, info: Info) -> list[LazyTrack]:
        """The tracks that are there."""
        from services.api.graphql.types.tracks import Track as Shown  # noqa: PLC0415 - a circle

        rows = await info.context.loaders.album_tracks.load(self.key)
        info.context.budget.spend(len(rows))
        return [Shown.of(row) for row in rows]
