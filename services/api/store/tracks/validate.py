"""From the items of a batch to rows of tracks, column by column where all are fit. Pure.

What comes out is what `track_row` makes of each item, its digest included: it is asked where a
column has anything unusual.
"""

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from json.encoder import encode_basestring_ascii
from typing import Any
from uuid import UUID

from services.api.identity import fold, sort_key, year_of
from services.api.store import checks
from services.api.store.checks import Item, Unfit
from services.api.store.results import Problem
from services.api.store.tracks.details import FIELDS, NO_DETAILS, Details, details
from services.api.store.tracks.validate_columns import (
    are_canonical_uuids,
    are_hex,
    are_integers,
    are_names,
    are_numbers,
    are_texts,
)
from services.api.store.tracks.validate_item import (
    COLUMN_NAMES,
    COVERS,
    FLAGS,
    KINDS,
    LISTS,
    MUSICBRAINZ_IDS,
    NAMES,
    NUMBERS,
    SORTED,
    TEXTS,
    WHOLE_NUMBERS,
    Credit,
    TrackRow,
    check_path,
    credit_rows,
    genre_names,
    texts_of,
    track_row,
)
from shared.contracts.identity import IdKind

Columns = dict[str, Sequence[Any]]
_REQUIRED_TEXT = partial(are_texts, limit=checks.TEXT_LIMIT, required=True)
_FITTING: dict[str, Callable[[Sequence[Any]], bool]] = {
    "path": _REQUIRED_TEXT,
    "size_bytes": partial(are_integers, low=0, high=checks.BIGINT_LIMIT, required=True),
    "mtime_ns": partial(
        are_integers, low=-checks.BIGINT_LIMIT, high=checks.BIGINT_LIMIT, required=True
    ),
    "title": _REQUIRED_TEXT,
    "artist_credit": _REQUIRED_TEXT,
    "sort_title": partial(are_texts, limit=checks.TEXT_LIMIT),
    "duration_s": partial(are_numbers, low=0, high=1e9, required=True),
    "images_digest": partial(are_integers, low=0, high=checks.INT_LIMIT),
    "content_hash": partial(are_hex, digits=32),
    "kind": lambda column: all(one is None or one in KINDS for one in column),
    **{name: partial(are_texts, limit=most) for name, most in TEXTS.items()},
    **{name: partial(are_integers, low=0, high=most) for name, most in WHOLE_NUMBERS.items()},
    **dict.fromkeys(NUMBERS, partial(are_numbers, low=-1e6, high=1e6)),
    **dict.fromkeys(NAMES, are_names),
    **dict.fromkeys(MUSICBRAINZ_IDS, are_canonical_uuids),
    **dict.fromkeys(COVERS, partial(are_hex, digits=64)),
}
_AS_TOLD = (*FLAGS, *LISTS, *FIELDS, "has_lyrics", "album_id", "moved_from", "is_checked")
_JSON: dict[type, Callable[[Any], str]] = {
    str: encode_basestring_ascii,
    int: int.__repr__,
    float: float.__repr__,
    bool: {True: "true", False: "false"}.__getitem__,
    type(None): lambda _: "null",
    list: lambda told: SORTED.encode(told) if told else "[]",
    bytes: lambda told: f'"\\\\x{told.hex()}"',
}
"""How the usual values are written in JSON: for the digest, as `track_row` writes them."""


def track_rows(items: Sequence[Item]) -> list[TrackRow | Problem]:
    """Check the items of `createTracks`; for each its row, or what is wrong with it."""
    try:
        rows = _usual(items)
    except Unfit:
        rows = None
    return [*map(_row_or_problem, items)] if rows is None else [*rows]


def _row_or_problem(item: Item) -> TrackRow | Problem:
    try:
        return track_row(item)
    except Unfit as unfit:
        return unfit.problem


def _usual(items: Sequence[Item]) -> Iterable[TrackRow] | None:
    """The rows; None where anything is to be looked at item by item."""
    told: Columns = {name: [item.get(name) for item in items] for name in (*_FITTING, *_AS_TOLD)}
    if not all(is_fit(told[name]) for name, is_fit in _FITTING.items()):
        return None
    for path in told["path"]:
        check_path(path)
    more = [
        details(item) if any(rare) else NO_DETAILS
        for item, rare in zip(
            items, zip(*(told[name] for name in FIELDS), strict=True), strict=True
        )
    ]
    columns = _columns(told, more)
    albums = [checks.optional_identifier(item, "album_id", IdKind.ALBUM) for item in items]
    credits_ = [*map(credit_rows, items)]
    genres = [*map(genre_names, items)]
    return map(
        TrackRow,
        told["path"],
        told["size_bytes"],
        told["mtime_ns"],
        (dict(zip(COLUMN_NAMES, row, strict=True)) for row in zip(*columns.values(), strict=True)),
        albums,
        credits_,
        genres,
        _digests(columns, albums, credits_, genres, more),
        more,
        map(_bytes, told["content_hash"]),
        told["images_digest"],
        [checks.optional_identifier(item, "moved_from", IdKind.TRACK) for item in items],
        map(bool, told["is_checked"]),
    )


def _bytes(told: str | None) -> bytes | None:
    return None if told is None else bytes.fromhex(told)


def _columns(told: Columns, more: Sequence[Details]) -> Columns:
    """The columns of `tracks`, in the order of their names."""
    made: Columns = {
        name: told[name] for name in (*TEXTS, *WHOLE_NUMBERS, *NAMES, *MUSICBRAINZ_IDS)
    }
    made |= {name: [*map(_number, told[name])] for name in (*NUMBERS, "duration_s")}
    made |= {name: [*map(bool, told[name])] for name in FLAGS}
    made |= {name: [*map(_bytes, told[name])] for name in COVERS}
    made |= {
        name: [texts_of({name: one}, name, most) if one else [] for one in told[name]]
        for name, most in LISTS.items()
    }
    made["title"], made["artist_credit"] = told["title"], told["artist_credit"]
    made["sort_key"] = [*map(sort_key, told["title"], told["sort_title"])]
    made["artist_key"] = [*map(fold, told["artist_credit"])]
    made["year"] = [*map(year_of, told["release_date"])]
    made["kind"] = [one or "music" for one in told["kind"]]
    made["has_lyrics"] = [
        bool(flag) or one.has_lyrics for flag, one in zip(told["has_lyrics"], more, strict=True)
    ]
    return {name: made[name] for name in COLUMN_NAMES}


def _number(told: float | None) -> float | None:
    return None if told is None else float(told)


def _digests(
    columns: Columns,
    albums: Sequence[UUID | None],
    credits_: Sequence[tuple[Credit, ...]],
    genres: Sequence[Mapping[str, str]],
    more: Sequence[Details],
) -> Iterable[bytes]:
    """The digests of what is told; a column in which all tell the same is written once."""
    alike = {name: column[0] for name, column in columns.items() if _are_alike(column)}
    told = (
        f'"{name}": '
        + (_JSON[type(alike[name])](alike[name]).replace("%", "%%") if name in alike else "%s")
        for name in columns
    )
    written = [_json(column) for name, column in columns.items() if name not in alike]
    whole = f"[{{{', '.join(told)}}}, %s, %s, %s, %s]"
    rows = zip(
        *written,
        [f'"{one.hex}"' if one else "null" for one in albums],
        ["[" + ", ".join(map(_credit_json, told)) + "]" for told in credits_],
        ["[" + ", ".join(map(_genre_json, told.items())) + "]" for told in genres],
        ["[]" if told is NO_DETAILS else SORTED.encode(told.told) for told in more],
        strict=True,
    )
    return (hashlib.sha256((whole % row).encode()).digest() for row in rows)


def _are_alike(column: Sequence[Any]) -> bool:
    # 1 equals True, and 0.0 equals -0.0, but they are not written alike.
    kinds = set(map(type, column))
    return len(kinds) == 1 and float not in kinds and column.count(column[0]) == len(column)


def _json(column: Sequence[Any]) -> list[str]:
    return [_JSON[type(one)](one) for one in column]


def _genre_json(genre: tuple[str, str]) -> str:
    key, name = map(encode_basestring_ascii, genre)
    return f"[{key}, {name}]"


def _credit_json(credit: Credit) -> str:
    role, position, artist_id, *texts = credit
    written = ", ".join(_json(texts))
    return f'["{role}", {position}, "{artist_id.hex}", {written}]'
