"""Look-ahead loads the selected fields of a list in one read, and fails field by field."""

from dataclasses import dataclass, field
from operator import attrgetter
from typing import Any

import pytest
import strawberry

from services.api.graphql.context import Budget
from services.api.graphql.look_ahead import Loader, load_selected, loaded, loaded_for, of_row


@strawberry.type
class Label:
    name: str


def _labels(loaders: Any) -> Loader[Any, Any]:
    labels: Loader[Any, Any] = loaders.labels
    return labels


@strawberry.type
class Thing:
    key: strawberry.Private[Any]
    text: str = "t"
    label: Label | None = loaded(
        _labels,
        attrgetter("key"),
        lambda _, row: Label(name=row) if row else None,
    )
    surely: Label = loaded(_labels, attrgetter("key"), lambda _, row: Label(name=row))
    broken: str | None = loaded(_labels, attrgetter("key"), lambda _, row: row["name"])
    all_labels: strawberry.Private[list[Label]] = loaded_for(
        "labels",
        _labels,
        attrgetter("key"),
        lambda _, row: [Label(name=row), Label(name="other")],
    )

    @strawberry.field
    def labels(self, first: int = 10) -> list[Label]:
        """A field with an argument."""
        return self.all_labels[:first]

    @strawberry.field
    async def waits(self) -> str | None:
        """A field with its own resolver."""
        return f"waited {self.text}"


@strawberry.type
class Box:
    thing: Thing


class Loaders:
    """Keys are numbers. Each has a label, except for 9; keys from 100 on fail."""

    def __init__(self) -> None:
        self.reads: list[list[int]] = []
        self.labels: Loader[int, Any] = Loader(self._read)

    async def _read(self, keys: list[int]) -> list[Any]:
        self.reads.append(list(keys))
        if max(keys) >= 100:
            raise ValueError("no labels today")
        return [None if key == 9 else f"label {key}" for key in keys]


@dataclass
class Context:
    things: list[Any]
    loaders: Loaders = field(default_factory=Loaders)
    budget: Budget = field(default_factory=Budget)


def _thing(key: int | None) -> Thing:
    return of_row(Thing, {"text": f"thing {key}"}, key=key)


@strawberry.type
class Query:
    @strawberry.field
    async def things(self, info: strawberry.Info) -> list[Thing | None]:
        """All things."""
        return await load_selected(info, list(info.context.things))

    @strawberry.field
    async def sure(self, info: strawberry.Info) -> list[Thing] | None:
        """All things; none is null."""
        return await load_selected(info, list(info.context.things))

    @strawberry.field
    async def boxes(self, info: strawberry.Info) -> list[Box]:
        """All things, each in a box."""
        return await load_selected(info, [Box(thing=thing) for thing in info.context.things])


SCHEMA = strawberry.Schema(Query)


async def _ask(
    document: str, things: list[Any], **variables: object
) -> tuple[Any, list[tuple[str, list[str | int] | None]], list[list[int]]]:
    """The data, the errors, and the keys that the loader read."""
    context = Context(things)
    result = await SCHEMA.execute(document, variables, context_value=context)
    errors = [(error.message, error.path) for error in result.errors or ()]
    return result.data, errors, context.loaders.reads


@pytest.mark.parametrize("root", ["things", "sure", "boxes"])
@pytest.mark.parametrize("keys", [[1, 2, 1], [1, 9], [None, 3]], ids=str)
async def test_all_objects_of_a_list_are_loaded_in_one_read(
    root: str, keys: list[int | None]
) -> None:
    fields = "text label { name } also: label { name }"
    selected = f"thing {{ {fields} }}" if root == "boxes" else fields
    data, errors, reads = await _ask(f"{{ {root} {{ {selected} }} }}", [_thing(k) for k in keys])
    assert errors == []
    assert reads == [list(dict.fromkeys(key for key in keys if key is not None))]
    found = [each.get("thing", each) for each in data[root]]
    assert [one["text"] for one in found] == [f"thing {key}" for key in keys]
    names = [None if key in {None, 9} else {"name": f"label {key}"} for key in keys]
    assert [one["label"] for one in found] == [one["also"] for one in found] == names


async def test_fields_that_are_not_selected_are_not_read() -> None:
    _, errors, reads = await _ask("{ things { text waits __typename } }", [_thing(1)])
    assert (errors, reads) == ([], [])


@pytest.mark.parametrize("use", ["@skip(if: $is)", "@include(if: $is)"])
@pytest.mark.parametrize("is_set", [True, False])
async def test_a_skipped_field_is_not_read(use: str, is_set: bool) -> None:
    document = f"query($is: Boolean!) {{ things {{ text label {use} {{ name }} }} }}"
    data, errors, reads = await _ask(document, [_thing(1)], **{"is": is_set})
    is_read = is_set is ("include" in use)
    assert (errors, reads) == ([], [[1]] if is_read else [])
    assert ("label" in data["things"][0]) is is_read


@pytest.mark.parametrize(
    "document",
    [
        "{ things { ...F } } fragment F on Thing { label { ...N } } fragment N on Label { name }",
        "{ things { ... on Thing { label { name } } } }",
        "{ things { ... { label { name } } } }",
        "{ things { text } ... on Query { things { label { name } } } }",
        "{ things { text } things { label { name } } }",
    ],
)
async def test_fields_in_fragments_and_repeated_fields_are_read(document: str) -> None:
    data, errors, reads = await _ask(document, [_thing(1), _thing(2)])
    assert (errors, reads) == ([], [[1, 2]])
    assert [one["label"]["name"] for one in data["things"]] == ["label 1", "label 2"]


async def test_a_field_with_arguments_uses_what_was_loaded_for_it() -> None:
    document = "{ things { labels(first: 1) { name } } }"
    data, errors, reads = await _ask(document, [_thing(1)])
    assert (errors, reads) == ([], [[1]])
    assert data["things"][0]["labels"] == [{"name": "label 1"}]


@pytest.mark.parametrize("root", ["things", "sure"])
async def test_a_value_that_cannot_be_converted_fails_alone(root: str) -> None:
    document = f"{{ {root} {{ text broken surely {{ name }} }} }}"
    data, errors, _ = await _ask(document, [_thing(1), _thing(9)])
    paths = [path for _, path in errors]
    assert [root, 0, "broken"] in paths
    assert [root, 1, "broken"] in paths
    assert [root, 1, "surely", "name"] in paths
    expected = [{"text": "thing 1", "broken": None, "surely": {"name": "label 1"}}, None]
    assert data[root] == (expected if root == "things" else None)


async def test_a_failed_read_is_the_error_of_each_field_that_needs_it() -> None:
    data, errors, _ = await _ask("{ things { text label { name } } }", [_thing(100), _thing(1)])
    assert data["things"] == [{"text": f"thing {n}", "label": None} for n in (100, 1)]
    assert sorted(errors, key=str) == [
        ("no labels today", ["things", 0, "label"]),
        ("no labels today", ["things", 1, "label"]),
    ]
