"""Inputs of batches, turned into rows for the store without strawberry's conversion.

Strawberry resolves the type of each field of each item anew, which takes longer than storing the
item: with `plain`, a batch of tracks takes a fifth of the time. `plain` sets `from_input` of
strawberry's type definition, which is not documented: see docs/fragile.md.
"""

import dataclasses
from collections.abc import Mapping, Sequence
from enum import Enum
from typing import Any, TypeVar, cast, get_args, get_type_hints

from strawberry import UNSET
from strawberry.types import get_object_definition, has_object_definition

from shared.gateway.client import camel_case

T = TypeVar("T")
Row = dict[str, Any]
"""An input by its Python names. Enumerations are their values; a field that is left out is None."""
_PYTHON_NAMES: dict[str, str] = {}
"""Python names of the fields of all plain inputs, by their GraphQL names."""


def plain(cls: type[T]) -> type[T]:
    """Let resolvers get a row for each value of this input, instead of an object of the class.

    The annotations of resolvers still name the class; `rows` corrects the type.
    """
    names = [(camel_case(field.name), field.name) for field in dataclasses.fields(cls)]  # type: ignore[arg-type] # strawberry.input makes a dataclass
    _PYTHON_NAMES.update(names)
    nested = [name for name, kind in get_type_hints(cls).items() if _is_nested(kind)]

    def from_input(_kind: type, value: Mapping[str, Any], _context: Any) -> Row:
        get = value.get
        row = {name: get(graphql_name) for graphql_name, name in names}
        for name in nested:
            row[name] = _stored(row[name])
        return row

    get_object_definition(cls, strict=True).from_input = from_input
    return cls


def rows(items: Sequence[Any]) -> Sequence[Row]:
    """Plain inputs under their true type."""
    return cast(Sequence[Row], items)


def given(items: Sequence[Any]) -> list[Row]:
    """Rows of inputs that are not plain, without the fields that were left out."""
    return [{n: v for n, v in vars(item).items() if v is not UNSET} for item in items]


def _stored(value: Any) -> Any:
    """The value of a row for a value that may be, or hold, enumerations or nested inputs."""
    if isinstance(value, Enum):
        return value.value
    # graphql-core passes nested inputs as dicts with GraphQL names. A scalar is never a dict:
    # those that hold objects are read-only mappings (see `scalars`).
    if type(value) is dict:
        return {_PYTHON_NAMES[name]: _stored(inner) for name, inner in value.items()}
    if type(value) is list:
        return [_stored(each) for each in value]
    return value


def _is_nested(kind: Any) -> bool:
    if inner := get_args(kind):
        return any(map(_is_nested, inner))
    return isinstance(kind, type) and (issubclass(kind, Enum) or has_object_definition(kind))
