"""Limits of a document's selections, in time that is linear in its text."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionNode,
    SelectionSetNode,
    ValidationRule,
)

MOST_DEPTH = 12
MOST_ALIASES = 30
MOST_FIELDS = 2_500
MOST_NESTING = 100


class Size(NamedTuple):
    """The size of a selection set with all that its fragments add.

    Attributes:
        depth: levels of fields below it. Introspection does not count.
        nesting: levels of selection sets, fragments included.
        aliases: a fragment's count each time it is spread.
        fields: likewise.
    """

    depth: int = 0
    nesting: int = 0
    aliases: int = 0
    fields: int = 0


class Sizes:
    """Measures the operations of a document, and each selection set once.

    A fragment that is spread many times is measured once. Without that, a chain of fragments that
    each spread the next one twice would take twice as long with every link.

    Unknown fragments count as empty, and so does a fragment within itself: rules of the
    specification report both.

    Attributes:
        visits: how many selections were looked at.
    """

    def __init__(self, document: DocumentNode) -> None:
        self._fragments: Mapping[str, SelectionSetNode] = {
            definition.name.value: definition.selection_set
            for definition in document.definitions
            if isinstance(definition, FragmentDefinitionNode)
        }
        self._known: dict[int, Size] = {}
        self.visits = 0

    def of(self, selections: SelectionSetNode) -> Size:
        """The size of a selection set. It does not recurse, since fragments nest by hundreds."""
        begun: set[int] = set()
        pending = [selections]
        while pending:
            current = pending[-1]
            if id(current) in self._known:
                pending.pop()
            elif id(current) in begun:
                self._known[id(current)] = self._sum(current.selections)
                pending.pop()
            else:
                begun.add(id(current))
                pending += [
                    inner
                    for inner in self._inner(current.selections)
                    if id(inner) not in begun and id(inner) not in self._known
                ]
        return self._known[id(selections)]

    def _inner(self, selections: Iterable[SelectionNode]) -> Iterator[SelectionSetNode]:
        for selection in selections:
            self.visits += 1
            if (inner := self._below(selection)) is not None:
                yield inner

    def _below(self, selection: SelectionNode) -> SelectionSetNode | None:
        if isinstance(selection, FragmentSpreadNode):
            return self._fragments.get(selection.name.value)
        if isinstance(selection, FieldNode | InlineFragmentNode):
            return selection.selection_set
        return None

    def _sum(self, selections: Iterable[SelectionNode]) -> Size:
        depth = nesting = aliases = fields = 0
        for selection in selections:
            self.visits += 1
            below = self._below(selection)
            inner = Size() if below is None else self._known.get(id(below), Size())
            inner_depth = inner.depth
            if isinstance(selection, FieldNode):
                fields += 1
                aliases += selection.alias is not None
                is_introspection = selection.name.value.startswith("__")
                inner_depth = 0 if below is None or is_introspection else 1 + inner_depth
            depth = max(depth, inner_depth)
            nesting = max(nesting, 0 if below is None else 1 + inner.nesting)
            aliases += inner.aliases
            fields += inner.fields
        return Size(depth, nesting, aliases, fields)


class DocumentLimits(ValidationRule):
    """Depth, nesting, aliases and fields of a document.

    It reports when the document is left, so after the rules of the specification: a misspelled
    fragment is reported as one.
    """

    def leave_document(self, node: DocumentNode, *_args: Any) -> None:
        """Report what exceeds a limit."""
        sizes, aliases = Sizes(node), 0
        for definition in node.definitions:
            if isinstance(definition, OperationDefinitionNode):
                size = sizes.of(definition.selection_set)
                aliases += size.aliases
                for problem in _problems(size):
                    self.report_error(GraphQLError(problem, definition))
        if aliases > MOST_ALIASES:
            count = f"{aliases:,}" if aliases < MOST_FIELDS else f"more than {MOST_FIELDS:,}"
            self.report_error(
                GraphQLError(f"{count} aliases: a document may have {MOST_ALIASES}; send several")
            )


def _problems(size: Size) -> Iterator[str]:
    if size.depth > MOST_DEPTH:
        yield f"fields are nested deeper than the maximum depth of {MOST_DEPTH}: ask in two steps"
    if size.nesting > MOST_NESTING:
        yield f"fragments are nested deeper than {MOST_NESTING}: spread them in fewer levels"
    if size.fields > MOST_FIELDS:
        yield (
            f"more than {MOST_FIELDS:,} fields, those of a fragment counted each time it is spread:"
            " select fewer, or send several documents"
        )
