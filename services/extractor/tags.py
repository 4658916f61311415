"""What is read from a music file: one record, the same for all containers. Pure."""

from dataclasses import dataclass

RawTags = dict[str, list[str]]
"""A file's tags by MusicBrainz Picard's internal names, values as they are written there.

Source of the names: https://picard-docs.musicbrainz.org/en/appendices/tag_mapping.html
"""


@dataclass(frozen=True, slots=True)
class CreditedName:
    """An artist as credited, and what is written between this one and the next."""

    name: str
    join_phrase: str = ""
    musicbrainz_id: str | None = None
    sort_name: str | None = None


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


@dataclass(frozen=True, slots=True)
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
class Release:
    """What the tags say of the album. `title` is '' where the file belongs to none."""

    title: str = ""
    artists: tuple[CreditedName, ...] = ()
    artist_credit: str = ""
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


@dataclass(frozen=True, slots=True)
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
    has_lyrics: bool = False
    musicbrainz_recording_id: str | None = None
    musicbrainz_track_id: str | None = None
