"""From an item as the gateway got it to the columns of a track. Pure."""

import hashlib
import json
from typing import Any, NamedTuple
from uuid import UUID

from services.api.identity import fold, sort_key, year_of
from services.api.store import checks
from services.api.store.checks import Item, Unfit
from services.api.store.tracks.details import Details, details
from shared.contracts.credits import CONTRIBUTOR_ROLES
from shared.contracts.identity import IdKind

MOST_CREDITS = 500
MOST_GENRES = 100
SORTED = json.JSONEncoder(sort_keys=True)
_PATH_LIMIT = 2_500  # bytes: the path is in an index
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
"""Columns that are as they are told, by kind: here texts, and how long they may be."""
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
"""Up to which number they go, from 0."""
NUMBERS = (
    "tag_bpm", "replaygain_track_gain_db", "replaygain_track_peak", "replaygain_album_gain_db",
    "replaygain_album_peak",
)  # fmt: skip
NAMES = ("container", "codec")
FLAGS = ("title_is_file_name",)
LISTS = {"isrcs": 100, "moods": 1_000}
"""How long a text of theirs may be."""
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
    """A track that is fit to be stored."""

    path: str
    size_bytes: int
    mtime_ns: int
    columns: dict[str, Any]
    """Columns of `tracks` that tell what the tags say."""
    album_id: UUID | None
    credits: tuple[Credit, ...]
    genres: dict[str, str]
    """Name by folded name, in order."""
    digest: bytes
    details: Details
    content_hash: bytes | None = None
    images_digest: int | None = None
    moved_from: UUID | None = None
    """The track whose file this is now, as somebody who looked at the disk says."""
    is_checked: bool = False
    """Somebody looked: it is no other track's file."""


def track_row(item: Item) -> TrackRow:
    """Check an item of `createTracks` and make it a row; `Unfit` says what is wrong."""
    path = check_path(checks.text(item, "path"))
    more = details(item)
    columns = _columns(item, more)
    credits_ = credit_rows(item)
    genres = genre_names(item)
    album_id = checks.optional_identifier(item, "album_id", IdKind.ALBUM)
    told = [
        {**columns, **{name: columns[name] and "\\x" + columns[name].hex() for name in COVERS}},
        album_id and album_id.hex,
        [(*credit[:2], credit.artist_id.hex, *credit[3:]) for credit in credits_],
        list(genres.items()),
        more.told,
    ]
    return TrackRow(
        path=path,
        size_bytes=checks.integer(item, "size_bytes", 0, checks.BIGINT_LIMIT),
        mtime_ns=checks.integer(item, "mtime_ns", -checks.BIGINT_LIMIT, checks.BIGINT_LIMIT),
        columns=columns,
        album_id=album_id,
        credits=credits_,
        genres=genres,
        digest=hashlib.sha256(SORTED.encode(told).encode()).digest(),
        details=more,
        content_hash=checks.content_hash(item, "content_hash"),
        images_digest=checks.optional_integer(item, "images_digest"),
        moved_from=checks.optional_identifier(item, "moved_from", IdKind.TRACK),
        is_checked=checks.flag(item, "is_checked"),
    )


def check_path(path: str) -> str:
    """The path, if it is one below a library's root."""
    if not path or path[0] == "/" or (".." in path and ".." in path.split("/")):
        raise Unfit("the path must be below the library's root, without a leading slash", "path")
    if len(path) > _PATH_LIMIT // 4 and len(path.encode()) > _PATH_LIMIT:
        raise Unfit(f"the path is longer than {_PATH_LIMIT:,} bytes", "path")
    return path


def _columns(item: Item, more: Details) -> dict[str, Any]:
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
        "has_lyrics": checks.flag(item, "has_lyrics") or more.has_lyrics,
        "kind": _kind(item),
        "duration_s": checks.number(item, "duration_s", 0, 1e9),
        **{name: checks.flag(item, name) for name in FLAGS},
        **{name: texts_of(item, name, limit) for name, limit in LISTS.items()},
        **{
            name: checks.optional_integer(item, name, 0, most)
            for name, most in WHOLE_NUMBERS.items()
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
        raise Unfit(f"{kind!r} is no kind", "kind")
    return kind


def texts_of(item: Item, name: str, limit: int) -> list[str]:
    """A list of texts that are not longer than `limit`."""
    given = item.get(name)
    if not given:
        return []
    if len(given) > MOST_CREDITS:
        raise Unfit(f"more than {MOST_CREDITS} are too many", name)
    return [checks.text({name: one}, name, limit) for one in given]


def credit_rows(item: Item) -> tuple[Credit, ...]:
    """The credits of a track or an album; positions count within a role, from 0."""
    given = item.get("credits") or []
    if len(given) > MOST_CREDITS:
        raise Unfit(f"more than {MOST_CREDITS} are too many", "credits")
    positions: dict[str, int] = {}
    made: list[Credit] = []
    for credit in given:
        role = str(credit.get("role") or "artist").lower()
        if role not in ROLES:
            raise Unfit(f"{role!r} is no role", "credits")
        position = positions.get(role, 0)
        positions[role] = position + 1
        made.append(
            Credit(
                role=role,
                position=position,
                artist_id=checks.identifier(credit, "artist_id", IdKind.ARTIST),
                credited_as=checks.text(credit, "credited_as"),
                join_phrase=checks.text(credit, "join_phrase") if "join_phrase" in credit else "",
                instrument=checks.optional_text(credit, "instrument", 1_000),
            )
        )
    return tuple(made)


def genre_names(item: Item) -> dict[str, str]:
    """The names of a track's genres by folded name, in order."""
    given = item.get("genres") or []
    if len(given) > MOST_GENRES:
        raise Unfit(f"more than {MOST_GENRES} are too many", "genres")
    genres: dict[str, str] = {}
    for genre in given:
        name = " ".join(checks.text({"genres": genre}, "genres", 2_000).split())
        if name:
            genres.setdefault(fold(name), name)
    return genres
