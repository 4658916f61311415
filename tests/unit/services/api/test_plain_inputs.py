"""Plain inputs go to the store as mappings of its names, enumerations as their values."""

from enum import Enum
from typing import Any

import strawberry
from strawberry.types.base import get_object_definition

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


def _row(**told: object) -> dict[str, Any]:
    make: Any = get_object_definition(Tree, strict=True).from_input
    return rows([make(Tree, told, None)])[0]


def test_whatever_field_holds_an_enumeration_or_another_input_is_told_in_the_stores_words() -> None:
    leaf = {"mainColour": Colour.RED, "widthMm": 2.0}
    told = _row(colours=[Colour.RED], firstLeaf=leaf, twigList=[{"leafList": [leaf, leaf]}])
    stored = {"main_colour": "red", "width_mm": 2.0}
    assert told == {
        "common_name": None,
        "colours": ["red"],
        "first_leaf": stored,
        "twig_list": [{"leaf_list": [stored, stored]}],
    }
