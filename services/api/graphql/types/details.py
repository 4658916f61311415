"""What few tracks have: movements, lyrics, what other programs noted."""

import re
from typing import Any

import strawberry

from services.api.graphql.scalars import BigInt

_LINE = re.compile(r"\[(\d+):(\d{2})\.(\d{3})\](.*)")


@strawberry.type
class Movement:
    """A part of a work."""

    name: str | None
    number: int | None
    total: int | None


@strawberry.type
class LyricLine:
    """A line, and when it is sung."""

    time_ms: int
    words: str


@strawberry.type
class Lyrics:
    """The words of a track."""

    text: str = strawberry.field(description="Without times.")
    lrc: str | None = strawberry.field(description="With times, as an LRC file has them.")
    lines: list[LyricLine] = strawberry.field(description="With times; empty without them.")
    is_sidecar: bool = strawberry.field(description="They lie in a file of their own.")

    @classmethod
    def of(cls, row: Any) -> "Lyrics":
        """Stored lyrics as the gateway shows them."""
        found = map(_LINE.fullmatch, (row["synced"] or "").splitlines())
        lines = [
            LyricLine(
                time_ms=int(line[1]) * 60_000 + int(line[2]) * 1_000 + int(line[3]), words=line[4]
            )
            for line in found
            if line
        ]
        text = row["plain"] or "\n".join(line.words for line in lines)
        return cls(text=text, lrc=row["synced"], lines=lines, is_sidecar=row["is_sidecar"])


@strawberry.type(description="What another program noted in the file; not what the user says here.")
class ImportedFact:
    """A rating, a play count, and whose they are."""

    source: str
    rating: int | None = strawberry.field(description="0 to 100.")
    play_count: BigInt | None

    @classmethod
    def of(cls, row: Any) -> "ImportedFact":
        """A stored fact as the gateway shows it."""
        count = row["play_count"]
        return cls(
            source=row["source"],
            rating=row["rating"],
            play_count=None if count is None else BigInt(count),
        )
