"""The elements of an XML file as a stream: a collection may have 100 MB."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import BinaryIO
from xml.parsers import expat

_CHUNK_BYTES = 256 * 2**10
_SECTION, _SECTION_DEPTH = "COLLECTION", 2
"""The element below the root whose elements are yielded: others hold playlists, without bound."""
_MOST_CHILDREN = 10_000


class InvalidCollection(Exception):
    """The file is no collection, or damaged; the message says why."""


@dataclass(slots=True)
class Element:
    """An element with its attributes and the elements in it. Text between them is not kept."""

    name: str
    attributes: dict[str, str]
    children: "list[Element]" = field(default_factory=list)

    def child(self, name: str) -> "Element | None":
        """The first element in it that has this name."""
        return next((each for each in self.children if each.name == name), None)


class _Builder:
    """Builds the elements of the collection from the parser's events."""

    def __init__(self) -> None:
        self.root = ""
        self.complete: list[Element] = []
        self._depth = 0
        self._is_in_section = False
        self._open: list[Element] = []

    def start(self, name: str, attributes: dict[str, str]) -> None:
        self._depth += 1
        if self._depth == 1:
            self.root = name
        if self._depth == _SECTION_DEPTH:
            self._is_in_section = name == _SECTION
        if self._depth <= _SECTION_DEPTH or not self._is_in_section:
            return
        element = Element(name, attributes)
        if self._open and len(self._open[-1].children) < _MOST_CHILDREN:
            self._open[-1].children.append(element)
        self._open.append(element)

    def end(self, _name: str) -> None:
        self._depth -= 1
        if self._open:
            element = self._open.pop()
            if not self._open:
                self.complete.append(element)


def _refuse(*_: object) -> None:
    raise InvalidCollection("it has a DOCTYPE, which no DJ software writes")


def elements(file: BinaryIO) -> Iterator[tuple[str, Element]]:
    """The name of the root, and each element of its collection, one after another.

    Raises:
        InvalidCollection: the file is no XML, or has a DOCTYPE (which may define entities that
            expand without bound).
    """
    builder, parser = _Builder(), expat.ParserCreate()
    parser.StartElementHandler, parser.EndElementHandler = builder.start, builder.end
    parser.StartDoctypeDeclHandler = _refuse
    try:
        while chunk := file.read(_CHUNK_BYTES):
            parser.Parse(chunk, False)
            yield from ((builder.root, element) for element in builder.complete)
            builder.complete = []
        parser.Parse(b"", True)
    except expat.ExpatError as error:
        raise InvalidCollection(f"it is no XML, or cut off: {error}") from None
