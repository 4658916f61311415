"""What completes plain values: texts, numbers, truth values, leaves of other types, lists of them.

Whatever is not plainly right is `Unusual`: graphql-core is to look at it.
"""

import math
from collections.abc import Callable
from typing import Any

from graphql import (
    GraphQLBoolean,
    GraphQLFloat,
    GraphQLID,
    GraphQLInt,
    GraphQLList,
    GraphQLNonNull,
    GraphQLString,
    Undefined,
    is_leaf_type,
)

_INT_LIMIT = 2**31
Check = Callable[[Any], Any]
"""From a value to what is answered for it."""


class Unusual(Exception):
    """A value that graphql-core is to look at."""


def check_of(kind: Any) -> Check | None:
    """What completes a value of a leaf type or a list of one; None for other types."""
    if isinstance(kind, GraphQLNonNull):
        return _of_value(kind.of_type)
    check = _of_value(kind)
    return check and (lambda value: None if value is None else check(value))


def _of_value(kind: Any) -> Check | None:
    """The same for values that are not null."""
    if kind in _PLAIN:
        return _PLAIN[kind]
    if isinstance(kind, GraphQLList):
        of_item = check_of(kind.of_type)
        return of_item and (lambda values: _many(values, of_item))
    return _leaf(kind.coerce_output_value) if is_leaf_type(kind) else None


def _many(values: Any, of_item: Check) -> list[Any]:
    if type(values) is not list:
        raise Unusual
    return [of_item(value) for value in values]


def _leaf(coerce: Check) -> Check:
    def check(value: Any) -> Any:
        if value is None or isinstance(value, Exception):
            raise Unusual
        try:
            told = coerce(value)
        except Exception as error:
            raise Unusual from error
        if told is None or told is Undefined:
            raise Unusual
        return told

    return check


def _text(value: Any) -> Any:
    if type(value) is not str:
        raise Unusual
    return value


def _whole(value: Any) -> Any:
    if type(value) is not int or not -_INT_LIMIT <= value < _INT_LIMIT:
        raise Unusual
    return value


def _number(value: Any) -> Any:
    if type(value) is not float or not math.isfinite(value):
        raise Unusual
    return value


def _truth(value: Any) -> Any:
    if type(value) is not bool:
        raise Unusual
    return value


_PLAIN: dict[Any, Check] = {
    GraphQLString: _text,
    GraphQLID: _text,
    GraphQLInt: _whole,
    GraphQLFloat: _number,
    GraphQLBoolean: _truth,
}
