"""Libraries."""

import strawberry

from services.api.store import libraries
from shared.contracts.identity import IdKind, format_id


@strawberry.type
class Library:
    """A root folder with music."""

    id: strawberry.ID
    name: str
    root: str
    track_count: int

    @classmethod
    def of(cls, library: libraries.Library) -> "Library":
        """A stored library as the gateway shows it."""
        return cls(
            id=strawberry.ID(format_id(IdKind.LIBRARY, library.id)),
            name=library.name,
            root=library.root,
            track_count=library.track_count,
        )
