"""Genres."""

from operator import attrgetter
from typing import Any
from uuid import UUID

import strawberry

from services.api.graphql.look_ahead import loaded, of_row
from services.api.graphql.types.relay import Node
from shared.contracts.identity import IdKind, format_id


@strawberry.type
class Genre(Node):
    """A genre, by name."""

    key: strawberry.Private[UUID]
    name: str
    track_count: int = loaded(
        lambda loaders: loaders.genre_track_counts,
        attrgetter("key"),
        lambda _, count: count,
        description="Tracks of this genre.",
    )

    @classmethod
    def of(cls, row: Any) -> "Genre":
        """The genre of a row."""
        return of_row(cls, row, id=format_id(IdKind.GENRE, row["id"]), key=row["id"])
