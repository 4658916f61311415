"""The schema, put together with its limits. `python -m services.api.graphql.schema` writes it.

Depth, aliases and tokens bound the document; a worker's `tracksById` of 1,000 tracks stays well
below these limits. `context.Budget` bounds the rows of all lists of a request, since nested lists
multiply.
"""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import strawberry
from graphql import ExecutionResult as Executed
from graphql import GraphQLError
from strawberry.extensions import (
    AddValidationRules,
    MaxAliasesLimiter,
    MaxTokensLimiter,
    ParserCache,
    QueryDepthLimiter,
    SchemaExtension,
    ValidationCache,
)
from strawberry.schema.config import StrawberryConfig
from strawberry.types import ExecutionContext
from strawberry.types.graphql import OperationType

from services.api.graphql.errors import name_error
from services.api.graphql.people.library_mutations import LibraryMutations
from services.api.graphql.people.mutations import PeopleMutations
from services.api.graphql.people.queries import PeopleQueries
from services.api.graphql.people.subscriptions import Subscription
from services.api.graphql.scalars import SCALAR_MAP
from services.api.graphql.services.mutations import ServiceMutations
from services.api.graphql.services.queries import ServiceQueries

TEXT = Path(__file__).parents[1] / "schema.graphql"
MOST_DEPTH = 12  # introspection does not count
MOST_ALIASES = 30
MOST_TOKENS = 2_500
_RULES = [
    *QueryDepthLimiter(max_depth=MOST_DEPTH).validation_rules,
    *MaxAliasesLimiter(max_alias_count=MOST_ALIASES).validation_rules,
]


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
        for error in errors:
            name_error(error)


class _RequestScope(SchemaExtension):
    """Gives each operation fresh loaders: a websocket has one context for many operations."""

    def on_operation(self) -> Iterator[None]:
        context, execution = self.execution_context.context, self.execution_context
        context.begin_request()
        yield
        if execution.operation_type is OperationType.MUTATION:
            context.changes.notify()
        result = execution.result
        if context.budget.is_exceeded and isinstance(result, Executed) and result.errors:
            # Report one error, not one for each of thousands of lists that exceed the budget.
            result.data, result.errors = None, result.errors[:1]


def document_limits() -> list[Callable[[], SchemaExtension]]:
    """The limits of a document, for the schema's extensions.

    Workers send the same few documents again and again. So parsed and validated documents are
    cached: without the caches, validation takes a quarter of the gateway's time. The rules are
    made once, since they are part of the cache's key.
    """
    limits: list[Callable[[], Any]] = [
        lambda: MaxTokensLimiter(max_token_count=MOST_TOKENS),
        lambda: AddValidationRules(_RULES),
        ParserCache,
        ValidationCache,
    ]
    return limits


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
