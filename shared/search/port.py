"""Search as the services see it: documents with versions go in, ranked track ids come out."""

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import Protocol

FACETS = ("artist", "album", "genre", "year", "key", "tempo_bpm")
"""Names of the facets. Years count by year, tempi in ranges of 20 BPM, named by the lower end."""
TEMPO_RANGE_BPM = 20


@dataclass(frozen=True, slots=True)
class SearchDocument:
    """What is findable of a track. `version` is the track's revision: a lower one never wins."""

    track_id: str
    version: int
    title: str
    artists: Sequence[str]
    """Names of all artists credited, in any role."""
    album: str | None = None
    album_artist: str | None = None
    genres: Sequence[str] = ()
    year: int | None = None
    key: str | None = None
    """Tonic and mode, like `A minor`."""
    tempo_bpm: float | None = None
    path: str = ""


@dataclass(frozen=True, slots=True)
class Deletion:
    """A track that is no longer to be found, as of `version`."""

    track_id: str
    version: int


@dataclass(frozen=True, slots=True)
class SearchFilters:
    """Only tracks that fit all that is given. Names are compared folded, as a whole."""

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
    """What is looked for. Every word must be found somewhere; the last may be a beginning."""

    text: str
    first: int = 20
    filters: SearchFilters = field(default_factory=SearchFilters)


@dataclass(frozen=True, slots=True)
class Hit:
    """A track that fits; a higher score fits better. Scores compare within one answer only."""

    track_id: str
    score: float


@dataclass(frozen=True, slots=True)
class SearchHits:
    """The best hits, how many there are in all, and the facets of all of them."""

    hits: Sequence[Hit]
    total: int
    facets: dict[str, dict[str, int]]
    """Facet name -> value -> number of tracks, most first."""


class SearchReader(Protocol):
    """The half that the api uses.

    Raises `DependencyDown` where the engine is out of reach, `TransientError` where it failed.
    """

    def reading(self) -> AbstractAsyncContextManager[None]:
        """Hold the index open for searching."""
        ...

    async def search(self, query: SearchQuery) -> SearchHits:
        """The best hits; none for a text without a word in it. Sees what was written before."""
        ...


class SearchWriter(Protocol):
    """The half that the indexer uses.

    One process at a time, unless the adapter says otherwise; in a process as often at the same
    time as one likes.
    """

    @property
    def generation(self) -> str:
        """Names this index's content: an index that was lost or rebuilt has another one.

        Known while it is held open for writing. Any write may find the index lost and begin
        another one: look again after each.
        """
        ...

    @property
    def took_over(self) -> str:
        """The generation whose content this one began with; empty where it began without any.

        Known as `generation` is, to the one who made it only: after an upgrade an index of other
        fields may be taken over, so that tracks are found until each is written anew.
        """
        ...

    def writing(self) -> AbstractAsyncContextManager[None]:
        """Hold the index open for writing."""
        ...

    async def write(
        self, documents: Sequence[SearchDocument], deletions: Sequence[Deletion] = ()
    ) -> None:
        """Store and delete, durably when it returns; what has a lower version is passed over.

        Raises:
            DependencyDown: the engine is out of reach or its disk is full; nothing is lost.
            TransientError: it failed.
            InvalidInput: it will never take one of the documents.
        """
        ...

    async def count(self) -> int:
        """How many tracks can be found."""
        ...

    async def start_anew(self) -> None:
        """Begin an empty index of another generation, and let go of the present one."""
        ...


class SearchIndex(SearchReader, SearchWriter, Protocol):
    """Both halves: what the adapters are."""
