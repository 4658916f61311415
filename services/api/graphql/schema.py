"""The schema, put together with its limits. `python -m services.api.graphql.schema` writes it.

`documents` bounds the document and its variables; a worker's `tracksById` of 1,000 tracks stays
well below these limits. `context.Budget` bounds the rows and values of an answer, since nested
lists multiply.
"""

from collections.abc import Callable, Iterator
from pathlib import Path

import strawberry
from graphql import ExecutionResult as Executed
from graphql import GraphQLError, GraphQLSyntaxError
from strawberry.exceptions import MissingQueryError
from strawberry.extensions import AddValidationRules, MaxTokensLimiter, SchemaExtension
from strawberry.schema.config import StrawberryConfig
from strawberry.schema.exceptions import CannotGetOperationTypeError
from strawberry.types import ExecutionContext
from strawberry.types.graphql import OperationType

from services.api.graphql.document_rules import DocumentLimits
from services.api.graphql.documents import DocumentCache, Documents
from services.api.graphql.errors import bad_input, name_error
from services.api.graphql.people.library_mutations import LibraryMutations
from services.api.graphql.people.mutations import PeopleMutations
from services.api.graphql.people.queries import PeopleQueries
from services.api.graphql.people.subscriptions import Subscription
from services.api.graphql.scalars import SCALAR_MAP
from services.api.graphql.services.mutations import ServiceMutations
from services.api.graphql.services.queries import ServiceQueries

MOST_TOKENS = 2_500
TEXT = Path(__file__).parents[1] / "schema.graphql"


@strawberry.type
class Query(ServiceQueries, PeopleQueries):
    """The root of all queries."""


@strawberry.type
class Mutation(PeopleMutations, LibraryMutations, ServiceMutations):
    """The root of all mutations."""


class _Schema(strawberry.Schema):
    def process_errors(
        self, errors: list[GraphQLError], execution_context: ExecutionContext | None = None
    ) -> None:
        errors[:] = [_without_class(error) for error in errors]
        for error in errors:
            name_error(error)


def _without_class(error: GraphQLError) -> GraphQLError:
    """An error of the document itself as any other one.

    By their classes strawberry closes a websocket, with all other operations that run on it.
    """
    if isinstance(error, GraphQLSyntaxError):
        return GraphQLError(error.message, source=error.source, positions=error.positions)
    if isinstance(error.original_error, CannotGetOperationTypeError):
        return bad_input(f"operationName: {error.original_error.as_http_error_reason()}")
    if isinstance(error.original_error, MissingQueryError):
        return bad_input("query: send the text of the operation")
    return error


class _RequestScope(SchemaExtension):
    """Gives each operation fresh loaders: a websocket has one context for many operations."""

    def on_operation(self) -> Iterator[None]:
        context, execution = self.execution_context.context, self.execution_context
        context.begin_request()
        yield
        is_parsed = execution.graphql_document is not None
        if is_parsed and execution.operation_type is OperationType.MUTATION:
            context.changes.notify()
        result = execution.result
        if context.budget.is_exceeded and isinstance(result, Executed) and result.errors:
            # Report one error, not one for each of thousands of lists that exceed the budget.
            result.data, result.errors = None, result.errors[:1]


def document_limits() -> list[Callable[[], SchemaExtension]]:
    """What limits documents and variables, for the schema's extensions."""
    cache = DocumentCache()
    return [
        lambda: MaxTokensLimiter(max_token_count=MOST_TOKENS),
        lambda: AddValidationRules([DocumentLimits]),
        lambda: Documents(cache),
    ]


def build_schema() -> strawberry.Schema:
    """The whole schema."""
    return _Schema(
        query=Query,
        mutation=Mutation,
        subscription=Subscription,
        config=StrawberryConfig(scalar_map=SCALAR_MAP),
        extensions=[*document_limits(), _RequestScope],
    )


if __name__ == "__main__":
    TEXT.write_text(build_schema().as_str() + "\n")
