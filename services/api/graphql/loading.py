"""Fields that hang on one row of a loader: for all objects of a list they are fetched at once.

Such a field is a plain function of the object and the row. A resolver that waits for a loader costs
a task an object and field, several times what the value itself takes.
"""

from collections.abc import Awaitable, Callable, Hashable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, TypeVar

import strawberry
from strawberry import Info
from strawberry.dataloader import DataLoader

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class Loader(DataLoader[K, V]):
    """A loader that can be filled before anybody asks; what it was filled with is at hand at once.

    Attributes:
        known: what it was filled with.
    """

    def __init__(self, read: Callable[[list[K]], Awaitable[Sequence[V]]]) -> None:
        super().__init__(read)
        self._read = read
        self.known: dict[K, V] = {}

    async def fill(self, keys: Iterable[K]) -> None:
        """Fetch what is not known yet, in one go."""
        new = [key for key in dict.fromkeys(keys) if key not in self.known]
        asked = {key: future for key in new if (future := self.cache_map.get(key)) is not None}
        for key, future in asked.items():
            self.known[key] = await future
        if rest := [key for key in new if key not in asked]:
            self.known.update(zip(rest, await self._read(rest), strict=True))

    def load(self, key: K) -> Awaitable[V]:
        """The value of a key; what is known is there without waiting."""
        if key not in self.known:
            return super().load(key)
        future = self.loop.create_future()
        future.set_result(self.known[key])
        return future


@dataclass(frozen=True, slots=True)
class Loaded:
    """How a field's value is had.

    Attributes:
        loader: of the request's loaders.
        key: of an object; None where it has none, and no row then.
        show: the value, from the object and its row (None without a key).
    """

    loader: Callable[[Any], Loader[Any, Any]]
    key: Callable[[Any], Any]
    show: Callable[[Any, Any], Any]

    async def fill(self, loaders: Any, objects: Iterable[Any]) -> None:
        """Fetch the rows of all the objects, as far as that goes: what fails is asked for again."""
        with suppress(Exception):
            keys = [key for each in objects if (key := self.key(each)) is not None]
            await self.loader(loaders).fill(keys)


def loaded_field(
    loader: Callable[[Any], Loader[Any, Any]],
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
