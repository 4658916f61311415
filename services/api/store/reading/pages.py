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


class BadCursor(ValueError):
    """The cursor is none of ours, or of another order: start without one."""


@dataclass(frozen=True, slots=True)
class Order:
    """A sort order with a unique tail.

    Attributes:
        column: the SQL expression that is sorted, in an index together with `tail`.
        kind: what its values are in Python.
        tail: the unique column that breaks ties.
        may_be_null: rows without a value come last going up, first going down.
        descending: the direction, of both columns.
    """

    column: str
    kind: type = str
    tail: str = "t.id"
    may_be_null: bool = False
    descending: bool = False

    @property
    def sql(self) -> str:
        """For ORDER BY."""
        way = "DESC" if self.descending else "ASC"
        return f"{self.column} {way}, {self.tail} {way}"

    def cursor(self, value: Any, id_: UUID) -> str:
        """Where a row stands, opaque for clients."""
        told = value.isoformat() if isinstance(value, datetime) else value
        packed = json.dumps([told, id_.hex], separators=(",", ":"))
        return base64.urlsafe_b64encode(packed.encode()).decode()

    def _read(self, cursor: str) -> tuple[Any, UUID]:
        try:
            told, id_ = json.loads(base64.urlsafe_b64decode(cursor))
            if told is not None or not self.may_be_null:
                told = datetime.fromisoformat(told) if self.kind is datetime else self.kind(told)
            return told, UUID(hex=id_)
        except (ValueError, TypeError, AttributeError, binascii.Error):
            raise BadCursor("no cursor of this list in this order: start without one") from None


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

    def after(self, order: Order, cursor: str) -> None:
        """Only rows behind the cursor; `BadCursor` where it is none."""
        value, id_ = order._read(cursor)
        than = "<" if order.descending else ">"
        if value is None:
            rest = f"{order.column} IS NULL AND {order.tail} {than} {{}}"
            if order.descending:
                rest = f"({rest} OR {order.column} IS NOT NULL)"
            self.add(rest, id_)
            return
        behind = f"({order.column}, {order.tail}) {than} ({{}}, {{}})"
        if order.may_be_null and not order.descending:
            behind = f"({behind} OR {order.column} IS NULL)"
        self.add(behind, value, id_)

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


def page_of(rows: Sequence[Any], first: int, order: Order) -> Page:
    """Cut the page out of `first` + 1 rows that have the columns `page_value` and `id`."""
    shown = rows[:first]
    cursors = [order.cursor(row["page_value"], row["id"]) for row in shown]
    return Page(shown, cursors, len(rows) > first)
