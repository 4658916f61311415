"""Tantivy: the search index of one machine, in a folder.

An index that is damaged, or of another schema version, is replaced by an empty one of a new
generation. Blocking calls run in threads.
"""

import asyncio
import threading
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import tantivy

from shared.contracts.errors import TransientError
from shared.search.port import Deletion, SearchDocument, SearchHits, SearchQuery
from shared.search.tantivy_folder import Damaged, IndexFolder
from shared.search.tantivy_query import answer
from shared.search.tantivy_writer import TantivyWriter


class TantivyIndex:
    """A search index in a folder: one process writes, any number read.

    Reader and writer may be one object or several, in one process or several.

    Args:
        folder: created by the writer if it is missing; until then nothing is found.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = IndexFolder(folder)
        self._writer = TantivyWriter(self._folder)
        self._lock = asyncio.Lock()
        self._read: tuple[str, tantivy.Index] | None = None
        self._opening = threading.Lock()

    @property
    def generation(self) -> str:
        """An id of this index's content; known while it is open for writing."""
        return self._writer.generation

    @property
    def took_over(self) -> str:
        """Always empty: a new index begins without content."""
        return ""

    @asynccontextmanager
    async def writing(self) -> AsyncIterator[None]:
        """Hold the index open for writing; begins a new one if there is none that can be used."""
        await asyncio.to_thread(self._writer.open)
        try:
            yield
        finally:
            async with self._lock:
                await asyncio.to_thread(self._writer.close)

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[None]:
        """Hold nothing: each search looks up the generation in use."""
        try:
            yield
        finally:
            self._read = None

    async def write(
        self, documents: Sequence[SearchDocument], deletions: Sequence[Deletion] = ()
    ) -> None:
        """Store and delete, durably when it returns; lower versions than the stored are skipped."""
        async with self._lock:
            await asyncio.to_thread(self._writer.write, [*documents, *deletions])

    async def count(self) -> int:
        """Return the number of tracks that can be found; for the writer."""
        async with self._lock:
            return await asyncio.to_thread(self._writer.count)

    async def start_anew(self) -> None:
        """Begin an empty index of a new generation, and remove the present one."""
        async with self._lock:
            await asyncio.to_thread(self._writer.start_anew)

    async def search(self, query: SearchQuery) -> SearchHits:
        """Return the best hits of all that was written before."""
        return await asyncio.to_thread(self._search, query)

    def _search(self, query: SearchQuery) -> SearchHits:
        generation = self._folder.current()
        index = self._opened(generation) if generation else None
        if index is None:
            return SearchHits((), 0, {})
        try:
            return answer(index, query)
        except Damaged as error:
            if self._folder.current() == generation:
                self._folder.mark_damaged(generation, error)
            raise TransientError(
                "the search index is damaged: it is built anew with the next change"
                " or start of the indexer"
            ) from error

    def _opened(self, generation: str) -> tantivy.Index | None:
        with self._opening:
            if self._read is None or self._read[0] != generation:
                index = self._folder.open(generation)
                if index is None:
                    return None
                self._read = (generation, index)
            return self._read[1]
