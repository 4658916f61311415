"""Queries of people and their programs: check the arguments, read the store, convert the rows."""

from collections.abc import Callable
from dataclasses import replace
from itertools import islice
from typing import Annotated, Any
from uuid import UUID

import strawberry
from strawberry import Info

from services.api.graphql.arguments import FILTER, MOST_IDS, uuid_of
from services.api.graphql.errors import bad_input
from services.api.graphql.look_ahead import load_selected
from services.api.graphql.people.filters import (
    AlbumFilter,
    AlbumSort,
    ArtistFilter,
    SearchFilter,
    SortDirection,
    TrackFilter,
    TrackSort,
)
from services.api.graphql.people.inputs import FailureFilter
from services.api.graphql.people.search import search_meaning, search_text
from services.api.graphql.types.failures import Failure
from services.api.graphql.types.genres import Genre
from services.api.graphql.types.libraries import Library
from services.api.graphql.types.library import Album, Artist, Track
from services.api.graphql.types.meaning import AudioModel
from services.api.graphql.types.relay import Connection, Node, connection
from services.api.graphql.types.scans import Scan
from services.api.graphql.types.search import Duplicates, SearchMode, SearchResult
from services.api.graphql.types.status import Status
from services.api.store import progress
from services.api.store.analyses import meanings, pause
from services.api.store.failures.queries import read_failures
from services.api.store.libraries import read as libraries
from services.api.store.reading import lists, scans, track_lists
from services.api.store.reading.pages import Conditions, Order, Page, page_size
from services.api.store.reading.track_lists import TrackFilters, duplicates
from shared.contracts.identity import IdKind, parse_id

_MOST_COPIES = 100


@strawberry.type
class PeopleQueries:
    """Queries of people and their programs."""

    @strawberry.field(description="The object with this id; not libraries: see `libraries`.")
    async def node(self, info: Info, id: strawberry.ID) -> Node | None:  # noqa: A002 - Relay's name
        """Any object that has a global id, except a library."""
        try:
            kind, key = parse_id(id)
        except ValueError as error:
            raise bad_input(f"id: {error}") from None
        return await load_selected(info, await _node(info, kind, key))

    @strawberry.field(
        description="Tracks in the order of the ids, missing ones included; null for an unknown id."
        " At most 1,000."
    )
    async def tracks_by_id(self, info: Info, ids: list[strawberry.ID]) -> list[Track | None]:
        """Tracks by id."""
        if len(ids) > MOST_IDS:
            raise bad_input(f"ids: ask for at most {MOST_IDS:,} at a time, not {len(ids):,}")
        keys = [uuid_of("ids", id_, IdKind.TRACK) for id_ in ids]
        rows = await info.context.loaders.tracks.load_many(keys)
        return await load_selected(info, [Track.of(row) if row else None for row in rows])

    @strawberry.field(
        description="The trained model that the analyzers use now; null if they have none."
    )
    async def audio_model(self, info: Info) -> AudioModel | None:
        """The model that an analyzer registered."""
        found = await meanings.audio_model(info.context.pool)
        return AudioModel(**found.model_dump()) if found else None

    @strawberry.field(description="Tracks. Missing ones only if the filter includes them.")
    async def tracks(
        self,
        info: Info,
        first: int | None = 50,
        after: str | None = None,
        wanted: Annotated[TrackFilter | None, FILTER] = None,
        sort: TrackSort | None = TrackSort.TITLE,
        direction: SortDirection | None = SortDirection.ASC,
    ) -> Connection[Track]:
        """A page of tracks."""
        pool, filters = (
            info.context.pool,
            wanted.read() if wanted else TrackFilters(is_missing=False),
        )
        order = _directed(track_lists.ORDERS[(sort or TrackSort.TITLE).value], direction)
        page = track_lists.page(pool, filters, order, first=page_size(first), after=after)
        return await connection(
            info, page, lambda: track_lists.count(pool, filters), Track.of, after
        )

    @strawberry.field(description="Artists, by sort name.")
    async def artists(
        self,
        info: Info,
        first: int | None = 50,
        after: str | None = None,
        wanted: Annotated[ArtistFilter | None, FILTER] = None,
        direction: SortDirection | None = SortDirection.ASC,
    ) -> Connection[Artist]:
        """A page of artists."""
        prefix, order = wanted.name_prefix if wanted else None, _directed(lists.ARTISTS, direction)
        return await _list(
            info, "artists", lambda: lists.artists(prefix), order, Artist.of, first, after
        )

    @strawberry.field(description="Albums that have a track whose file is not missing.")
    async def albums(
        self,
        info: Info,
        first: int | None = 50,
        after: str | None = None,
        wanted: Annotated[AlbumFilter | None, FILTER] = None,
        sort: AlbumSort | None = AlbumSort.TITLE,
        direction: SortDirection | None = SortDirection.ASC,
    ) -> Connection[Album]:
        """A page of albums."""
        filters = (wanted or AlbumFilter()).read()
        order = _directed(lists.ALBUM_ORDERS[(sort or AlbumSort.TITLE).value], direction)
        return await _list(
            info, "albums", lambda: lists.albums(**filters), order, Album.of, first, after
        )

    @strawberry.field(description="Genres, by name.")
    async def genres(
        self,
        info: Info,
        first: int | None = 50,
        after: str | None = None,
        direction: SortDirection | None = SortDirection.ASC,
    ) -> Connection[Genre]:
        """A page of genres."""
        order = _directed(lists.GENRES, direction)
        return await _list(info, "genres", lists.genres, order, Genre.of, first, after)

    @strawberry.field(description="All libraries: the root folders that are scanned.")
    async def libraries(self, info: Info) -> list[Library]:
        """All libraries."""
        return [Library.of(each) for each in await libraries.read(info.context.pool)]

    @strawberry.field(description="The best matches for a text, by words or by meaning.")
    async def search(
        self,
        info: Info,
        text: str,
        first: int | None = 20,
        mode: SearchMode | None = SearchMode.TEXT,
        wanted: Annotated[SearchFilter | None, FILTER] = None,
    ) -> SearchResult:
        """Search in the index, or among the text vectors."""
        size, filters = page_size(first), wanted or SearchFilter()
        search = search_meaning if mode is SearchMode.MEANING else search_text
        return await load_selected(info, await search(info, text, size, filters))

    @strawberry.field(
        description="Groups of tracks whose files have the same sound, whatever their tags. Large"
        " groups come first; at most 100 tracks of each are listed."
    )
    async def duplicates(self, info: Info, first: int | None = 50) -> list[Duplicates]:
        """Groups of copies."""
        groups = await duplicates(info.context.pool, first=page_size(first), most=_MOST_COPIES)
        keys = [key for group in groups for key in group]
        rows = iter(await info.context.loaders.tracks.load_many(keys))
        found = [
            Duplicates(tracks=[Track.of(row) for row in islice(rows, len(group)) if row])
            for group in groups
        ]
        return await load_selected(info, found)

    @strawberry.field(description="One scan; null if there is none with this id.")
    async def scan(self, info: Info, id: strawberry.ID) -> Scan | None:  # noqa: A002 - as `node`
        """A scan by id."""
        key = uuid_of("id", id, IdKind.SCAN)
        found = await scans.read(info.context.pool, [key] if key else [])
        return next((Scan.of(scan) for scan in found.values()), None)

    @strawberry.field(description="Scans, newest first.")
    async def scans(self, info: Info, first: int | None = 20) -> list[Scan]:
        """The newest scans."""
        return [Scan.of(scan) for scan in await scans.newest(info.context.pool, page_size(first))]

    @strawberry.field(
        description="Events that a stage gave up on and that are not resolved, newest first."
    )
    async def failures(
        self,
        info: Info,
        first: int | None = 50,
        after: str | None = None,
        wanted: Annotated[FailureFilter | None, FILTER] = None,
    ) -> Connection[Failure]:
        """A page of failures."""
        pool, filters = info.context.pool, (wanted or FailureFilter()).read()

        def where() -> Conditions:
            shown = bool(wanted and wanted.include_resolved)
            return lists.failures(filters, include_resolved=shown)

        async def page() -> Page:
            found = await lists.page(
                pool, "failures", where(), lists.FAILURES, first=page_size(first), after=after
            )
            full = await read_failures(pool, [row["id"] for row in found.rows])
            return Page([full[row["id"]] for row in found.rows], found.cursors, found.has_next)

        return await connection(
            info, page(), lambda: lists.count(pool, "failures", where()), Failure.of, after
        )

    @strawberry.field(description="Whether a person paused the analysis.")
    async def analysis_paused(self, info: Info) -> bool:
        """Read the pause."""
        return await pause.is_paused(info.context.pool)

    @strawberry.field(description="How far the work on all libraries is.")
    async def status(self, info: Info) -> Status:
        """Counts of everything, and the paused stages."""
        found = await progress.read(info.context.pool)
        return Status.of(found, info.context.bus.health().paused)


async def _list(
    info: Info,
    table: str,
    where: Callable[[], Conditions],
    order: Order,
    convert: Callable[[Any], Any],
    first: int | None,
    after: str | None,
) -> Connection[Any]:
    pool = info.context.pool
    page = lists.page(pool, table, where(), order, first=page_size(first), after=after)
    return await connection(info, page, lambda: lists.count(pool, table, where()), convert, after)


async def _node(info: Info, kind: IdKind, key: UUID) -> Node | None:
    loaders, pool = info.context.loaders, info.context.pool
    rows: dict[IdKind, tuple[Any, Any]] = {
        IdKind.TRACK: (loaders.tracks, Track),
        IdKind.ARTIST: (loaders.artists, Artist),
        IdKind.ALBUM: (loaders.albums, Album),
        IdKind.GENRE: (loaders.genres, Genre),
    }
    if kind in rows:
        loader, shown = rows[kind]
        row = await loader.load(key)
        found: Node | None = shown.of(row) if row else None
        return found
    if kind is IdKind.SCAN:
        return next((Scan.of(s) for s in (await scans.read(pool, [key])).values()), None)
    if kind is IdKind.FAILURE:
        return next((Failure.of(f) for f in (await read_failures(pool, [key])).values()), None)
    raise bad_input(f"id: `node` finds no {kind.name.lower()}: use `libraries`")


def _directed(order: Order, direction: SortDirection | None) -> Order:
    return replace(order, descending=direction is SortDirection.DESC)
