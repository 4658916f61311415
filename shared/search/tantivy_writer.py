"""The writer of the Tantivy index; synchronous, for one thread at a time."""

import shutil
from collections.abc import Sequence
from dataclasses import dataclass

import tantivy
from tantivy import Query

from shared.contracts.errors import DependencyDown
from shared.search.fields import Item, newest
from shared.search.tantivy_folder import Damaged, IndexFolder, damage_named
from shared.search.tantivy_schema import SCHEMA, to_tantivy

_HEAP_BYTES = 32_000_000
_ENOUGH_SPACE_BYTES = 100_000_000


@dataclass(slots=True)
class _Open:
    generation: str
    index: tantivy.Index
    writer: tantivy.IndexWriter


class TantivyWriter:
    """Keeps one generation open for writing, and begins another if that one is lost."""

    def __init__(self, folder: IndexFolder) -> None:
        self._folder = folder
        self._open: _Open | None = None
        self._failed_commits = 0
        self.generation = ""

    def open(self) -> None:
        """Open the generation in use, or begin a new one if it cannot be used.

        Raises:
            DependencyDown: another process writes it, or the folder cannot be written.
        """
        if self._open is not None:
            return
        try:
            self._folder.path.mkdir(parents=True, exist_ok=True)
            generation = self._folder.current()
            index = self._folder.open(generation)
            if index is None:
                generation, index = self._folder.make()
            with damage_named():
                # The lock is the operating system's, so that a killed process leaves none behind.
                writer = index.writer(heap_size=_HEAP_BYTES, num_threads=1)
        except (Damaged, ValueError, OSError, DependencyDown) as error:
            raise DependencyDown(_message(self._folder, error)) from error
        self._open = _Open(generation, index, writer)
        self.generation = generation
        self._folder.remove_others(generation)

    def close(self) -> None:
        """Close the index; what was written stays."""
        held, self._open = self._open, None
        if held is not None:
            held.writer.wait_merging_threads()

    def start_anew(self) -> None:
        """Begin an empty generation and remove the present one."""
        self.close()
        try:
            self._folder.make()
        except (ValueError, OSError) as error:
            raise DependencyDown(_message(self._folder, error)) from error
        self.open()

    def count(self) -> int:
        """Return the number of documents that can be found."""
        index = self._reopened().index
        with damage_named():
            index.reload()
            alive = Query.term_query(SCHEMA, "alive", 1)
            found = index.searcher().search(alive, limit=1, count=True)
            return int(found.count or 0)  # type: ignore[attr-defined] # missing in its stubs

    def write(self, items: Sequence[Item]) -> None:
        """Store durably what is newer than the stored versions."""
        held = self._reopened()
        try:
            newer = _newer(held.index, items)
        except Damaged as error:
            self._folder.mark_damaged(held.generation, error)
            held = self._reopened()
            newer = _newer(held.index, items)
        if newer:
            self._commit(held, newer)

    def _reopened(self) -> _Open:
        """Return the open generation; a new one if reading it has failed."""
        if self._open is not None and self._folder.is_damaged(self._open.generation):
            self._open = None  # not closed, since its threads may have died
        if self._open is None:
            self.open()
        assert self._open is not None
        return self._open

    def _commit(self, held: _Open, items: Sequence[Item]) -> None:
        documents = [(item.track_id, to_tantivy(item)) for item in items]
        try:
            with damage_named():
                for track_id, document in documents:
                    held.writer.delete_documents_by_term("id", track_id)
                    held.writer.add_document(document)
                held.writer.commit()
        except (Damaged, DependencyDown) as error:
            # Drop the writer with what it has buffered; the whole batch is delivered again.
            self._open = None
            self._failed_commits += 1
            free = shutil.disk_usage(self._folder.path).free
            again = self._failed_commits > 1 and free > _ENOUGH_SPACE_BYTES
            if isinstance(error, Damaged) and again:
                self._folder.mark_damaged(held.generation, error)
            raise DependencyDown(_message(self._folder, error)) from error
        self._failed_commits = 0


def _newer(index: tantivy.Index, items: Sequence[Item]) -> list[Item]:
    """Return the newest item of each track, if it is newer than the stored one."""
    latest = newest(items)
    with damage_named():
        stored = _versions(index, [item.track_id for item in latest])
    return [item for item in latest if stored.get(item.track_id, -1) < item.version]


def _versions(index: tantivy.Index, ids: list[str]) -> dict[str, int]:
    if not ids:
        return {}
    index.reload()
    searcher = index.searcher()
    query = Query.term_set_query(SCHEMA, "id", ids)
    found = searcher.search(query, limit=len(ids), count=False).hits
    documents = [searcher.doc(address) for _, address in found]
    return {str(document["id"][0]): int(document["version"][0]) for document in documents}


def _message(folder: IndexFolder, error: Exception) -> str:
    if "LockBusy" in str(error):
        return f"another process writes the search index in {folder.path}"
    return f"the search index in {folder.path} cannot be written: {error}"
