"""What is read from a music file: one record, the same for all containers. Pure."""

from dataclasses import dataclass, field, fields
from operator import attrgetter
from typing import TypeVar

T = TypeVar("T")


def light(cls: type[T]) -> type[T]:
    """Make a dataclass with slots cheap to send between processes.

    What dataclasses do themselves looks up the fields anew for each object: three times the cost.
    """
    names = [field.name for field in fields(cls)]  # type: ignore[arg-type] # it is a dataclass
    read = attrgetter(*names)
    writers = [getattr(cls, name).__set__ for name in names]

    def get_state(self: T) -> tuple[object, ...]:
        told: tuple[object, ...] = read(self)
        return told

    def set_state(self: T, state: tuple[object, ...]) -> None:
        for write, value in zip(writers, state, strict=True):
            write(self, value)

    cls.__getstate__ = get_state  # type: ignore[assignment,method-assign] # pickle's protocol
    cls.__setstate__ = set_state  # type: ignore[attr-defined] # as above
    return cls


RawTags = dict[str, list[str]]
"""A file's tags by MusicBrainz Picard's internal names, values as they are written there.

Source of the names: https://picard-docs.musicbrainz.org/en/appendices/tag_mapping.html
"""


@dataclass(frozen=True, slots=True)
class Lyrics:
    """The words of a track; at least one of both texts is there.

    Attributes:
        plain: without times.
        synced: as LRC: a line a stamp, "[mm:ss.mmm]text", in the order of time.
        is_sidecar: they lie in a file of their own.
    """

    plain: str | None = None
    synced: str | None = None
    is_sidecar: bool = False


@light
@dataclass(frozen=True, slots=True)
class CreditedName:
    """An artist as credited, and what is written between this one and the next."""

    name: str
    join_phrase: str = ""
    musicbrainz_id: str | None = None
    sort_name: str | None = None


@light
@dataclass(frozen=True, slots=True)
class Contributor:
    """Someone beside the credited artists, and a performer's instrument or voice."""

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


@dataclass(slots=True)  # as below
class AudioProperties:
    """What the file says of its sound. `duration_s` is 0 where it does not say."""

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


@dataclass(frozen=True, slots=True)
class Movement:
    """A part of a work."""

    name: str | None = None
    number: int | None = None
    total: int | None = None


@dataclass(frozen=True, slots=True)
class ImportedFact:
    """What another program noted about a file: not what our user says.

    Attributes:
        source: an address or a program's name; "tags" where none is told.
        rating: 0 to 100.
        play_count: how often it was played.
    """

    source: str
    rating: int | None = None
    play_count: int | None = None


@light
@dataclass(frozen=True, slots=True)
class Release:
    """What the tags say of the album. `title` is '' where the file belongs to none."""

    title: str = ""
    sort_title: str | None = None
    artists: tuple[CreditedName, ...] = ()
    artist_credit: str = ""
    is_artist_told: bool = True
    """Whether the album's artist is tagged, or guessed from the track's."""
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

    def __hash__(self) -> int:
        """By what tells most of them apart: all of it takes ten times as long."""
        return hash((self.title, self.artist_credit, self.date, self.musicbrainz_release_id))


@dataclass(slots=True)  # frozen, making one takes three times as long
class Tags:
    """Everything that the extractor tells of a file. Texts are clean and of bounded length."""

    title: str
    title_is_file_name: bool
    audio: AudioProperties
    sort_title: str | None = None
    artists: tuple[CreditedName, ...] = ()
    artist_credit: str = ""
    contributors: tuple[Contributor, ...] = ()
    """In the order of their roles; a performer once an instrument."""
    release: Release = Release()
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
    """As it is tagged."""
    lyrics: Lyrics | None = None
    imported: tuple[ImportedFact, ...] = ()
    others: dict[str, list[str]] = field(default_factory=dict)
    """Tags that have no field, by name."""
    musicbrainz_recording_id: str | None = None
    musicbrainz_track_id: str | None = None
