"""The record of what a music file says, the same for all containers. Pure.

The records that readers send to the main process are named tuples: these are made, hashed and
unpickled in C. (pickle writes dataclasses with slots field by field, in Python.)
"""

from dataclasses import dataclass, field
from typing import NamedTuple

from shared.gateway.inputs import ImportedFactInput


@dataclass(frozen=True, slots=True)
class Lyrics:
    """The lyrics of a track: plain, synced, or both.

    Attributes:
        plain: without times.
        synced: as LRC: one stamp a line, "[mm:ss.mmm]text", in the order of time.
        is_sidecar: they come from a file of their own.
    """

    plain: str | None = None
    synced: str | None = None
    is_sidecar: bool = False


class CreditedName(NamedTuple):
    """A name of an artist credit, and the join phrase between it and the next."""

    name: str
    join_phrase: str = ""
    musicbrainz_id: str | None = None
    sort_name: str | None = None


class Contributor(NamedTuple):
    """Someone who took part besides the credited artists; a performer's instrument or voice."""

    role: str
    """composer, lyricist, writer, conductor, performer, arranger, remixer, producer, engineer,
    mixer, djmixer or director."""
    name: CreditedName
    instrument: str | None = None


@dataclass(frozen=True, slots=True)
class Numbered:
    """A position such as track 3 of 12."""

    number: int | None = None
    total: int | None = None


@dataclass(frozen=True, slots=True)
class ReplayGain:
    """Gains in dB for a reference of -18 LUFS; peaks with full scale at 1."""

    track_gain_db: float | None = None
    track_peak: float | None = None
    album_gain_db: float | None = None
    album_peak: float | None = None


@dataclass(slots=True)  # not frozen, as `Tags`
class AudioProperties:
    """The audio properties by the file's own headers; `duration_s` is 0 where they have none."""

    container: str
    codec: str
    duration_s: float
    bitrate_bps: int | None = None
    sample_rate_hz: int | None = None
    channels: int | None = None
    bit_depth: int | None = None


@dataclass(frozen=True, slots=True)
class Picture:
    """An embedded image. `kind` is ID3's picture type: 3 is the front."""

    kind: int
    content: bytes


class Chapter(NamedTuple):
    """A chapter: a title, and its range in seconds."""

    title: str
    start_s: float
    end_s: float


@dataclass(frozen=True, slots=True)
class Movement:
    """A part of a work."""

    name: str | None = None
    number: int | None = None
    total: int | None = None


class Release(NamedTuple):
    """The album as the tags describe it. `title` is '' where the file belongs to none.

    The `repr` of a release is digested into the claims that the database holds (`claim_of`): the
    names and the order of these fields, and those of `CreditedName`, cannot change.
    """

    title: str = ""
    sort_title: str | None = None
    artists: tuple[CreditedName, ...] = ()
    artist_credit: str = ""
    is_artist_told: bool = True
    """Whether the album's artist is tagged; else it is guessed from the track's, or from a flag."""
    is_compilation: bool = False
    date: str | None = None
    original_date: str | None = None
    release_type: str | None = None
    label: str | None = None
    catalogue_number: str | None = None
    barcode: str | None = None
    country: str | None = None
    media: str | None = None
    musicbrainz_release_id: str | None = None
    musicbrainz_release_group_id: str | None = None


NO_RELEASE = Release()


@dataclass(slots=True)  # not frozen: making one would take three times as long
class Tags:
    """All fields of a file. Texts are clean and of limited length."""

    title: str
    title_is_file_name: bool
    audio: AudioProperties
    sort_title: str | None = None
    artists: tuple[CreditedName, ...] = ()
    artist_credit: str = ""
    contributors: tuple[Contributor, ...] = ()
    """In the order of their roles; a performer comes once for each instrument."""
    release: Release = NO_RELEASE
    genres: tuple[str, ...] = ()
    track: Numbered = Numbered()
    disc: Numbered = Numbered()
    disc_subtitle: str | None = None
    replaygain: ReplayGain = ReplayGain()
    isrcs: tuple[str, ...] = ()
    bpm: float | None = None
    release_date: str | None = None
    """YYYY, YYYY-MM or YYYY-MM-DD."""
    original_date: str | None = None
    comment: str | None = None
    language: str | None = None
    kind: str = "music"
    """music, podcast or audiobook."""
    work: str | None = None
    movement: Movement = Movement()
    moods: tuple[str, ...] = ()
    grouping: str | None = None
    copyright: str | None = None
    key: str | None = None
    """As tagged."""
    lyrics: Lyrics | None = None
    imported: tuple[ImportedFactInput, ...] = ()
    chapters: tuple[Chapter, ...] = ()
    others: dict[str, list[str]] = field(default_factory=dict)
    """The tags without a field, by internal name."""
    musicbrainz_recording_id: str | None = None
    musicbrainz_track_id: str | None = None
