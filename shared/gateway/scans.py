"""The operations of a scan: the libraries, how far the walk is, and the files known before."""

import msgspec

from shared.gateway.client import Gateway, operation
from shared.gateway.results import UserError

KNOWN_FILES_A_PAGE = 20_000


class Library(msgspec.Struct):
    """A library: `root` is its folder as people name it."""

    id: str
    name: str
    root: str


class ListedLibrary(msgspec.Struct, rename="camel"):
    """A library, and whether a person has removed it."""

    id: str
    name: str
    root: str
    is_being_removed: bool


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
    """How far a walk is."""

    scan_id: str
    files_seen: int
    files_to_read: int
    files_unchanged: int
    files_missing: int
    files_held: int | None = None
    is_finished: bool
    is_refused: bool | None = False
    message: str | None = None


class BeginScanPayload(msgspec.Struct, rename="camel"):
    """The scan that an event asks for, or why there is none.

    `earlier_places`: the libraries that may have been moved to the scan's root.
    """

    scan: Scan | None
    earlier_places: list[Library]
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


class FileSample(msgspec.Struct, rename="camel"):
    """Some files of a library by path, in columns of equal length."""

    paths: list[str]
    sizes_bytes: list[int]
    content_hashes: list[str | None]


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
FILE_SAMPLE = operation("file_sample", FileSample, library_id=str)
LIBRARIES = operation("libraries", list[ListedLibrary])


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


async def file_sample(gateway: Gateway, library_id: str) -> FileSample:
    """Up to a hundred files of a library, by which it can be recognised elsewhere."""
    return await gateway.execute(FILE_SAMPLE, library_id=library_id)


async def libraries(gateway: Gateway) -> list[ListedLibrary]:
    """All libraries."""
    return await gateway.execute(LIBRARIES)
