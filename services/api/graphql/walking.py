"""What the extractor asks while it walks: which files are known, and which covers."""

import strawberry
from strawberry import Info

from services.api.graphql.arguments import page_size, uuid_of
from services.api.graphql.errors import bad_input
from services.api.graphql.scalars import BigInts, Digests, Flags, Places, Texts
from services.api.graphql.types.files import KnownFiles, KnownStretches
from services.api.store import covers
from services.api.store.files.known import known_files, known_ranges
from shared.contracts.identity import IdKind

_MOST_FILES = 50_000
_MOST_HASHES = 10_000
_FILES_EACH = 500


@strawberry.type
class WalkingQueries:
    """What the extractor asks while it walks."""

    @strawberry.field(
        description="Files of a library (below a folder) that need no reading unless they changed:"
        " those after the path `after`, up to and with `until`."
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
            first=page_size(first, _MOST_FILES),
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
        description="The same files without those that are missing, in stretches of some hundred"
        " that are told by a digest, so that only what differs is asked for file by file."
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
            first=page_size(first, _MOST_FILES // _FILES_EACH), files_each=_FILES_EACH,
        )  # fmt: skip
        return KnownStretches(
            ends=Texts(found.ends),
            counts=BigInts(found.counts),
            digests=Texts(found.digests),
            unknown_images=Places(found.unknown_images),
            end_cursor=found.end_cursor,
        )

    @strawberry.field(description="Those of the hashes whose image is not stored yet.")
    async def missing_covers(self, info: Info, sha256s: list[str]) -> list[str]:
        """For the extractor, so that an image is sent once."""
        if len(sha256s) > _MOST_HASHES:
            raise bad_input(f"sha256s: ask for at most {_MOST_HASHES:,} at a time")
        try:
            hashes = [bytes.fromhex(told) for told in sha256s]
        except ValueError:
            raise bad_input("sha256s: a hash is 64 hex digits") from None
        return sorted(each.hex() for each in await covers.missing(info.context.pool, hashes))
