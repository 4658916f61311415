"""OpenSearch: the search index of a cluster. Any number of processes write and read it.

A deleted track stays as a document that is not found (see `opensearch_mapping.lines`). The content
of an index with another schema is copied into a new one, and an alias is moved to it in one step.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from shared.contracts.errors import TransientError
from shared.search.fields import newest
from shared.search.opensearch_alias import IndexAlias
from shared.search.opensearch_bulk import Bulk
from shared.search.opensearch_query import ALIVE, NOTHING, answer, requests
from shared.search.opensearch_server import IndexMissing, OpenSearchServer
from shared.search.port import Deletion, SearchDocument, SearchHits, SearchQuery

ALIAS = "soniquebay"
_ATTEMPTS = 5


class OpenSearchIndex:
    """A search index on a server: any number of processes write and read it.

    Args:
        url: the address of the server.
        user: the name to log in with; empty if the server asks for none.
        password: the user's password.
        alias: the name of the index; installations that share a server need different ones.
    """

    def __init__(self, url: str, *, user: str = "", password: str = "", alias: str = ALIAS) -> None:
        self._server = OpenSearchServer(url, user, password)
        self._alias = IndexAlias(self._server, alias)
        self._bulk = Bulk(self._server, alias)
        self._generation = self._took_over = ""
        self._lock = asyncio.Lock()

    @property
    def generation(self) -> str:
        """The index that the alias pointed to when it was last looked up."""
        return self._generation

    @property
    def took_over(self) -> str:
        """The generation whose content was copied into this one, if this process made it."""
        return self._took_over

    @asynccontextmanager
    async def writing(self) -> AsyncIterator[None]:
        """Connect, and create an index, or copy one of another schema, if needed.

        Raises:
            DependencyDown: the server is out of reach.
        """
        async with self._server.connected():
            await self._make_ready()
            yield

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[None]:
        """Keep connections open; the server may still be starting."""
        async with self._server.connected():
            yield

    async def write(
        self, documents: Sequence[SearchDocument], deletions: Sequence[Deletion] = ()
    ) -> None:
        """Store and delete, durably when it returns; lower versions than the stored are skipped.

        Raises:
            DependencyDown: the server is out of reach, overloaded or its disk full.
            TransientError: it failed.
            InvalidInput: it will never accept a document; the others of its portion are stored.
        """
        items = newest([*documents, *deletions])
        for _ in range(_ATTEMPTS):
            try:
                indexes = await self._bulk.write(items)
            except IndexMissing:  # somebody removed the index
                await self._make_ready()
                continue
            if indexes - {self._generation}:
                self._generation = await self._alias.current()
            if not indexes - {self._generation}:
                return
            # The alias moved meanwhile, and the index that stored the items may be gone.
        raise TransientError("the search index is replaced again and again by another process")

    async def count(self) -> int:
        """Return the number of tracks that can be found."""
        try:
            response = await self._server.request(
                "POST", f"/{self._alias.name}/_count", {"query": ALIVE}
            )
        except IndexMissing:
            return 0
        return int(response["count"])

    async def start_anew(self) -> None:
        """Begin an empty index of a new generation, and remove the present one."""
        async with self._lock:
            self._generation = await self._alias.replace()

    async def search(self, query: SearchQuery) -> SearchHits:
        """Return the best hits of all that was written before."""
        for request in requests(query):
            try:
                found = await self._hits(request)
            except IndexMissing:
                return NOTHING
            if found.total:
                return found
        return NOTHING

    async def _hits(self, request: dict[str, object]) -> SearchHits:
        path = f"/{self._alias.name}/_search?allow_partial_search_results=false"
        try:
            return answer(await self._server.request("POST", path, request))
        except IndexMissing:  # the alias was moved during the request
            return answer(await self._server.request("POST", path, request))

    async def _make_ready(self) -> None:
        async with self._lock:
            self._generation, took_over = await self._alias.ready()
            self._took_over = took_over or self._took_over
