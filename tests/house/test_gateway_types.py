"""The workers' documents and types agree with the schema."""

import importlib
import importlib.resources
import types
import typing
from collections.abc import Mapping, Sequence
from enum import Enum
from typing import Any, Literal, Union, get_args, get_origin

import msgspec
import pytest
from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    Undefined,
    parse,
    type_from_ast,
)
from graphql.language import (
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    OperationDefinitionNode,
    SelectionSetNode,
)

from services.api.graphql.schema import build_schema
from shared.contracts.analysis import Analysis
from shared.gateway.client import Operation, camel_case

SCHEMA = build_schema()._schema
_MODULES = ("scans", "extraction", "analysis", "vectorization", "indexing")
OPERATIONS = {
    f"{module}.{name}": value
    for module in _MODULES
    for name, value in vars(importlib.import_module(f"shared.gateway.{module}")).items()
    if isinstance(value, Operation)
}
_SCALARS: Mapping[str, Any] = {
    "String": str, "ID": str, "Int": int, "Float": float, "Boolean": bool, "BigInt": int,
    "Vector": bytes, "Texts": list[str | None], "BigInts": list[int | None],
    "Digests": list[int | None], "Flags": list[bool], "Places": list[list[int]],
    "KeyValues": Mapping[str, Sequence[str]],
}  # fmt: skip


def _optional(kind: Any) -> tuple[Any, bool]:
    """The type without None, and whether None belongs to it."""
    if get_origin(kind) in {Union, types.UnionType}:
        inner = [each for each in get_args(kind) if each is not type(None)]
        assert len(inner) == 1, f"{kind} is more than one type"
        return inner[0], True
    return kind, False


def _without_nulls(kind: Any) -> Any:
    """A column's type where none of its values is null."""
    if get_origin(kind) is list:
        return list[_optional(get_args(kind)[0])[0]]  # type: ignore[misc] # made from values
    return kind


def _check_leaf(kind: Any, name: str, where: str) -> None:
    graphql = SCHEMA.type_map[name]
    if isinstance(graphql, GraphQLEnumType):
        names = set(graphql.values)
        if kind is str:  # enumerations as strings are checked where they are made
            return
        if get_origin(kind) is Literal:
            assert set(get_args(kind)) <= names, where
        else:
            assert issubclass(kind, Enum), where
            assert {each.value for each in kind} == names, where
        return
    expected = _SCALARS[name]
    if isinstance(expected, types.GenericAlias) and get_origin(expected) is list:
        item = get_args(kind)[0]
        inner, is_optional = _optional(item)
        if isinstance(inner, type) and issubclass(inner, Enum):  # a column of an enum's names
            kind = list[str | None] if is_optional else list[str]
        assert kind in {expected, _without_nulls(expected)}, where
    else:
        assert kind == expected, where


def _fields(kind: type) -> dict[str, tuple[Any, bool]]:
    """The types of a struct's fields by GraphQL's names, and whether they must be given."""
    hints = typing.get_type_hints(kind)
    return {
        field.encode_name: (hints[field.name], field.required)
        for field in msgspec.structs.fields(kind)
    }


def _check_input(kind: Any, graphql: Any, where: str) -> None:
    if isinstance(graphql, GraphQLNonNull):
        graphql = graphql.of_type
        kind, is_optional = _optional(kind)
        assert not is_optional, f"{where} must not be null"
    else:
        kind, _ = _optional(kind)
    if isinstance(graphql, GraphQLList):
        assert get_origin(kind) in {list, Sequence}, where
        _check_input(get_args(kind)[0], graphql.of_type, where)
    elif isinstance(graphql, GraphQLInputObjectType):
        if kind == dict[str, Any]:
            assert graphql.name == "AnalysisInput", where
            return
        fields = _fields(kind)
        assert set(fields) == set(graphql.fields), where
        for name, field in graphql.fields.items():
            hint, is_required = fields[name]
            must = isinstance(field.type, GraphQLNonNull) and field.default_value is Undefined
            assert is_required == must, f"{where}.{name}"
            _check_input(hint, field.type, f"{where}.{name}")
    else:
        _check_leaf(kind, str(graphql), where)


def _selected(
    selections: SelectionSetNode, fragments: Mapping[str, FragmentDefinitionNode]
) -> dict[str, FieldNode]:
    found: dict[str, FieldNode] = {}
    for each in selections.selections:
        if isinstance(each, FieldNode):
            found[each.name.value] = each
        else:
            assert isinstance(each, FragmentSpreadNode)
            found |= _selected(fragments[each.name.value].selection_set, fragments)
    return found


def _check_output(
    kind: Any,
    graphql: Any,
    node: FieldNode,
    fragments: Mapping[str, FragmentDefinitionNode],
    where: str,
) -> None:
    kind, is_optional = _optional(kind)
    assert is_optional is not isinstance(graphql, GraphQLNonNull), f"{where}: null or not"
    graphql = graphql.of_type if isinstance(graphql, GraphQLNonNull) else graphql
    if isinstance(graphql, GraphQLList):
        assert get_origin(kind) in {list, Sequence}, where
        _check_output(get_args(kind)[0], graphql.of_type, node, fragments, where)
    elif isinstance(graphql, GraphQLObjectType):
        assert node.selection_set is not None
        selected = _selected(node.selection_set, fragments)
        fields = _fields(kind)
        assert set(fields) == set(selected), where
        for name, inner in selected.items():
            _check_output(
                fields[name][0], graphql.fields[name].type, inner, fragments, f"{where}.{name}"
            )
    else:
        _check_leaf(kind, str(graphql), where)


@pytest.mark.parametrize("name", OPERATIONS)
def test_an_operation_has_the_types_of_the_schema(name: str) -> None:
    operation = OPERATIONS[name]
    document = parse(operation.document)
    fragments = {
        each.name.value: each
        for each in document.definitions
        if isinstance(each, FragmentDefinitionNode)
    }
    (definition,) = (d for d in document.definitions if isinstance(d, OperationDefinitionNode))
    declared = {
        each.variable.name.value: type_from_ast(SCHEMA, each.type)
        for each in definition.variable_definitions or ()
    }
    kinds = {camel_case(each): kind for each, kind in operation.variables.items()}
    assert set(declared) == set(kinds)
    for variable, graphql in declared.items():
        _check_input(kinds[variable], graphql, f"${variable}")
    root: Any = getattr(SCHEMA, f"{definition.operation.value}_type")
    (field,) = _selected(definition.selection_set, fragments).values()
    graphql = root.fields[field.name.value].type
    _check_output(operation.result, graphql, field, fragments, field.name.value)


def test_every_document_is_an_operation_of_a_worker() -> None:
    files = {path.read_text() for path in _folder().glob("*.graphql")}
    assert files == {operation.document for operation in OPERATIONS.values()}
    assert len(files) == len(OPERATIONS)


def test_an_analysis_has_the_fields_of_its_input() -> None:
    graphql = SCHEMA.type_map["AnalysisInput"]
    assert isinstance(graphql, GraphQLInputObjectType)
    ours = {camel_case(name) for name in Analysis.model_fields}
    assert ours | {"trackId", "analyzerVersion", "contentRevision"} == set(graphql.fields)


def _folder() -> Any:
    return importlib.resources.files("shared.gateway") / "documents"
