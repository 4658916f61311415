"""Arguments: ids and batches. Errors name the argument."""

from collections.abc import Callable, Sequence
from typing import Any
from uuid import UUID

import strawberry

from services.api.graphql.errors import bad_input
from services.api.graphql.plain_inputs import rows
from services.api.store import checks
from shared.contracts.identity import IdKind, parse_id

MOST_IDS = 1_000
# In Python, arguments of these names would hide the built-in functions `input` and `filter`.
INPUT = strawberry.argument(name="input")
FILTER = strawberry.argument(name="filter")


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


def checked_rows(
    items: Sequence[Any], read: Callable[[Sequence[Any]], Sequence[dict[str, Any]]] = rows
) -> Sequence[dict[str, Any]]:
    """The items of a batch mutation as rows for the store."""
    return read(checks.batch(items))
