"""Filters and sort orders of lists and searches."""

from enum import Enum
from typing import Any

import strawberry

from services.api.graphql.arguments import uuid_of
from services.api.graphql.enums import TrackKind
from services.api.graphql.errors import bad_input
from services.api.store.reading.track_lists import Range, TrackFilters
from shared.contracts.identity import IdKind
from shared.contracts.meaning import SCORES
from shared.search.port import SearchFilters


@strawberry.input(description="Both ends are included. A range without an end is open there.")
class FloatRange:
    """A range of numbers."""

    min: float | None = None
    max: float | None = None


@strawberry.input(description="Both ends are included. A range without an end is open there.")
class IntRange:
    """A range of whole numbers."""

    min: int | None = None
    max: int | None = None


def _ends(name: str, range_: FloatRange | IntRange | None) -> Range:
    if range_ is None:
        return (None, None)
    if range_.min is not None and range_.max is not None and range_.min > range_.max:
        raise bad_input(f"{name}: min {range_.min:g} is above max {range_.max:g}")
    return (range_.min, range_.max)


def _year_ends(range_: IntRange | None) -> tuple[int | None, int | None]:
    """A range of years, cut to what the column can hold (16 bits)."""
    lower, upper = _ends("year", range_)
    bounded = [
        None if end is None else max(-32_768, min(32_767, int(end))) for end in (lower, upper)
    ]
    return bounded[0], bounded[1]


@strawberry.input(
    description="Compares what a trained model heard. Scores are 0..1, and .5 is average music."
    " Tracks that no model has heard do not match."
)
class MeaningFilter:
    """All conditions must hold."""

    genre: str | None = strawberry.field(
        default=None,
        description="A genre as the model names it: rock, pop, electronic, dance, metal, jazz, ...",
    )
    aggressive: FloatRange | None = None
    relaxed: FloatRange | None = None
    party: FloatRange | None = None
    happy: FloatRange | None = None
    sad: FloatRange | None = None
    acoustic: FloatRange | None = None
    electronic: FloatRange | None = None
    instrumental: FloatRange | None = None
    energy: FloatRange | None = None
    valence: FloatRange | None = None
    arousal: FloatRange | None = None

    def ranges(self) -> dict[str, Range]:
        """The range of each score."""
        return {name: _ends(f"meaning.{name}", getattr(self, name)) for name in SCORES}


@strawberry.input(description="A track must match all conditions.")
class TrackFilter:
    """Conditions on tracks."""

    library_id: strawberry.ID | None = None
    artist_id: strawberry.ID | None = None
    album_id: strawberry.ID | None = None
    genre_id: strawberry.ID | None = None
    genre: str | None = None
    path_prefix: str | None = None
    is_missing: bool | None = False
    is_damaged: bool | None = strawberry.field(
        default=None, description="Whether the analysis says so; tracks without one are in neither."
    )
    kind: TrackKind | None = None
    year: IntRange | None = None
    duration_s: FloatRange | None = None
    tempo_bpm: FloatRange | None = None
    loudness_lufs: FloatRange | None = None
    energy: FloatRange | None = None
    key: str | None = None
    mode: str | None = None
    camelot: str | None = None
    meaning: MeaningFilter | None = None

    def read(self) -> TrackFilters:
        """The filter for the store."""
        return TrackFilters(
            library_id=uuid_of("libraryId", self.library_id, IdKind.LIBRARY),
            artist_id=uuid_of("artistId", self.artist_id, IdKind.ARTIST),
            album_id=uuid_of("albumId", self.album_id, IdKind.ALBUM),
            genre_id=uuid_of("genreId", self.genre_id, IdKind.GENRE),
            genre=self.genre,
            path_prefix=self.path_prefix,
            is_missing=self.is_missing,
            is_damaged=self.is_damaged,
            kind=self.kind.value if self.kind else None,
            key=self.key,
            mode=self.mode,
            camelot=self.camelot,
            year=_year_ends(self.year),
            duration_s=_ends("durationS", self.duration_s),
            tempo_bpm=_ends("tempoBpm", self.tempo_bpm),
            loudness_lufs=_ends("loudnessLufs", self.loudness_lufs),
            energy=_ends("energy", self.energy),
            heard_genre=self.meaning.genre if self.meaning else None,
            heard=self.meaning.ranges() if self.meaning else {},
        )


@strawberry.input
class ArtistFilter:
    """Conditions on artists."""

    name_prefix: str | None = None


@strawberry.input(description="An album must match all conditions.")
class AlbumFilter:
    """Conditions on albums."""

    artist_id: strawberry.ID | None = None
    title_prefix: str | None = None
    year: IntRange | None = None
    is_compilation: bool | None = None

    def read(self) -> dict[str, Any]:
        """The arguments of `lists.albums`."""
        return {
            "artist_id": uuid_of("artistId", self.artist_id, IdKind.ARTIST),
            "title_prefix": self.title_prefix,
            "year": _year_ends(self.year),
            "is_compilation": self.is_compilation,
        }


@strawberry.input(
    description="A track must match all conditions. Names are compared as a whole; case and accents"
    " do not matter."
)
class SearchFilter:
    """Conditions on hits of a search by words."""

    artist: str | None = None
    album: str | None = None
    genre: str | None = None
    year: IntRange | None = None
    key: str | None = None
    tempo_bpm: FloatRange | None = None

    def read(self) -> SearchFilters:
        """The filter for the search index."""
        year, tempo = _year_ends(self.year), _ends("tempoBpm", self.tempo_bpm)
        return SearchFilters(
            artist=self.artist,
            album=self.album,
            genre=self.genre,
            key=self.key,
            year_min=year[0],
            year_max=year[1],
            tempo_min_bpm=tempo[0],
            tempo_max_bpm=tempo[1],
        )


@strawberry.enum
class TrackSort(Enum):
    """Sort orders of tracks."""

    TITLE = "TITLE"
    ARTIST = "ARTIST"
    YEAR = "YEAR"
    CREATED = "CREATED"
    DURATION = "DURATION"
    TEMPO = "TEMPO"


@strawberry.enum
class AlbumSort(Enum):
    """Sort orders of albums."""

    TITLE = "TITLE"
    YEAR = "YEAR"


@strawberry.enum
class SortDirection(Enum):
    """Ascending or descending."""

    ASC = "ASC"
    DESC = "DESC"
