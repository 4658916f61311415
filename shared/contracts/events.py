"""The events, one model each. They are small facts; state is read from the gateway.

A model's `topic` is the topic it is published to, `key` the record's key (events of one key are
handled in the order in which they were emitted), `version` that of its schema. Fields are only ever
added, with a default; any other change is a new version.
"""

import hashlib
from enum import StrEnum
from typing import Annotated, ClassVar, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from shared.contracts.topics import Topic

TrackId = Annotated[str, Field(pattern=r"^trk_[0-9a-f]{32}$")]
LibraryId = Annotated[str, Field(pattern=r"^lib_[0-9a-f]{32}$")]
ScanId = Annotated[str, Field(pattern=r"^scn_[0-9a-f]{32}$")]
FilePath = Annotated[
    str,
    Field(min_length=1, max_length=8192, pattern=r"^[^\x00]+$"),
    Field(description="Below the library's root, `/` between folders, no leading slash."),
]


_INT64_MAX = 2**63 - 1  # the largest number of PostgreSQL's bigint


class Event(BaseModel):
    """Base of all events: immutable; unknown fields are ignored."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    topic: ClassVar[Topic]
    version: ClassVar[int] = 1

    @property
    def key(self) -> str:
        """The key of the record: events of one key are handled in order."""
        raise NotImplementedError

    @property
    def event_id(self) -> str:
        """A digest of the event: a repeated event has the same id and is recognised."""
        return self.id_of(self.model_dump_json())

    @classmethod
    def id_of(cls, value: str) -> str:
        """The id of the event of this type whose JSON is `value`."""
        whole = f"{cls.topic.value}.v{cls.version}:{value}"
        return hashlib.sha256(whole.encode()).hexdigest()[:32]


class ScanMode(StrEnum):
    """What a scan reads: files that changed since the last one, or all files again."""

    INCREMENTAL = "incremental"
    FULL = "full"


class ScanRequested(Event):
    """A request to scan a library, named by name or root; a new root becomes a new library."""

    topic: ClassVar[Topic] = Topic.SCAN_REQUESTED

    library: str | None = Field(None, max_length=200, description="Name of a known library.")
    root: str | None = Field(None, max_length=8192, description="Absolute path of its folder.")
    folder: str = Field("", max_length=8192, description="Only this folder below the root.")
    mode: ScanMode = ScanMode.INCREMENTAL
    accept_missing: bool = Field(
        False,
        description="Confirms that files which the scan does not find are gone, however many.",
    )
    scan_id: ScanId | None = Field(None, description="Set by the gateway; leave it out.")

    @model_validator(mode="after")
    def _names_something(self) -> Self:
        if not self.library and not self.root:
            raise ValueError("name a `library` or the `root` folder of one")
        return self

    @property
    def key(self) -> str:
        """The library, by name or root."""
        return self.library or self.root or ""


class FileFound(Event):
    """A file that is new or changed since it was last read."""

    topic: ClassVar[Topic] = Topic.FILE_FOUND

    library_id: LibraryId
    scan_id: ScanId
    path: FilePath
    size_bytes: int = Field(ge=0, le=_INT64_MAX)
    mtime_ns: int = Field(ge=-_INT64_MAX, le=_INT64_MAX)

    @property
    def key(self) -> str:
        """The path."""
        return self.path


class FileMissing(Event):
    """A known file that is no longer where it was."""

    topic: ClassVar[Topic] = Topic.FILE_MISSING

    library_id: LibraryId
    scan_id: ScanId
    path: FilePath

    @property
    def key(self) -> str:
        """The path."""
        return self.path


class TrackEvent(Event):
    """What the events about one track share."""

    track_id: TrackId

    @property
    def key(self) -> str:
        """The track."""
        return self.track_id


class TrackChange(StrEnum):
    """What happened to a track when its file was read, or looked for."""

    CREATED = "created"
    UPDATED = "updated"
    RETURNED = "returned"
    MISSING = "missing"
    REMOVED = "removed"


class TrackExtracted(TrackEvent):
    """A track's tags are stored; with `missing`, its file is gone and it is kept.

    With `removed` a person removed it, or its library: the gateway no longer knows it.
    """

    topic: ClassVar[Topic] = Topic.TRACK_EXTRACTED

    change: TrackChange
    content_revision: int = Field(ge=1, description="Counts the contents its file has had.")
    revision: int = Field(ge=1, description="Counts all changes of the track.")


class AudioAnalyzed(TrackEvent):
    """A track's analysis is stored."""

    topic: ClassVar[Topic] = Topic.AUDIO_ANALYZED

    analyzer_version: str
    content_revision: int = Field(ge=1)
    revision: int = Field(ge=1)


class TrackVectorized(TrackEvent):
    """A track's vectors are stored, in every current space."""

    topic: ClassVar[Topic] = Topic.TRACK_VECTORIZED

    content_revision: int = Field(ge=1)
    revision: int = Field(ge=1)


class TrackIndexed(TrackEvent):
    """A track is in the search index as of `revision`."""

    topic: ClassVar[Topic] = Topic.TRACK_INDEXED

    revision: int = Field(ge=1)


EVENTS: tuple[type[Event], ...] = (
    ScanRequested,
    FileFound,
    FileMissing,
    TrackExtracted,
    AudioAnalyzed,
    TrackVectorized,
    TrackIndexed,
)
EVENT_OF_TOPIC: dict[Topic, type[Event]] = {event.topic: event for event in EVENTS}
