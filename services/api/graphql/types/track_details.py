"""The parts of tracks and albums: movements, lyrics, corrections, vectors, loudness."""

import re
from datetime import datetime
from enum import Enum
from typing import Any

import strawberry

from services.api.graphql.enums import VectorSpace
from services.api.graphql.look_ahead import of_row
from services.api.graphql.scalars import BigInt
from services.api.loudness import integrated_lufs, replaygain_db

_LINE = re.compile(r"\[(\d+):(\d{2})\.(\d{3})\](.*)")


@strawberry.type
class Movement:
    """A part of a work."""

    name: str | None
    number: int | None
    total: int | None

    @classmethod
    def of(cls, row: Any) -> "Movement | None":
        """The movement of a track's row."""
        name, number, total = (row[f"movement_{part}"] for part in ("name", "number", "total"))
        if not (name or number or total):
            return None
        return cls(name=name, number=number, total=total)


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
        """The correction of a row."""
        return of_row(cls, row)


@strawberry.enum(description="How far a track is on its way.")
class TrackStage(Enum):
    """The stages, in their order."""

    EXTRACTED = "extracted"
    ANALYZED = "analyzed"
    VECTORIZED = "vectorized"
    INDEXED = "indexed"

    @classmethod
    def of(cls, row: Any) -> "TrackStage":
        """The last stage that the present content of a track's row is through."""
        content = row["content_revision"]
        if row["analyzed_content_revision"] != content:
            return cls.EXTRACTED
        if row["vectorized_content_revision"] != content:
            return cls.ANALYZED
        return cls.INDEXED if row["indexed_revision"] >= row["revision"] else cls.VECTORIZED


@strawberry.type
class ReplayGain:
    """What the tags say; what was measured is in the analysis."""

    track_gain_db: float | None
    track_peak: float | None
    album_gain_db: float | None
    album_peak: float | None

    @classmethod
    def of(cls, row: Any) -> "ReplayGain":
        """The values of a track's row."""
        names = ("track_gain_db", "track_peak", "album_gain_db", "album_peak")
        return cls(**{name: row[f"replaygain_{name}"] for name in names})


@strawberry.type
class TrackVector:
    """A track's vector in a space."""

    space: VectorSpace
    model: str
    version: str
    dimensions: int
    content_revision: int
    values: list[float]

    @classmethod
    def of(cls, row: Any) -> "TrackVector":
        """The vector of a row."""
        return cls(
            space=VectorSpace(row["space"]),
            model=row["model"],
            version=row["version"],
            dimensions=row["dimensions"],
            content_revision=row["content_revision"],
            values=[float(value) for value in row["embedding"].to_list()],
        )


@strawberry.type
class AlbumLoudness:
    """How loud the tracks of an album are together."""

    integrated_lufs: float = strawberry.field(
        description="ITU-R BS.1770-4 with both gates over all tracks, within 0.1 LU; -70: silence."
    )
    replaygain_album_gain_db: float = strawberry.field(description="ReplayGain 2.")
    true_peak_dbtp: float = strawberry.field(description="The highest of its tracks.")
    tracks: int = strawberry.field(description="How many tracks are analysed so far.")

    @classmethod
    def of(cls, row: Any) -> "AlbumLoudness | None":
        """The loudness of an album's row; None until a track of it is analysed."""
        if row is None or not row["histograms"]:
            return None
        lufs = integrated_lufs(row["histograms"], row["means_lufs"])
        return cls(
            integrated_lufs=lufs,
            replaygain_album_gain_db=replaygain_db(lufs),
            true_peak_dbtp=row["true_peak_dbtp"],
            tracks=row["analyzed"],
        )
