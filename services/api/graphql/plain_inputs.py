"""Inputs are handed to the store as they were checked, without strawberry's conversion.

Strawberry resolves the type of each field of each item anew, which costs more than storing it; the
`plain` hook takes the values as graphql-core has checked them (measured: 3 times the rows).
"""

import dataclasses
from collections.abc import Sequence
from enum import Enum
from typing import Any, TypeVar, get_args, get_type_hints

from strawberry import UNSET
from strawberry.types.base import get_object_definition, has_object_definition

T = TypeVar("T")


_NAMES: dict[str, str] = {}
"""Fields of all plain inputs, by their names in GraphQL."""
_UNLIKE_THE_STORES: dict[type, list[str]] = {}
"""Fields that hold enumerations or nested inputs, by plain input."""


def plain(cls: type[T]) -> type[T]:
    """Build values of this input without strawberry's conversion; left out means None."""
    names = [(camel_case(field.name), field.name) for field in dataclasses.fields(cls)]  # type: ignore[arg-type] # strawberry.input makes a dataclass
    _NAMES.update(names)
    _UNLIKE_THE_STORES[cls] = [n for n, kind in get_type_hints(cls).items() if _is_unlike(kind)]

    def from_input(kind: type[T], value: Any, _context: Any) -> T:
        made = kind.__new__(kind)
        made.__dict__.update({name: value.get(graphql_name) for graphql_name, name in names})
        return made

    get_object_definition(cls, strict=True).from_input = from_input
    return cls


def given(items: Sequence[Any]) -> list[dict[str, Any]]:
    """Inputs as the store takes them, without what was left out."""
    return [{n: v for n, v in vars(item).items() if v is not UNSET} for item in items]


def rows(items: Sequence[Any]) -> list[dict[str, Any]]:
    """Plain inputs as the store takes them: mappings, enumerations as their values."""
    return [_row(item) for item in items]


def _row(item: Any) -> dict[str, Any]:
    row = dict(vars(item))
    for name in _UNLIKE_THE_STORES[type(item)]:
        row[name] = _stored(row[name])
    return row


def _stored(value: Any) -> Any:
    """A value of an input as the store takes it."""
    if isinstance(value, Enum):
        return value._value_  # `.value` is looked up slowly
    # Nested inputs come as graphql-core made them, with GraphQL's names.
    if type(value) is dict:
        return {_NAMES[name]: _stored(inner) for name, inner in value.items()}
    if type(value) is list:
        return [_stored(one) for one in value]
    return value


def _is_unlike(kind: Any) -> bool:
    if inner := get_args(kind):
        return any(map(_is_unlike, inner))
    return isinstance(kind, type) and (issubclass(kind, Enum) or has_object_definition(kind))


def camel_case(name: str) -> str:
    """GraphQL's name of a Python name."""
    head, *tail = name.split("_")
    return head + "".join(part[:1].upper() + part[1:] for part in tail)
