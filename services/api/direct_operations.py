"""The operations of a scan and of indexing, called without GraphQL by workers in this process.

Each takes the variables of its operation and returns the type of its root field. The checks are
those of the store, which the GraphQL fields use too.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

import asyncpg
import msgspec

from services.api.store import artists, checks, covers
from services.api.store.albums.upsert import upsert_albums
from services.api.store.files.known import FILES_PER_RANGE, MOST_FILES, MOST_RANGES, known_ranges
from services.api.store.files.known import known_files as read_known_files
from services.api.store.libraries.read import read as read_libraries
from services.api.store.reading import lookups
from services.api.store.reading.pages import page_size
from services.api.store.results import Problem, TrackUpserted, Upserted
from services.api.store.tracks.upsert import upsert_tracks
from shared.contracts.identity import IdKind, display_path, format_id
from shared.gateway import extraction, indexing, scans
from shared.gateway.client import Operation
from shared.gateway.extraction import (
    Candidate,
    ItemError,
    TrackUpsertColumns,
    UndecidedItem,
    UpsertColumns,
)
from shared.gateway.inputs import (
    AlbumInput,
    ArtistInput,
    CreditInput,
    ImportedFactInput,
    TrackInput,
)
from shared.gateway.results import UserError

_fields = msgspec.structs.asdict


async def create_artists(
    pool: asyncpg.Pool,
    input: Sequence[ArtistInput],  # noqa: A002 - the variable's name
) -> extraction.UpsertPayload:
    """Upsert artists."""
    rows = [_fields(item) for item in checks.batch(input)]
    return _upsert_payload(IdKind.ARTIST, await artists.upsert(pool, rows))


async def create_albums(
    pool: asyncpg.Pool,
    input: Sequence[AlbumInput],  # noqa: A002 - the variable's name
) -> extraction.UpsertPayload:
    """Upsert albums."""
    rows = [_fields(item) | _credits(item.credits) for item in checks.batch(input)]
    return _upsert_payload(IdKind.ALBUM, await upsert_albums(pool, rows))


async def create_tracks(
    pool: asyncpg.Pool,
    library_id: str,
    scan_id: str | None,
    input: Sequence[TrackInput],  # noqa: A002 - the variable's name
) -> extraction.TrackUpsertPayload:
    """Upsert tracks."""
    library = checks.argument_id("libraryId", library_id, IdKind.LIBRARY)
    scan = checks.argument_id("scanId", scan_id, IdKind.SCAN) if scan_id else None
    rows = [_track_row(item) for item in checks.batch(input)]
    return _track_payload(await upsert_tracks(pool, library, scan, rows))


async def known_files(
    pool: asyncpg.Pool,
    *,
    library_id: str,
    folder: str,
    after: str | None,
    until: str | None,
    first: int,
) -> scans.KnownFiles:
    """A page of the files that the database knows."""
    found = await read_known_files(
        pool,
        library_id=checks.argument_id("libraryId", library_id, IdKind.LIBRARY),
        folder=folder,
        after=after,
        until=until,
        first=page_size(first, MOST_FILES),
    )
    return scans.KnownFiles(
        list(found.paths),
        list(found.sizes_bytes),
        list(found.mtimes_ns),
        list(found.images_digests),
        list(found.missing),
        found.end_cursor,
    )


async def range_digests(
    pool: asyncpg.Pool, library_id: str, folder: str, after: str | None
) -> scans.RangeDigests:
    """A page of ranges of known files."""
    found = await known_ranges(
        pool,
        library_id=checks.argument_id("libraryId", library_id, IdKind.LIBRARY),
        folder=folder,
        after=after,
        first=page_size(None, MOST_RANGES),
        files_each=FILES_PER_RANGE,
    )
    return scans.RangeDigests(
        list(found.ends),
        list(found.counts),
        list(found.digests),
        list(found.unknown_images),
        found.end_cursor,
    )


async def libraries(pool: asyncpg.Pool) -> list[scans.ListedLibrary]:
    """All libraries."""
    return [
        scans.ListedLibrary(
            format_id(IdKind.LIBRARY, each.id),
            each.name,
            each.root,
            is_being_removed=each.removal_requested_at is not None,
        )
        for each in await read_libraries(pool)
    ]


async def missing_covers(pool: asyncpg.Pool, sha256s: Sequence[str]) -> list[str]:
    """The hashes among these whose image is not stored."""
    missing = await covers.missing(pool, covers.hashes_of(sha256s))
    return sorted(sha256.hex() for sha256 in missing)


async def tracks_to_index(
    pool: asyncpg.Pool, ids: Sequence[str]
) -> list[indexing.TrackToIndex | None]:
    """The searchable values of tracks, in the order of the ids; None for an unknown id."""
    keys = [checks.argument_id("ids", id_, IdKind.TRACK) for id_ in ids]
    rows, credits_, genres, chapters = await asyncio.gather(
        lookups.tracks(pool, keys),
        lookups.track_credits(pool, keys),
        lookups.track_genres(pool, keys),
        lookups.chapters(pool, keys),
    )
    artist_ids = {credit["artist_id"] for each in credits_ for credit in each}
    album_ids = {row["album_id"] for row in rows if row and row["album_id"]}
    found_artists, found_albums = await asyncio.gather(
        lookups.artists(pool, list(artist_ids)), lookups.albums(pool, list(album_ids))
    )
    artist_names = {row["id"]: row["name"] for row in found_artists if row}
    albums_ = {row["id"]: row for row in found_albums if row}
    return [
        row
        and _track_to_index(row, each, artist_names, albums_.get(row["album_id"]), named, titled)
        for row, each, named, titled in zip(rows, credits_, genres, chapters, strict=True)
    ]


def _track_to_index(  # noqa: PLR0917 - one for each query above, called there alone
    row: Any,
    credits_: Iterable[Any],
    artist_names: Mapping[UUID, str],
    album: Any,
    genres: Iterable[Any],
    chapters: Iterable[Any],
) -> indexing.TrackToIndex:
    return indexing.TrackToIndex(
        id=format_id(IdKind.TRACK, row["id"]),
        revision=row["revision"],
        is_missing=row["is_missing"],
        title=row["title"],
        artist_credit=row["artist_credit"],
        display_path=display_path(row["path"]),
        year=row["year"],
        tempo_bpm=row["tempo_bpm"],
        key=row["key"],
        mode=row["mode"],
        credits=[
            indexing.Credit(each["credited_as"], indexing.Named(artist_names[each["artist_id"]]))
            for each in credits_
        ],
        album=album and indexing.AlbumTitle(album["title"], album["artist_credit"]),
        genres=[indexing.Named(genre["name"]) for genre in genres],
        chapters=[indexing.Chapter(chapter["title"]) for chapter in chapters],
    )


def _track_row(item: TrackInput) -> dict[str, Any]:
    row = _fields(item) | _credits(item.credits)
    row["kind"] = item.kind and item.kind.lower()
    row["imported_facts"] = [*map(_fact, item.imported_facts or ())]
    row["chapters"] = [_fields(chapter) for chapter in item.chapters or ()]
    row["part"] = item.part and _fields(item.part)
    return row


def _fact(fact: ImportedFactInput) -> dict[str, Any]:
    row = _fields(fact)
    row["cues"] = [_fields(cue) | {"kind": cue.kind.lower()} for cue in fact.cues or ()]
    row["beat_grid"] = [*map(_fields, fact.beat_grid or ())]
    return row


def _credits(credits_: Sequence[CreditInput]) -> dict[str, Any]:
    rows = [_fields(credit) for credit in credits_]
    for row in rows:
        row["role"] = row["role"] and row["role"].lower()
    return {"credits": rows}


def _upsert_payload(kind: IdKind, results: Sequence[Upserted]) -> extraction.UpsertPayload:
    columns = UpsertColumns(
        [_id(kind, each.id) for each in results],
        [each.status for each in results],
        _errors(each.problem for each in results),
    )
    return extraction.UpsertPayload(columns)


def _track_payload(results: Sequence[TrackUpserted]) -> extraction.TrackUpsertPayload:
    columns = TrackUpsertColumns(
        [_id(IdKind.TRACK, each.id) for each in results],
        [each.status for each in results],
        [each.revision for each in results],
        [each.content_revision for each in results],
        _errors(each.problem for each in results),
        [
            UndecidedItem(
                item,
                [
                    Candidate(
                        format_id(IdKind.TRACK, candidate.track_id),
                        format_id(IdKind.LIBRARY, candidate.library_id),
                        candidate.path,
                        candidate.is_same_content,
                    )
                    for candidate in each.candidates
                ],
            )
            for item, each in enumerate(results)
            if each.candidates
        ],
    )
    return extraction.TrackUpsertPayload(columns)


def _id(kind: IdKind, value: UUID | None) -> str | None:
    return None if value is None else format_id(kind, value)


def _errors(problems: Iterable[Problem | None]) -> list[ItemError]:
    return [
        ItemError(item, UserError(problem.code, problem.message, problem.field))
        for item, problem in enumerate(problems)
        if problem is not None
    ]


DIRECT: Mapping[Operation[Any], Callable[..., Awaitable[Any]]] = {
    extraction.CREATE_ARTISTS: create_artists,
    extraction.CREATE_ALBUMS: create_albums,
    extraction.CREATE_TRACKS: create_tracks,
    scans.KNOWN_FILES: known_files,
    scans.RANGE_DIGESTS: range_digests,
    scans.LIBRARIES: libraries,
    extraction.MISSING_COVERS: missing_covers,
    indexing.TRACKS_TO_INDEX: tracks_to_index,
}
MUTATIONS = frozenset(
    (extraction.CREATE_ARTISTS, extraction.CREATE_ALBUMS, extraction.CREATE_TRACKS)
)
"""The operations among these that store something."""
