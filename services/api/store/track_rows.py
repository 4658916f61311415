"""From an item as the gateway got it to the columns of a track. Pure."""

import hashlib
import json
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from services.api.identity import fold, sort_key, year_of
from services.api.store import checks
from services.api.store.checks import Item, Unfit
from services.api.store.track_details import Details, details
from shared.contracts.identity import IdKind

MOST_CREDITS = 500
MOST_GENRES = 100
_SORTED = json.JSONEncoder(sort_keys=True)
_PATH_LIMIT = 2_500  # bytes: the path is in an index
_KINDS = frozenset(("music", "podcast", "audiobook"))
_ROLES = frozenset(
    (
        "artist", "composer", "lyricist", "writer", "conductor", "performer", "arranger",
        "remixer", "producer", "engineer", "mixer", "djmixer", "director",
    )
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Credit:
    """One credited artist."""

    role: str
    position: int
    artist_id: UUID
    credited_as: str
    join_phrase: str
    instrument: str | None = None


@dataclass(frozen=True, slots=True)
class TrackRow:
    """A track that is fit to be stored."""

    path: str
    size_bytes: int
    mtime_ns: int
    columns: dict[str, Any]
    """Columns of `tracks` that tell what the tags say, as JSON values."""
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
    path = _path(item)
    more = details(item)
    columns = _columns(item, more)
    credits_ = credit_rows(item)
    genres = _genres(item)
    album_id = checks.optional_identifier(item, "album_id", IdKind.ALBUM)
    told = [
        columns,
        album_id and album_id.hex,
        [
            (c.role, c.position, c.artist_id.hex, c.credited_as, c.join_phrase, c.instrument)
            for c in credits_
        ],
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
        digest=hashlib.sha256(_SORTED.encode(told).encode()).digest(),
        details=more,
        content_hash=checks.content_hash(item, "content_hash"),
        images_digest=checks.optional_integer(item, "images_digest"),
        moved_from=checks.optional_identifier(item, "moved_from", IdKind.TRACK),
        is_checked=checks.flag(item, "is_checked"),
    )


def _path(item: Item) -> str:
    path = checks.text(item, "path")
    if not path or path.startswith("/") or ".." in path.split("/"):
        raise Unfit("the path must be below the library's root, without a leading slash", "path")
    if len(path.encode()) > _PATH_LIMIT:
        raise Unfit(f"the path is longer than {_PATH_LIMIT:,} bytes", "path")
    return path


def _columns(item: Item, more: Details) -> dict[str, Any]:
    title = checks.text(item, "title")
    artist = checks.text(item, "artist_credit")
    date = checks.optional_text(item, "release_date", 100)
    small = checks.SMALLINT_LIMIT
    return {
        "title": title,
        "album_claim": checks.optional_text(item, "album_claim", 64),
        "title_is_file_name": checks.flag(item, "title_is_file_name"),
        "sort_key": sort_key(title, checks.optional_text(item, "sort_title")),
        "artist_credit": artist,
        "artist_key": fold(artist),
        "track_number": checks.optional_integer(item, "track_number"),
        "track_total": checks.optional_integer(item, "track_total"),
        "disc_number": checks.optional_integer(item, "disc_number"),
        "disc_total": checks.optional_integer(item, "disc_total"),
        "disc_subtitle": checks.optional_text(item, "disc_subtitle"),
        "release_date": date,
        "year": year_of(date),
        "original_date": checks.optional_text(item, "original_date", 100),
        "isrcs": _texts(item, "isrcs", 100),
        "tag_bpm": checks.optional_number(item, "tag_bpm"),
        "comment": checks.optional_text(item, "comment", 100_000),
        "language": checks.optional_text(item, "language"),
        "has_lyrics": checks.flag(item, "has_lyrics") or more.has_lyrics,
        "kind": _kind(item),
        "work": checks.optional_text(item, "work"),
        "movement_name": checks.optional_text(item, "movement_name"),
        "movement_number": checks.optional_integer(item, "movement_number"),
        "movement_total": checks.optional_integer(item, "movement_total"),
        "moods": _texts(item, "moods", 1_000),
        "grouping": checks.optional_text(item, "grouping"),
        "copyright": checks.optional_text(item, "copyright"),
        "tag_key": checks.optional_text(item, "tag_key", 100),
        **{
            name: (uuid := checks.musicbrainz_id(item, name)) and str(uuid)
            for name in ("musicbrainz_recording_id", "musicbrainz_track_id")
        },
        **{
            name: checks.optional_number(item, name)
            for name in (
                "replaygain_track_gain_db",
                "replaygain_track_peak",
                "replaygain_album_gain_db",
                "replaygain_album_peak",
            )
        },
        "cover_problem": checks.optional_text(item, "cover_problem", 1_000),
        "container": checks.name_text(item, "container"),
        "codec": checks.name_text(item, "codec"),
        "duration_s": checks.number(item, "duration_s", 0, 1e9),
        "bitrate_bps": checks.optional_integer(item, "bitrate_bps"),
        "sample_rate_hz": checks.optional_integer(item, "sample_rate_hz"),
        "channels": checks.optional_integer(item, "channels", 0, small),
        "bit_depth": checks.optional_integer(item, "bit_depth", 0, small),
        **{
            name: (cover := checks.sha256(item, name)) and "\\x" + cover.hex()
            for name in ("cover_sha256", "folder_cover_sha256")
        },
    }


def _kind(item: Item) -> str:
    kind = str(item.get("kind") or "music")
    if kind not in _KINDS:
        raise Unfit(f"{kind!r} is no kind", "kind")
    return kind


def _texts(item: Item, name: str, limit: int) -> list[str]:
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
        if role not in _ROLES:
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


def _genres(item: Item) -> dict[str, str]:
    given = item.get("genres") or []
    if len(given) > MOST_GENRES:
        raise Unfit(f"more than {MOST_GENRES} are too many", "genres")
    genres: dict[str, str] = {}
    for genre in given:
        name = " ".join(checks.text({"genres": genre}, "genres", 2_000).split())
        if name:
            genres.setdefault(fold(name), name)
    return genres
