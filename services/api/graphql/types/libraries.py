"""Libraries."""

from uuid import UUID

import strawberry
from strawberry import Info

from services.api.store.libraries import read
from shared.contracts.identity import IdKind, format_id


@strawberry.type(description="A root folder with music.")
class Library:
    """A root folder with music."""

    id: strawberry.ID = strawberry.field(description="Stays the same when it is moved or renamed.")
    name: str = strawberry.field(description="No other library has it.")
    root: str = strawberry.field(
        description="The folder, as the extractor sees it unless `SONIQUEBAY_MOUNTS` names another."
    )
    is_being_removed: bool = strawberry.field(
        description="A person removed it. It is listed until all that belongs to it is deleted."
    )
    key: strawberry.Private[UUID]
    counted: strawberry.Private[int | None] = None

    @strawberry.field(description="Tracks whose file is there.")
    async def track_count(self, info: Info) -> int:
        """Tracks whose file is there."""
        if self.counted is not None:
            return self.counted
        found = await info.context.loaders.libraries.load(self.key)
        return found.track_count if found else 0

    @classmethod
    def of(cls, library: read.Library) -> "Library":
        """A stored library as the gateway shows it."""
        return cls(
            id=strawberry.ID(format_id(IdKind.LIBRARY, library.id)),
            name=library.name,
            root=library.root,
            is_being_removed=library.removal_requested_at is not None,
            key=library.id,
            counted=library.track_count,
        )


@strawberry.type(description="What is known of a library, and is deleted with it.")
class LibraryContents:
    """What is known of a library."""

    files: int = strawberry.field(description="All known files, unreadable and missing ones too.")
    tracks: int = strawberry.field(description="Tracks whose file is there.")
    missing: int = strawberry.field(description="Tracks whose file is missing.")
    corrected: int = strawberry.field(description="Tracks that a person corrected.")

    @classmethod
    def of(cls, contents: read.LibraryContents) -> "LibraryContents":
        """Stored counts as the gateway shows them."""
        return cls(
            files=contents.files,
            tracks=contents.tracks,
            missing=contents.missing,
            corrected=contents.corrected,
        )
