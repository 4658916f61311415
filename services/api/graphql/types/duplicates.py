"""Copies."""

import strawberry

from services.api.graphql.types.tracks import Track


@strawberry.type
class Duplicates:
    """Tracks whose files hold the same sound."""

    tracks: list[Track]
