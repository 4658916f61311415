"""OpenSearch: the search index of a cluster, behind a server.

Any number of processes write and read it. What is deleted is kept as a document that is not found
(see `opensearch_mapping.lines`); an index of another schema is taken over into a new one, and an
alias moves from one to the other at once.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from shared.contracts.errors import TransientError
from shared.search.fields import newest
from shared.search.opensearch_alias import IndexAlias
from shared.search.opensearch_bulk import Bulk
from shared.search.opensearch_query import ALIVE, NOTHING, answer, requests
from shared.search.opensearch_server import NotThere, OpenSearchServer
from shared.search.port import Deletion, SearchDocument, SearchHits, SearchQuery

ALIAS = "soniquebay"
_ATTEMPTS = 5


class OpenSearchIndex:
    """A search index on a server: any number of processes write and read it.

    Args:
        url: address of the server.
        user: name to log in with; empty where the server asks for none.
        password: belongs to it.
        alias: name of the index; each product that shares a server needs its own.
    """

    def __init__(self, url: str, *, user: str = "", password: str = "", alias: str = ALIAS) -> None:
        self._server = OpenSearchServer(url, user, password)
        self._alias = IndexAlias(self._server, alias)
        self._bulk = Bulk(self._server, alias)
        self._generation = self._took_over = ""
        self._turn = asyncio.Lock()

    @property
    def generation(self) -> str:
        """Names this index's content: the index behind the alias when it was last looked at."""
        return self._generation

    @property
    def took_over(self) -> str:
        """The generation whose content this one began with, if it was made by this process."""
        return self._took_over

    @asynccontextmanager
    async def writing(self) -> AsyncIterator[None]:
        """Connect, and make or take over an index where that is needed.

        Raises:
            DependencyDown: the server is out of reach.
        """
        async with self._server.connected():
            await self._make_ready()
            yield

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[None]:
        """Keep connections open; the server need not be there yet."""
        async with self._server.connected():
            yield

    async def write(
        self, documents: Sequence[SearchDocument], deletions: Sequence[Deletion] = ()
    ) -> None:
        """Store and delete, durably when it returns; what has a lower version is passed over.

        Raises:
            DependencyDown: the server is out of reach, overloaded or its disk full.
            TransientError: it failed.
            InvalidInput: it does not take a document; the others of its portion are stored.
        """
        items = newest([*documents, *deletions])
        for _ in range(_ATTEMPTS):
            try:
                took = await self._bulk.write(items)
            except NotThere:  # someone removed the index
                await self._make_ready()
                continue
            if took - {self._generation}:
                self._generation = await self._alias.current()
            if not took - {self._generation}:
                return  # else the alias moved meanwhile, and what took it may be gone
        raise TransientError("the search index is replaced all the time: who does so?")

    async def count(self) -> int:
        """How many tracks can be found."""
        try:
            told = await self._server.ask("POST", f"/{self._alias.name}/_count", {"query": ALIVE})
        except NotThere:
            return 0
        return int(told["count"])

    async def start_anew(self) -> None:
        """Begin an empty index of another generation; the present one is removed."""
        async with self._turn:
            self._generation = await self._alias.anew()

    async def search(self, query: SearchQuery) -> SearchHits:
        """The best hits, of all that was written before."""
        for request in requests(query):
            try:
                found = await self._answered(request)
            except NotThere:
                return NOTHING
            if found.total:
                return found
        return NOTHING

    async def _answered(self, request: dict[str, object]) -> SearchHits:
        path = f"/{self._alias.name}/_search?allow_partial_search_results=false"
        try:
            return answer(await self._server.ask("POST", path, request))
        except NotThere:  # the alias moved while it was asked
            return answer(await self._server.ask("POST", path, request))

    async def _make_ready(self) -> None:
        async with self._turn:
            self._generation, took_over = await self._alias.ready()
            self._took_over = took_over or self._took_over
