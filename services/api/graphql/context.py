"""The context of a request: its loaders, its budget, and the parts of the service that it uses."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property, partial
from typing import Any
from uuid import UUID

import asyncpg

from services.api.change_notifier import ChangeNotifier
from services.api.graphql.errors import bad_input
from services.api.graphql.look_ahead import Loader
from services.api.signed_addresses import AddressSigner
from services.api.store.libraries import read as libraries
from services.api.store.reading import artist_pages, lookups, nearest
from services.api.store.reading.nearest import Neighbour
from services.api.store.reading.pages import Page
from shared.bus.port import Bus
from shared.embedding.port import TextEmbedder
from shared.runtime.settings import Settings
from shared.search.port import SearchReader

MOST_ROWS_IN_ALL = 20_000
MOST_VALUES_IN_ALL = 350_000


class Budget:
    """The number of list rows and of values that a request may still return.

    Values are the fields of all objects; a list of numbers counts by its length. Each takes some
    three microseconds, whatever it is.
    """

    def __init__(self) -> None:
        self._left = MOST_ROWS_IN_ALL
        self._values_left = MOST_VALUES_IN_ALL

    @property
    def is_exceeded(self) -> bool:
        """Whether the request returned more than it may."""
        return self._left < 0 or self._values_left < 0

    def spend_values(self, values: int) -> None:
        """Count values that are about to be loaded and returned; BAD_INPUT as for rows."""
        self._values_left -= values
        if self._values_left < 0:
            raise bad_input(
                f"the answer would have more than {MOST_VALUES_IN_ALL:,} values: ask with a smaller"
                " `first` or for fewer fields. Each field of a row is a value; long lists such as"
                " `waveform`, `beatTimesS` and the `values` of vectors count as many"
            )

    def spend(self, rows: int) -> None:
        """Count rows that are returned; BAD_INPUT if the request has too many in all."""
        self._left -= rows
        if self.is_exceeded:
            raise bad_input(
                f"the lists of this request have more than {MOST_ROWS_IN_ALL:,} rows in all:"
                " ask with a smaller `first`, or nest fewer lists"
            )


class Loaders:
    """The loaders of one request."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool
        self._by_arguments: dict[tuple[object, ...], Loader[UUID, Any]] = {}

    def _loader(self, read: Callable[..., Awaitable[Any]], *arguments: Any) -> Loader[Any, Any]:
        return Loader(partial(read, self._pool, *arguments))

    @cached_property
    def tracks(self) -> Loader[UUID, Any]:
        """Track rows by id."""
        return self._loader(lookups.tracks)

    @cached_property
    def artists(self) -> Loader[UUID, Any]:
        """Artist rows by id."""
        return self._loader(lookups.artists)

    @cached_property
    def albums(self) -> Loader[UUID, Any]:
        """Album rows by id."""
        return self._loader(lookups.albums)

    @cached_property
    def genres(self) -> Loader[UUID, Any]:
        """Genre rows by id."""
        return self._loader(lookups.genres)

    @cached_property
    def covers(self) -> Loader[bytes, Any]:
        """Cover rows by hash."""
        return self._loader(lookups.covers)

    @cached_property
    def libraries(self) -> Loader[UUID, libraries.Library | None]:
        """Libraries by id, with the number of their tracks."""

        async def read(ids: list[UUID]) -> list[libraries.Library | None]:
            found = {each.id: each for each in await libraries.read(self._pool, ids, counted=True)}
            return [found.get(id_) for id_ in ids]

        return Loader(read)

    @cached_property
    def analyses(self) -> Loader[UUID, Any]:
        """Analysis rows by track id."""
        return self._loader(lookups.analyses)

    @cached_property
    def long_of_analyses(self) -> Loader[tuple[UUID, str], Any]:
        """Rows of the long columns of analyses, by track id and analyzer version."""
        return self._loader(lookups.long_of_analyses)

    @cached_property
    def corrections(self) -> Loader[UUID, Any]:
        """Rows of corrections by track id."""
        return self._loader(lookups.corrections)

    @cached_property
    def meanings(self) -> Loader[tuple[UUID, str], Any]:
        """Meaning rows by track id and analyzer version."""
        return self._loader(lookups.meanings)

    @cached_property
    def chapters(self) -> Loader[UUID, list[Any]]:
        """Chapter rows by track id."""
        return self._loader(lookups.chapters)

    @cached_property
    def vectors(self) -> Loader[UUID, list[Any]]:
        """Vector rows by track id."""
        return self._loader(lookups.vectors)

    @cached_property
    def track_credits(self) -> Loader[UUID, list[Any]]:
        """Credit rows by track id."""
        return self._loader(lookups.track_credits)

    @cached_property
    def album_credits(self) -> Loader[UUID, list[Any]]:
        """Credit rows by album id."""
        return self._loader(lookups.album_credits)

    @cached_property
    def track_genres(self) -> Loader[UUID, list[Any]]:
        """Genre rows by track id."""
        return self._loader(lookups.track_genres)

    @cached_property
    def lyrics(self) -> Loader[UUID, Any]:
        """Lyrics rows by track id."""
        return self._loader(lookups.lyrics)

    @cached_property
    def other_tags(self) -> Loader[UUID, Any]:
        """Rows of tags without a column by track id."""
        return self._loader(lookups.other_tags)

    @cached_property
    def imported_facts(self) -> Loader[UUID, list[Any]]:
        """Rows of other programs' notes by track id."""
        return self._loader(lookups.imported_facts)

    @cached_property
    def album_tracks(self) -> Loader[UUID, list[Any]]:
        """Track rows by album id."""
        return self._loader(lookups.album_tracks)

    @cached_property
    def album_sums(self) -> Loader[UUID, tuple[int, float]]:
        """Number of tracks and their length by album id."""
        return self._loader(lookups.album_sums)

    @cached_property
    def artist_images(self) -> Loader[UUID, bytes | None]:
        """Hash of the image found near an artist's albums, by artist id."""
        return self._loader(lookups.artist_images)

    @cached_property
    def album_loudness(self) -> Loader[UUID, Any]:
        """Loudness of the tracks by album id."""
        return self._loader(lookups.album_loudness)

    @cached_property
    def genre_track_counts(self) -> Loader[UUID, int]:
        """Number of tracks by genre id."""
        return self._loader(lookups.genre_track_counts)

    def artist_counts(self, of: str) -> Loader[UUID, int]:
        """Number of tracks or albums by artist id."""
        return self._by_arguments.setdefault(("count", of), self._loader(artist_pages.counts, of))

    def artist_pages(self, of: str, first: int, after: str | None) -> Loader[UUID, Page]:
        """A page of tracks or albums by artist id."""
        loader = self._loader(artist_pages.pages, of, first, after)
        return self._by_arguments.setdefault((of, first, after), loader)

    def similar(self, space: str, first: int) -> Loader[UUID, list[Neighbour]]:
        """Nearest tracks by track id, in a space."""

        async def read(ids: list[UUID]) -> list[list[Neighbour]]:
            return await nearest.of_tracks(self._pool, space, ids, first)

        return self._by_arguments.setdefault(("similar", space, first), Loader(read))


@dataclass
class Context:
    """The context of one request, or of one websocket's requests."""

    pool: asyncpg.Pool
    bus: Bus
    settings: Settings
    search: SearchReader
    embedder: TextEmbedder
    loaders: Loaders = field(init=False)
    budget: Budget = field(init=False)
    changes: ChangeNotifier = field(default_factory=ChangeNotifier)
    """Notified after each change of the database; subscriptions wait for it."""
    signer: AddressSigner | None = None
    """Signs the addresses of images; None where they need no token."""
    connection_params: Mapping[str, object] | None = None
    """The payload of a websocket's `connection_init`; strawberry sets it."""
    may_store: bool = True
    """Whether the caller may call the mutations of the services."""
    must_present_token: bool = False
    """True for a websocket whose handshake had no token: `connection_params` must have it."""

    def __post_init__(self) -> None:
        self.begin_request()

    def begin_request(self) -> None:
        """Forget the loaded values, so that each request reads the current ones."""
        self.loaders, self.budget = Loaders(self.pool), Budget()
