"""Queries of the services: which files and covers the gateway knows."""

from typing import Annotated

import strawberry
from strawberry import Info

from services.api.graphql.arguments import uuid_of
from services.api.graphql.errors import bad_input
from services.api.graphql.scalars import BigInts, Digests, Flags, Places, Texts
from services.api.store import checks, covers
from services.api.store.files.known import (
    FILES_PER_RANGE,
    MOST_FILES,
    MOST_RANGES,
    MOST_SAMPLED,
    known_files,
    known_ranges,
    sample_files,
)
from services.api.store.reading.pages import page_size
from shared.contracts.identity import IdKind


@strawberry.type(
    description="For the extractor: a page of known files, in columns of equal length."
)
class KnownFiles:
    """A page of the files that the database knows."""

    paths: Texts
    sizes_bytes: BigInts
    mtimes_ns: BigInts
    images_digests: Digests = strawberry.field(
        description="`imagesDigest` of each file, as it was sent to `createTracks`."
    )
    missing: Flags
    end_cursor: str | None


@strawberry.type(
    description="For the extractor: a page of ranges of known files, in columns of equal length."
)
class KnownStretches:
    """A page of ranges. The schema calls them stretches, and keeps that name for its clients."""

    ends: Texts = strawberry.field(description="The last path of each range.")
    counts: BigInts = strawberry.field(description="The number of files of each range.")
    digests: Texts = strawberry.field(
        description="SHA-256 of the paths, sizes, times and images of its files; computed by"
        " shared/contracts/range_digests.py."
    )
    unknown_images: Places = strawberry.field(
        description="The positions (from 0) of files whose digest of images is unknown; it counts"
        " as 0 in `digests`."
    )
    end_cursor: str | None


@strawberry.type(
    description="For the extractor: some files of a library, in columns of equal length."
)
class FileSample:
    """Files by which a library is recognised elsewhere."""

    paths: Texts = strawberry.field(description="The path of each file below the root.")
    sizes_bytes: BigInts = strawberry.field(description="The size of each file.")
    content_hashes: Texts = strawberry.field(
        description="`contentHash` of each file, as it was sent to `createTracks`; null if it has"
        " none."
    )


_OF_LIBRARY = strawberry.argument(description="The library's id.")


@strawberry.type
class ServiceQueries:
    """Queries of the services."""

    @strawberry.field(
        description="For the extractor: the known files of a library or folder, sorted by path,"
        " with size and time. Those after the path `after`, up to and including `until`."
    )
    async def known_files(
        self,
        info: Info,
        library_id: strawberry.ID,
        folder: str | None = "",
        after: str | None = None,
        first: int | None = 20_000,
        until: str | None = None,
    ) -> KnownFiles:
        """A portion, by path."""
        library = uuid_of("libraryId", library_id, IdKind.LIBRARY)
        if library is None:
            raise bad_input("libraryId: name a library")
        found = await known_files(
            info.context.pool, library_id=library, folder=folder or "", after=after, until=until,
            first=page_size(first, MOST_FILES),
        )  # fmt: skip
        return KnownFiles(
            paths=Texts(found.paths),
            sizes_bytes=BigInts(found.sizes_bytes),
            mtimes_ns=BigInts(found.mtimes_ns),
            images_digests=Digests(found.images_digests),
            missing=Flags(found.missing),
            end_cursor=found.end_cursor,
        )

    @strawberry.field(
        description="For the extractor: the files of `knownFiles`, without missing ones, as ranges"
        " of 500 neighbouring files. Each range has a digest, so that only ranges that differ"
        " need to be compared file by file."
    )
    async def known_stretches(
        self,
        info: Info,
        library_id: strawberry.ID,
        folder: str | None = "",
        after: str | None = None,
        first: int | None = 50,
    ) -> KnownStretches:
        """A portion, by path."""
        library = uuid_of("libraryId", library_id, IdKind.LIBRARY)
        if library is None:
            raise bad_input("libraryId: name a library")
        found = await known_ranges(
            info.context.pool, library_id=library, folder=folder or "", after=after,
            first=page_size(first, MOST_RANGES), files_each=FILES_PER_RANGE,
        )  # fmt: skip
        return KnownStretches(
            ends=Texts(found.ends),
            counts=BigInts(found.counts),
            digests=Texts(found.digests),
            unknown_images=Places(found.unknown_images),
            end_cursor=found.end_cursor,
        )

    @strawberry.field(
        description="For the extractor: a hundred files of a library, of all its folders, by which"
        " it can be recognised if its root was moved."
    )
    async def file_sample(
        self, info: Info, library_id: Annotated[strawberry.ID, _OF_LIBRARY]
    ) -> FileSample:
        """The same files each time, as long as the library is the same."""
        library = checks.argument_id("libraryId", library_id, IdKind.LIBRARY)
        found = await sample_files(info.context.pool, library, MOST_SAMPLED)
        return FileSample(
            paths=Texts(found.paths),
            sizes_bytes=BigInts(found.sizes_bytes),
            content_hashes=Texts(found.content_hashes),
        )

    @strawberry.field(
        description="For the extractor: the hashes among these whose image is not stored yet."
    )
    async def missing_covers(self, info: Info, sha256s: list[str]) -> list[str]:
        """Lets the extractor send each image only once."""
        missing = await covers.missing(info.context.pool, covers.hashes_of(sha256s))
        return sorted(sha256.hex() for sha256 in missing)
