"""Fields that hang on one row of a loader: for all objects of a list they are fetched at once.

Such a field is a plain function of the object and the row. A resolver that waits for a loader costs
a task an object and field, several times what the value itself takes.
"""

import asyncio
from collections.abc import Awaitable, Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import strawberry
import structlog
from strawberry import Info
from strawberry.dataloader import DataLoader

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")
T = TypeVar("T")
_log = structlog.get_logger()
NOT_THERE = object()


class Loader(DataLoader[K, V]):
    """A loader that can be filled for many objects at once, with no future a key.

    Attributes:
        known: what it was filled with; an error where there is no value.
    """

    def __init__(self, read: Callable[[list[K]], Awaitable[Sequence[V | BaseException]]]) -> None:
        super().__init__(read)
        self.known: dict[K, V | BaseException] = {}
        self._read = read
        self._wanted: dict[K, None] = {}
        self._filling: asyncio.Future[None] | None = None

    def fill(self, keys: Iterable[K]) -> list[Awaitable[Any]]:
        """Fetch what is not known yet, with what else is asked for in this turn of the loop.

        Returns what to wait for; what fails then can be asked for with `load`.
        """
        waiting: list[Awaitable[Any]] = []
        for key in keys:
            if key in self.known:
                continue
            asked = self.cache_map.get(key)
            if asked is None:
                self._wanted[key] = None
            else:
                waiting.append(self._keep(key, asked))
        if self._wanted and self._filling is None:
            self._filling = self.loop.create_future()
            self.loop.call_soon(self._begin)
        return [*waiting, self._filling] if self._filling is not None else waiting

    def load(self, key: K) -> Awaitable[V]:
        """The value of a key; what is known is there without waiting."""
        if key not in self.known:
            return super().load(key)
        future = self.loop.create_future()
        told = self.known[key]
        if isinstance(told, BaseException):
            future.set_exception(told)
        else:
            future.set_result(told)
        return future

    async def _keep(self, key: K, asked: Awaitable[V]) -> None:
        self.known[key] = await asked

    def _begin(self) -> None:
        wanted, filling = list(self._wanted), self._filling
        self._wanted, self._filling = {}, None
        if filling is not None:
            self._task = self.loop.create_task(self._fill(wanted, filling))

    async def _fill(self, wanted: list[K], filling: asyncio.Future[None]) -> None:
        try:
            self.known.update(zip(wanted, await self._read(wanted), strict=True))
        except Exception:  # who asks for one of them with `load` hears of it
            _log.debug("not_filled", exc_info=True)
        finally:
            if not filling.done():
                filling.set_result(None)


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

    def ask(self, loaders: Any, objects: Iterable[Any]) -> list[Awaitable[Any]]:
        """Ask for the rows of all the objects; they are there when all of these are done."""
        loader, of = self.loader(loaders), self.key
        return loader.fill(key for each in objects if (key := of(each)) is not None)

    def row(self, loaders: Any, owner: Any) -> Any:
        """The row of an object; `NOT_THERE` where it was not asked for, or that failed."""
        key = self.key(owner)
        told = None if key is None else self.loader(loaders).known.get(key, NOT_THERE)
        return NOT_THERE if isinstance(told, BaseException) else told


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


def of_row(kind: type[T], row: Any, /, **told: Any) -> T:
    """An object of a type of ours with a row's columns for attributes, and what is told besides.

    As if all were given to `kind`, in a third of the time: pages have some ten thousand values.
    """
    made = kind.__new__(kind)
    made.__dict__.update(row.items())
    made.__dict__.update(told)
    return made
