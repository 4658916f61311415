"""The folder of a Tantivy index: which generation is in use, and whether it can be used.

`<folder>/current` names the generation in use, and `<folder>/<generation>/` holds it. A file
`damaged` in there says that reading it has failed. Only the writer makes and removes generations.
"""

import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import structlog
import tantivy

from shared.contracts.errors import DependencyDown
from shared.search.fields import SCHEMA_VERSION
from shared.search.tantivy_schema import SCHEMA

# How Rust formats errors of the operating system: disk full, too many files, no permission.
# Tantivy has no other sign of them; see docs/fragile.md.
_OF_THE_SYSTEM = ("(os error ", "Os { code", "LockBusy")

_log = structlog.get_logger(__name__)


class Damaged(Exception):
    """The files of the index are inconsistent: it must be built anew."""


@contextmanager
def damage_named() -> Iterator[None]:
    """Tell a damaged index (`Damaged`) from a system that cannot serve it (`DependencyDown`).

    Tantivy raises `ValueError` for everything, or panics. A panic is a `BaseException` in Python,
    whose class cannot be imported, and would end the event loop.
    """
    try:
        yield
    except (ValueError, OSError) as error:
        if isinstance(error, OSError) or any(each in str(error) for each in _OF_THE_SYSTEM):
            raise DependencyDown(f"the search index is out of reach: {error}") from error
        raise Damaged(str(error)) from error
    except BaseException as error:
        if type(error).__name__ != "PanicException":
            raise
        raise Damaged(str(error)) from error


class IndexFolder:
    """The folder, for the reader and the writer."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @property
    def path(self) -> Path:
        """The folder."""
        return self._folder

    def current(self) -> str:
        """Return the generation in use; empty if there is none."""
        try:
            return (self._folder / "current").read_text().strip()
        except FileNotFoundError:
            return ""

    def open(self, generation: str) -> tantivy.Index | None:
        """Return the index of a generation; None if missing, damaged or of another schema.

        Raises:
            DependencyDown: the folder cannot be read.
        """
        folder = self._folder / generation
        if not generation.startswith(f"{SCHEMA_VERSION}-") or (folder / "damaged").exists():
            return None
        try:
            with damage_named():
                index = tantivy.Index.open(str(folder))
                # Reloaded before each search, so that no thread has to watch the folder.
                index.config_reader("manual")
                index.reload()
        except Damaged as error:
            _log.warning("search_index_unusable", reason=str(error)[:500])
            return None
        return index

    def make(self) -> tuple[str, tantivy.Index]:
        """Begin a new, empty generation, and put it in use."""
        generation = f"{SCHEMA_VERSION}-{uuid.uuid4().hex}"
        folder = self._folder / generation
        folder.mkdir(parents=True)
        index = tantivy.Index(SCHEMA, path=str(folder))
        index.config_reader("manual")
        fresh = self._folder / "current.new"
        fresh.write_text(generation)
        fresh.replace(self._folder / "current")
        return generation, index

    def mark_damaged(self, generation: str, error: Damaged) -> None:
        """Have the writer replace it."""
        _log.error("search_index_damaged", reason=str(error)[:500])
        (self._folder / generation / "damaged").touch()

    def is_damaged(self, generation: str) -> bool:
        """Whether reading it has failed."""
        return (self._folder / generation / "damaged").exists()

    def remove_others(self, generation: str) -> None:
        """Remove the generations that are not in use."""
        for rest in self._folder.iterdir():
            if rest.is_dir() and rest.name != generation:
                shutil.rmtree(rest, ignore_errors=True)
