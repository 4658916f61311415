"""Search as the services see it: versioned documents go in, ranked track ids come out."""

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import Protocol

FACETS = ("artist", "album", "genre", "year", "key", "tempo_bpm")
"""The facets. Tempi are counted in ranges of 20 BPM, named by their lower end."""
TEMPO_RANGE_BPM = 20


@dataclass(frozen=True, slots=True)
class SearchDocument:
    """What is searchable of a track. `version` is its revision; a lower one never replaces it."""

    track_id: str
    version: int
    title: str
    artists: Sequence[str]
    """The names of all credited artists, in any role."""
    album: str | None = None
    album_artist: str | None = None
    genres: Sequence[str] = ()
    year: int | None = None
    key: str | None = None
    """Tonic and mode, like `A minor`."""
    tempo_bpm: float | None = None
    path: str = ""
    chapters: Sequence[str] = ()
    """The titles of its chapters."""


@dataclass(frozen=True, slots=True)
class Deletion:
    """A track that must no longer be found, as of `version`."""

    track_id: str
    version: int


@dataclass(frozen=True, slots=True)
class SearchFilters:
    """Restricts hits to tracks that match all filters. Whole names are compared, folded."""

    artist: str | None = None
    album: str | None = None
    genre: str | None = None
    key: str | None = None
    year_min: int | None = None
    year_max: int | None = None
    tempo_min_bpm: float | None = None
    tempo_max_bpm: float | None = None


@dataclass(frozen=True, slots=True)
class SearchQuery:
    """A query. Every word must be found in some field; the last one may be a beginning."""

    text: str
    first: int = 20
    filters: SearchFilters = field(default_factory=SearchFilters)


@dataclass(frozen=True, slots=True)
class Hit:
    """A hit; a higher score is a better match. Scores compare within one response only."""

    track_id: str
    score: float


@dataclass(frozen=True, slots=True)
class SearchHits:
    """The best hits, the number of all hits, and the facets of all hits."""

    hits: Sequence[Hit]
    total: int
    facets: dict[str, dict[str, int]]
    """Facet name -> value -> number of tracks, the most first."""


class SearchReader(Protocol):
    """The half that the api uses.

    Raises `DependencyDown` if the engine is out of reach, `TransientError` if it failed.
    """

    def reading(self) -> AbstractAsyncContextManager[None]:
        """Hold the index open for searching."""
        ...

    async def search(self, query: SearchQuery) -> SearchHits:
        """Return the best hits; none for a text without words. Sees all that was written before."""
        ...


class SearchWriter(Protocol):
    """The half that the indexer uses.

    One process may write at a time, unless the adapter says otherwise; within it, any number of
    tasks.
    """

    @property
    def generation(self) -> str:
        """An id of this index's content: an index that was lost or rebuilt has another one.

        Known while the index is open for writing. Any write may find it lost and begin another
        one, so look again after each write.
        """
        ...

    @property
    def took_over(self) -> str:
        """The generation whose content was copied into this one; empty if it began empty.

        Known while open for writing, and only to the process that made the index. After an
        upgrade, the content of an index with other fields may be copied, so that tracks are found
        until each is written again.
        """
        ...

    def writing(self) -> AbstractAsyncContextManager[None]:
        """Hold the index open for writing."""
        ...

    async def write(
        self, documents: Sequence[SearchDocument], deletions: Sequence[Deletion] = ()
    ) -> None:
        """Store and delete, durably when it returns; lower versions than the stored are skipped.

        Raises:
            DependencyDown: the engine is out of reach or its disk is full; nothing is lost.
            TransientError: it failed.
            InvalidInput: the engine will never accept one of the documents.
        """
        ...

    async def count(self) -> int:
        """Return the number of tracks that can be found."""
        ...

    async def start_anew(self) -> None:
        """Begin an empty index of a new generation, and remove the present one."""
        ...


class SearchIndex(SearchReader, SearchWriter, Protocol):
    """Both halves: what the adapters are."""
