"""How arguments are read: ids, page sizes, cursors; what is wrong is said in words for people."""

from uuid import UUID

from services.api.graphql.errors import bad_input
from shared.contracts.identity import IdKind, parse_id

MOST_ROWS = 500
MOST_IDS = 1_000


def page_size(first: int | None, most: int = MOST_ROWS) -> int:
    """The argument `first`, between 1 and `most`."""
    if first is None:
        return min(50, most)
    if not 1 <= first <= most:
        raise bad_input(f"first: ask for 1 to {most:,} rows at a time, not {first:,}")
    return first


def uuid_of(name: str, value: str | None, kind: IdKind) -> UUID | None:
    """The argument `name` as the id of a thing of that kind."""
    if value is None:
        return None
    try:
        told, id_ = parse_id(value)
    except ValueError as error:
        raise bad_input(f"{name}: {error}") from None
    if told is not kind:
        raise bad_input(f"{name}: {value} is the id of something else; it begins with {kind}_")
    return id_
