"""Validates an item of `createAlbums` and makes it a row. Pure."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from services.api.identity import fold, owner_key, place_key, sort_key, title_key, year_of
from services.api.store import checks
from services.api.store.albums.claims import FIELDS
from services.api.store.checks import Credit, Item
from shared.contracts.identity import IdKind

COLUMNS = (
    "place_key", "owner_key", "title", "sort_key", "artist_credit", "artist_key",
    "release_date", "year", "original_date", "is_compilation", "disc_total", "release_type",
    "label", "catalogue_number", "barcode", "country", "media", "musicbrainz_release_id",
    "musicbrainz_release_group_id", "cover_sha256",
)  # fmt: skip
"""The columns of `albums` that an item fills."""
_TEXTS = ("release_type", "label", "catalogue_number", "barcode", "country", "media")
_CLAIMED = (*FIELDS, "owner_key", "artist_credit", "artist_key", "is_compilation")

AlbumCredit = tuple[UUID, str, str]
"""Artist's id, name as credited, join phrase."""


@dataclass(frozen=True, slots=True)
class AlbumRow:
    """An album, from an item or from the database.

    Attributes:
        columns: of `albums`, by name.
        credits: in order.
        id: None of an item.
        claim: the name of what a track says of the album.
        facts: what it says: columns and credits, whether the album artist is tagged, the folder.
        title_key: of the title in its library; None of an album from the database.
    """

    columns: dict[str, Any]
    credits: tuple[AlbumCredit, ...]
    id: UUID | None = None
    claim: str | None = None
    facts: dict[str, Any] | None = None
    title_key: str | None = None


def album_row(item: Item) -> AlbumRow:
    """Validate an item and make it a row.

    Raises:
        InvalidValue: for the first invalid field.
    """
    columns = _columns(item)
    credits_ = tuple(_credit(credit) for credit in checks.credits_of(item))
    claim = checks.optional_text(item, "claim", 64)
    facts = _facts(item, columns, credits_) if claim else None
    library = checks.identifier(item, "library_id", IdKind.LIBRARY)
    title = title_key(library, columns["title"])
    return AlbumRow(columns, credits_, claim=claim, facts=facts, title_key=title)


def _credit(credit: Credit) -> AlbumCredit:
    return credit.artist_id, credit.credited_as, credit.join_phrase


def _facts(
    item: Item, columns: dict[str, Any], credits_: tuple[AlbumCredit, ...]
) -> dict[str, Any]:
    release = columns["musicbrainz_release_id"]
    group = columns["musicbrainz_release_group_id"]
    image = checks.sha256(item, "artist_image_sha256")
    return {
        **{name: columns[name] for name in _CLAIMED},
        "folder": item["folder"],
        "musicbrainz_release_id": release and str(release),
        "musicbrainz_release_group_id": group and str(group),
        "is_artist_told": item.get("is_artist_told") is not False,
        "artist_image_sha256": image and image.hex(),
        "credits": [[id_.hex, name, join] for id_, name, join in credits_],
    }


def _columns(item: Item) -> dict[str, Any]:
    title = checks.text(item, "title")
    artist = checks.text(item, "artist_credit")
    date = checks.optional_text(item, "release_date", 100)
    release = checks.musicbrainz_id(item, "musicbrainz_release_id")
    is_compilation = checks.flag(item, "is_compilation")
    folder = checks.text(item, "folder")
    return {
        "place_key": place_key(
            title=title,
            folder=folder,
            library_id=checks.identifier(item, "library_id", IdKind.LIBRARY),
            musicbrainz_release_id=release,
        ),
        "owner_key": owner_key(
            artist_credit=artist,
            folder=folder,
            is_compilation=is_compilation,
            is_artist_tagged=item.get("is_artist_told") is not False,
            musicbrainz_release_id=release,
        ),
        "title": title,
        "sort_key": sort_key(title, checks.optional_text(item, "sort_title")),
        "artist_credit": artist,
        "artist_key": fold(artist),
        "release_date": date,
        "year": year_of(date),
        "original_date": checks.optional_text(item, "original_date", 100),
        "is_compilation": is_compilation,
        "disc_total": checks.optional_integer(item, "disc_total", 0, checks.SMALLINT_LIMIT),
        **{name: checks.optional_text(item, name) for name in _TEXTS},
        "musicbrainz_release_id": release,
        "musicbrainz_release_group_id": checks.musicbrainz_id(item, "musicbrainz_release_group_id"),
        "cover_sha256": checks.sha256(item, "cover_sha256"),
    }
