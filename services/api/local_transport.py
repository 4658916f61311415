"""The gateway for workers in its own process: no HTTP, no JSON, and no GraphQL on hot paths.

The operations of a scan hand their typed inputs to the functions that the mutations call
(`direct_operations`), with the same checks and results. Any other operation is executed by the
same schema as over HTTP. One suite of tests runs over both transports.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

import asyncpg
import msgspec
import strawberry
from graphql import GraphQLError
from strawberry.schema.exceptions import CannotGetOperationTypeError, InvalidOperationTypeError
from strawberry.types.graphql import OperationType

from services.api.change_notifier import ChangeNotifier
from services.api.direct_operations import DIRECT, MUTATIONS
from services.api.graphql.context import Context
from services.api.graphql.errors import name_error
from services.api.store.covers import store_images
from services.api.store.database.pool import waiting_for_database
from shared.gateway.client import GatewayRefused, Operation, camel_case, raise_errors

R = TypeVar("R")
_OPERATIONS = (OperationType.QUERY, OperationType.MUTATION)


class LocalTransport:
    """The `Transport` of `shared.gateway.client` to a gateway in this process.

    Args:
        schema: the gateway's.
        make_context: makes the context of one request, as the gateway's app does.
        pool: returns the pool of database connections, as long as it is open.
        changes: notified of what the direct operations store.
    """

    def __init__(
        self,
        schema: strawberry.Schema,
        make_context: Callable[[], Context],
        *,
        pool: Callable[[], asyncpg.Pool],
        changes: ChangeNotifier,
    ) -> None:
        self._schema = schema
        self._make_context = make_context
        self._pool = pool
        self._changes = changes

    async def execute(
        self, operation: Operation[R], variables: Mapping[str, object]
    ) -> Mapping[str, R]:
        """Run an operation and return its `data`: the root fields by name.

        Raises:
            DependencyDown: the database does not answer.
            GatewayRefused: the document or its variables are not accepted.
        """
        if operation in DIRECT:
            # The name does not matter: `Gateway.execute` takes the only value.
            return {"": await self._call(operation, variables)}
        return await self._execute(operation, variables)

    async def _call(self, operation: Operation[R], variables: Mapping[str, object]) -> R:
        pool = self._pool()
        try:
            result: R = await DIRECT[operation](pool, **variables)
        except Exception as cause:
            error = cause if isinstance(cause, GraphQLError) else None
            error = error or GraphQLError(str(cause), original_error=cause)
            name_error(error)
            raise_errors([(str((error.extensions or {}).get("code")), error.message)])
            raise
        if operation in MUTATIONS:
            self._changes.notify()
        return result

    async def _execute(
        self, operation: Operation[R], variables: Mapping[str, object]
    ) -> Mapping[str, R]:
        by_name = {
            camel_case(name): msgspec.to_builtins(value) for name, value in variables.items()
        }
        try:
            executed = await self._schema.execute(
                operation.document,
                by_name,
                context_value=self._make_context(),
                allowed_operation_types=_OPERATIONS,
            )
        except (CannotGetOperationTypeError, InvalidOperationTypeError) as error:
            raise GatewayRefused(str(error)) from error
        errors = executed.errors or ()
        raise_errors(((error.extensions or {}).get("code"), error.message) for error in errors)
        return {
            name: msgspec.convert(value, operation.result)
            for name, value in (executed.data or {}).items()
        }

    async def post_covers(self, images: Sequence[bytes]) -> list[str | None]:
        """Store images under the SHA-256 of their bytes; for each None, or why it is refused.

        Raises:
            DependencyDown: the database does not answer.
        """
        with waiting_for_database():
            return await store_images(self._pool(), images)
