"""Libraries."""

from uuid import UUID

import strawberry
from strawberry import Info

from services.api.store import libraries
from shared.contracts.identity import IdKind, format_id


@strawberry.type
class Library:
    """A root folder with music."""

    id: strawberry.ID
    name: str
    root: str
    key: strawberry.Private[UUID]
    counted: strawberry.Private[int | None] = None

    @strawberry.field
    async def track_count(self, info: Info) -> int:
        """Tracks whose file is there."""
        if self.counted is not None:
            return self.counted
        found = await info.context.loaders.libraries.load(self.key)
        return found.track_count if found else 0

    @classmethod
    def of(cls, library: libraries.Library) -> "Library":
        """A stored library as the gateway shows it."""
        return cls(
            id=strawberry.ID(format_id(IdKind.LIBRARY, library.id)),
            name=library.name,
            root=library.root,
            key=library.id,
            counted=library.track_count,
        )
