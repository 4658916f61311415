"""Tantivy: the search index of one machine, in a folder.

`<folder>/current` names the generation in use, `<folder>/<generation>/` holds it. An index that
is damaged or has fields of another version is replaced by an empty one of a new generation.
"""

import asyncio
import shutil
import threading
import uuid
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import structlog
import tantivy

from shared.search.port import Deletion, SearchDocument, SearchHits, SearchQuery
from shared.search.tantivy_query import answer
from shared.search.tantivy_schema import SCHEMA, SCHEMA_VERSION, analyzer, document_fields

_log = structlog.get_logger(__name__)
_WRITER_HEAP_BYTES = 32_000_000


class TantivyIndex:
    """A search index in a folder: one process writes, any number read.

    Args:
        folder: made where it is missing. Writing and reading may use one object or several.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._writer: tantivy.IndexWriter | None = None
        self._written: tantivy.Index | None = None
        self._generation = ""
        self._turn = asyncio.Lock()
        self._read: tuple[str, tantivy.Index] | None = None
        self._opening = threading.Lock()

    @property
    def generation(self) -> str:
        """Names this index's content; known while it is held open for writing."""
        return self._generation

    @asynccontextmanager
    async def writing(self) -> AsyncIterator[None]:
        """Hold the index open for writing; makes a new one where there is none to be used."""
        await asyncio.to_thread(self._open_for_writing)
        try:
            yield
        finally:
            async with self._turn:
                writer, self._writer, self._written = self._writer, None, None
                if writer is not None:
                    await asyncio.to_thread(writer.wait_merging_threads)

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[None]:
        """Nothing need be held: each search looks which generation is in use."""
        try:
            yield
        finally:
            self._read = None

    async def write(
        self, documents: Sequence[SearchDocument], deletions: Sequence[Deletion] = ()
    ) -> None:
        """Store and delete, durably when it returns; what has a lower version is passed over."""
        async with self._turn:
            await asyncio.to_thread(self._write, documents, deletions)

    async def search(self, query: SearchQuery) -> SearchHits:
        """The best hits, of all that was written before."""
        return await asyncio.to_thread(self._search, query)

    def _open_for_writing(self) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        generation = self._current()
        index = self._open(generation) if generation else None
        if index is None:
            generation = f"{SCHEMA_VERSION}-{uuid.uuid4().hex}"
            index = self._make(generation)
        self._writer = index.writer(heap_size=_WRITER_HEAP_BYTES, num_threads=1)
        self._written, self._generation = index, generation
        for rest in self._folder.iterdir():
            if rest.is_dir() and rest.name != generation:
                shutil.rmtree(rest, ignore_errors=True)

    def _current(self) -> str:
        try:
            return (self._folder / "current").read_text().strip()
        except FileNotFoundError:
            return ""

    def _open(self, generation: str) -> tantivy.Index | None:
        if not generation.startswith(f"{SCHEMA_VERSION}-"):
            return None
        try:
            index = tantivy.Index.open(str(self._folder / generation))
            index.register_tokenizer("words", analyzer())
            index.searcher().num_docs  # noqa: B018 - a damaged index shows itself here
        except (ValueError, OSError) as error:
            _log.warning("the search index cannot be used; it is built anew", reason=str(error))
            return None
        return index

    def _make(self, generation: str) -> tantivy.Index:
        folder = self._folder / generation
        folder.mkdir()
        index = tantivy.Index(SCHEMA, path=str(folder))
        index.register_tokenizer("words", analyzer())
        fresh = self._folder / "current.new"
        fresh.write_text(generation)
        fresh.replace(self._folder / "current")
        return index

    def _write(self, documents: Sequence[SearchDocument], deletions: Sequence[Deletion]) -> None:
        writer, index = self._writer, self._written
        if writer is None or index is None:
            raise RuntimeError("the index is not held open for writing")
        newest: dict[str, SearchDocument | Deletion] = {}
        items: list[SearchDocument | Deletion] = [*documents, *deletions]
        for item in items:
            if item.track_id not in newest or newest[item.track_id].version <= item.version:
                newest[item.track_id] = item
        stored = _versions(index, list(newest))
        for track_id, item in newest.items():
            if stored.get(track_id, -1) < item.version:
                writer.delete_documents_by_term("id", track_id)
                writer.add_document(tantivy.Document.from_dict(document_fields(item), SCHEMA))
        writer.commit()

    def _search(self, query: SearchQuery) -> SearchHits:
        index = self._open_for_reading()
        if index is None:
            return SearchHits((), 0, {})
        return answer(index, query)

    def _open_for_reading(self) -> tantivy.Index | None:
        with self._opening:
            generation = self._current()
            if self._read is None or self._read[0] != generation:
                index = self._open(generation) if generation else None
                if index is None:
                    return None
                self._read = (generation, index)
            index = self._read[1]
            index.reload()
            return index


def _versions(index: tantivy.Index, ids: list[str]) -> dict[str, int]:
    if not ids:
        return {}
    index.reload()
    searcher = index.searcher()
    query = tantivy.Query.term_set_query(SCHEMA, "id", ids)
    found = searcher.search(query, limit=len(ids), count=False).hits
    documents = [searcher.doc(address) for _, address in found]
    return {str(document["id"][0]): int(document["version"][0]) for document in documents}
