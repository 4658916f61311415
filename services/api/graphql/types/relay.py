"""Relay's nodes and connections: https://relay.dev/graphql/connections.htm."""

from collections.abc import Awaitable, Callable
from typing import Any, Generic, TypeVar

import strawberry
from strawberry import Info

from services.api.graphql.errors import bad_input
from services.api.graphql.look_ahead import load_selected
from services.api.store.reading.pages import BadCursor, Page

T = TypeVar("T")


@strawberry.interface
class Node:
    """Something that `node(id)` finds."""

    id: strawberry.ID


@strawberry.type
class PageInfo:
    """The place of a page in its list."""

    has_next_page: bool
    has_previous_page: bool
    start_cursor: str | None
    end_cursor: str | None


@strawberry.type
class Edge(Generic[T]):
    """A row of a page, and its cursor."""

    cursor: str
    node: T


@strawberry.type
class Connection(Generic[T]):
    """A page of a list."""

    edges: list[Edge[T]]
    page_info: PageInfo
    counting: strawberry.Private[Callable[[], Awaitable[int]]]

    @strawberry.field(description="Rows of all pages. They are counted only if this is selected.")
    async def total_count(self) -> int:
        """Count the rows of all pages."""
        return await self.counting()


async def connection(
    info: Info,
    page: Awaitable[Page],
    count: Callable[[], Awaitable[int]],
    convert: Callable[[Any], T],
    after: str | None,
) -> Connection[T]:
    """A page of rows as a connection, with the loaded fields that the request selects."""
    try:
        found = await page
    except BadCursor as error:
        raise bad_input(f"after: {error}") from None
    info.context.budget.spend(len(found.rows))
    shown: Connection[T] = Connection(
        edges=[
            Edge(cursor=cursor, node=convert(row))
            for cursor, row in zip(found.cursors, found.rows, strict=True)
        ],
        page_info=PageInfo(
            has_next_page=found.has_next,
            has_previous_page=after is not None,
            start_cursor=found.cursors[0] if found.cursors else None,
            end_cursor=found.cursors[-1] if found.cursors else None,
        ),
        counting=count,
    )
    return await load_selected(info, shown)
