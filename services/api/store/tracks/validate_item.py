"""Validates one item of `createTracks` and makes it a row of `tracks`. Pure."""

from typing import Any, NamedTuple
from uuid import UUID

from services.api.identity import fold, sort_key, tags_digest, year_of
from services.api.store import checks
from services.api.store.checks import Credit, InvalidValue, Item
from services.api.store.genres import genre_names
from services.api.store.tracks.details import Details, validate_details
from services.api.store.tracks.parts import WHOLE, FileKey, FilePart, validate_part
from shared.contracts.identity import IdKind

KINDS = frozenset(("music", "podcast", "audiobook"))

TEXTS = {
    **dict.fromkeys(
        ("disc_subtitle", "language", "work", "movement_name", "grouping", "copyright"),
        checks.TEXT_LIMIT,
    ),
    "album_claim": 64, "release_date": 100, "original_date": 100, "tag_key": 100,
    "cover_problem": 1_000, "comment": 100_000,
}  # fmt: skip
"""Columns that keep the item's value, by type. Here texts, with their maximum length."""
WHOLE_NUMBERS = {
    **dict.fromkeys(
        (
            "track_number", "track_total", "disc_number", "disc_total", "movement_number",
            "movement_total", "bitrate_bps", "sample_rate_hz",
        ),
        checks.INT_LIMIT,
    ),
    "channels": checks.SMALLINT_LIMIT, "bit_depth": checks.SMALLINT_LIMIT,
}  # fmt: skip
"""Whole numbers from 0, with their maximum."""
NUMBERS = (
    "tag_bpm", "replaygain_track_gain_db", "replaygain_track_peak", "replaygain_album_gain_db",
    "replaygain_album_peak",
)  # fmt: skip
NAMES = ("container", "codec")
FLAGS = ("title_is_file_name",)
LISTS = {"isrcs": 100, "moods": 1_000}
"""Lists of texts, with the maximum length of one text."""
MUSICBRAINZ_IDS = ("musicbrainz_recording_id", "musicbrainz_track_id")
COVERS = ("cover_sha256", "folder_cover_sha256")
COLUMN_NAMES = tuple(
    sorted(
        (
            *TEXTS, *WHOLE_NUMBERS, *NUMBERS, *NAMES, *FLAGS, *LISTS, *MUSICBRAINZ_IDS, *COVERS,
            "title", "sort_key", "artist_credit", "artist_key", "year", "has_lyrics", "kind",
            "duration_s",
        )
    )
)  # fmt: skip


class TrackRow(NamedTuple):
    """A validated track."""

    path: str
    size_bytes: int
    mtime_ns: int
    columns: dict[str, Any]
    """The columns of `tracks` that come from the tags."""
    album_id: UUID | None
    credits: tuple[Credit, ...]
    genres: dict[str, str]
    """Names by folded name, in order."""
    digest: bytes
    """Of all that the tags say of the track: it is the same if they are."""
    details: Details
    content_hash: bytes | None = None
    images_digest: int | None = None
    moved_from: UUID | None = None
    """The track that this file belongs to, as a client says who looked at the disk."""
    is_checked: bool = False
    """A client looked at the disk: the file belongs to no other track."""
    part: FilePart = WHOLE

    @property
    def key(self) -> FileKey:
        """What its row of `files` is found by."""
        return self.path, self.part.number


def track_row(item: Item) -> TrackRow:
    """Validate an item and make it a row.

    Raises:
        InvalidValue: for the first invalid field.
    """
    path = checks.below_root(checks.text(item, "path"))
    details = validate_details(item)
    columns = _columns(item, details)
    credits_ = checks.credits_of(item)
    genres = genre_names(item)
    album_id = checks.optional_identifier(item, "album_id", IdKind.ALBUM)
    return TrackRow(
        path=path,
        size_bytes=checks.integer(item, "size_bytes", 0, checks.BIGINT_LIMIT),
        mtime_ns=checks.integer(item, "mtime_ns", -checks.BIGINT_LIMIT, checks.BIGINT_LIMIT),
        columns=columns,
        album_id=album_id,
        credits=credits_,
        genres=genres,
        digest=tags_digest(columns, credits_, genres, details.digested),
        details=details,
        content_hash=checks.content_hash(item, "content_hash"),
        images_digest=checks.optional_integer(item, "images_digest"),
        moved_from=checks.optional_identifier(item, "moved_from", IdKind.TRACK),
        is_checked=checks.flag(item, "is_checked"),
        part=validate_part(item),
    )


def _columns(item: Item, details: Details) -> dict[str, Any]:
    title = checks.text(item, "title")
    artist = checks.text(item, "artist_credit")
    texts = {name: checks.optional_text(item, name, limit) for name, limit in TEXTS.items()}
    return {
        **texts,
        "title": title,
        "sort_key": sort_key(title, checks.optional_text(item, "sort_title")),
        "artist_credit": artist,
        "artist_key": fold(artist),
        "year": year_of(texts["release_date"]),
        "has_lyrics": checks.flag(item, "has_lyrics") or details.has_lyrics,
        "kind": _kind(item),
        "duration_s": checks.number(item, "duration_s", 0, 1e9),
        **{name: checks.flag(item, name) for name in FLAGS},
        **{name: checks.texts(item, name, limit) for name, limit in LISTS.items()},
        **{
            name: checks.optional_integer(item, name, 0, limit)
            for name, limit in WHOLE_NUMBERS.items()
        },
        **{name: checks.optional_number(item, name) for name in NUMBERS},
        **{name: checks.name_text(item, name) for name in NAMES},
        **{
            name: (uuid := checks.musicbrainz_id(item, name)) and str(uuid)
            for name in MUSICBRAINZ_IDS
        },
        **{name: checks.sha256(item, name) for name in COVERS},
    }


def _kind(item: Item) -> str:
    kind = str(item.get("kind") or "music")
    if kind not in KINDS:
        raise InvalidValue(f"{kind!r} is no kind", "kind")
    return kind
