"""Plain inputs become rows of the store: snake-case names, and enumerations as values."""

from enum import Enum
from importlib import metadata
from typing import Any

import strawberry
from packaging.specifiers import SpecifierSet
from strawberry.types import get_object_definition

from services.api.graphql.plain_inputs import plain, rows


@strawberry.enum
class Colour(Enum):
    RED = "red"


@plain
@strawberry.input
class Leaf:
    main_colour: Colour | None = None
    width_mm: float


@plain
@strawberry.input
class Twig:
    leaf_list: list[Leaf] | None = None


@plain
@strawberry.input
class Tree:
    common_name: str | None = None
    colours: list[Colour] | None = None
    first_leaf: Leaf | None = None
    twig_list: list[Twig]


def _row(**fields: object) -> dict[str, Any]:
    make: Any = get_object_definition(Tree, strict=True).from_input
    return rows([make(Tree, fields, None)])[0]


def test_enumerations_and_nested_inputs_become_values_and_mappings() -> None:
    leaf = {"mainColour": Colour.RED, "widthMm": 2.0}
    row = _row(colours=[Colour.RED], firstLeaf=leaf, twigList=[{"leafList": [leaf, leaf]}])
    stored = {"main_colour": "red", "width_mm": 2.0}
    assert row == {
        "common_name": None,
        "colours": ["red"],
        "first_leaf": stored,
        "twig_list": [{"leaf_list": [stored, stored]}],
    }


@strawberry.type
class Query:
    @strawberry.field
    async def plant(self, trees: list[Tree]) -> str:
        """The rows that the resolver gets."""
        return repr(list(rows(trees)))


SCHEMA = strawberry.Schema(Query)
SUPPORTED = SpecifierSet(">=0.338,<0.342")
"""The versions of strawberry that `plain` is known to work with: all that pyproject.toml allows."""


async def test_strawberry_calls_the_hook() -> None:
    version = metadata.version("strawberry-graphql")
    assert version in SUPPORTED, f"see docs/fragile.md: does {version} call `from_input`?"
    answer = await SCHEMA.execute("{ plant(trees: [{twigList: [{}], colours: [RED]}]) }")
    assert answer.errors is None
    assert answer.data == {
        "plant": repr(
            [
                {
                    "common_name": None,
                    "colours": ["red"],
                    "first_leaf": None,
                    "twig_list": [{"leaf_list": None}],
                }
            ]
        )
    }


async def test_a_list_variable_inside_an_item_is_coerced_whatever_its_length() -> None:
    document = "query($t: [Twig!]!) { plant(trees: [{twigList: $t}]) }"
    for count in (1, 3, 4, 50):
        answer = await SCHEMA.execute(document, {"t": [{"leafList": None}] * count})
        assert answer.errors is None
        assert answer.data is not None
        assert answer.data["plant"].count("leaf_list") == count
