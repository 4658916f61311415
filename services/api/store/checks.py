"""Checks of what a batch mutation is given: its arguments, and the values of its items. Pure.

Where an item is at fault, `InvalidValue` names the field, and the other items are stored. Where an
argument is, `InvalidInput` refuses the call.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, TypeVar
from uuid import UUID

from services.api.store.results import Problem
from shared.contracts.credits import CONTRIBUTOR_ROLES
from shared.contracts.errors import InvalidInput
from shared.contracts.identity import IdKind, parse_id
from shared.contracts.upserts import ErrorCode

Item = Mapping[str, Any]
"""An item of a batch mutation, by the names of the GraphQL input in snake case."""

TEXT_LIMIT = 20_000
INT_LIMIT = 2**31 - 1
BIGINT_LIMIT = 2**63 - 1
SMALLINT_LIMIT = 2**15 - 1
MOST_ITEMS = 2_000
MOST_LISTED = 500
_PATH_LIMIT_BYTES = 2_500  # the path is in an index, whose rows PostgreSQL limits
_ROLES = frozenset(("artist", *CONTRIBUTOR_ROLES))

T = TypeVar("T")


class InvalidValue(Exception):
    """A value cannot be stored, or a request cannot be done; `problem` says why.

    `field` is given in snake case; the problem has it in camel case, as GraphQL does.
    """

    def __init__(self, message: str, field: str, code: ErrorCode = ErrorCode.INVALID) -> None:
        super().__init__(message)
        head, *tail = field.split("_")
        self.problem = Problem(code, message, head + "".join(part.capitalize() for part in tail))


def batch(items: Sequence[T]) -> Sequence[T]:
    """The items of a batch mutation.

    Raises:
        InvalidInput: they are too many.
    """
    if len(items) > MOST_ITEMS:
        raise InvalidInput(f"{len(items):,} items are too many: send at most {MOST_ITEMS:,} a call")
    return items


def argument_id(name: str, value: str, kind: IdKind) -> UUID:
    """The argument `name` as the id of a thing of that kind.

    Raises:
        InvalidInput: it is none.
    """
    try:
        return identifier({name: value}, name, kind)
    except InvalidValue as invalid:
        raise InvalidInput(str(invalid)) from None


def text(item: Item, name: str, limit: int = TEXT_LIMIT) -> str:
    """A text that PostgreSQL can hold: no NUL, no lone surrogate, not too long."""
    value = item.get(name)
    if not isinstance(value, str):
        raise InvalidValue("a text is needed", name)
    if len(value) > limit:
        raise InvalidValue(f"{len(value):,} characters are too many, {limit:,} is the limit", name)
    if "\0" in value:
        raise InvalidValue("NUL characters cannot be stored", name)
    if not value.isascii():
        try:
            value.encode()
        except UnicodeEncodeError:
            raise InvalidValue("it is no valid Unicode", name) from None
    return value


def name_text(item: Item, name: str) -> str:
    """A text with something in it, short enough for an index (2,000 characters)."""
    value = text(item, name, 2_000)
    if not value.strip():
        raise InvalidValue("it must not be empty", name)
    return value


def optional_text(item: Item, name: str, limit: int = TEXT_LIMIT) -> str | None:
    """A text or None."""
    value = item.get(name)
    if value is None:
        return None
    if type(value) is str and len(value) <= limit and value.isascii() and "\0" not in value:
        return value  # a short way for nearly all
    return text(item, name, limit)


def integer(item: Item, name: str, low: int, high: int) -> int:
    """A whole number from `low` to `high`."""
    value = item.get(name)
    if not isinstance(value, int) or isinstance(value, bool):
        raise InvalidValue("a whole number is needed", name)
    if not low <= value <= high:
        raise InvalidValue(f"{value} is not between {low} and {high}", name)
    return value


def optional_integer(item: Item, name: str, low: int = 0, high: int = INT_LIMIT) -> int | None:
    """A whole number from `low` to `high`, or None."""
    return None if item.get(name) is None else integer(item, name, low, high)


def number(item: Item, name: str, low: float, high: float) -> float:
    """A finite number from `low` to `high`."""
    value = item.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise InvalidValue("a finite number is needed", name)
    if not low <= value <= high:
        raise InvalidValue(f"{value:g} is not between {low:g} and {high:g}", name)
    return float(value)


def optional_number(item: Item, name: str, low: float = -1e6, high: float = 1e6) -> float | None:
    """A finite number from `low` to `high`, or None."""
    return None if item.get(name) is None else number(item, name, low, high)


def flag(item: Item, name: str) -> bool:
    """A boolean; False where it is left out."""
    return bool(item.get(name))


def identifier(item: Item, name: str, kind: IdKind) -> UUID:
    """An opaque id of the kind."""
    value = item.get(name)
    try:
        found, uuid = parse_id(str(value))
    except ValueError as error:
        raise InvalidValue(str(error), name) from None
    if found is not kind:
        raise InvalidValue(
            f"{value!r} is not the id of this kind of thing ({kind.value}_...)", name
        )
    return uuid


def optional_identifier(item: Item, name: str, kind: IdKind) -> UUID | None:
    """An opaque id of the kind, or None."""
    return None if item.get(name) is None else identifier(item, name, kind)


def musicbrainz_id(item: Item, name: str) -> UUID | None:
    """A MusicBrainz id (a UUID), or None."""
    value = item.get(name)
    if value is None:
        return None
    try:
        return UUID(str(value))
    except ValueError:
        raise InvalidValue(f"{str(value)[:60]!r} is not a MusicBrainz id", name) from None


def _hex(value: object) -> bytes:
    try:
        return bytes.fromhex(str(value))
    except ValueError:
        return b""


def sha256(item: Item, name: str) -> bytes | None:
    """A SHA-256 in hex as its 32 bytes, or None."""
    value = item.get(name)
    if value is None:
        return None
    digest = _hex(value)
    if len(digest) != 32:
        raise InvalidValue("a SHA-256 has 64 hex digits", name)
    return digest


def content_hash(item: Item, name: str) -> bytes | None:
    """A hash of a content in hex (16 bytes), or None."""
    value = item.get(name)
    if value is None:
        return None
    digest = _hex(value)
    if len(digest) != 16:
        raise InvalidValue("a hash of the content has 32 hex digits", name)
    return digest


def texts(item: Item, name: str, limit: int) -> list[str]:
    """A list of texts of at most `limit` characters each."""
    values = item.get(name)
    if not values:
        return []
    if len(values) > MOST_LISTED:
        raise InvalidValue(f"more than {MOST_LISTED} are too many", name)
    return [text({name: value}, name, limit) for value in values]


def below_root(path: str) -> str:
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


class Credit(NamedTuple):
    """One credited artist."""

    role: str
    position: int
    artist_id: UUID
    credited_as: str
    join_phrase: str
    instrument: str | None = None


def credits_of(item: Item) -> tuple[Credit, ...]:
    """The credits of a track or an album; positions count within a role, from 0."""
    credits_ = item.get("credits") or []
    if len(credits_) > MOST_LISTED:
        raise InvalidValue(f"more than {MOST_LISTED} are too many", "credits")
    positions: dict[str, int] = {}
    rows: list[Credit] = []
    for credit in credits_:
        role = str(credit.get("role") or "artist").lower()
        if role not in _ROLES:
            raise InvalidValue(f"{role!r} is no role", "credits")
        position = positions.get(role, 0)
        positions[role] = position + 1
        rows.append(
            Credit(
                role=role,
                position=position,
                artist_id=identifier(credit, "artist_id", IdKind.ARTIST),
                credited_as=text(credit, "credited_as"),
                join_phrase=text(credit, "join_phrase") if "join_phrase" in credit else "",
                instrument=optional_text(credit, "instrument", 1_000),
            )
        )
    return tuple(rows)
