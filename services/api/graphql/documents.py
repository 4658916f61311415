"""Documents and variables before they are executed: their limits, and a cache of documents."""

from collections import OrderedDict
from collections.abc import Iterator, Mapping
from typing import Any

from graphql import (
    DocumentNode,
    FieldNode,
    GraphQLError,
    NameNode,
    OperationDefinitionNode,
    OperationType,
    SelectionSetNode,
)
from strawberry.extensions import SchemaExtension

from services.api.graphql.errors import bad_input
from services.api.store.checks import MOST_ITEMS

MOST_CHARACTERS = 100_000
MOST_VALUES = 100_000
MOST_VALUES_TO_STORE = 2_000_000
MOST_LISTED = 10_000
_MOST_CACHED_BYTES = 32_000_000
_BYTES_PER_TOKEN = 700  # 310 to 620 were measured with tracemalloc
_BYTES_PER_CHARACTER = 8  # at most 4, in the text and again in the values of its tokens


class DocumentCache:
    """Parsed documents that are valid, the last used ones, as many as fit.

    Workers and most clients send the same few documents again and again: without the cache,
    parsing and validation take a quarter of the gateway's time. It is limited by memory instead of
    by number: 128 large documents took hundreds of megabytes.

    Args:
        most_bytes: how much memory they may take, by an estimate.
    """

    def __init__(self, most_bytes: int = _MOST_CACHED_BYTES) -> None:
        self._most_bytes = most_bytes
        self._kept: OrderedDict[str, tuple[DocumentNode, int]] = OrderedDict()
        self.bytes = 0

    def get(self, text: str) -> DocumentNode | None:
        """The document of a text, if it is kept."""
        if (found := self._kept.get(text)) is None:
            return None
        self._kept.move_to_end(text)
        return found[0]

    def keep(self, text: str, document: DocumentNode) -> None:
        """Keep a document, and drop those that were not used for the longest time."""
        size = len(text) * _BYTES_PER_CHARACTER + _tokens(document) * _BYTES_PER_TOKEN
        if text in self._kept:
            return
        self._kept[text] = document, size
        self.bytes += size
        while self.bytes > self._most_bytes:
            self.bytes -= self._kept.popitem(last=False)[1][1]


def _tokens(document: DocumentNode) -> int:
    token, count = document.loc and document.loc.start_token, 0
    while token:
        token, count = token.next, count + 1
    return count


class Documents(SchemaExtension):
    """Parses and validates a request's document, or takes it from the cache.

    It refuses a request by setting `pre_execution_errors`, never by an exception: a websocket would
    end such an operation without an error.
    """

    def __init__(self, cache: DocumentCache) -> None:
        self._cache = cache
        self._refusal: GraphQLError | None = None
        self._is_named = False

    def on_parse(self) -> Iterator[None]:
        """Look at text and variables before anything is made of them."""
        context = self.execution_context
        name = context.operation_name  # before there is a document: the one that the client sent
        self._is_named = name is not None
        try:
            _check_text(context.query or "")
            most = MOST_VALUES_TO_STORE if context.context.may_store else MOST_VALUES
            check_variables(context.variables or {}, most)
        except GraphQLError as refusal:
            self._refusal = refusal
            context.graphql_document = _stand_in(name)
        else:
            context.graphql_document = self._cache.get(context.query or "")
        yield

    def on_validate(self) -> Iterator[None]:
        """Validate, unless the document is known to be valid."""
        context = self.execution_context
        document, text = context.graphql_document, context.query or ""
        if document is None:
            yield  # it was not parsed: strawberry has the error
            return
        is_known = self._cache.get(text) is document
        refusal = self._refusal or (None if self._is_named else _ambiguity(document))
        if refusal is not None or is_known:
            context.pre_execution_errors = [refusal] if refusal else []
        yield
        if not is_known and not context.pre_execution_errors:
            self._cache.keep(text, document)


def _check_text(text: str) -> None:
    if len(text) > MOST_CHARACTERS:
        raise bad_input(
            f"query: {len(text):,} characters are too many, {MOST_CHARACTERS:,} is the limit: send"
            " values as variables"
        )


def _stand_in(name: str | None) -> DocumentNode:
    """A document for a refused text, which is not parsed. It is never executed."""
    field = FieldNode(name=NameNode(value="__typename"))
    operation = OperationDefinitionNode(
        operation=OperationType.QUERY,
        name=None if name is None else NameNode(value=name),
        selection_set=SelectionSetNode(selections=(field,)),
    )
    return DocumentNode(definitions=(operation,))


def _ambiguity(document: DocumentNode) -> GraphQLError | None:
    """The error of a document of several operations, if the request names none.

    GraphQL specification, 6.1, GetOperation. Strawberry would execute the first one. Where one has
    no name, validation says so.
    """
    operations = [
        each for each in document.definitions if isinstance(each, OperationDefinitionNode)
    ]
    names = [each.name.value for each in operations if each.name]
    if len(operations) < 2 or len(names) < len(operations):
        return None
    shown = ", ".join(names[:10])
    return bad_input(f"operationName: the document has several operations: name one of {shown}")


def check_variables(variables: Mapping[str, Any], most_values: int) -> None:
    """Count the values of a request's variables, before they are converted one by one.

    Raises:
        GraphQLError: BAD_INPUT, if a list or all variables together are too long.
    """
    left = most_values
    for name, variable in variables.items():
        pending = [variable]
        while pending:
            value = pending.pop()
            if isinstance(value, dict):
                left -= len(value)
                pending += [each for each in value.values() if isinstance(each, dict | list)]
            elif isinstance(value, list):
                _check_list(name, value)
                left -= len(value)
                pending += [each for each in value if isinstance(each, dict | list)]
            if left < 0:
                raise bad_input(
                    f"${name}: a request has at most {most_values:,} values in its variables: send"
                    " several"
                )


def _check_list(name: str, values: list[Any]) -> None:
    most = MOST_ITEMS if values and isinstance(values[0], dict) else MOST_LISTED
    if len(values) > most:
        raise bad_input(
            f"${name}: {len(values):,} items are too many: send at most {most:,} a call"
        )
