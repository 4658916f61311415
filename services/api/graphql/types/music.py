"""Artists, albums and genres, and who is credited for what."""

from collections.abc import Callable
from operator import attrgetter
from typing import TYPE_CHECKING, Annotated, Any, TypeVar
from uuid import UUID

import strawberry
from strawberry import Info

from services.api.graphql.arguments import page_size
from services.api.graphql.enums import CreditRole
from services.api.graphql.loading import loaded_field
from services.api.graphql.types.connections import Connection, connection
from services.api.graphql.types.covers import Cover, cover_of
from services.api.graphql.types.node import Node
from services.api.store.reading import artist_pages
from shared.contracts.identity import IdKind, format_id

if TYPE_CHECKING:
    from services.api.graphql.types.albums import Album
    from services.api.graphql.types.tracks import Track

T = TypeVar("T")
LazyTrack = Annotated["Track", strawberry.lazy("services.api.graphql.types.tracks")]
LazyAlbum = Annotated["Album", strawberry.lazy("services.api.graphql.types.albums")]


def text_or_none(value: UUID | None) -> str | None:
    """A MusicBrainz id as text."""
    return None if value is None else str(value)


@strawberry.type
class Artist(Node):
    """A person or group that is credited."""

    key: strawberry.Private[UUID]
    image_sha256: strawberry.Private[bytes | None]
    name: str
    sort_name: str
    musicbrainz_artist_id: str | None

    @classmethod
    def of(cls, row: Any) -> "Artist":
        """A stored artist as the gateway shows it."""
        return cls(
            id=strawberry.ID(format_id(IdKind.ARTIST, row["id"])),
            key=row["id"],
            image_sha256=row["image_sha256"],
            name=row["name"],
            sort_name=row["sort_name"],
            musicbrainz_artist_id=text_or_none(row["musicbrainz_artist_id"]),
        )

    @strawberry.field(description="What lies near the artist's albums, else what was stored.")
    async def image(self, info: Info) -> Cover | None:
        """The artist's picture."""
        near = await info.context.loaders.artist_images.load(self.key)
        return await cover_of(info, near, self.image_sha256)

    @loaded_field(lambda loaders: loaders.artist_counts(artist_pages.TRACKS), attrgetter("key"))
    def track_count(self, count: Any) -> int:
        """Tracks with a credit of this artist."""
        return int(count)

    @strawberry.field
    async def albums(
        self, info: Info, first: int | None = 50, after: str | None = None
    ) -> Connection[LazyAlbum]:
        """Albums of this artist, by title."""
        from services.api.graphql.types.albums import Album as Shown  # noqa: PLC0415 - a circle

        return await self._page(info, artist_pages.ALBUMS, Shown.of, first, after)

    @strawberry.field
    async def tracks(
        self, info: Info, first: int | None = 50, after: str | None = None
    ) -> Connection[LazyTrack]:
        """Tracks with a credit of this artist, by title."""
        from services.api.graphql.types.tracks import Track as Shown  # noqa: PLC0415 - a circle

        return await self._page(info, artist_pages.TRACKS, Shown.of, first, after)

    async def _page(
        self, info: Info, of: str, show: Callable[[Any], T], first: int | None, after: str | None
    ) -> Connection[T]:
        loaders = info.context.loaders
        page = loaders.artist_pages(of, page_size(first), after).load(self.key)
        return await connection(
            info, page, lambda: loaders.artist_counts(of).load(self.key), show, after
        )


@strawberry.type
class Credit:
    """An artist's part in a track or album, as credited."""

    artist_id: strawberry.Private[UUID]
    role: CreditRole
    credited_as: str
    join_phrase: str
    instrument: str | None

    @classmethod
    def of(cls, row: Any) -> "Credit":
        """A stored credit as the gateway shows it."""
        return cls(
            artist_id=row["artist_id"],
            role=CreditRole(row["role"]),
            credited_as=row["credited_as"],
            join_phrase=row["join_phrase"],
            instrument=row["instrument"],
        )

    @loaded_field(lambda loaders: loaders.artists, attrgetter("artist_id"))
    def artist(self, row: Any) -> Artist:
        """Who is credited."""
        return Artist.of(row)


@strawberry.type
class Genre(Node):
    """A genre, by name."""

    key: strawberry.Private[UUID]
    name: str

    @classmethod
    def of(cls, row: Any) -> "Genre":
        """A stored genre as the gateway shows it."""
        id_ = strawberry.ID(format_id(IdKind.GENRE, row["id"]))
        return cls(id=id_, key=row["id"], name=row["name"])

    @loaded_field(lambda loaders: loaders.genre_track_counts, attrgetter("key"))
    def track_count(self, count: Any) -> int:
        """Tracks of this genre."""
        return int(count)
