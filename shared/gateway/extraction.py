"""The operations of the extractor: scans, known files, covers, artists, albums, tracks."""

from collections.abc import Iterator, Sequence

import msgspec

from shared.gateway.client import Gateway, in_portions, operation
from shared.gateway.inputs import AlbumInput, ArtistInput, TrackInput
from shared.gateway.results import (
    TrackResult,
    TrackResults,
    TrackUpsertColumns,
    TrackUpsertResult,
    UpsertColumns,
    UpsertResult,
    UserError,
)

PORTION = 1_000
"""Items a call: the gateway takes at most 2,000."""
MOST_LONG_TEXT = 2_000_000
"""Characters of lyrics and other tags a call, so that requests stay small whatever tags hold."""
KNOWN_FILES_A_PAGE = 20_000


class Library(msgspec.Struct):
    """A library: `root` is its folder as it was added."""

    id: str
    name: str
    root: str


class Scan(msgspec.Struct, rename="camel"):
    """A scan. `library` is None where the request was refused before it was known."""

    id: str
    state: str
    root: str
    folder: str
    mode: str
    accept_missing: bool
    files_read: int
    files_failed: int
    library: Library | None


class BeginScanInput(msgspec.Struct, kw_only=True, rename="camel", omit_defaults=True):
    """The scan of an event: by its id, or by the name or root of a library."""

    scan_id: str | None = None
    library: str | None = None
    root: str | None = None
    folder: str | None = ""
    mode: str | None = "INCREMENTAL"
    accept_missing: bool | None = False


class ReportWalkInput(msgspec.Struct, kw_only=True, rename="camel", omit_defaults=True):
    """The counts and the state of a walk."""

    scan_id: str
    files_seen: int
    files_to_read: int
    files_unchanged: int
    files_missing: int
    files_held: int | None = None
    is_finished: bool
    is_refused: bool | None = False
    message: str | None = None


class BeginScanPayload(msgspec.Struct):
    """The scan that an event asks for, or why there is none."""

    scan: Scan | None
    error: UserError | None


class ReportWalkPayload(msgspec.Struct):
    """Why a report was refused, if it was."""

    error: UserError | None


class KnownFiles(msgspec.Struct, rename="camel"):
    """A page of known files by path, in columns of equal length."""

    paths: list[str]
    sizes_bytes: list[int]
    mtimes_ns: list[int]
    images_digests: list[int | None]
    missing: list[bool]
    end_cursor: str | None


class RangeDigests(msgspec.Struct, rename="camel"):
    """A page of ranges of known files, in columns of equal length.

    Attributes:
        ends: the last path of each range. counts: how many files it has.
        digests: as `shared.contracts.range_digests` makes them.
        unknown_images: positions in the range of files whose digest of images is unknown.
    """

    ends: list[str]
    counts: list[int]
    digests: list[str]
    unknown_images: list[list[int]]
    end_cursor: str | None


class UpsertPayload(msgspec.Struct):
    """The results of artists or albums."""

    columns: UpsertColumns


class TrackUpsertPayload(msgspec.Struct):
    """The results of tracks."""

    columns: TrackUpsertColumns


BEGIN_SCAN = operation("begin_scan", BeginScanPayload, input=BeginScanInput)
REPORT_WALK = operation("report_walk", ReportWalkPayload, input=ReportWalkInput)
KNOWN_FILES = operation(
    "known_files",
    KnownFiles,
    library_id=str,
    folder=str,
    after=str | None,
    until=str | None,
    first=int,
)
RANGE_DIGESTS = operation(
    "range_digests", RangeDigests, library_id=str, folder=str, after=str | None
)
LIBRARIES = operation("libraries", list[Library])
MISSING_COVERS = operation("missing_covers", list[str], sha256s=list[str])
MARK_MISSING = operation("mark_missing", TrackResults, library_id=str, paths=list[str])
CREATE_ARTISTS = operation("create_artists", UpsertPayload, input=list[ArtistInput])
CREATE_ALBUMS = operation("create_albums", UpsertPayload, input=list[AlbumInput])
CREATE_TRACKS = operation(
    "create_tracks",
    TrackUpsertPayload,
    library_id=str,
    scan_id=str | None,
    input=list[TrackInput],
)


async def begin_scan(gateway: Gateway, request: BeginScanInput) -> BeginScanPayload:
    """Report that the walk of a scan begins."""
    return await gateway.execute(BEGIN_SCAN, input=request)


async def report_walk(gateway: Gateway, report: ReportWalkInput) -> UserError | None:
    """Report the progress of a walk; return None, or why the report was refused."""
    return (await gateway.execute(REPORT_WALK, input=report)).error


async def known_files(
    gateway: Gateway, library_id: str, folder: str, after: str | None, until: str | None = None
) -> KnownFiles:
    """One page of the files known below a folder ('' is the root).

    They come after the path `after`, up to and including `until`.
    """
    return await gateway.execute(
        KNOWN_FILES,
        library_id=library_id,
        folder=folder,
        after=after,
        until=until,
        first=KNOWN_FILES_A_PAGE,
    )


async def range_digests(
    gateway: Gateway, library_id: str, folder: str, after: str | None
) -> RangeDigests:
    """One page of the files below a folder, without missing ones, as ranges with a digest each."""
    return await gateway.execute(RANGE_DIGESTS, library_id=library_id, folder=folder, after=after)


async def libraries(gateway: Gateway) -> list[Library]:
    """All libraries."""
    return await gateway.execute(LIBRARIES)


async def missing_covers(gateway: Gateway, sha256s: Sequence[str]) -> set[str]:
    """The hashes among these whose image the gateway does not have."""
    missing: set[str] = set()
    for portion in in_portions(sha256s, PORTION):
        found = await gateway.execute(MISSING_COVERS, sha256s=portion)
        missing.update(found)
    return missing


async def mark_missing(
    gateway: Gateway, library_id: str, paths: Sequence[str]
) -> list[TrackResult]:
    """Mark files missing; one result a path, in order."""
    results: list[TrackResult] = []
    for portion in in_portions(paths, PORTION):
        payload = await gateway.execute(MARK_MISSING, library_id=library_id, paths=portion)
        results += payload.results
    return results


async def create_artists(gateway: Gateway, items: Sequence[ArtistInput]) -> list[UpsertResult]:
    """Upsert artists; one result an item, in order."""
    results: list[UpsertResult] = []
    for portion in in_portions(items, PORTION):
        results += (await gateway.execute(CREATE_ARTISTS, input=portion)).columns.rows()
    return results


async def create_albums(gateway: Gateway, items: Sequence[AlbumInput]) -> list[UpsertResult]:
    """Upsert albums; one result an item, in order."""
    results: list[UpsertResult] = []
    for portion in in_portions(items, PORTION):
        results += (await gateway.execute(CREATE_ALBUMS, input=portion)).columns.rows()
    return results


async def create_tracks(
    gateway: Gateway, library_id: str, scan_id: str | None, items: Sequence[TrackInput]
) -> list[TrackUpsertResult]:
    """Upsert tracks by their path; one result an item, in order."""
    results: list[TrackUpsertResult] = []
    for portion in _track_portions(items):
        payload = await gateway.execute(
            CREATE_TRACKS, library_id=library_id, scan_id=scan_id, input=portion
        )
        results += payload.columns.rows()
    return results


def _track_portions(items: Sequence[TrackInput]) -> Iterator[list[TrackInput]]:
    """Portions of at most `PORTION` items and about `MOST_LONG_TEXT` characters of long texts."""
    portion: list[TrackInput] = []
    length = 0
    for item in items:
        long = _long_text(item)
        if portion and (len(portion) == PORTION or length + long > MOST_LONG_TEXT):
            yield portion
            portion, length = [], 0
        portion.append(item)
        length += long
    if portion:
        yield portion


def _long_text(item: TrackInput) -> int:
    texts = (item.lyrics_plain, item.lyrics_synced, item.comment)
    length = sum(len(text) for text in texts if text)
    if item.other_tags:
        length += sum(len(value) for values in item.other_tags.values() for value in values)
    return length
