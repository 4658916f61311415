"""Keyset paging: a page starts after the sort value and id of the last row before it.

Pure: SQL text and parameters. Unlike an offset, a page costs the same however deep it is, and
rows that come or go meanwhile neither repeat nor skip others.
"""

import base64
import binascii
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from shared.contracts.errors import InvalidInput

MOST_ROWS = 500


class BadCursor(ValueError):
    """The cursor is not one of ours, or of another order: start without one."""


def page_size(first: int | None, most: int = MOST_ROWS) -> int:
    """The argument `first`: how many rows a page has.

    Raises:
        InvalidInput: it is not between 1 and `most`.
    """
    if first is None:
        return min(50, most)
    if not 1 <= first <= most:
        raise InvalidInput(f"first: ask for 1 to {most:,} rows at a time, not {first:,}")
    return first


@dataclass(frozen=True, slots=True)
class Order:
    """A sort order with a unique tail.

    Attributes:
        column: the SQL expression that is sorted, in an index together with `tail`.
        kind: the Python type of its values.
        tail: the unique column that breaks ties.
        may_be_null: rows without a value come last in ascending order, first in descending order.
        descending: the direction, of both columns.
        name: of the order in cursors. Two orders of one name, whose columns hold the same values,
            accept each other's cursors. Default: the column.
    """

    column: str
    kind: type = str
    tail: str = "t.id"
    may_be_null: bool = False
    descending: bool = False
    name: str = ""

    @property
    def direction(self) -> str:
        """The direction in SQL."""
        return "DESC" if self.descending else "ASC"

    @property
    def sql(self) -> str:
        """For ORDER BY."""
        return f"{self.column} {self.direction}, {self.tail} {self.direction}"

    def cursor(self, value: Any, id_: UUID) -> str:
        """The position of a row, opaque for clients."""
        json_value = value.isoformat() if isinstance(value, datetime) else value
        text = json.dumps([self.name or self.column, json_value, id_.hex], separators=(",", ":"))
        return base64.urlsafe_b64encode(text.encode()).decode()

    def read(self, cursor: str) -> tuple[Any, UUID]:
        """The sort value and id of a cursor of this order, in either direction.

        Raises:
            BadCursor: it is not one.
        """
        try:
            column, value, id_ = json.loads(base64.urlsafe_b64decode(cursor))
            if value is not None or not self.may_be_null:
                value = datetime.fromisoformat(value) if self.kind is datetime else self.kind(value)
            key = UUID(hex=id_)
        except (ValueError, TypeError, AttributeError, RecursionError, binascii.Error):
            column = None
        if column != (self.name or self.column):
            raise BadCursor("no cursor of this list in this order: start without one")
        return value, key


@dataclass(slots=True)
class Conditions:
    """Conditions joined by AND, and their parameters; grows as filters are added."""

    clauses: list[str] = field(default_factory=list)
    parameters: list[Any] = field(default_factory=list)

    def parameter(self, value: Any) -> str:
        """The placeholder of a value."""
        self.parameters.append(value)
        return f"${len(self.parameters)}"

    def add(self, clause: str, *values: Any) -> None:
        """A clause with `{}` for each value."""
        self.clauses.append(clause.format(*(self.parameter(value) for value in values)))

    def behind(self, order: Order, cursor: str | None) -> list[str]:
        """Conditions of the rows behind the cursor: a row meets one of them, in this order.

        Two where rows without a value follow or precede: joined by OR they would not use the index.
        """
        if not cursor:
            return ["true"]
        value, id_ = order.read(cursor)
        than = "<" if order.descending else ">"
        if value is None:
            found = [f"{order.column} IS NULL AND {order.tail} {than} {self.parameter(id_)}"]
            return [*found, f"{order.column} IS NOT NULL"] if order.descending else found
        row = f"({self.parameter(value)}, {self.parameter(id_)})"
        found = [f"({order.column}, {order.tail}) {than} {row}"]
        if order.may_be_null and not order.descending:
            found.append(f"{order.column} IS NULL")
        return found

    @property
    def sql(self) -> str:
        """For WHERE."""
        return " AND ".join(self.clauses) or "true"


@dataclass(frozen=True, slots=True)
class Page:
    """Rows of a page, whether there are more behind, and each row's cursor."""

    rows: Sequence[Any]
    cursors: Sequence[str]
    has_next: bool


def page_query(
    columns: str, source: str, where: Conditions, order: Order, *, first: int, after: str | None
) -> str:
    """The query for `page_of`: `first` rows behind the cursor, and one more if there is one.

    Args:
        columns: what is selected, an `id` among it.
        source: tables, the listed one aliased `t`.
        where: the conditions; parameters for the cursor are added to it.
        order: the order. Its names are ours: only parameters come from clients.
        first: the size of the page.
        after: the cursor, or None for the first page.
    """
    parts = [
        f"SELECT {columns}, {order.column} AS page_value FROM {source}"  # noqa: S608 - names of ours
        f" WHERE {where.sql} AND {part} ORDER BY {order.sql} LIMIT {first + 1}"
        for part in where.behind(order, after)
    ]
    if len(parts) == 1:
        return parts[0]
    united = " UNION ALL ".join(f"({part})" for part in parts)
    return (
        f"SELECT * FROM ({united}) AS parts"  # noqa: S608 - names of ours
        f" ORDER BY page_value {order.direction}, id {order.direction} LIMIT {first + 1}"
    )


def page_of(rows: Sequence[Any], first: int, order: Order) -> Page:
    """Cut the page out of `first` + 1 rows that have the columns `page_value` and `id`."""
    shown = rows[:first]
    cursors = [order.cursor(row["page_value"], row["id"]) for row in shown]
    return Page(shown, cursors, len(rows) > first)
