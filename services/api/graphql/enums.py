"""The enumerations of the schema."""

from enum import Enum

import strawberry

from shared.contracts.upserts import ErrorCode, UpsertStatus


@strawberry.enum
class CreditRole(Enum):
    """The role of a credited artist."""

    ARTIST = "artist"
    COMPOSER = "composer"
    LYRICIST = "lyricist"
    CONDUCTOR = "conductor"
    REMIXER = "remixer"
    PRODUCER = "producer"
    PERFORMER = "performer"
    ARRANGER = "arranger"
    WRITER = "writer"
    ENGINEER = "engineer"
    MIXER = "mixer"
    DJMIXER = "djmixer"
    DIRECTOR = "director"


@strawberry.enum
class TrackKind(Enum):
    """What a recording is."""

    MUSIC = "music"
    PODCAST = "podcast"
    AUDIOBOOK = "audiobook"


@strawberry.enum(
    description="What limits the bandwidth. RESAMPLED: it was made at a lower rate. LOSSY: a lossy"
    " codec cut it off, even if the file is in a lossless format now."
)
class BandwidthKind(Enum):
    """The values of `bandwidth_kind` of the analysis."""

    NATURAL = "natural"
    RESAMPLED = "resampled"
    LOSSY = "lossy"


@strawberry.enum(
    description="What a cue is. LOAD: where the program starts to play. MEMORY_CUE: one without a"
    " button."
)
class CueKind(Enum):
    """The kinds of cues that DJ software has."""

    CUE = "cue"
    MEMORY_CUE = "memory_cue"
    LOOP = "loop"
    FADE_IN = "fade_in"
    FADE_OUT = "fade_out"
    LOAD = "load"


@strawberry.enum
class VectorSpace(Enum):
    """What a vector describes."""

    AUDIO = "audio"
    TEXT = "text"


@strawberry.enum
class ScanMode(Enum):
    """What a scan reads."""

    INCREMENTAL = "incremental"
    FULL = "full"


@strawberry.enum
class ScanState(Enum):
    """How far a scan is. HELD: it ended, but a person must confirm that files are gone."""

    REQUESTED = "requested"
    WALKING = "walking"
    READING = "reading"
    FINISHED = "finished"
    HELD = "held"
    REFUSED = "refused"


@strawberry.enum
class FailureKind(Enum):
    """Why something failed."""

    INVALID = "invalid"
    TRANSIENT = "transient"
    DEPENDENCY = "dependency"
    BUG = "bug"


# The contracts' own enumerations, under the schema's names.
strawberry.enum(UpsertStatus, name="UpsertStatus")
strawberry.enum(ErrorCode, name="UserErrorCode")
