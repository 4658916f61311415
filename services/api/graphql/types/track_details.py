"""The parts of tracks and albums: movements, lyrics, corrections, vectors, loudness."""

import re
from datetime import datetime
from enum import Enum
from typing import Any

import strawberry

from services.api.graphql.enums import VectorSpace
from services.api.graphql.look_ahead import long_list, of_row
from services.api.loudness import integrated_lufs, replaygain_db
from shared.contracts.keys import camelot, parse_key

_DIMENSIONS = 250  # of the usual models: 200 of the audio, 256 of the text
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
class FilePart:
    """A part of a file, by a cue sheet."""

    number: int = strawberry.field(description="The place among the tracks in the file, from 1.")
    start_s: float
    end_s: float | None = strawberry.field(description="Null at the file's end.")
    cue_sheet: str = strawberry.field(
        description="The cue sheet's file; `embedded` if it is in the music file."
    )

    @classmethod
    def of(cls, row: Any) -> "FilePart | None":
        """The part of a track's row; None of a whole file."""
        if not row["part"]:
            return None
        number, start_s, end_s = row["part"], row["start_s"], row["end_s"]
        return cls(number=number, start_s=start_s, end_s=end_s, cue_sheet=row["cue_sheet"])


@strawberry.type
class Chapter:
    """A chapter of a track."""

    title: str
    start_s: float
    end_s: float

    @classmethod
    def of(cls, row: Any) -> "Chapter":
        """The chapter of a row."""
        return of_row(cls, row)


@strawberry.type
class TaggedKey:
    """A key that the tags name, as analyses spell keys."""

    key: str = strawberry.field(description="The tonic, with sharps only.")
    mode: str = strawberry.field(description="`major` or `minor`.")
    camelot: str = strawberry.field(description="Its place on the Camelot wheel.")

    @classmethod
    def of(cls, row: Any) -> "TaggedKey | None":
        """The key of a track's row."""
        found = parse_key(row["tag_key"]) if row["tag_key"] else None
        return found and cls(key=found[0], mode=found[1], camelot=camelot(*found))


@strawberry.type
class LyricLine:
    """A line, and when it is sung."""

    time_ms: int
    words: str


@strawberry.type
class Lyrics:
    """The words of a track."""

    text: str = strawberry.field(description="The lyrics without times.")
    lrc: str | None = strawberry.field(
        description="The lyrics with times, in the LRC format; null without times."
    )
    lines: list[LyricLine] = strawberry.field(
        description="The lines with their times; empty without times."
    )
    is_sidecar: bool = strawberry.field(
        description="Whether they come from a file beside the music file."
    )

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


@strawberry.type(
    description="A person's corrections. A field that is null is not corrected. Measured values"
    " are in `analysis`; `tagGenres` and `tagMoods` are what the tags have."
)
class Correction:
    """A correction: it overrides analyses and tags, and survives new ones."""

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


@strawberry.enum(description="The last stage that a track has passed.")
class TrackStage(Enum):
    """The stages of a track, in their order."""

    EXTRACTED = "extracted"
    ANALYZED = "analyzed"
    VECTORIZED = "vectorized"
    INDEXED = "indexed"

    @classmethod
    def of(cls, row: Any) -> "TrackStage":
        """The last stage that the current content of a track has passed, from its row."""
        content = row["content_revision"]
        if row["analyzed_content_revision"] != content:
            return cls.EXTRACTED
        if row["vectorized_content_revision"] != content:
            return cls.ANALYZED
        return cls.INDEXED if row["indexed_revision"] >= row["revision"] else cls.VECTORIZED


@strawberry.type
class ReplayGain:
    """ReplayGain as tagged."""

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
    values: list[float] = long_list(_DIMENSIONS)

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
        description="ITU-R BS.1770-4 over all tracks, accurate to 0.1 LU; -70: silence."
    )
    replaygain_album_gain_db: float = strawberry.field(
        description="ReplayGain 2.0: the gain to -18 LUFS."
    )
    true_peak_dbtp: float = strawberry.field(description="The highest true peak of its tracks.")
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
