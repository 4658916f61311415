"""Fields that hang on one row of a loader: for all objects of a list they are fetched at once.

Such a field is a plain function of the object and the row. A resolver that waits for a loader costs
a task an object and field, several times what the value itself takes.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import Any, TypeVar

import strawberry
from strawberry import Info
from strawberry.dataloader import DataLoader

T = TypeVar("T")
NOT_THERE = object()


@dataclass(frozen=True, slots=True)
class Loaded:
    """How a field's value is had.

    Attributes:
        loader: of the request's loaders.
        key: of an object; None where it has none, and no row then.
        show: the value, from the object and its row (None without a key).
    """

    loader: Callable[[Any], DataLoader[Any, Any]]
    key: Callable[[Any], Any]
    show: Callable[[Any, Any], Any]

    def ask(self, loaders: Any, objects: Iterable[Any]) -> list[Awaitable[Any]]:
        """Ask for the rows of all the objects."""
        load = self.loader(loaders).load
        return [load(key) for each in objects if (key := self.key(each)) is not None]

    def row(self, loaders: Any, owner: Any) -> Any:
        """The row of an object; `NOT_THERE` where it was not asked for, or that failed."""
        key = self.key(owner)
        if key is None:
            return None
        told = self.loader(loaders).cache_map.get(key)
        if not isinstance(told, asyncio.Future) or not told.done() or told.cancelled():
            return NOT_THERE
        return NOT_THERE if told.exception() else told.result()


def loaded_field(
    loader: Callable[[Any], DataLoader[Any, Any]],
    key: Callable[[Any], Any],
    description: str | None = None,
) -> Callable[[Callable[[Any, Any], Any]], Any]:
    """Make a method of the object and its row a field.

    What it may not do: wait, or look anything up.
    """

    def decorate(show: Callable[[Any, Any], Any]) -> Any:
        async def resolve(self: Any, info: Info) -> Any:
            told = key(self)
            row = None if told is None else await loader(info.context.loaders).load(told)
            return show(self, row)

        resolve.__annotations__ = {"info": Info, "return": show.__annotations__["return"]}
        resolve.__name__, resolve.__doc__ = show.__name__, show.__doc__
        resolve.__module__, resolve.__qualname__ = show.__module__, show.__qualname__
        resolve.loaded = Loaded(loader, key, show)  # type: ignore[attr-defined]
        return strawberry.field(resolve, description=description)

    return decorate


def of_row(kind: type[T], row: Any, /, **told: Any) -> T:
    """An object of a type of ours with a row's columns for attributes, and what is told besides.

    As if all were given to `kind`, in a third of the time: pages have some ten thousand values.
    """
    made = kind.__new__(kind)
    made.__dict__.update(row.items())
    made.__dict__.update(told)
    return made
