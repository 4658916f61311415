"""What searches answer: hits, facets, duplicates."""

from enum import Enum

import strawberry

from services.api.graphql.types.library import Track


@strawberry.enum(
    description="TEXT matches words (accents, prefixes and typos forgiven); MEANING compares"
    " text vectors."
)
class SearchMode(Enum):
    """How a search compares."""

    TEXT = "text"
    MEANING = "meaning"


@strawberry.type
class SearchHit:
    """A track that fits."""

    score: float
    track: Track


@strawberry.type
class FacetCount:
    """A value, and how many of the tracks that fit have it."""

    value: str
    count: int


@strawberry.type
class Facet:
    """The values of a facet, most first."""

    name: str
    counts: list[FacetCount]


@strawberry.type
class SearchResult:
    """The best hits, and what there is in all."""

    hits: list[SearchHit]
    total_count: int
    facets: list[Facet]


@strawberry.type
class Duplicates:
    """Tracks whose files hold the same sound."""

    tracks: list[Track]
