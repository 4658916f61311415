"""Validates one item of `createTracks` and makes it a row of `tracks`. Pure."""

import hashlib
import json
from typing import Any, NamedTuple
from uuid import UUID

from services.api.identity import fold, sort_key, year_of
from services.api.store import checks
from services.api.store.checks import InvalidValue, Item
from services.api.store.tracks.details import Details, validate_details
from shared.contracts.credits import CONTRIBUTOR_ROLES
from shared.contracts.identity import IdKind

MOST_CREDITS = 500
MOST_GENRES = 100
_PATH_LIMIT_BYTES = 2_500  # the path is in an index, whose rows PostgreSQL limits
KINDS = frozenset(("music", "podcast", "audiobook"))
ROLES = frozenset(("artist", *CONTRIBUTOR_ROLES))

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


class Credit(NamedTuple):
    """One credited artist."""

    role: str
    position: int
    artist_id: UUID
    credited_as: str
    join_phrase: str
    instrument: str | None = None


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
    """Of all that the item says of the track: equal digests mean that nothing changed."""
    details: Details
    content_hash: bytes | None = None
    images_digest: int | None = None
    moved_from: UUID | None = None
    """The track that this file belongs to, as a client says who looked at the disk."""
    is_checked: bool = False
    """A client looked at the disk: the file belongs to no other track."""


def track_row(item: Item) -> TrackRow:
    """Validate an item and make it a row.

    Raises:
        InvalidValue: for the first invalid field.
    """
    path = check_path(checks.text(item, "path"))
    details = validate_details(item)
    columns = _columns(item, details)
    credits_ = credit_rows(item)
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
        digest=tags_digest(columns, album_id, credits_, genres, details),
        details=details,
        content_hash=checks.content_hash(item, "content_hash"),
        images_digest=checks.optional_integer(item, "images_digest"),
        moved_from=checks.optional_identifier(item, "moved_from", IdKind.TRACK),
        is_checked=checks.flag(item, "is_checked"),
    )


def _hex(value: bytes | UUID) -> str:
    """Covers as `jsonb` has bytes, ids as hex digits."""
    return f"\\x{value.hex()}" if isinstance(value, bytes) else value.hex


_DIGESTED = json.JSONEncoder(sort_keys=True, check_circular=False, default=_hex)


def tags_digest(
    columns: dict[str, Any],
    album_id: UUID | None,
    credits_: tuple[Credit, ...],
    genres: dict[str, str],
    details: Details,
) -> bytes:
    """Return the SHA-256 of all that an item says of a track, as JSON.

    Digests are stored, and a track whose digest differs was changed. So the form of the JSON must
    stay as it is: with another one, every file that is read again would look changed.
    """
    text = _DIGESTED.encode([columns, album_id, credits_, list(genres.items()), details.digested])
    return hashlib.sha256(text.encode()).digest()


def check_path(path: str) -> str:
    """The path, if it is relative to a library's root and short enough.

    Raises:
        InvalidValue: it is not.
    """
    if not path or path[0] == "/" or (".." in path and ".." in path.split("/")):
        raise InvalidValue(
            "the path must be below the library's root, without a leading slash", "path"
        )
    if len(path) > _PATH_LIMIT_BYTES // 4 and len(path.encode()) > _PATH_LIMIT_BYTES:
        raise InvalidValue(f"the path is longer than {_PATH_LIMIT_BYTES:,} bytes", "path")
    return path


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
        **{name: text_list(item, name, limit) for name, limit in LISTS.items()},
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


def text_list(item: Item, name: str, limit: int) -> list[str]:
    """A list of texts of at most `limit` characters each."""
    values = item.get(name)
    if not values:
        return []
    if len(values) > MOST_CREDITS:
        raise InvalidValue(f"more than {MOST_CREDITS} are too many", name)
    return [checks.text({name: value}, name, limit) for value in values]


def credit_rows(item: Item) -> tuple[Credit, ...]:
    """The credits of a track or an album; positions count within a role, from 0."""
    credits_ = item.get("credits") or []
    if len(credits_) > MOST_CREDITS:
        raise InvalidValue(f"more than {MOST_CREDITS} are too many", "credits")
    positions: dict[str, int] = {}
    rows: list[Credit] = []
    for credit in credits_:
        role = str(credit.get("role") or "artist").lower()
        if role not in ROLES:
            raise InvalidValue(f"{role!r} is no role", "credits")
        position = positions.get(role, 0)
        positions[role] = position + 1
        rows.append(
            Credit(
                role=role,
                position=position,
                artist_id=checks.identifier(credit, "artist_id", IdKind.ARTIST),
                credited_as=checks.text(credit, "credited_as"),
                join_phrase=checks.text(credit, "join_phrase") if "join_phrase" in credit else "",
                instrument=checks.optional_text(credit, "instrument", 1_000),
            )
        )
    return tuple(rows)


def genre_names(item: Item) -> dict[str, str]:
    """The names of a track's genres by folded name, in order."""
    names = item.get("genres") or []
    if len(names) > MOST_GENRES:
        raise InvalidValue(f"more than {MOST_GENRES} are too many", "genres")
    genres: dict[str, str] = {}
    for text in names:
        name = " ".join(checks.text({"genres": text}, "genres", 2_000).split())
        if name:
            genres.setdefault(fold(name), name)
    return genres
