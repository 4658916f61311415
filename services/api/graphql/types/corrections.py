"""What a person says of a track."""

from datetime import datetime
from typing import Any

import strawberry

_FIELDS = (
    "tempo_bpm", "key", "mode", "camelot", "genres", "moods", "tag_genres", "tag_moods",
    "corrected_at",
)  # fmt: skip


@strawberry.type(
    description="What is null is not corrected. What was measured is in the analysis, and what the"
    " tags say of corrected genres and moods here."
)
class Correction:
    """A correction: it wins over analyses and tags, and outlasts them."""

    tempo_bpm: float | None
    key: str | None
    mode: str | None
    camelot: str | None
    genres: list[str] | None
    moods: list[str] | None
    tag_genres: list[str] | None
    tag_moods: list[str] | None
    corrected_at: datetime

    @classmethod
    def of(cls, row: Any) -> "Correction":
        """A stored correction as the gateway shows it."""
        return cls(**{name: row[name] for name in _FIELDS})
