"""Artists, albums and tracks, and the fields that lead from one to another.

They are one module because each leads to the others. `columns` has their plain fields.
"""

from collections.abc import Callable
from operator import attrgetter
from typing import Any, TypeVar
from uuid import UUID

import strawberry
from strawberry import Info

from services.api.graphql.enums import CreditRole, VectorSpace
from services.api.graphql.look_ahead import (
    load_selected,
    loaded,
    loaded_for,
    of_row,
    row_as,
    rows_as,
)
from services.api.graphql.scalars import KeyValues
from services.api.graphql.types.analysis import Analysis
from services.api.graphql.types.columns import AlbumColumns, ArtistColumns, TrackColumns
from services.api.graphql.types.covers import Cover, cover_of
from services.api.graphql.types.genres import Genre
from services.api.graphql.types.imported_facts import ImportedFact
from services.api.graphql.types.libraries import Library
from services.api.graphql.types.relay import Connection, connection
from services.api.graphql.types.track_details import (
    AlbumLoudness,
    Chapter,
    Correction,
    Lyrics,
    TrackVector,
)
from services.api.store.reading import artist_pages
from services.api.store.reading.pages import page_size
from shared.contracts.tags import GUESSED_TAG

T = TypeVar("T")
MOST_SIMILAR = 200


@strawberry.type
class Artist(ArtistColumns):
    """A person or group that is credited."""

    track_count: int = loaded(
        lambda loaders: loaders.artist_counts(artist_pages.TRACKS),
        attrgetter("key"),
        lambda _, count: count,
        description="Tracks with a credit of this artist.",
    )

    @strawberry.field(
        description="The image near the artist's albums, else the one that was stored with the"
        " artist."
    )
    async def image(self, info: Info) -> Cover | None:
        """The artist's picture."""
        near = await info.context.loaders.artist_images.load(self.key)
        return await cover_of(info, near, self.image_sha256)

    @strawberry.field(description="Albums of this artist, by title.")
    async def albums(
        self, info: Info, first: int | None = 50, after: str | None = None
    ) -> "Connection[Album]":
        """A page of the artist's albums."""
        return await self._page(info, artist_pages.ALBUMS, Album.of, first, after)

    @strawberry.field(description="Tracks with a credit of this artist, by title.")
    async def tracks(
        self, info: Info, first: int | None = 50, after: str | None = None
    ) -> "Connection[Track]":
        """A page of the artist's tracks."""
        return await self._page(info, artist_pages.TRACKS, Track.of, first, after)

    async def _page(
        self, info: Info, of: str, convert: Callable[[Any], T], first: int | None, after: str | None
    ) -> Connection[T]:
        loaders = info.context.loaders
        page = loaders.artist_pages(of, page_size(first), after).load(self.key)
        return await connection(
            info, page, lambda: loaders.artist_counts(of).load(self.key), convert, after
        )


@strawberry.type
class Credit:
    """An artist's part in a track or album, as credited."""

    artist_id: strawberry.Private[UUID]
    role: CreditRole
    credited_as: str
    join_phrase: str
    instrument: str | None
    artist: Artist = loaded(
        lambda loaders: loaders.artists,
        attrgetter("artist_id"),
        lambda _, row: Artist.of(row),
        description="Who is credited.",
    )

    @classmethod
    def of(cls, row: Any) -> "Credit":
        """The credit of a row."""
        return of_row(cls, row, role=CreditRole(row["role"]))


@strawberry.type
class Album(AlbumColumns):
    """A release, as the tags describe it."""

    artists: list[Credit] = loaded(
        lambda loaders: loaders.album_credits,
        attrgetter("key"),
        rows_as(Credit.of),
        description="The album's artists.",
    )
    track_count: int = loaded(
        lambda loaders: loaders.album_sums,
        attrgetter("key"),
        lambda _, sums: sums[0],
        description="The number of tracks whose files are not missing.",
    )
    duration_s: float = loaded(
        lambda loaders: loaders.album_sums,
        attrgetter("key"),
        lambda _, sums: float(sums[1]),
        description="The length of these tracks together.",
    )
    loudness: AlbumLoudness | None = loaded(
        lambda loaders: loaders.album_loudness,
        attrgetter("key"),
        lambda _, row: AlbumLoudness.of(row),
        description="The measured loudness of its tracks together; null until one is analysed.",
    )

    @strawberry.field
    async def cover(self, info: Info) -> Cover | None:
        """The album's cover."""
        return await cover_of(info, self.cover_sha256)

    @strawberry.field(
        description="The tracks whose files are not missing, in disc and track order."
    )
    async def tracks(self, info: Info) -> list["Track"]:
        """The album's tracks."""
        rows = await info.context.loaders.album_tracks.load(self.key)
        info.context.budget.spend(len(rows))
        return await load_selected(info, [Track.of(row) for row in rows])


@strawberry.type(description="`score` is the cosine similarity, -1..1.")
class SimilarTrack:
    """A track and how similar it is."""

    score: float
    track: "Track"


def _key(track: "Track") -> UUID:
    key: UUID = track.row["id"]
    return key


def _tags_of_the_file(tags: dict[str, list[str]]) -> dict[str, list[str]]:
    """The other tags without the mark of what was guessed, which is a field of its own."""
    return {name: values for name, values in tags.items() if name != GUESSED_TAG}


def _artist_names(track: "Track", credits: Any) -> list[str]:  # noqa: A002 - MusicBrainz's term
    names = [row["credited_as"] for row in credits if row["role"] == CreditRole.ARTIST.value]
    return names or ([track.artist_credit] if track.artist_credit else [])


@strawberry.type
class Track(TrackColumns):
    """A recording in a file, or in a part of one."""

    artists: list[str] = loaded(
        lambda loaders: loaders.track_credits,
        _key,
        _artist_names,
        description="Names of the performing artists.",
    )
    all_credits: strawberry.Private[list[Credit]] = loaded_for(
        "credits", lambda loaders: loaders.track_credits, _key, rows_as(Credit.of)
    )
    lyrics: Lyrics | None = loaded(
        lambda loaders: loaders.lyrics,
        _key,
        row_as(Lyrics.of),
        description="Null if there are none.",
    )
    other_tags: KeyValues = loaded(
        lambda loaders: loaders.other_tags,
        _key,
        lambda _, row: _tags_of_the_file(row["tags"]) if row else {},
        description="Tags that have no field of their own, by name.",
    )
    guessed: list[str] = loaded(
        lambda loaders: loaders.other_tags,
        _key,
        lambda _, row: row["tags"].get(GUESSED_TAG, []) if row else [],
        description="Fields that no tag has: they were guessed from the path.",
    )
    imported_facts: list[ImportedFact] = loaded(
        lambda loaders: loaders.imported_facts,
        _key,
        rows_as(ImportedFact.of),
        description="What other programs left in the file: ratings, play counts, cues, beat grids.",
    )
    chapters: list[Chapter] = loaded(
        lambda loaders: loaders.chapters,
        _key,
        rows_as(Chapter.of),
        description="In order; empty if there are none.",
    )
    album: Album | None = loaded(
        lambda loaders: loaders.albums,
        lambda track: track.row["album_id"],
        row_as(Album.of),
        description="Null if the tags name no album.",
    )
    genres: list[Genre] = loaded(
        lambda loaders: loaders.track_genres,
        _key,
        rows_as(Genre.of),
        description="The corrected genres, else those of the tags.",
    )
    library: Library = loaded(
        lambda loaders: loaders.libraries,
        lambda track: track.row["library_id"],
        lambda _, library: Library.of(library),
        description="The library that its file belongs to.",
    )
    analysis: Analysis | None = loaded(
        lambda loaders: loaders.analyses,
        _key,
        row_as(Analysis.of),
        description="The measured values, without corrections; null until the track is analysed.",
    )
    correction: Correction | None = loaded(
        lambda loaders: loaders.corrections,
        _key,
        row_as(Correction.of),
        description="A person's corrections; null if nothing is corrected.",
    )
    vectors: list[TrackVector] = loaded(
        lambda loaders: loaders.vectors,
        _key,
        rows_as(TrackVector.of),
        description="The vectors in the current spaces.",
    )

    @strawberry.field(description="All credits, performing artists first, or those of a role.")
    def credits(self, role: CreditRole | None = None) -> list[Credit]:
        """The credits in the order of the rows."""
        return [credit for credit in self.all_credits if role is None or credit.role is role]

    @strawberry.field(
        description="The image in the folder, else the embedded one, else the album's cover."
    )
    async def cover(self, info: Info) -> Cover | None:
        """The image to show."""
        found = await cover_of(info, self.row["folder_cover_sha256"], self.row["cover_sha256"])
        if found is None and self.row["album_id"] is not None:
            album = await info.context.loaders.albums.load(self.row["album_id"])
            found = await cover_of(info, album["cover_sha256"]) if album else None
        return found

    @strawberry.field(description="The most similar tracks by the vectors of a space, best first.")
    async def similar(
        self, info: Info, first: int | None = 20, space: VectorSpace | None = VectorSpace.AUDIO
    ) -> list[SimilarTrack]:
        """The nearest neighbours of the track's vector."""
        size, loaders = page_size(first, MOST_SIMILAR), info.context.loaders
        near = await loaders.similar((space or VectorSpace.AUDIO).value, size).load(_key(self))
        info.context.budget.spend(len(near))
        rows = await loaders.tracks.load_many([each.track_id for each in near])
        shown = [
            SimilarTrack(score=each.score, track=Track.of(row))
            for each, row in zip(near, rows, strict=True)
            if row
        ]
        return await load_selected(info, shown)
