"""Arguments: ids, page sizes and batches. Errors name the argument."""

from collections.abc import Callable, Sequence
from typing import Any, TypeVar
from uuid import UUID

import strawberry

from services.api.graphql.errors import bad_input
from services.api.graphql.plain_inputs import rows
from services.api.store import checks
from services.api.store.checks import InvalidValue
from shared.contracts.identity import IdKind, parse_id

T = TypeVar("T")
MOST_ROWS = 500
MOST_IDS = 1_000
MOST_ITEMS = 2_000
# In Python, arguments of these names would hide the built-in functions `input` and `filter`.
INPUT = strawberry.argument(name="input")
FILTER = strawberry.argument(name="filter")


def page_size(first: int | None, most: int = MOST_ROWS) -> int:
    """The argument `first`, between 1 and `most`."""
    if first is None:
        return min(50, most)
    if not 1 <= first <= most:
        raise bad_input(f"first: ask for 1 to {most:,} rows at a time, not {first:,}")
    return first


def uuid_of(name: str, value: str | None, kind: IdKind) -> UUID | None:
    """The argument `name` as an id of this kind; None if it is left out."""
    if value is None:
        return None
    try:
        found, id_ = parse_id(value)
    except ValueError as error:
        raise bad_input(f"{name}: {error}") from None
    if found is not kind:
        raise bad_input(
            f"{name}: {value} is not the id of a {kind.name.lower()}: those begin with {kind}_"
        )
    return id_


def checked_items(items: Sequence[T]) -> Sequence[T]:
    """The items of a batch mutation; BAD_INPUT if there are too many."""
    if len(items) > MOST_ITEMS:
        raise bad_input(f"{len(items):,} items are too many: send at most {MOST_ITEMS:,} a call")
    return items


def checked_rows(
    items: Sequence[Any], read: Callable[[Sequence[Any]], Sequence[dict[str, Any]]] = rows
) -> Sequence[dict[str, Any]]:
    """The items of a batch mutation as rows for the store."""
    return read(checked_items(items))


def required_uuid(name: str, value: str, kind: IdKind) -> UUID:
    """The argument `name` as an id of this kind."""
    try:
        return checks.identifier({name: value}, name, kind)
    except InvalidValue as invalid:
        raise bad_input(str(invalid)) from None
