"""Look-ahead: the selected fields of a whole list are loaded before its objects are resolved.

A field whose value comes from other tables is declared with `loaded`. It has no resolver: it is a
plain attribute. If the request selects the field, `load_selected` sets the attribute on all objects
of a response. So GraphQL resolves thousands of fields without an await, and each table is read once
per request, however many objects there are.
"""

import asyncio
import dataclasses
from collections import defaultdict
from collections.abc import Awaitable, Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Generic, TypeVar

import strawberry
from strawberry import Info
from strawberry.types import has_object_definition
from strawberry.types.nodes import SelectedField, Selection

from shared.gateway.client import camel_case

T = TypeVar("T")
K = TypeVar("K", bound=Hashable)
V = TypeVar("V")
_RELATION = "relation"
_VALUES = "values"


class Loader(Generic[K, V]):
    """Reads values by key, and keeps them for the rest of the request.

    All keys that are requested in one turn of the event loop are read together. Unlike
    strawberry's DataLoader it creates no future per key: lists have thousands of keys.

    Args:
        read: returns one value per key, in the order of the keys.
    """

    def __init__(self, read: Callable[[list[K]], Awaitable[Sequence[V]]]) -> None:
        self._read = read
        self._values: dict[K, V] = {}
        self._reads: dict[K, asyncio.Task[None]] = {}
        self._next_batch: list[K] = []

    async def load(self, key: K) -> V:
        """The value of one key. Raises what `read` raises."""
        return (await self.load_many([key]))[0]

    async def load_many(self, keys: Sequence[K]) -> list[V]:
        """The values of the keys, in their order. Raises what `read` raises."""
        missing = {key: None for key in keys if key not in self._values}
        for key in missing:
            if key not in self._reads:
                if not self._next_batch:
                    self._next_read = asyncio.create_task(self._read_batch())
                self._next_batch.append(key)
                self._reads[key] = self._next_read
        for read in {self._reads[key] for key in missing}:
            await read
        return [self._values[key] for key in keys]

    async def _read_batch(self) -> None:
        keys, self._next_batch = self._next_batch, []
        self._values.update(zip(keys, await self._read(keys), strict=True))


@dataclass(frozen=True, slots=True)
class Relation:
    """How the value of a field is loaded.

    Attributes:
        loader: which of the request's loaders has the rows.
        key: the loader's key for an object; None where it has no row.
        convert: makes the value from the object and its row. The row is None if the key is.
        field: the GraphQL field that needs the value, if its name is not the attribute's.
    """

    loader: Callable[[Any], Loader[Any, Any]]
    key: Callable[[Any], Any]
    convert: Callable[[Any, Any], Any]
    field: str | None = None


def loaded(
    loader: Callable[[Any], Loader[Any, Any]],
    key: Callable[[Any], Any],
    convert: Callable[[Any, Any], Any],
    *,
    description: str | None = None,
    values: int = 1,
) -> Any:
    """A field that `load_selected` sets: see `Relation` and `long_list` for the arguments."""
    relation = Relation(loader, key, convert)
    metadata = {_RELATION: relation, _VALUES: values}
    return strawberry.field(description=description, metadata=metadata)


def long_list(values: int) -> Any:
    """A field with a list of numbers, which counts as so many values of the request's budget."""
    return strawberry.field(metadata={_VALUES: values})


def loaded_for(
    field: str,
    loader: Callable[[Any], Loader[Any, Any]],
    key: Callable[[Any], Any],
    convert: Callable[[Any, Any], Any],
) -> Any:
    """A private attribute that `load_selected` sets when the GraphQL field `field` is selected.

    It is for fields with arguments: their resolver reads the attribute.
    """
    return dataclasses.field(metadata={_RELATION: Relation(loader, key, convert, field)})


def row_as(convert: Callable[[Any], Any]) -> Callable[[Any, Any], Any]:
    """A `convert` for `loaded`: converts the row; None if there is none."""
    return lambda _, row: convert(row) if row else None


def rows_as(convert: Callable[[Any], Any]) -> Callable[[Any, Any], Any]:
    """A `convert` for `loaded`: converts each of the rows."""
    return lambda _, rows: [convert(row) for row in rows]


async def load_selected(info: Info, result: T) -> T:
    """Set the loaded fields that the request selects, on all objects of `result`; return it.

    Every resolver that returns objects with loaded fields calls this last. If a value cannot be
    loaded, the attribute is set to the exception: GraphQL then reports it for that field alone.

    Raises:
        GraphQLError: BAD_INPUT, if the answer would have too many values (`context.Budget`).
            The objects' own tables have been read by then, the loaded fields have not.
    """
    selections = [inner for field in info.selected_fields for inner in field.selections]
    # Strawberry converts all selections anew for each parent object: that is work, too.
    info.context.budget.spend_values(_count(selections))
    await _load(info.context, [result], selections, 1)
    return result


def _count(selections: Sequence[Selection]) -> int:
    pending = list(selections)
    for selection in pending:
        pending.extend(selection.selections)
    return len(pending)


async def _load(
    context: Any, values: Iterable[Any], selections: Sequence[Selection], times: int
) -> None:
    """Load what is selected of objects that the answer shows `times` times, by aliases."""
    selected, names = _by_name(selections)
    found = _by_type(values)
    for kind, objects in found.items():
        long = _long_lists(kind)
        weight = sum(len(names[name]) * long.get(name, 1) for name in names)
        context.budget.spend_values(times * len(objects) * weight)
    tasks = [
        _load_attribute(
            context, objects, attribute, relation, selected[name], times * len(names[name])
        )
        for kind, objects in found.items()
        for name, attribute, relation in _attributes(kind)
        if name in selected and (relation is not None or selected[name])
    ]
    if tasks:
        await asyncio.gather(*tasks)


async def _load_attribute(
    context: Any,
    objects: Sequence[Any],
    attribute: str,
    relation: Relation | None,
    selections: Sequence[Selection],
    times: int,
) -> None:
    if relation is not None:
        await _set(context.loaders, objects, attribute, relation)
    if selections:
        await _load(context, [getattr(each, attribute) for each in objects], selections, times)


async def _set(loaders: Any, objects: Sequence[Any], attribute: str, relation: Relation) -> None:
    keys = [relation.key(each) for each in objects]
    try:
        loader = relation.loader(loaders)
        rows = iter(await loader.load_many([key for key in keys if key is not None]))
    except Exception as error:
        for each in objects:
            setattr(each, attribute, error)
        return
    for each, key in zip(objects, keys, strict=True):
        row = None if key is None else next(rows)
        try:
            value = relation.convert(each, row)
        except Exception as error:
            value = error
        setattr(each, attribute, value)


@cache
def _attributes(kind: type) -> tuple[tuple[str, str, Relation | None], ...]:
    """The attributes of a type that may be loaded, or hold objects that have such attributes.

    Returns:
        For each: the GraphQL field that needs it, its name, and how it is loaded.
    """
    found = []
    for field in dataclasses.fields(kind):
        relation = field.metadata.get(_RELATION)
        if field.init:  # a field with a resolver is no attribute; its resolver loads its result
            name = (relation and relation.field) or camel_case(field.name)
            found.append((name, field.name, relation))
    return tuple(found)


@cache
def _long_lists(kind: type) -> Mapping[str, int]:
    """How many values the long lists of a type have, by their GraphQL names."""
    return {
        camel_case(field.name): field.metadata[_VALUES]
        for field in dataclasses.fields(kind)
        if _VALUES in field.metadata
    }


def _by_type(values: Iterable[Any]) -> Mapping[type, list[Any]]:
    """The objects of our types among the values and their lists, by type."""
    found: defaultdict[type, list[Any]] = defaultdict(list)
    for value in values:
        for each in value if isinstance(value, list) else (value,):
            if has_object_definition(type(each)):
                found[type(each)].append(each)
    return found


def _by_name(
    selections: Iterable[Selection],
) -> tuple[dict[str, list[Selection]], dict[str, set[str | None]]]:
    """The selections below each selected field, and its aliases; None is the field's own name."""
    below: dict[str, list[Selection]] = {}
    aliases: dict[str, set[str | None]] = {}
    pending = list(selections)
    for selection in pending:
        if _is_skipped(selection.directives):
            continue
        if isinstance(selection, SelectedField):
            below.setdefault(selection.name, []).extend(selection.selections)
            aliases.setdefault(selection.name, set()).add(selection.alias)
        else:  # a fragment; its type condition does not matter, since fields are found by name
            pending.extend(selection.selections)
    return below, aliases


def _is_skipped(directives: Mapping[str, Mapping[str, Any]]) -> bool:
    skip, include = directives.get("skip"), directives.get("include")
    return bool(skip and skip["if"]) or bool(include and not include["if"])


def of_row(kind: type[T], row: Any, /, **attributes: Any) -> T:
    """An object whose attributes are the columns of a row, and the given ones.

    It skips the dataclass's `__init__`, which takes three times as long (a page has some ten
    thousand values) and requires the loaded fields, which are set later.
    """
    made = kind.__new__(kind)
    made.__dict__ = dict(zip(row.keys(), row.values(), strict=True)) | attributes
    return made
