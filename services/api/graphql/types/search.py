"""Results of searches: hits, facets, duplicates."""

from enum import Enum

import strawberry

from services.api.graphql.types.library import Track


@strawberry.enum(
    description="TEXT matches words; accents do not matter, and words may be unfinished or have"
    " typos."
    " MEANING compares the meaning of the text with descriptions of the tracks."
)
class SearchMode(Enum):
    """How a search compares."""

    TEXT = "text"
    MEANING = "meaning"


@strawberry.type
class SearchHit:
    """A track that matches."""

    score: float
    track: Track


@strawberry.type
class FacetCount:
    """A value, and how many of all hits have it."""

    value: str
    count: int


@strawberry.type
class Facet:
    """The values of a facet, the most frequent first."""

    name: str
    counts: list[FacetCount]


@strawberry.type
class SearchResult:
    """The best hits, and the number and facets of all hits."""

    hits: list[SearchHit]
    total_count: int
    facets: list[Facet]


@strawberry.type
class Duplicates:
    """Tracks whose files have the same sound."""

    tracks: list[Track]
