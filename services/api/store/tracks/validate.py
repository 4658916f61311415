"""Validates the items of `createTracks` column by column, and makes them rows. Pure.

Nearly every batch is valid, and a look at all values of a column together takes a tenth of the time
that a look at each item takes. Where any column is unusual, all items go through `validate_item`,
which says what is wrong with which. Both make the same rows.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from math import isfinite
from typing import Any

from services.api.identity import fold, sort_key, tags_digest, year_of
from services.api.store import checks
from services.api.store.checks import InvalidValue, Item
from services.api.store.genres import genre_names
from services.api.store.results import Problem
from services.api.store.tracks.details import FIELDS, NO_DETAILS, Details, validate_details
from services.api.store.tracks.parts import FIELDS as PART_FIELDS
from services.api.store.tracks.parts import WHOLE, validate_part
from services.api.store.tracks.validate_item import (
    COLUMN_NAMES,
    COVERS,
    FLAGS,
    KINDS,
    LISTS,
    MUSICBRAINZ_IDS,
    NAMES,
    NUMBERS,
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
    columns = [
        dict(zip(COLUMN_NAMES, row, strict=True))
        for row in zip(*_columns(values, details).values(), strict=True)
    ]
    albums = [checks.optional_identifier(item, "album_id", IdKind.ALBUM) for item in items]
    credits_ = [*map(checks.credits_of, items)]
    genres = [*map(genre_names, items)]
    return map(
        TrackRow,
        values["path"],
        values["size_bytes"],
        values["mtime_ns"],
        columns,
        albums,
        credits_,
        genres,
        map(
            tags_digest,
            columns,
            credits_,
            genres,
            [[] if row is NO_DETAILS else row.digested for row in details],
        ),
        details,
        map(_bytes, values["content_hash"]),
        values["images_digest"],
        [checks.optional_identifier(item, "moved_from", IdKind.TRACK) for item in items],
        map(bool, values["is_checked"]),
        [
            validate_part(item) if any(fields) else WHOLE
            for item, fields in zip(
                items, zip(*(values[name] for name in PART_FIELDS), strict=True), strict=True
            )
        ],
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
_OTHERS = (
    *FLAGS,
    *LISTS,
    *FIELDS,
    *PART_FIELDS,
    "has_lyrics",
    "album_id",
    "moved_from",
    "is_checked",
)
"""The other fields, which are validated one by one."""
