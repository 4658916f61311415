"""Lists of inputs that are coerced by plan are what graphql-core makes of them, or left to it."""

from typing import Any

import pytest
from graphql import GraphQLInputObjectType, Undefined, parse
from graphql.utilities import coerce_input_value
from hypothesis import given, settings
from hypothesis import strategies as st

from services.api.graphql.plain_inputs import each_of, names_of, rows
from services.api.graphql.quick_inputs import QuickInputs, coerced_lists
from services.api.graphql.schema import build_schema

CORE = build_schema()._schema
INPUTS = [kind for kind in CORE.type_map.values() if isinstance(kind, GraphQLInputObjectType)]
_LEAVES = st.one_of(
    st.none(), st.booleans(), st.integers(-(2**33), 2**65), st.floats(), st.text(max_size=5),
    st.sampled_from(("ARTIST", "MUSIC", "art_" + "0" * 32, "TEXT")),
    st.dictionaries(st.text(max_size=3), st.lists(st.text(max_size=3), max_size=2), max_size=2),
)  # fmt: skip


def _values(kind: Any, depth: int = 0) -> st.SearchStrategy[Any]:
    """What fits a type, mostly."""
    name = str(kind).strip("[]!")
    fitting = {
        "String": st.text(max_size=5), "ID": st.text(max_size=5), "Boolean": st.booleans(),
        "Int": st.integers(-(2**31), 2**31), "Float": st.one_of(st.floats(), st.integers()),
        "BigInt": st.integers(-(2**63), 2**63),
    }.get(name, _LEAVES)  # fmt: skip
    inner = CORE.type_map[name]
    if isinstance(inner, GraphQLInputObjectType) and depth < 2:
        fitting = _items(inner, depth + 1)
    if str(kind).startswith("["):
        fitting = st.lists(fitting, max_size=3)
    return st.one_of(fitting, fitting, fitting, fitting, fitting, fitting, _LEAVES)


def _items(kind: GraphQLInputObjectType, depth: int = 0) -> st.SearchStrategy[Any]:
    fields = {name: _values(field.type, depth) for name, field in kind.fields.items()}
    needed = {name for name, field in kind.fields.items() if str(field.type).endswith("!")}
    return st.fixed_dictionaries(
        {name: fields[name] for name in fields if name in needed},
        optional={name: fields[name] for name in fields if name not in needed},
    )


def _stored(kind: GraphQLInputObjectType, items: list[Any]) -> list[Any]:
    """What the store gets of them: of plain inputs the rows."""
    definition = kind.extensions["strawberry-definition"]
    if names_of(definition.origin) is None:
        return items
    return rows([definition.from_input(definition.origin, item, None) for item in items])


@pytest.mark.parametrize("name", [kind.name for kind in INPUTS])
def test_what_is_coerced_by_plan_is_what_graphql_makes_of_it(name: str) -> None:
    kind = CORE.type_map[name]
    assert isinstance(kind, GraphQLInputObjectType)
    document = parse(f"query Q($input: [{name}!]!) {{ __typename }}")

    @settings(max_examples=40, deadline=None)
    @given(st.lists(_items(kind), min_size=4, max_size=4))
    def holds(items: list[Any]) -> None:
        made = coerced_lists(CORE, document, {"input": items})
        if made:
            slowly = [coerce_input_value(item, kind) for item in items]
            assert Undefined not in slowly
            assert repr(made["input"]) == repr(expected := _stored(kind, slowly)) or (
                made["input"] == expected
            )

    holds()


_ARTISTS = """
mutation M($input: [ArtistInput!]!) { createArtists(input: $input) { results { id } } }
"""


def _messages(items: list[Any]) -> list[str]:
    built = QuickInputs.build(CORE, parse(_ARTISTS), raw_variable_values={"input": items})
    return [error.message for error in built] if isinstance(built, list) else []


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"name": 7}, "String cannot represent a non string value: 7"),
        ({}, "required field 'name'"),
        ({"name": "a", "nme": "b"}, "'nme'"),
        (None, "not to be None"),
    ],
)
def test_what_is_wrong_with_one_of_many_inputs_is_told(wrong: Any, told: str) -> None:
    items = [{"name": "a"}, {"name": "b"}, {"name": "c"}, {"name": "d"}, wrong]
    assert coerced_lists(CORE, parse(_ARTISTS), {"input": items}) == {}
    assert any(told in message and "input" in message for message in _messages(items))


def test_plain_inputs_are_coerced_by_plan() -> None:
    items = [{"name": "a"}, {"name": "b", "sortName": None}, {"name": "c"}, {"name": "d"}]
    made = coerced_lists(CORE, parse(_ARTISTS), {"input": items})
    assert [one["name"] for one in made["input"]] == ["a", "b", "c", "d"]
    built = QuickInputs.build(CORE, parse(_ARTISTS), raw_variable_values={"input": items})
    assert built.variable_values.coerced == {"input": [made["input"]]}, "as one"
    assert each_of(built.variable_values.coerced["input"]) == made["input"]
