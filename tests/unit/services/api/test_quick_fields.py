"""What is completed by plan is what graphql-core answers: values, errors, nulls that propagate."""

from dataclasses import dataclass, field
from enum import Enum
from typing import Any

import pytest
import strawberry

from services.api.graphql.loading import Loader, loaded_field
from services.api.graphql.quick_fields import QuickFields


@strawberry.enum
class Size(Enum):
    SMALL = "small"


@strawberry.type
class Label:
    name: str


@strawberry.type
class Thing:
    key: strawberry.Private[Any]
    text: str = "t"
    maybe: str | None = None
    number: int = 1
    share: float | None = 0.5
    is_new: bool = True
    size: Size = Size.SMALL
    words: list[str] = field(default_factory=lambda: ["a", "b"])
    id: strawberry.ID = strawberry.ID("x")
    inner: Label = field(default_factory=lambda: Label(name="plain"))

    @loaded_field(lambda loaders: loaders.labels, lambda thing: thing.key)
    def label(self, row: Any) -> Label | None:
        """One that may be none."""
        return Label(name=row) if row else None

    @loaded_field(lambda loaders: loaders.labels, lambda thing: thing.key)
    def surely(self, row: Any) -> Label:
        """One that must be."""
        return Label(name=row)

    @loaded_field(lambda loaders: loaders.labels, lambda thing: thing.key)
    def broken(self, row: Any) -> str | None:
        """One whose row is not as it should be."""
        return str(row["name"])

    @strawberry.field
    async def waits(self) -> str | None:
        """One with a resolver of its own."""
        return f"waited {self.text}"


@strawberry.type
class Box:
    thing: Thing


@dataclass
class Loaders:
    """Keys are numbers: each has a label, but for 0, which fails, and 9, which has none."""

    asked: list[list[int]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.labels: Loader[int, Any] = Loader(self._read)

    async def _read(self, keys: list[int]) -> list[Any]:
        self.asked.append(list(keys))
        return [
            ValueError("no label today") if key == 0 else None if key == 9 else f"label {key}"
            for key in keys
        ]


@dataclass
class Context:
    things: list[Any]
    loaders: Loaders = field(default_factory=Loaders)


@strawberry.type
class Query:
    @strawberry.field
    async def things(self, info: strawberry.Info) -> list[Thing | None]:
        """All."""
        return list(info.context.things)

    @strawberry.field
    async def sure(self, info: strawberry.Info) -> list[Thing] | None:
        """All, none of them null."""
        return list(info.context.things)

    @strawberry.field
    def boxes(self, info: strawberry.Info) -> list[Box]:
        """All, each in a box."""
        return [Box(thing=thing) for thing in info.context.things]


PLAIN = strawberry.Schema(Query)
QUICK = strawberry.Schema(Query, execution_context_class=QuickFields)
ALL = "text maybe number share isNew size words id inner { name } __typename"


async def both(document: str, things: list[Any]) -> tuple[Any, list[list[int]]]:
    """The answer, which must be the same either way, and what the loader was asked."""
    told = []
    for schema in (PLAIN, QUICK):
        context = Context(things)
        result = await schema.execute(document, context_value=context)
        errors = [
            (error.message, error.path, str(error.locations)) for error in result.errors or ()
        ]
        told.append((result.data, sorted(errors, key=str), context.loaders.asked))
    assert told[0][:2] == told[1][:2]
    return told[1][:2], told[1][2]


async def test_plain_fields_are_as_they_are() -> None:
    things = [Thing(key=1), Thing(key=2, maybe="m", share=None, words=[]), None]
    (data, errors), _ = await both(f"{{ things {{ {ALL} other: text waits }} }}", things)
    assert errors == []
    assert data["things"][0]["size"] == "SMALL"
    assert data["things"][2] is None


@pytest.mark.parametrize(
    "wrong",
    [
        {"text": None},
        {"text": 5},
        {"number": 2**40},
        {"number": 1.5},
        {"number": True},
        {"share": float("nan")},
        {"share": 2},
        {"is_new": "yes"},
        {"size": "nothing"},
        {"words": ["a", None]},
        {"words": "ab"},
        {"words": ("a",)},
        {"text": ValueError("raised")},
        {"inner": None},
    ],
    ids=str,
)
@pytest.mark.parametrize("root", ["things", "sure", "boxes"])
async def test_what_is_wrong_is_told_and_nulls_propagate(root: str, wrong: dict[str, Any]) -> None:
    things = [Thing(key=1), Thing(key=2, **wrong)]
    fields = f"thing {{ {ALL} }}" if root == "boxes" else ALL
    await both(f"{{ {root} {{ {fields} }} }}", things)


@pytest.mark.parametrize(
    "fields", ["label { name }", "surely { name }", "broken", "label { name }"]
)
@pytest.mark.parametrize("root", ["things", "sure", "boxes"])
@pytest.mark.parametrize("keys", [[1, 2, 1], [1, 0, 2], [1, 9], [None, 3]], ids=str)
async def test_what_hangs_on_a_loader_is_asked_at_once_and_fails_as_its_own(
    root: str, fields: str, keys: list[int | None]
) -> None:
    inner = f"thing {{ {fields} text }}" if root == "boxes" else f"{fields} text"
    _, asked = await both(f"{{ {root} {{ {inner} }} }}", [Thing(key=key) for key in keys])
    assert asked == [list(dict.fromkeys(key for key in keys if key is not None))]
