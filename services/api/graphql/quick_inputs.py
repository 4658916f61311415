"""Lists of inputs are coerced by a plan that is made once a type, several times as fast.

graphql-core asks anew of each field of each item what kind its type is, which costs more than
storing the item. Whatever is not plainly right is left to it: it coerces it, or says what is wrong.
Plain inputs become at once what the store takes (`plain_inputs.Row`).
"""

from collections.abc import Callable, Mapping
from functools import lru_cache, partial
from typing import Any

from graphql import (
    DocumentNode,
    GraphQLBoolean,
    GraphQLEnumType,
    GraphQLError,
    GraphQLID,
    GraphQLInputObjectType,
    GraphQLInputType,
    GraphQLInt,
    GraphQLList,
    GraphQLNonNull,
    GraphQLSchema,
    GraphQLString,
    OperationDefinitionNode,
    Undefined,
    is_leaf_type,
    type_from_ast,
)
from graphql.utilities.coerce_input_value import coerce_default_value
from strawberry.schema.schema import StrawberryGraphQLCoreExecutionContext

from services.api.graphql.plain_inputs import Row, Rows, names_of, stored

_LEAST_ITEMS = 4
_INT_LIMIT = 2**31
Read = Callable[[Any], Any]


class _Unusual(Exception):
    """A value that graphql-core is to look at."""


class QuickInputs(StrawberryGraphQLCoreExecutionContext):
    """Executes operations, their variables coerced by plan where they can be."""

    @classmethod
    def build(
        cls,
        schema: GraphQLSchema,
        document: DocumentNode,
        root_value: Any = None,
        context_value: Any = None,
        raw_variable_values: dict[str, Any] | None = None,
        operation_name: str | None = None,
        *more: Any,
        **options: Any,
    ) -> Any:
        """As graphql-core does; lists that are coerced here are empty to it."""
        told = raw_variable_values or {}
        lists = coerced_lists(schema, document, told)
        rest = {**told, **{name: [] for name in lists}}
        built = super().build(
            schema, document, root_value, context_value, rest, operation_name, *more, **options
        )
        if not isinstance(built, list):
            told_at_once = {
                name: [Rows(items)] if type(items[0]) is Row else items
                for name, items in lists.items()
            }
            built.variable_values.coerced.update(told_at_once)
        return built


def coerced_lists(
    schema: GraphQLSchema, document: DocumentNode, told: Mapping[str, Any]
) -> dict[str, list[Any]]:
    """The variables that are lists of inputs, coerced; but those with anything unusual."""
    operations = [d for d in document.definitions if isinstance(d, OperationDefinitionNode)]
    found: dict[str, list[Any]] = {}
    for variable in operations[0].variable_definitions or () if len(operations) == 1 else ():
        name = variable.variable.name.value
        items = told.get(name)
        if type(items) is not list or len(items) < _LEAST_ITEMS:
            continue
        kind = type_from_ast(schema, variable.type)
        if isinstance(kind, GraphQLNonNull):
            kind = kind.of_type
        if not isinstance(kind, GraphQLList) or not isinstance(kind.of_type, GraphQLNonNull):
            continue
        if isinstance(kind.of_type.of_type, GraphQLInputObjectType):
            read = _object(kind.of_type.of_type, is_item=True)
            try:
                found[name] = [read(item) for item in items]
            except (_Unusual, KeyError, GraphQLError, ValueError, TypeError):
                continue
    return found


def _stores_names(kind: GraphQLInputObjectType) -> dict[str, str] | None:
    return names_of(kind.extensions["strawberry-definition"].origin)


@lru_cache(maxsize=64)
def _object(kind: GraphQLInputObjectType, *, is_item: bool = False) -> Read:
    """The reader of an input: who reads each of its fields, and what is there by default.

    Of a plain one that is an item all fields are there, as the store has them.
    """
    names = _stores_names(kind)
    fields = {
        name: (
            names[name] if names else field.out_name or name,
            *_reader(field.type, names is not None),
        )
        for name, field in kind.fields.items()
    }
    defaults = {
        fields[name][0]: stored(value) if names else value
        for name, field in kind.fields.items()
        if (value := coerce_default_value(field)) is not Undefined
    }
    required = {
        name
        for name, field in kind.fields.items()
        if isinstance(field.type, GraphQLNonNull) and coerce_default_value(field) is Undefined
    }
    begin = (
        dict(defaults).copy
        if not (names and is_item)
        else partial(Row, dict.fromkeys(names.values()) | defaults)
    )
    make = None if names else kind.out_type

    def read(item: Any) -> Any:
        if type(item) is not dict or not required <= item.keys() or kind.is_one_of:
            raise _Unusual
        made = begin()
        for name, value in item.items():
            told, usual, reads = fields[name]
            made[told] = value if type(value) is usual else reads(value)
        return make(made) if make else made

    return read


def _reader(kind: GraphQLInputType, for_store: bool) -> tuple[type, Read]:
    """The type whose values are taken as they are, and the reader of all others."""
    if isinstance(kind, GraphQLNonNull):
        return _TAKEN.get(kind.of_type, _Unusual), _of_value(kind.of_type, for_store)
    of_value = _of_value(kind, for_store)
    return _TAKEN.get(kind, _Unusual), lambda told: None if told is None else of_value(told)


def _of_value(kind: GraphQLInputType, for_store: bool) -> Read:
    """The reader of a value that is not null."""
    if kind in _PLAIN:
        return _PLAIN[kind]
    if isinstance(kind, GraphQLInputObjectType):
        return _object(kind)
    if isinstance(kind, GraphQLList):
        usual, of_item = _reader(kind.of_type, for_store)

        def many(value: Any) -> list[Any]:
            if type(value) is not list:
                raise _Unusual
            return [one if type(one) is usual else of_item(one) for one in value]

        return many
    if not is_leaf_type(kind):
        raise _Unusual
    if for_store and isinstance(kind, GraphQLEnumType):
        # Names alone are in it: what is none of them is a KeyError.
        return {name: stored(kind.coerce_input_value(name)) for name in kind.values}.__getitem__
    coerce = kind.coerce_input_value

    def leaf(value: Any) -> Any:
        if value is None:
            raise _Unusual
        return coerce(value)

    return leaf


def _unusual(_value: Any) -> Any:
    raise _Unusual


def _whole(value: Any) -> Any:
    if type(value) is not int or not -_INT_LIMIT <= value < _INT_LIMIT:
        raise _Unusual
    return value


_TAKEN: dict[Any, type] = {GraphQLString: str, GraphQLID: str, GraphQLBoolean: bool}
_PLAIN: dict[Any, Read] = {**dict.fromkeys(_TAKEN, _unusual), GraphQLInt: _whole}
