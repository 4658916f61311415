"""Validates the items of `createTracks` column by column, and makes them rows. Pure.

Nearly every batch is valid, and a look at all values of a column together takes a tenth of the time
that a look at each item takes. Where any column is unusual, all items go through `validate_item`,
which says what is wrong with which. Both make the same rows, digests included.
"""

import hashlib
import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache, partial
from math import isfinite
from typing import Any
from uuid import UUID

from services.api.identity import fold, sort_key, year_of
from services.api.store import checks
from services.api.store.checks import Credit, InvalidValue, Item
from services.api.store.genres import genre_names
from services.api.store.results import Problem
from services.api.store.tracks.details import FIELDS, NO_DETAILS, Details, validate_details
from services.api.store.tracks.validate_item import (
    COLUMN_NAMES,
    COVERS,
    FLAGS,
    KINDS,
    LISTS,
    MUSICBRAINZ_IDS,
    NAMES,
    NUMBERS,
    SORTED_JSON,
    TEXTS,
    WHOLE_NUMBERS,
    TrackRow,
    track_row,
)
from shared.contracts.identity import IdKind

Column = Sequence[Any]
Columns = dict[str, Column]

_NONE = type(None)
_TEXT, _WHOLE, _NUMBER = {str, _NONE}, {int, _NONE}, {int, float, _NONE}
_CANONICAL_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_HEX = re.compile(r"[0-9a-f]*")


def validate(items: Sequence[Item]) -> list[TrackRow | Problem]:
    """For each item its row, or what is wrong with it."""
    try:
        rows = _rows(items)
    except InvalidValue:
        rows = None
    return [*map(_row_or_problem, items)] if rows is None else [*rows]


def _row_or_problem(item: Item) -> TrackRow | Problem:
    try:
        return track_row(item)
    except InvalidValue as invalid:
        return invalid.problem


def _rows(items: Sequence[Item]) -> Iterable[TrackRow] | None:
    """The rows; None where the items have to be validated one by one."""
    values: Columns = {name: [item.get(name) for item in items] for name in (*_CHECKS, *_OTHERS)}
    if not all(is_valid(values[name]) for name, is_valid in _CHECKS.items()):
        return None
    for path in values["path"]:
        checks.below_root(path)
    details = [
        validate_details(item) if any(fields) else NO_DETAILS
        for item, fields in zip(
            items, zip(*(values[name] for name in FIELDS), strict=True), strict=True
        )
    ]
    columns = _columns(values, details)
    albums = [checks.optional_identifier(item, "album_id", IdKind.ALBUM) for item in items]
    credits_ = [*map(checks.credits_of, items)]
    genres = [*map(genre_names, items)]
    return map(
        TrackRow,
        values["path"],
        values["size_bytes"],
        values["mtime_ns"],
        (dict(zip(COLUMN_NAMES, row, strict=True)) for row in zip(*columns.values(), strict=True)),
        albums,
        credits_,
        genres,
        _digests(columns, albums, credits_, genres, details),
        details,
        map(_bytes, values["content_hash"]),
        values["images_digest"],
        [checks.optional_identifier(item, "moved_from", IdKind.TRACK) for item in items],
        map(bool, values["is_checked"]),
    )


def _columns(values: Columns, details: Sequence[Details]) -> Columns:
    """The columns of `tracks`, in the order of their names."""
    columns: Columns = {
        name: values[name] for name in (*TEXTS, *WHOLE_NUMBERS, *NAMES, *MUSICBRAINZ_IDS)
    }
    columns |= {name: [*map(_float, values[name])] for name in (*NUMBERS, "duration_s")}
    columns |= {name: [*map(bool, values[name])] for name in FLAGS}
    columns |= {name: [*map(_bytes, values[name])] for name in COVERS}
    columns |= {
        name: [checks.texts({name: texts}, name, limit) if texts else [] for texts in values[name]]
        for name, limit in LISTS.items()
    }
    columns["title"], columns["artist_credit"] = values["title"], values["artist_credit"]
    columns["sort_key"] = [*map(sort_key, values["title"], values["sort_title"])]
    columns["artist_key"] = [*map(fold, values["artist_credit"])]
    columns["year"] = [*map(year_of, values["release_date"])]
    columns["kind"] = [kind or "music" for kind in values["kind"]]
    columns["has_lyrics"] = [
        bool(flag) or (one is not NO_DETAILS and one.has_lyrics)
        for flag, one in zip(values["has_lyrics"], details, strict=True)
    ]
    return {name: columns[name] for name in COLUMN_NAMES}


def _float(value: float | None) -> float | None:
    return None if value is None else float(value)


def _bytes(value: str | None) -> bytes | None:
    return None if value is None else bytes.fromhex(value)


# Digests: SHA-256 of the JSON text that `track_row` writes.

# JSON escapes line breaks within strings, so the text of a column splits into that of its values.
_VALUE_A_LINE = json.JSONEncoder(separators=("\n", ": "))


def _digests(
    columns: Columns,
    albums: Sequence[UUID | None],
    credits_: Sequence[tuple[Credit, ...]],
    genres: Sequence[Mapping[str, str]],
    details: Sequence[Details],
) -> Iterable[bytes]:
    """Each row's digest. A column of equal values is written once, into the template of all."""
    equal = {name: _json(column[:1])[0] for name, column in columns.items() if _are_equal(column)}
    members = (
        f'"{name}": ' + (equal[name].replace("%", "%%") if name in equal else "%s")
        for name in columns
    )
    written = [_json(column) for name, column in columns.items() if name not in equal]
    template = f"[{{{', '.join(members)}}}, %s, %s, %s, %s]"
    rows = zip(
        *written,
        [f'"{album_id.hex}"' if album_id else "null" for album_id in albums],
        ["[" + ", ".join(map(_credit_json, row)) + "]" for row in credits_],
        ["[" + ", ".join(map(_genre_json, row.items())) + "]" for row in genres],
        ["[]" if row is NO_DETAILS else SORTED_JSON.encode(row.digested) for row in details],
        strict=True,
    )
    return (hashlib.sha256((template % row).encode()).digest() for row in rows)


def _are_equal(column: Column) -> bool:
    # 1 equals True, and 0.0 equals -0.0, but their JSON differs.
    types = set(map(type, column))
    return len(types) == 1 and float not in types and column.count(column[0]) == len(column)


def _json(column: Column) -> list[str]:
    types = set(map(type, column))
    if list in types:
        return [SORTED_JSON.encode(value) if value else "[]" for value in column]
    if bytes in types:
        column = [value and "\\x" + value.hex() for value in column]
    return _VALUE_A_LINE.encode(column)[1:-1].split("\n")


@lru_cache(maxsize=1_024)  # a batch has the same genres over and over
def _genre_json(genre: tuple[str, str]) -> str:
    return SORTED_JSON.encode(genre)


@lru_cache(maxsize=1_024)  # and the same artists
def _credit_json(credit: Credit) -> str:
    return SORTED_JSON.encode((*credit[:2], credit.artist_id.hex, *credit[3:]))


# Checks of whole columns.


def _are_texts(column: Column, limit: int, *, required: bool = False) -> bool:
    """As `checks.text` of each, or `optional_text`."""
    if not set(map(type, column)) <= _TEXT:
        return False
    texts = column if required else [*filter(None, column)]
    try:
        joined = "".join(texts)
    except TypeError:  # a required one is None
        return False
    is_short = len(joined) <= limit or max(map(len, texts)) <= limit
    return is_short and "\0" not in joined and (joined.isascii() or _is_unicode(joined))


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _are_names(column: Column, limit: int = 2_000) -> bool:
    """As `checks.name_text` of each."""
    return _are_texts(column, limit, required=True) and all(map(str.strip, column))


def _are_integers(column: Column, low: int, high: int, *, required: bool = False) -> bool:
    """As `checks.integer` of each, or `optional_integer`."""
    if not set(map(type, column)) <= _WHOLE:
        return False
    values = [value for value in column if value is not None]
    if required and len(values) < len(column):
        return False
    return not values or (min(values) >= low and max(values) <= high)


def _are_numbers(column: Column, low: float, high: float, *, required: bool = False) -> bool:
    """As `checks.number` of each, or `optional_number`."""
    if not set(map(type, column)) <= _NUMBER:
        return False
    values = [value for value in column if value is not None]
    if required and len(values) < len(column):
        return False
    return not values or (all(map(isfinite, values)) and min(values) >= low and max(values) <= high)


def _are_canonical_uuids(column: Column) -> bool:
    """Whether each is None, or a UUID as `str` writes it."""
    return all(
        value is None or (type(value) is str and _CANONICAL_UUID.fullmatch(value))
        for value in column
    )


def _are_hex(column: Column, digits: int) -> bool:
    """Whether each is None, or so many lower-case hex digits."""
    return all(
        value is None or (type(value) is str and len(value) == digits and _HEX.fullmatch(value))
        for value in column
    )


_REQUIRED_TEXT = partial(_are_texts, limit=checks.TEXT_LIMIT, required=True)
_BIGINT = partial(_are_integers, high=checks.BIGINT_LIMIT, required=True)
_CHECKS: dict[str, Callable[[Column], bool]] = {
    "path": _REQUIRED_TEXT,
    "size_bytes": partial(_BIGINT, low=0),
    "mtime_ns": partial(_BIGINT, low=-checks.BIGINT_LIMIT),
    "title": _REQUIRED_TEXT,
    "artist_credit": _REQUIRED_TEXT,
    "sort_title": partial(_are_texts, limit=checks.TEXT_LIMIT),
    "duration_s": partial(_are_numbers, low=0, high=1e9, required=True),
    "images_digest": partial(_are_integers, low=0, high=checks.INT_LIMIT),
    "content_hash": partial(_are_hex, digits=32),
    "kind": lambda column: all(kind is None or kind in KINDS for kind in column),
    **{name: partial(_are_texts, limit=limit) for name, limit in TEXTS.items()},
    **{name: partial(_are_integers, low=0, high=most) for name, most in WHOLE_NUMBERS.items()},
    **dict.fromkeys(NUMBERS, partial(_are_numbers, low=-1e6, high=1e6)),
    **dict.fromkeys(NAMES, _are_names),
    **dict.fromkeys(MUSICBRAINZ_IDS, _are_canonical_uuids),
    **dict.fromkeys(COVERS, partial(_are_hex, digits=64)),
}
"""Whether all values of a column are valid, by field of an item."""
_OTHERS = (*FLAGS, *LISTS, *FIELDS, "has_lyrics", "album_id", "moved_from", "is_checked")
"""The other fields, which are validated one by one."""
