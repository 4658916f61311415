"""The schema, put together with its limits. `python -m services.api.graphql.schema` writes it."""

from pathlib import Path
from typing import Any

import asyncpg
import strawberry
import structlog
from graphql import GraphQLError
from strawberry.extensions import (
    MaxAliasesLimiter,
    MaxTokensLimiter,
    QueryDepthLimiter,
    SchemaExtension,
)
from strawberry.schema.config import StrawberryConfig
from strawberry.types import ExecutionContext

from services.api.graphql.mutations import Mutation
from services.api.graphql.queries import Query
from services.api.graphql.scalars import SCALAR_MAP
from services.api.graphql.subscription import Subscription

TEXT = Path(__file__).parents[1] / "schema.graphql"
_MOST_DEPTH = 14  # GraphiQL's introspection has 13
_MOST_ALIASES = 30
_MOST_TOKENS = 2_500

_log = structlog.get_logger(__name__)
_UNAVAILABLE = (
    OSError,
    asyncpg.InterfaceError,
    asyncpg.PostgresConnectionError,
    asyncpg.DiskFullError,
    asyncpg.CannotConnectNowError,
    asyncpg.AdminShutdownError,
)


def named(error: GraphQLError) -> GraphQLError:
    """An error as clients may see it: what they can mend is told, what is ours is hidden."""
    cause = error.original_error
    if cause is None or isinstance(cause, GraphQLError):
        return error
    if isinstance(cause, _UNAVAILABLE):
        error.message = f"the database does not answer: {cause}"
        error.extensions = {"code": "UNAVAILABLE"}
        return error
    error.message = "this failed on our side; the log says more"
    error.extensions = {"code": "INTERNAL"}
    return error


class _Schema(strawberry.Schema):
    def process_errors(
        self, errors: list[GraphQLError], execution_context: ExecutionContext | None = None
    ) -> None:
        for error in errors:
            cause = error.original_error
            if cause is not None and not isinstance(cause, GraphQLError):
                _log.error("a request failed", path=error.path, exc_info=cause)


class _NamedErrors(SchemaExtension):
    """Names errors after they were logged."""

    def on_operation(self) -> Any:
        yield
        result = self.execution_context.result
        for error in getattr(result, "errors", None) or ():
            named(error)


def build_schema() -> strawberry.Schema:
    """The whole schema."""
    return _Schema(
        query=Query,
        mutation=Mutation,
        subscription=Subscription,
        config=StrawberryConfig(scalar_map=SCALAR_MAP),
        extensions=[
            lambda: QueryDepthLimiter(max_depth=_MOST_DEPTH),
            lambda: MaxAliasesLimiter(max_alias_count=_MOST_ALIASES),
            lambda: MaxTokensLimiter(max_token_count=_MOST_TOKENS),
            _NamedErrors,
        ],
    )


if __name__ == "__main__":
    TEXT.write_text(build_schema().as_str() + "\n")
